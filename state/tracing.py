"""Traces: each chunk's way through the processes, sent to an OpenTelemetry collector if one is set up.

    with step("take chunk", call_id=call_id):     begins a way, or goes on from the step that this thread is in
        carried()                                 goes with the chunk's entry in the store
    with step("decode", ways, call_id=call_id):   goes on from there, in another process

Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is imported and entries carry nothing. Steps name calls and
tracks; they hold no words and no audio. docs/OPERATING.md follows one call.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from state import logs
from state.settings import Settings

if TYPE_CHECKING:
    from state.spans import Spans

_NOWHERE: AbstractContextManager[object] = nullcontext()
_spans: Spans | None = None


def start(process: str, settings: Settings) -> None:
    """Trace what this process does from now on, if the settings ask for it. Call it after the last fork."""
    global _spans  # noqa: PLW0603 (one a process, like its log)
    if settings.otel_exporter_otlp_endpoint:
        from state.spans import Spans

        _spans = Spans(f"earshot-{process}")
        logs.where = _spans.trace_id


def stop() -> None:
    """Tell the collector the last steps, if it listens."""
    if _spans is not None:
        _spans.flush()


def step(name: str, ways: Iterable[str] | None = None, **about: str | int) -> AbstractContextManager[object]:
    """A step, for as long as it is entered.

    Args:
        name: what is done.
        ways: what the earlier entries carried. The first is its parent, the others are linked. If none carried anything
            there is no step. Without `ways` it is part of this thread's step, or begins a way.
        about: call_id, track and the like.
    """
    return _NOWHERE if _spans is None else _spans.step(name, ways, about)


def steps(name: str, ways: Iterable[str]) -> AbstractContextManager[object]:
    """One step on each of these ways, all at the same time."""
    return _NOWHERE if _spans is None else _spans.steps(name, ways)


def note(**about: str | int) -> None:
    """Say more about the step that this thread is in."""
    if _spans is not None:
        _spans.note(about)


def carried() -> dict[str, str]:
    """{"way": what an entry carries on from this thread's step}, for a script; {} if there is nothing to carry."""
    return {} if _spans is None else _spans.carried()
