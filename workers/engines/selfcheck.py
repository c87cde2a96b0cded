"""Does this worker decode as its model promises? Run once at start-up, before the first call.

A short recording is decoded warm and again with a new recogniser, rebuilt from snapshot and journal, at every
chunk. Unequal results mean that a call could change its words when it moves between workers; the model is
refused. The digest of the results lets the fleet notice a worker whose processor or libraries make it decode
differently from the others.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from workers.engines.base import Final, Model, ModelUnusable, Snapshot
from workers.g711 import decode_mulaw

SAMPLE = Path(__file__).with_name("selfcheck.ulaw")
"""Four seconds of a synthetic voice on a telephone line: 8 kHz mu-law without header."""

SAMPLE_RATE = 8000
"""Samples per second of SAMPLE."""

CHUNK_SECONDS = 1
"""Length of the chunks, as telephony sends them."""


class Decoding(msgspec.Struct):
    """Everything a track's decoding showed: its utterances, and the snapshot after each chunk."""

    finals: list[Final]
    snapshots: list[Snapshot]


def self_check(model: Model) -> str:
    """Decode the sample warm and cold; return a hexadecimal digest of what came out.

    Raises:
        ModelUnusable: the two differ.
    """
    warm = decode_sample(model, cold=False)
    cold = decode_sample(model, cold=True)
    if warm != cold:
        raise ModelUnusable(
            f"The model {model.display_name} decodes the same audio differently from run to run, so a call "
            "would change its words when it moves between workers."
        )
    return hashlib.sha256(warm).hexdigest()


def decode_sample(model: Model, cold: bool) -> bytes:
    """The sample's Decoding as msgpack; `cold` rebuilds the recogniser before every chunk."""
    pcm = decode_mulaw(SAMPLE.read_bytes())
    chunk_samples = CHUNK_SECONDS * SAMPLE_RATE
    chunks = [(at, pcm[2 * at : 2 * (at + chunk_samples)]) for at in range(0, len(pcm) // 2, chunk_samples)]
    result = Decoding([], [])
    recogniser = model.recogniser(SAMPLE_RATE, None)
    for number, (at, chunk) in enumerate(chunks):
        if cold and number > 0:
            snapshot = result.snapshots[-1]
            recogniser = model.recogniser(SAMPLE_RATE, snapshot)
            for earlier_at, earlier in chunks[:number]:
                if earlier_at + len(earlier) // 2 > snapshot.open_from:
                    recogniser.replay(earlier, earlier_at)
        result.finals += recogniser.accept(chunk, at)
        result.snapshots.append(recogniser.snapshot(want_partial=True))
    result.finals += recogniser.flush()
    return msgspec.msgpack.encode(result)
