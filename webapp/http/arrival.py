"""A request has one path for every layer, and its body is whole or refused.

Flask drops a second slash at the beginning of a path (//decode), so the layers before it must, too. gunicorn hands on a
body that ended before its Content-Length as if it were whole: if a sender is killed in the middle of a chunk, Earshot
would take half of it. gunicorn also makes broken chunked coding look like a fault of the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gunicorn.http.errors import ParseException


class Arrival:
    """WSGI middleware, the outermost."""

    def __init__(self, inner: Callable[..., Iterable[bytes]]) -> None:
        self._inner = inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["PATH_INFO"] = "/" + environ.get("PATH_INFO", "").lstrip("/")
        if environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" not in environ:
            environ.pop("wsgi.input_terminated", None)  # Werkzeug then counts for itself, and refuses what is too short
        else:
            environ["wsgi.input"] = _Chunks(environ["wsgi.input"])
        return self._inner(environ, start_response)


class _Chunks:
    """A body in chunked coding: only its chunks tell where it ends."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, size: int | None = -1) -> bytes:
        """At most `size` bytes, all if it is negative. Raises OSError, as for a sender that has gone, for broken
        chunks. gunicorn then closes the connection, because nobody knows where the next request begins."""
        try:
            return bytes(self._inner.read(size))
        except ParseException as error:
            raise OSError("the body's chunks are none") from error
