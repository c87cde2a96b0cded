"""While a decoder gets its engine ready for another sample rate, its heart beats, and it stops when told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from state.calls.leases import JournalChunk, Lease, Token
from workers.decoder.restore import Interrupted
from workers.decoder.track import decode
from workers.engines.prepare import Prepared
from workers.engines.vosk import model as vosk_model
from workers.engines.vosk.model import VoskModel
from workers.engines.vosk.priming import SECONDS

RATE = 11025

LEASE = Lease(
    id="1",
    token=Token("t|1-0", "call", "customer"),
    done_seq=0,
    last_seq=1,
    open_seq=1,
    final_count=0,
    tries=1,
    closed=False,
    rate=RATE,
    samples=RATE,
    done_samples=0,
    warm=False,
    careful_seq=0,
    state=b"",
    journal=[JournalChunk(1, bytes(2 * RATE), "s16le", 0, RATE, None)],
)


class Listener:
    """Stands in for the library's recogniser and counts the seconds it hears."""

    heard_seconds = 0.0

    def SetWords(self, wanted: bool) -> None:  # noqa: N802 (the library's names)
        pass

    def AcceptWaveform(self, samples: bytes) -> bool:  # noqa: N802
        Listener.heard_seconds += len(samples) / 2 / RATE
        return False

    def PartialResult(self) -> str:  # noqa: N802
        return '{"partial": ""}'

    FinalResult = PartialResult


@pytest.fixture
def vosk(monkeypatch: pytest.MonkeyPatch) -> VoskModel:
    """A Vosk model whose library only counts."""
    library = SimpleNamespace(Model=lambda _folder: None, KaldiRecognizer=lambda _model, _rate: Listener())
    monkeypatch.setattr(vosk_model, "load_library", lambda: library)
    monkeypatch.setattr(Listener, "heard_seconds", 0.0)
    return VoskModel(Prepared("", "counting", "1"))


def test_the_heart_beats_while_the_first_track_at_a_rate_makes_vosk_ready(vosk: VoskModel) -> None:
    beats = []
    decode(vosk, LEASE, None, beat=lambda: beats.append(Listener.heard_seconds))
    assert len(beats) >= SECONDS
    assert all(later - earlier <= 1 for earlier, later in zip([0.0, *beats], beats, strict=False))
    first = len(beats)
    decode(vosk, LEASE, None, beat=lambda: beats.append(0.0))
    assert len(beats) - first == 1  # the next track finds it ready


def test_a_decoder_that_must_stop_does_not_get_ready_first(vosk: VoskModel) -> None:
    def stopping(*_: Any) -> bool:
        return Listener.heard_seconds >= 2

    with pytest.raises(Interrupted):
        decode(vosk, LEASE, None, stopping=stopping)
    assert Listener.heard_seconds <= 3
