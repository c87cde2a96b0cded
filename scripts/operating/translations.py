"""scripts/translations: brings the catalogues of webapp/translations up to date with the texts in the code.

scripts/translations          adds new texts, takes old ones out, and names those without a translation
scripts/translations fr       begins a catalogue for another language, by its code

It guesses no translation. Until a catalogue has one, the page shows the English text.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import write_po

from webapp.http.language import FOLDER, read

ROOT = FOLDER.parents[1]
LINE_CHARACTERS = 120


def spoken(
    file: BinaryIO, _keywords: object, _tags: object, options: object
) -> Iterator[tuple[int, str, str, list[str]]]:
    """An extractor of what a YAML file of workers/insight says to people: reasons, titles and labels."""

    def within(value: Any) -> Iterator[str]:
        for name, part in value.items() if isinstance(value, dict) else enumerate(value):
            if name in ("reason", "title") and isinstance(part, str):
                yield part
            elif name == "labels":
                yield from (label for label, _weight in part.values())
            elif isinstance(part, dict | list):
                yield from within(part)

    return ((1, "_", text, []) for text in dict.fromkeys(within(yaml.safe_load(file))))


METHODS: list[tuple[str, Any]] = [
    ("webapp/templates/**.html", "jinja2"),
    ("webapp/static/js/**.js", "javascript"),
    ("webapp/**.py", "python"),
    ("state/**.py", "python"),
    ("workers/insight/**.yaml", spoken),
]
"""Files, and Babel's name for the method that finds texts in each."""

OPTIONS: dict[str, dict[str, Any]] = {"**.html": {"silent": "no"}, "**.js": {"parse_template_string": True}}
"""Options of Babel's methods: an unreadable template is an error, and a script's template strings may hold texts."""

HEADER = r"""msgid ""
msgstr ""
"Language: {language}\n"
"Plural-Forms: {plurals}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
"""The head that gettext needs in a catalogue, without dates, which would change with every run."""

REFUSALS = ("CredentialError", "EndpointRefused", "Unknown")
"""The store's refusals that pages show (state/refusal.py)."""

KEYWORDS = {**DEFAULT_KEYWORDS, **dict.fromkeys(("later", *REFUSALS))}


def in_code() -> Catalog:
    """All texts in the code, without translations."""
    found = Catalog()
    for name, _line, text, _comments, context in extract_from_dir(
        ROOT, METHODS, OPTIONS, KEYWORDS, directory_filter=_is_ours
    ):
        found.add(text, locations=[(name, 0)], context=context)
    return found


def _is_ours(folder: str | os.PathLike[str]) -> bool:
    path = Path(folder)
    if path.parent == ROOT:
        return path.name in ("state", "webapp", "workers")
    return path.name not in ("node_modules", "vendor")


def updated(catalogue: Catalog) -> Catalog:
    """The same catalogue with exactly the code's texts, and the translations that it has of them."""
    catalogue.update(in_code(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """A catalogue as its file, sorted by text, so that changes of the code move little in it."""
    file = io.BytesIO()
    write_po(file, catalogue, width=LINE_CHARACTERS, omit_header=True, sort_output=True, include_lineno=False)
    head = HEADER.format(language=catalogue.locale_identifier, plurals=catalogue.plural_forms)
    return head.encode() + file.getvalue()


def is_translated(message: Message) -> bool:
    """Whether all its forms are there, and nobody has marked them as doubtful."""
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(forms) and not message.fuzzy


def main(codes: list[str]) -> int:
    """Bring all catalogues up to date. Returns 1 while a translation is missing."""
    files = [FOLDER / f"{code}.po" for code in codes] or sorted(FOLDER.glob("*.po"))
    missing = 0
    for file in files:
        catalogue = updated(read(file) if file.exists() else Catalog(file.stem))
        file.write_bytes(written(catalogue))
        for message in catalogue:
            if message.id and not is_translated(message):
                missing += 1
                print(f"{file.name}: {message.id}")
    return int(missing > 0)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
