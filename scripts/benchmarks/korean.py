"""Calls in Korean, for the only Vosk model that we could reach. eSpeak NG speaks written turns over a telephone line.

The model hears no syllable of this robot right. So the calls tell what decoding costs, and nothing of the errors with
people.
"""

from __future__ import annotations

import io
import itertools
import json
import shutil
import subprocess
import wave
from pathlib import Path

from scripts.evaluation.lines import RATE, Samples, hiss, pcm
from scripts.evaluation.speech import read_speech
from scripts.evaluation.stats import edit_distance

PAUSE_SECONDS = 0.8
"""Seconds between two turns."""

HISS = 0.0005
"""Level of the line's noise, as a share of full scale."""

VOICES = {"agent": "ko", "customer": "ko+f3"}

CALLS = {
    "late-parcel": [
        "안녕하세요 고객 센터입니다 무엇을 도와드릴까요",
        "안녕하세요 지난주에 주문한 물건이 아직 도착하지 않았습니다",
        "불편을 드려서 죄송합니다 주문 번호를 말씀해 주시겠습니까",
        "주문 번호는 일 사 칠 삼 이 공입니다",
        "감사합니다 잠시만 기다려 주세요",
        "벌써 세 번째 전화하는 겁니다 왜 아무도 대답을 못 합니까",
        "확인해 보니 배송 회사에서 주소를 찾지 못했다고 합니다",
        "주소는 작년부터 똑같습니다 정말 이해가 안 됩니다",
        "오늘 안으로 다시 보내 드리도록 하겠습니다",
        "이번에도 안 오면 환불해 주세요",
        "네 알겠습니다 내일까지 도착하지 않으면 바로 환불해 드리겠습니다",
        "좋습니다 그러면 내일까지 기다리겠습니다",
    ],
    "lost-card": [
        "은행 상담실입니다 어떤 일로 전화하셨습니까",
        "어제 시장에서 지갑을 잃어버렸는데 카드를 정지하고 싶습니다",
        "많이 놀라셨겠습니다 성함과 생년월일을 말씀해 주세요",
        "제 이름은 김민수이고 천구백팔십오년 삼월 십이일에 태어났습니다",
        "네 확인되었습니다 지금 바로 카드를 정지하겠습니다",
        "혹시 그동안 누가 제 카드를 사용했습니까",
        "오늘 아침에 편의점에서 만 오천 원이 결제되었습니다",
        "그건 제가 쓴 것이 아닙니다 어떻게 해야 합니까",
        "걱정하지 마세요 신고서를 작성하시면 그 금액은 돌려받으실 수 있습니다",
        "새 카드는 언제 받을 수 있습니까",
        "일주일 안에 집으로 보내 드립니다",
        "친절하게 도와주셔서 감사합니다",
    ],
}
"""The turns of each call, the agent's first."""


def speak_korean(folder: Path) -> Path:
    """Write the calls into `folder` in the demo's form: call-NAME/agent.wav and customer.wav.

    Raises SystemExit if espeak-ng is not installed.
    """
    if shutil.which("espeak-ng") is None:
        raise SystemExit("bench: espeak-ng is not installed; it speaks Korean (on Debian: apt-get install espeak-ng)")
    for name, texts in CALLS.items():
        spoken = [(party, _say(text, VOICES[party])) for party, text in zip(itertools.cycle(VOICES), texts)]
        pause = round(PAUSE_SECONDS * RATE)
        total = sum(len(samples) + pause for _, samples in spoken)
        tracks = {party: hiss(total, HISS) for party in VOICES}
        at = 0
        for party, samples in spoken:
            tracks[party][at : at + len(samples)] += samples
            at += len(samples) + pause
        (folder / f"call-{name}").mkdir(parents=True)
        turns = [{"track": party, "text": text} for party, text in zip(itertools.cycle(VOICES), texts)]
        (folder / f"call-{name}" / "truth.json").write_text(json.dumps({"turns": turns}), encoding="utf-8")
        for party, samples in tracks.items():
            _write(folder / f"call-{name}" / f"{party}.wav", samples)
    return folder


def word_errors(said: str, heard: str) -> tuple[int, int]:
    """(word errors, words said). Spaces part words."""
    return edit_distance(said.split(), heard.split()), len(said.split())


def character_errors(said: str, heard: str) -> tuple[int, int]:
    """The same for syllables. Each is one character. Spaces do not count."""
    return word_errors(" ".join("".join(said.split())), " ".join("".join(heard.split())))


def _say(text: str, voice: str) -> Samples:
    command = ["espeak-ng", "-v", voice, "-s", "140", "--stdout", text]
    return read_speech(io.BytesIO(subprocess.run(command, check=True, capture_output=True).stdout))


def _write(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm(samples).tobytes())
