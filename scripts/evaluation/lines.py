"""What a telephone line does to a voice: the conditions under which `--voice` and `--recognise` measure. Samples are
floats in -1..1 at 8 kHz."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import soundfile

from state import g711

RATE = 8000
BAND_HZ = (300, 3400)
SEED = 20261126
RAW = ["-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1", "-"]
"""sox' options for such samples on its standard input or output."""
PACKET_MS = 20
"""Milliseconds of sound in a packet of telephony."""
AMR_DELAY = 40
"""Samples by which AMR's coder lags: it looks 5 ms ahead (3GPP TS 26.090)."""

Samples = npt.NDArray[np.float64]


def band(samples: Samples) -> Samples:
    """Keep the telephone band only."""
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    return np.fft.irfft(spectrum, len(samples))


def pcm(samples: Samples) -> npt.NDArray[np.int16]:
    """The samples as signed 16 bit numbers, clipped."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype(np.int16)


def level(samples: Samples) -> float:
    """The root mean square."""
    return float(np.sqrt(np.mean(samples**2)))


def mulaw(samples: Samples) -> Samples:
    """Send samples through G.711 mu-law and back."""
    coded = g711.decode_mulaw(g711.encode_mulaw(pcm(samples).tobytes()))
    return np.frombuffer(coded, "<i2").astype(np.float64) / 32768


def gain(db: float) -> Callable[[Samples], Samples]:
    """Make samples louder or softer, and clip what does not fit."""
    return lambda samples: np.clip(samples * 10 ** (db / 20), -1, 1)


def noise(snr_db: float) -> Callable[[Samples], Samples]:
    """Add hiss in the telephone band, so many dB under the speech."""

    def add(samples: Samples) -> Samples:
        return np.asarray(samples + hiss(len(samples), level(samples) * 10 ** (-snr_db / 20)))

    return add


def hiss(count: int, loud: float) -> Samples:
    """So many samples of noise in the telephone band, at this level."""
    noise = band(np.random.default_rng(SEED).standard_normal(count))
    return np.asarray(noise * (loud / level(noise)))


def gsm(samples: Samples) -> Samples:
    """Send samples through GSM full rate (06.10, 13 kbit/s) and back."""
    return _coded(samples, format="WAV", subtype="GSM610")[: len(samples)]


def opus(kbit_s: float) -> Callable[[Samples], Samples]:
    """Send samples through Opus at about this rate, 6 to 256 kbit/s, and back."""
    # The library takes no rate. We measured its "compression level": from 258 kbit/s at 0 to 6 at 1, in a line.
    compression = (258 - kbit_s) / 252

    def through(samples: Samples) -> Samples:
        return _coded(samples, format="OGG", subtype="OPUS", compression_level=compression)[: len(samples)]

    return through


def clipped(db: float) -> Callable[[Samples], Samples]:
    """Cut off the loudest `db` of the peaks and bring the level back, as a badly set microphone does."""

    def cut(samples: Samples) -> Samples:
        limit = float(np.max(np.abs(samples))) * 10 ** (-db / 20)
        return np.clip(samples, -limit, limit)

    return cut


def loss(share: float) -> Callable[[Samples], Samples]:
    """Lose this share of the packets at random. Silence takes their place."""

    def drop(samples: Samples) -> Samples:
        packet = RATE * PACKET_MS // 1000
        lost = np.random.default_rng(SEED).random(-(-len(samples) // packet)) < share
        return np.where(np.repeat(lost, packet)[: len(samples)], 0.0, samples)

    return drop


def faster(factor: float) -> Callable[[Samples], Samples]:
    """Speed speech up at the same pitch, with sox."""

    def hurry(samples: Samples) -> Samples:
        return _samples(_sox(pcm(samples).tobytes(), *RAW, *RAW, "tempo", "-s", str(factor)))

    return hurry


def amr(mode: int) -> Callable[[Samples], Samples]:
    """Send samples through AMR narrowband, mobile telephones' codec, and back, with sox. mode: 0 (4.75 kbit/s) to 7
    (12.2 kbit/s)."""

    def through(samples: Samples) -> Samples:
        late = pcm(np.append(samples, np.zeros(AMR_DELAY)))
        coded = _sox(late.tobytes(), *RAW, "-C", str(mode), "-t", "amr-nb", "-")
        return _samples(_sox(coded, "-t", "amr-nb", "-", *RAW))[AMR_DELAY:][: len(samples)]

    return through


def _sox(sound: bytes, *words: str) -> bytes:
    return subprocess.run(["sox", "-D", *words], input=sound, capture_output=True, check=True).stdout  # -D: no dither


def _samples(raw: bytes) -> Samples:
    return np.frombuffer(raw, "<i2").astype(np.float64) / 32768


def _coded(samples: Samples, **how: object) -> Samples:
    file = io.BytesIO()
    soundfile.write(file, pcm(samples), RATE, **how)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float64")[0])


CONDITIONS: dict[str, Callable[[Samples], Samples]] = {
    "clean": lambda samples: samples,
    "G.711": mulaw,
    "12 dB louder": gain(12),
    "12 dB softer": gain(-12),
    "noise at 20 dB": noise(20),
    "noise at 10 dB": noise(10),
    "all: G.711, noise at 20 dB, 12 dB softer": lambda samples: mulaw(gain(-12)(noise(20)(samples))),
    "GSM": gsm,
}
