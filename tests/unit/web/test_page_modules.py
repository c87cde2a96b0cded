"""The page's pure modules have tests in JavaScript. They run here with the rest."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2] / "js"
TEMPLATES = TESTS.parents[1] / "webapp" / "templates"


def test_the_pages_modules_pass_their_own_tests() -> None:
    node = shutil.which("node")
    assert node, "node is missing: install it (Debian: apt-get install nodejs npm) and run again"
    files = sorted(str(path) for path in TESTS.glob("*.test.mjs"))
    assert files
    done = subprocess.run([node, "--test", *files], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_that_a_page_names_is_there() -> None:
    named = {
        (path.name, file)
        for path in TEMPLATES.rglob("*.html")
        for file in re.findall(r"url_for\('static', filename='([^']+)'\)", path.read_text())
    }
    assert len(named) > 30
    assert [file for file in sorted(named) if not (TEMPLATES.parent / "static" / file[1]).is_file()] == []


def test_no_form_can_be_sent_before_its_script_listens() -> None:
    """A form posts without a script, closes a dialog, is hidden until a script shows it, or is inert until ready.js
    opens it."""
    forms = [
        (path.name, form) for path in TEMPLATES.rglob("*.html") for form in re.findall(r"<form[^>]*>", path.read_text())
    ]
    assert len(forms) > 10
    hidden_with_the_panel = "call.html"
    loose = [
        (name, form)
        for name, form in forms
        if name != hidden_with_the_panel and not re.search(r"\b(method|hidden|inert)\b", form)
    ]
    assert loose == []
