"""The page that leads to the first call agrees with docs/TELEPHONY.md for every system in its list."""

from __future__ import annotations

import html
import re
from pathlib import Path

from webapp.access.identity import STREAMS

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "webapp/templates/admin/begin.html").read_text()
DOCUMENT = " ".join((ROOT / "docs/TELEPHONY.md").read_text().split())
BLOCKS = {
    found[1]: html.unescape(found[2])
    for found in re.finditer(r'data-system="(\w+)".*?<pre [^>]*>(.*?)</pre>', PAGE, re.DOTALL)
}
OWN = ("try", "http", "genesys")
"""Systems that the document describes in another form."""


def test_every_system_that_can_be_chosen_has_a_command() -> None:
    assert set(re.findall(r'<option value="(\w+)">', PAGE)) == set(BLOCKS) and len(BLOCKS) > 10


def test_every_command_stands_in_the_document() -> None:
    for name, block in BLOCKS.items():
        if name in OWN:
            continue
        for line in block.replace("?access_token=KEY", "").splitlines():
            found = line.strip().replace("wss://earshot.example/v1/streams", "…")
            told = re.sub(r"wss?://(earshot\.example|…)/v1/streams", "…", DOCUMENT).replace("?access_token=KEY", "")
            assert " ".join(found.split()) in told.replace("wss://…", "…/twilio"), (name, line)


def test_every_address_is_one_of_ours() -> None:
    paths = [path for block in BLOCKS.values() for path in re.findall(r"earshot\.example(/[^?\"\s<]*)", block)]
    assert len(paths) > 5
    assert [path for path in paths if not path.startswith((STREAMS, "/v1/calls/"))] == []
