"""The language of a page: English, or another one with a catalogue in webapp/translations.

English texts are in the code. `_` looks them up for the language that the browser asks for (Accept-Language), in
Python and in templates. Values are in braces: "Signed in as {name}". docs/LANGUAGES.md says more.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path
from typing import cast

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, g, request
from markupsafe import Markup

SOURCE = "en"
"""The language of the texts in the code."""

FOLDER = Path(__file__).parents[1] / "translations"
"""The folder with a catalogue LANGUAGE.po for each other language."""


OF_SCRIPTS = (".js", ".yaml")
"""Files whose texts the page's scripts look up: their own, and what the judgement of a call says."""


@cache
def languages() -> tuple[str, ...]:
    """The languages that a browser may ask for, English first."""
    return SOURCE, *sorted(path.stem for path in FOLDER.glob("*.po"))


def language() -> str:
    """The language of the answer to this request. Programs, which show a key, get English."""
    if "language" not in g:
        shows_key = "Authorization" in request.headers
        wanted = [] if shows_key else [tag.lower().partition("-")[0] for tag in request.accept_languages.values()]
        g.language = next((tag for tag in wanted if tag in languages()), SOURCE)
    return cast(str, g.language)


def _(text: str, **values: object) -> str:
    """The text in the language of the request."""
    found = _catalogue(language()).gettext(text)
    return found.format(**values) if values else found


def later(text: str) -> str:
    """Marks a text for the catalogue where no request is at hand. `_` translates it when it is shown."""
    return text


def read(path: Path) -> Catalog:
    """A catalogue LANGUAGE.po."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


@cache
def _read(of: str) -> Catalog:
    return Catalog(SOURCE) if of == SOURCE else read(FOLDER / f"{of}.po")


@cache
def _catalogue(of: str) -> gettext.NullTranslations:
    """The texts of a language; of English none, so that its own are shown."""
    compiled = io.BytesIO()
    write_mo(compiled, _read(of))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _of_scripts(of: str) -> dict[str, object]:
    """The texts that the page's scripts use. A key is the English, that for one where there are plurals; where a text
    has a context, the context and \\4 come first."""
    found: dict[str, object] = {}
    for message in _read(of):
        if not any(file.endswith(OF_SCRIPTS) for file, _line in message.locations):
            continue
        english = message.id if isinstance(message.id, str) else message.id[0]
        found[f"{message.context}\4{english}" if message.context else english] = message.string
    return found


def _tell(response: Response) -> Response:
    """Say that the language was chosen by the request's header, where it was."""
    if "language" in g:
        response.vary.add("Accept-Language")
        response.headers["Content-Language"] = g.language
    return response


def install(app: Flask) -> None:
    """Give the templates the same functions. In them a text's markup stays, and that of its values does not."""

    def in_template(text: str, **values: object) -> Markup:
        found = Markup(_(text))
        return found.format(**values) if values else found

    app.jinja_env.globals.update(_=in_template, language=language, script_texts=lambda: _of_scripts(language()))
    app.after_request(_tell)
