"""Checks once at start, before the first call, that this worker decodes as its model promises.

It decodes a short recording warm, and again with a hand-over in mid-utterance to a new recogniser, rebuilt from
snapshot and journal. If the results differ, a call could change its words when it moves between workers, so Earshot
refuses the model. The digest of the results shows the fleet a worker whose processor or libraries decode differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from state.g711 import decode_mulaw
from workers.engines.base import DeterminismFault, Final, Model, ModelUnusable, Snapshot

SAMPLE = Path(__file__).with_name("selfcheck.ulaw")
"""Four seconds of a synthetic voice on a telephone line: 8 kHz mu-law without header."""

SAMPLE_RATE = 8000
"""Samples per second of SAMPLE; a chunk is one second, as telephony sends them."""


HAND_OVER = 2
"""Chunk before which the cold decoding changes recognisers. It does so once, in mid-utterance, because a start should
be quick (on a busy core a large Vosk model decodes slower than people speak). The tests change at every chunk."""


class Decoding(msgspec.Struct):
    """All results of decoding a track: its utterances, and the snapshot after each chunk."""

    finals: list[Final]
    snapshots: list[Snapshot]


def self_check(model: Model) -> str:
    """Decode the sample warm and cold; return a hexadecimal digest of the results, partials included.

    Raises:
        ModelUnusable: the two differ.
    """
    pcm = decode_mulaw(SAMPLE.read_bytes())
    refusal = (
        f"{model.display_name} decodes the same audio differently from run to run, so a call would change its words "
        "when it moves between workers."
    )
    try:
        warm, cold = (
            msgspec.msgpack.encode(decode(model, pcm, SAMPLE_RATE, SAMPLE_RATE, moves))
            for moves in (lambda _number: False, lambda number: number == HAND_OVER)
        )
    except DeterminismFault:
        raise ModelUnusable(refusal) from None
    if warm != cold:
        raise ModelUnusable(refusal)
    return hashlib.sha256(warm).hexdigest()


def decode(model: Model, pcm: bytes, rate: int, chunk_samples: int, moves: Callable[[int], bool]) -> Decoding:
    """Decode a whole track, moving it to another worker where told.

    Args:
        model:         decodes it.
        pcm:           all samples, signed 16 bit.
        rate:          samples per second.
        chunk_samples: length of the chunks it is cut into.
        moves:         whether chunk number n (from 0) is decoded by a new recogniser, rebuilt from the snapshot after
                       the chunk before and the journal's chunks, from the one that holds open_from on.
    """
    chunks = [(at, pcm[2 * at : 2 * (at + chunk_samples)]) for at in range(0, len(pcm) // 2, chunk_samples)]
    result = Decoding([], [])
    recogniser = model.recogniser(rate, None)
    for number, (at, chunk) in enumerate(chunks):
        if number > 0 and moves(number):
            snapshot = msgspec.msgpack.decode(msgspec.msgpack.encode(result.snapshots[-1]), type=Snapshot)
            recogniser = model.recogniser(rate, snapshot)
            for journal_at, journal_chunk in chunks[:number]:
                if journal_at + len(journal_chunk) // 2 > snapshot.open_from:
                    recogniser.replay(journal_chunk, journal_at)
        result.finals += recogniser.accept(chunk, at)
        result.snapshots.append(recogniser.snapshot(want_partial=True))
    result.finals += recogniser.flush()
    return result
