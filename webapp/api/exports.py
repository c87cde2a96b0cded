"""A call's transcript as a file: JSON, text, subtitles (WebVTT, SRT), CSV. GET /v1/calls/{id}/transcript.{form}"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Literal, cast

import msgspec
from flask import Blueprint, Response

from state.archive.reports_csv import FORMULA_STARTS
from state.moments import moment
from state.types import Point, ScoredUtterance, Voice
from state.views import CallView
from webapp.access.rights import needs, record_read
from webapp.api import history, summaries
from webapp.api.documents.openapi import operation
from webapp.http import inputs
from webapp.http.problems import Problem
from webapp.schemas import shapes

api = Blueprint("exports", __name__, url_prefix="/v1")

Form = Literal["json", "txt", "vtt", "srt", "csv"]

MEDIA_TYPES: dict[str, str] = {
    "json": "application/json",
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}

VOICE = Voice.__struct_fields__
BLANK = [""] * len(VOICE)

SHORTEST_CUE_SECONDS = 0.001
"""Shortest subtitle: players drop one that ends when it begins. The formats count in milliseconds."""

MISSING_AUDIO = {"gap": "[audio is missing here]", "dead": "[audio could not be read here]"}


@api.get("/calls/<call_id>/transcript.<form>")
@operation(
    "Read a call's transcript as a file",
    {200: dict},
    {404: "No such call, or no such form: `json`, `txt`, `vtt`, `srt` and `csv` are known."},
    forms=tuple(MEDIA_TYPES.values()),
)
@needs("read")
def read_transcript(call_id: str, form: str) -> Response:
    """The present transcript, for a live call too."""
    inputs.query()
    call_id = inputs.call_id(call_id)
    if form not in MEDIA_TYPES:
        raise Problem(404, "unknown_form", f"A transcript can be had as {', '.join(MEDIA_TYPES)}.")
    call = history.call(call_id)
    if call is None:
        raise history.unknown(call_id)
    record_read("export", f"{call_id}.{form}")
    name = {"Content-Disposition": f'attachment; filename="{call_id}.{form}"'}
    return Response(render(call, cast(Form, form)), headers=name, content_type=MEDIA_TYPES[form])


def render(call: CallView, form: Form) -> str:
    """The transcript of `call`, without finals that have no words, unless a mark says that audio is missing."""
    return _WRITERS[form](call)


def _said(call: CallView) -> list[tuple[ScoredUtterance, str]]:
    """Utterances with their text on one line."""
    told = [(one, one.text or MISSING_AUDIO.get(one.mark or "", "")) for one in call.utterances]
    return [(one, " ".join(text.split())) for one, text in told if text]


def _json(call: CallView) -> str:
    return msgspec.json.encode(shapes.call(call)).decode()


def _txt(call: CallView) -> str:
    about = {"Call": call.call_id, "Started": moment(call.started_at_ms), "State": call.state}
    head = [f"{name}: {value}" for name, value in {**about, **call.metadata}.items()]
    head += _summary(call)
    lines = [f"[{_clock(one.start, '.')}] {one.track}: {text}" for one, text in _said(call)]
    return "\n".join([*(" ".join(line.split()) for line in head), "", *lines]) + "\n"


def _summary(call: CallView) -> list[str]:
    """What the call is about, a line each; what a language model wrote says so."""
    told = summaries.shaped(call, call.summary)
    lines = [f"{point.part.capitalize()}: {_in_words(point)}" for point in told.points]
    if told.by_model is not None:
        by = told.by_model
        texts = [("reason", by.reason), ("happened", by.happened), *(("promise", one) for one in by.promises)]
        told_by = f"Written by the language model {by.model}"
        lines += [f"{told_by}, {name}: {text}" for name, text in [*texts, ("outcome", by.outcome)] if text]
    return lines


def _in_words(point: Point) -> str:
    said = f'{_clock(point.at, ".")} {point.track}: "{point.quote}"'
    return f"{point.text} ({said})" if point.text else said


def _vtt(call: CallView) -> str:
    cues = [
        f"{one.id}\n{_clock(one.start, '.')} --> {_clock(_cue_end(one), '.')}\n<v {one.track}>{_escaped(text)}\n"
        for one, text in _said(call)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _srt(call: CallView) -> str:
    return "\n".join(
        f"{number}\n{_clock(one.start, ',')} --> {_clock(_cue_end(one), ',')}\n{one.track}: {_escaped(text)}\n"
        for number, (one, text) in enumerate(_said(call), 1)
    )


def _csv(call: CallView) -> str:
    rows = io.StringIO()
    writer = csv.writer(rows)
    writer.writerow(["id", "track", "start", "end", "text", "polarity", "subjectivity", "reasons", "mark", *VOICE])
    for one in call.utterances:
        score = one.sentiment
        scored = (score.polarity, score.subjectivity, cell("; ".join(score.reasons))) if score else ("", "", "")
        voice = ["" if value is None else value for value in msgspec.structs.astuple(one.voice)] if one.voice else BLANK
        writer.writerow([one.id, one.track, one.start, one.end, cell(one.text), *scored, one.mark or "", *voice])
    return rows.getvalue()


_WRITERS: dict[str, Callable[[CallView], str]] = {"json": _json, "txt": _txt, "vtt": _vtt, "srt": _srt, "csv": _csv}


def _clock(seconds: float, point: str) -> str:
    """HH:MM:SS.mmm, the milliseconds after `point`."""
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{point}{ms:03d}"


def _cue_end(one: ScoredUtterance) -> float:
    return max(one.end, one.start + SHORTEST_CUE_SECONDS)


def _escaped(text: str) -> str:
    """Subtitle text. Words of a call are never markup, nor the arrow between two times."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cell(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
