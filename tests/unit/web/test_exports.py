"""Transcripts as files. A real reader reads each form back where we have one; else we check the form's grammar."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from msgspec import structs

from state.types import ScoredUtterance, Sentiment, Standing, Word
from state.views import CallView
from webapp.api.exports import render

HOSTILE = "-->\n\n<b>=1+1</b> & \"quoted\", 'so'"


def said(index: int, text: str, *, start: float, end: float, mark: str | None = None) -> ScoredUtterance:
    return ScoredUtterance(
        id=f"customer:{index}",
        track="customer",
        index=index,
        start=start,
        end=end,
        text=text,
        words=[Word(word, start, end, 0.5) for word in text.split()],
        mark=mark,
        sentiment=Sentiment(-0.5, 0.25, ["+ sarcasm"]) if index == 0 else None,
    )


@pytest.fixture
def call() -> CallView:
    return CallView(
        call_id="c1",
        state="ended",
        started_at_ms=1_769_850_000_123,
        ended_at_ms=1_769_850_100_000,
        metadata={"agent": "Dana\nReyes"},
        standing=Standing(),
        tracks={},
        last=None,
        utterances=[
            said(0, "=cmd()", start=1.0, end=2.5),
            said(1, HOSTILE, start=3661.0005, end=3661.0),
            said(2, "", start=3700.0, end=3701.0),
            said(3, "", start=3702.0, end=3703.0, mark="gap"),
        ],
        summary={"talk": 1},
    )


def test_json_is_what_the_api_says(call: CallView) -> None:
    told = json.loads(render(call, "json"))
    assert told["call_id"] == "c1"
    assert told["summary"] == {"talk": 1}
    assert [one["text"] for one in told["utterances"]] == ["=cmd()", HOSTILE, "", ""]


def test_text_has_one_line_an_utterance_and_says_where_audio_is_missing(call: CallView) -> None:
    head, _, body = render(call, "txt").partition("\n\n")
    assert "agent: Dana Reyes" in head
    assert body.splitlines() == [
        "[00:00:01.000] customer: =cmd()",
        f"[01:01:01.000] customer: {' '.join(HOSTILE.split())}",
        "[01:01:42.000] customer: [audio is missing here]",
    ]


@pytest.mark.parametrize(("form", "point"), [("vtt", r"\."), ("srt", ",")])
def test_subtitles_keep_to_their_grammar_whatever_was_said(call: CallView, form: str, point: str) -> None:
    body = render(call, "vtt" if form == "vtt" else "srt")
    blocks = [block for block in body.removeprefix("WEBVTT\n\n").split("\n\n") if block.strip()]
    assert len(blocks) == 3
    for block in blocks:
        name, times, text = block.strip().split("\n")
        moment = rf"(\d\d:\d\d:\d\d{point}\d\d\d)"
        found = re.fullmatch(f"{moment} --> {moment}", times)
        assert name and found and found[1] < found[2]
        assert "-->" not in text and "<b>" not in text
    assert body.startswith("WEBVTT\n\n") == (form == "vtt")


def test_csv_is_read_back_unchanged_and_no_cell_is_a_formula(call: CallView) -> None:
    rows = list(csv.DictReader(io.StringIO(render(call, "csv"))))
    assert [row["text"] for row in rows] == ["'=cmd()", "'" + HOSTILE, "", ""]
    assert (rows[0]["polarity"], rows[0]["reasons"], rows[1]["polarity"]) == ("-0.5", "'+ sarcasm", "")
    assert rows[3]["mark"] == "gap"


def test_a_call_without_words_is_an_empty_file_of_its_form(call: CallView) -> None:
    empty = structs.replace(call, utterances=[])
    assert json.loads(render(empty, "json"))["utterances"] == []
    assert render(empty, "vtt") == "WEBVTT\n"
    assert render(empty, "srt") == ""
    assert len(render(empty, "csv").splitlines()) == 1
