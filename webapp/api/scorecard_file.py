"""/v1/scorecard.yaml: the scorecard's questions as a file, to keep, to compare, and for another Earshot."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from state.archive import reviews
from state.archive.reviews import Question, Scorecard, ScorecardChanged
from webapp.access.rights import needs
from webapp.api.documents.openapi import Parameter, operation
from webapp.api.handling import acting_name
from webapp.api.reviews import NO_ARCHIVE, changed, faults, save, the_archive
from webapp.http import inputs, yaml_forms
from webapp.http.answers import as_json
from webapp.http.yaml_forms import YAML
from webapp.schemas.reviews import MOST_QUESTIONS, ApiScorecard
from workers.insight.rules.yamlfile import FileError, line_of, struct_of, written

api = Blueprint("scorecard_file", __name__, url_prefix="/v1")

MAX_FILE_CHARS = 32 * 1024
"""Most characters of a file: four times the most questions of the usual length."""

_SOURCE = "scorecard"
_USUAL = {"rule": "", "hit": "no"}


class ScorecardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file. version counts the editions; each saved change adds one."""

    version: Annotated[int, Meta(ge=0)]
    questions: Annotated[list[Question], Meta(min_length=1, max_length=MOST_QUESTIONS)]


@api.get("/scorecard.yaml")
@operation("Read the questions of the scorecard as a file", {200: str}, NO_ARCHIVE, forms=(YAML,))
@needs("read")
def read_scorecard_file() -> Response:
    """The present edition. Its version is the ETag."""
    inputs.query()
    card = reviews.scorecard(the_archive())
    return Response(dump(card), headers={"ETag": f'"{card.version}"'}, content_type=f"{YAML}; charset=utf-8")


@api.put("/scorecard.yaml")
@operation(
    "Save the questions of the scorecard from a file",
    {200: ApiScorecard},
    {
        **NO_ARCHIVE,
        412: "Somebody saved another edition after the one in If-Match.",
        413: "Too large.",
        415: "The body is not YAML.",
    },
    takes=YAML,
    query=[Parameter("by", {"type": "string", "maxLength": 64}, "who saves it, only with AUTH=off")],
)
@needs("act")
def save_scorecard_file() -> Response:
    """A new edition. With If-Match it saves only if that edition (its ETag) still applies."""
    who = acting_name(inputs.query("by").get("by"))
    try:
        questions = parse(yaml_forms.text(MAX_FILE_CHARS))
    except FileError as error:
        raise yaml_forms.refusal(error, "The questions") from None
    after = yaml_forms.edition_wanted(reviews.scorecard(the_archive()).version)
    try:
        made = save(questions, after, who)
    except ScorecardChanged:
        raise changed(412) from None
    return as_json(made, headers={"ETag": f'"{made.version}"'})


def parse(text: str) -> list[Question]:
    """The questions in a file. Raises FileError that names the line."""
    questions = struct_of(text, ScorecardFile, _SOURCE, MAX_FILE_CHARS).questions
    for place, what in faults(questions):
        path = "questions" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
        raise FileError(_SOURCE, path, what, line=line_of(text, path))
    return questions


def dump(card: Scorecard) -> str:
    """A scorecard as a file that `parse` reads back, without values that are as usual."""
    questions = [
        {name: value for name, value in msgspec.to_builtins(one).items() if value != _USUAL.get(name)}
        for one in card.questions
    ]
    return written({"version": card.version, "questions": questions})
