"""The runbook of docs/OPERATING.md, for the operators' page: what an alert means and what to do."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/OPERATING.md"


class Entry(NamedTuple):
    """An alert's entry, as plain text."""

    name: str
    means: str
    do: str
    dont: str


@cache
def entries() -> list[Entry]:
    """In the document's order."""
    text = DOCUMENT.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    found = re.findall(r"### (\w+)\n(.*?)\*\*Do\*\*: (.*?)\*\*Don't\*\*: (.*?)(?=\n### |\Z)", text, re.DOTALL)
    return [Entry(name, *(_plain(part) for part in parts)) for name, *parts in found]


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())
