"""The catalogues of webapp/translations are complete and fit the texts in the code."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from babel.messages.catalog import Catalog, Message
from flask import Flask

from scripts.operating.translations import ROOT, in_code, is_translated
from state.archive.reviews import STARTER
from state.credentials import CredentialError, check_name, check_password
from state.refusal import Refusal
from state.webhooks.endpoints import check_url
from webapp.http.language import FOLDER, OF_SCRIPTS, languages, read
from webapp.http.refusals import sentence
from webapp.switch.base import ACTS
from workers.insight.evidence import _TOLD

OTHERS = languages()[1:]
CATALOGUES = {code: read(FOLDER / f"{code}.po") for code in OTHERS}


def forms(text: object) -> tuple[str, ...]:
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text),)


def texts(code: str) -> list[Message]:
    return [message for message in CATALOGUES[code] if message.id]


def outline(catalogue: Catalog) -> set[tuple[str | None, tuple[str, ...], bool]]:
    """Context and English of each text, and whether a script uses it. The page carries the scripts' texts."""
    return {
        (message.context, forms(message.id), any(file.endswith(OF_SCRIPTS) for file, _line in message.locations))
        for message in catalogue
        if message.id
    }


def test_there_is_german() -> None:
    assert "de" in OTHERS and len(texts("de")) > 15


@pytest.mark.parametrize("code", OTHERS)
def test_the_catalogue_has_the_texts_of_the_code_and_no_others(code: str) -> None:
    """If this fails, run scripts/translations and translate what it names."""
    assert outline(CATALOGUES[code]) == outline(in_code())


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated_with_all_its_plurals(code: str) -> None:
    assert [message.id for message in texts(code) if not is_translated(message)] == []
    plural = [message for message in texts(code) if message.pluralizable]
    assert all(len(forms(message.string)) == CATALOGUES[code].num_plurals for message in plural)


@pytest.mark.parametrize("code", OTHERS)
def test_values_and_markup_are_the_same_in_both_languages(code: str) -> None:
    """Only a form of a plural may leave out its number: it may say it as a word."""
    parts = re.compile(r"\{\w*\}|</?\w+[^>]*>")
    for message in texts(code):
        wanted = sorted(parts.findall(forms(message.id)[-1]))
        for form in forms(message.string):
            given = sorted(parts.findall(form))
            assert given == wanted or (message.pluralizable and given == [one for one in wanted if one != "{n}"]), form


@pytest.mark.parametrize("code", OTHERS)
def test_spaces_at_the_ends_of_a_text_stay(code: str) -> None:
    for message in texts(code):
        for form in forms(message.string):
            english = forms(message.id)[0]
            assert (form[0].isspace(), form[-1].isspace()) == (english[0].isspace(), english[-1].isspace()), form


def test_the_page_knows_what_the_judgement_of_a_call_says_in_code() -> None:
    """The extractor reads the files of phrases and rules. Sentences in code stand in told.js once more."""
    in_catalogue = {forms(message.id)[0] for message in in_code() if message.id}
    said = [*chain.from_iterable(_TOLD.values())]
    assert [one for one in said if one.partition(", {}")[0] not in in_catalogue] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_can_stand_in_an_attribute(code: str) -> None:
    assert [
        message.string for message in texts(code) if '"' in str(message.string) and '"' not in str(message.id)
    ] == []


def test_a_refusal_of_the_store_is_told_in_the_language_of_the_page() -> None:
    refused = [
        (CredentialError("account {name} exists already", name="{lee}"), "Das Konto {lee} gibt es schon."),
        (Refusal("nobody knows {this}"), "Nobody knows {this}."),
    ]
    for refuse in (lambda: check_name(""), lambda: check_password("short"), lambda: check_url("ftp://here")):
        with pytest.raises(Refusal) as raised:
            refuse()
        refused.append((raised.value, ""))
    with Flask("test").test_request_context(headers={"Accept-Language": "de"}):
        for refusal, german in refused:
            told = sentence(refusal)
            assert told == german or (not german and told[:4] in ("Ein ", "Die "))


@pytest.mark.parametrize("code", OTHERS)
def test_the_questions_and_codes_that_come_with_the_product_are_in_the_catalogue(code: str) -> None:
    known = {message.id for message in texts(code)}
    assert {question.text for question in STARTER.questions} <= known
    deeds = (ROOT / "webapp/static/js/shared/wording/deeds.js").read_text(encoding="utf-8")
    told = set(re.findall(r'^  "?([a-z-]+)"?: _\(', deeds, re.MULTILINE))
    written = set(ACTS)
    for file in chain(*((ROOT / folder).rglob("*.py") for folder in ("webapp", "state", "scripts/operating"))):
        source = file.read_text(encoding="utf-8")
        written |= set(re.findall(r'(?:record(?:_act|_read)?|_change|_record)\((?:call_id, )?f?"([a-z-]+)', source))
    assert {"take", "sign-in", "read", "note", "search"} <= told
    assert written - told == set()
