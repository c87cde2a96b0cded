"""The store of recordings: a folder, or a bucket of S3-compatible storage.

parts/<call>/<started_at_ms>/<from>-<until>-<rate>-<digest>   some seconds of a call that is not assembled yet: ms of
                                                              the call, the highest sample rate, a digest
kept/<call>/<started_at_ms>.flac                              a whole call
kept/<call>/<started_at_ms>.json                              what the database says of it: catalogue.Recording

A file is there whole or not at all. A part's name comes from its content: putting it twice leaves one, and two
processes that put overlapping parts take nothing from each other.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from state.calls.listening import Sound
from state.settings import Settings

T = TypeVar("T")

RETRY: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
"""One try: if the storage is away, the caller asks again later."""


READ_BYTES = 1 << 16
"""Bytes of a recording to read at once."""


class SoundsAway(RuntimeError):
    """The store does not answer, its disk is full, or it refuses. One line."""


class Named(msgspec.Struct, frozen=True):
    """A call: its id, and when it began, as telephony may use an id again."""

    call_id: str
    started_at_ms: int

    @property
    def parts(self) -> str:
        return f"parts/{self.call_id}/{self.started_at_ms}/"

    @property
    def file(self) -> str:
        return f"kept/{self.call_id}/{self.started_at_ms}.flac"

    @property
    def about(self) -> str:
        return f"kept/{self.call_id}/{self.started_at_ms}.json"


class Piece(msgspec.Struct, frozen=True):
    """A chunk of a track."""

    track: str
    sound: Sound


class Part(msgspec.Struct, frozen=True):
    """A part's name: where it is, the ms of the call in which it begins and ends, its highest sample rate in Hz."""

    path: str
    from_ms: int
    until_ms: int
    rate: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Piece]).decode


class Sounds:
    """The store. Any thread may use it; after a fork, open another. Every method raises SoundsAway."""

    def __init__(self, where: str) -> None:
        """where: an absolute path, or s3://bucket/prefix, with the variables AWS_... that other programs use, too."""
        self._where = where
        self._folder = None if where.startswith("s3://") else Path(where)

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        if self._folder is None:
            return S3Store.from_url(self._where, retry_config=RETRY)
        return LocalStore(self._folder, mkdir=True)

    def put_part(self, call: Named, pieces: list[Piece]) -> Part:
        """Keep some chunks of a call."""
        body = _encode(pieces)
        sounds = [piece.sound for piece in pieces]
        from_ms, until_ms = int(min(s.start for s in sounds) * 1000), int(max(s.end for s in sounds) * 1000 + 1)
        rate = max(sound.rate for sound in sounds)
        name = f"{from_ms:09d}-{until_ms:09d}-{rate}-{blake2b(body, digest_size=8).hexdigest()}"
        with _told():
            obstore.put(self._store, call.parts + name, body)
        return Part(call.parts + name, from_ms, until_ms, rate)

    def parts(self, call: Named) -> list[Part]:
        """All parts of a call, in the order in which they begin."""
        return sorted(map(_part, self._list(call.parts)), key=lambda part: (part.from_ms, part.path))

    def read_part(self, part: Part) -> list[Piece]:
        """The chunks in a part; [] if it is gone. Raises msgspec.DecodeError for a damaged one."""
        body = self._found(lambda: obstore.get(self._store, part.path).bytes())
        return [] if body is None else _decode(bytes(body))

    def clear_parts(self, call: Named) -> None:
        """Throw the parts of a call away."""
        self._remove(call.parts)

    def put_file(self, call: Named, file: Path, about: bytes) -> None:
        """Keep a call's whole recording, and what the database will say of it."""
        with _told():
            obstore.put(self._store, call.file, file)
            obstore.put(self._store, call.about, about)  # last: where it is, the whole recording is too

    def about(self, call: Named) -> bytes | None:
        """What `put_file` was told of a recording; None if there is none."""
        body = self._found(lambda: obstore.get(self._store, call.about).bytes())
        return None if body is None else bytes(body)

    def kept(self) -> list[Named]:
        """All calls of which there is a whole recording."""
        files = (path.split("/") for path in self._list("kept/") if path.endswith(".flac"))
        return [Named(call_id, int(name.removesuffix(".flac"))) for _, call_id, name in files]

    def open(self, call: Named) -> BufferedReader | None:
        """A call's recording, to be read from any place; None if there is none."""
        found = self._found(lambda: obstore.open_reader(self._store, call.file))
        return None if found is None else BufferedReader(_File(found), READ_BYTES)

    def forget(self, call: Named) -> None:
        """Erase a call's recording and parts."""
        self._delete([call.about])  # first: where it is, the whole recording is too
        self._delete([call.file])
        self._remove(call.parts)

    def erase(self, call_id: str, until_ms: int) -> int:
        """Erase all that is kept of calls of this id that began up to then. Returns of how many calls."""
        started: set[int] = set()
        for path in self._list(f"kept/{call_id}/"):
            started.add(int(path.rpartition("/")[2].partition(".")[0]))
        for path in self._list(f"parts/{call_id}/"):
            started.add(int(path.split("/")[2]))
        old = [Named(call_id, moment) for moment in started if moment <= until_ms]
        for call in old:
            self.forget(call)
        return len(old)

    def drop_old_parts(self, before_ms: int) -> int:
        """Throw away parts that were written before and never assembled. Returns how many."""
        before = datetime.fromtimestamp(before_ms / 1000, UTC)
        with _told():
            found = [one for some in obstore.list(self._store, "parts") for one in some]
        old = [one["path"] for one in found if one["last_modified"] < before]
        self._delete(old)
        return len(old)

    def _list(self, folder: str) -> list[str]:
        with _told():
            return [one["path"] for some in obstore.list(self._store, folder.rstrip("/")) for one in some]

    def _remove(self, folder: str) -> None:
        """Remove a folder with all that is in it; on a disk also what a killed process left half written."""
        self._delete(self._list(folder))
        if self._folder is not None:
            shutil.rmtree(self._folder / folder, ignore_errors=True)

    def _delete(self, paths: list[str]) -> None:
        if paths:
            self._found(lambda: obstore.delete(self._store, paths))

    def _found(self, get: Callable[[], T]) -> T | None:
        try:
            with _told():
                return get()
        except FileNotFoundError:
            return None


class _File(RawIOBase):
    """A file of the store as Python knows files: what reads it wants bytes."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()

    def readinto(self, buffer: Any) -> int:
        with _told():
            found = bytes(self._reader.read(len(buffer)))
        buffer[: len(found)] = found
        return len(found)


def open_sounds(settings: Settings) -> Sounds | None:
    """The store of RECORDINGS; None if there is none."""
    return Sounds(settings.recordings) if settings.recordings else None


def _part(path: str) -> Part:
    from_ms, until_ms, rate, _ = path.rpartition("/")[2].split("-")
    return Part(path, int(from_ms), int(until_ms), int(rate))


@contextmanager
def _told() -> Iterator[None]:
    """Turn the store's own errors into ours."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise SoundsAway(str(error).strip().splitlines()[0]) from error
