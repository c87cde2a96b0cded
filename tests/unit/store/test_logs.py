"""Log lines: each record is one line that programs can read, whatever text it holds."""

from __future__ import annotations

import json
import logging
import sys

from state.logs import Logfmt


def line(message: str, *args: object, **fields: object) -> str:
    record = logging.LogRecord("earshot.test", logging.WARNING, __file__, 1, message, args, None)
    record.created = 1_700_000_000.25
    record.process = 7
    vars(record).update(fields)
    return Logfmt().format(record)


def test_a_record_is_one_line_of_fields() -> None:
    assert line("redis is away", retry_seconds=2, path="/v1/calls") == (
        "at=2023-11-14T22:13:20.250Z level=warning logger=earshot.test pid=7"
        ' msg="redis is away" retry_seconds=2 path=/v1/calls'
    )


def test_text_from_outside_cannot_forge_a_line_or_a_field() -> None:
    hostile = 'x level=error\nat=1 msg="owned"\u2028\x1b[2J'
    written = line("got %s", hostile, agent=hostile)
    assert written.isprintable()
    assert written.endswith(f" agent={json.dumps(hostile)}")


def test_an_exception_stays_on_the_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        written = line("failed", exc_info=sys.exc_info())
    assert "\n" not in written and "ValueError" in written


def test_a_key_never_stands_in_a_line_wherever_it_comes_from() -> None:
    key = "esk_Ab-_" + "x" * 39
    try:
        raise ValueError(f"cannot read /v1/streams/audio?access_token=hunter2-{key}&x=1")
    except ValueError:
        written = line(f"got {key}", header=f"Bearer {key}", exc_info=sys.exc_info())
    assert key not in written and "hunter2" not in written
    assert "secret-of-17" not in line("GET /v1/streams/audio?authorization=Bearer%20secret-of-17&x=1")
    assert "secret-of-18" not in line("GET /v1/streams/audio?authorization=Bearer+secret-of-18")
    assert 'msg="got ***"' in written and "access_token=***&x=1" in written
