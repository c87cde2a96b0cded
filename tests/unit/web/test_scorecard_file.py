"""The scorecard's questions as YAML: they are read back as written, and an error names its line."""

from __future__ import annotations

import pytest

from state.archive.reviews import STARTER, Scorecard
from webapp.api.scorecard_file import dump, parse
from workers.insight.rules.yamlfile import FileError

QUESTIONS = """\
# what we ask since the merger
version: 0
questions:
- id: smile
  text: Did one hear a smile?
- id: greeting
  text: Did the agent greet?
  rule: rule:greeting-missing
- id: offer
  text: Was the offer made?
  rule: rule:offer
  hit: 'yes'
"""


def test_a_scorecard_is_read_back_as_it_was_written() -> None:
    assert parse(dump(STARTER)) == STARTER.questions
    assert dump(Scorecard(0, parse(QUESTIONS))) == QUESTIONS.partition("\n")[2]


@pytest.mark.parametrize(
    ("wrong", "line", "what"),
    [
        (QUESTIONS.replace("id: greeting", "id: smile"), 6, "stands twice"),
        (QUESTIONS.replace("id: greeting", "id: Greeting!"), 6, "small letters"),
        (QUESTIONS.replace("rule: rule:offer", "rule: RULE"), 11, "small letters"),
        (QUESTIONS.replace("Did one hear a smile?", "''"), 5, "1 to 200 characters"),
        (QUESTIONS.replace("hit: 'yes'", "hit: maybe"), 12, "maybe"),
        (QUESTIONS.replace("  text: Was", "  txet: Was"), 9, "txet"),
        (QUESTIONS.replace("- id: smile", "- id: smile\n  id: again"), 5, "stands twice"),
        (QUESTIONS.replace("text: Did one", "text: &a Did one"), 5, "anchors"),
        (QUESTIONS + "  deep: " + "[" * 30 + "]" * 30, 13, "nested deeper"),
        ("version: 0\nquestions: []", 2, "length"),
        ("version: 0\nquestions: [", 2, ""),
    ],
)
def test_an_error_says_its_line_and_what_is_wrong(wrong: str, line: int, what: str) -> None:
    with pytest.raises(FileError) as caught:
        parse(wrong)
    assert caught.value.line == line and what in str(caught.value)
