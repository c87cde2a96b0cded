"""/v1/rules: the supervisors' rules. YAML in and out. The server saves only rules that work."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from flask import Blueprint, Response, request

from state.rules import RulesChanged, RulesText
from state.types import Sentiment
from state.webhooks import endpoints
from webapp.access.rights import needs, record_act, record_read
from webapp.api.documents.openapi import Parameter, operation
from webapp.http import inputs, yaml_forms
from webapp.http.answers import as_json
from webapp.http.heavy import OneAtATime, has_gone
from webapp.http.language import _
from webapp.http.problems import ErrorItem, Problem
from webapp.http.yaml_forms import YAML
from webapp.schemas.rules import ApiDryRun, ApiHeard, ApiHit, ApiRules, WordsToTry
from webapp.store import store
from workers.insight.rules.rule import RuleError, RuleFile
from workers.insight.rules.rulefile import MAX_FILE_CHARS, dump, numbered, parse, read
from workers.insight.rules.ruleset import RuleSet
from workers.insight.words.spoken import Spoken, spoken

api = Blueprint("rules", __name__, url_prefix="/v1")

DRY_RUN_CALLS, DRY_RUN_DEFAULT = 500, 200
DRY_RUN_SECONDS = 5.0
"""At most so many seconds for a dry run. It shares its process with uploads, so it stops here and says so."""
DRY_RUN_HITS = 1000

WAITING = 8
"""At most so many requests that wait for the one that reads or tries rules. The threads have other work."""
WAIT_SECONDS = 10.0

one_at_a_time = OneAtATime(WAITING, WAIT_SECONDS)


@api.get("/rules")
@operation("Read the rules", {200: str}, forms=(YAML,))
@needs("read")
def read_rules() -> Response:
    """The present edition as it was saved, with its comments. Its version is the ETag."""
    inputs.query()
    current = _current()
    return Response(current.text, headers={"ETag": f'"{current.version}"'}, content_type=f"{YAML}; charset=utf-8")


@api.put("/rules")
@operation(
    "Save the rules",
    {200: ApiRules},
    {
        412: "Somebody saved another edition after the one in If-Match.",
        413: "Too large.",
        415: "The body is not YAML.",
        429: "Too many people are trying rules out.",
    },
    takes=YAML,
)
@needs("act")
def save_rules() -> Response:
    """A new edition. Sentiment workers use it within about a second. The server counts `version` up.

    With If-Match it saves only if that edition (its ETag) still applies. The same text again changes nothing.
    """
    inputs.query()
    text = _text()
    with one_at_a_time.turn():
        return _save(text)


def _save(text: str) -> Response:
    rules = _understood(text)
    _check_webhooks(rules)
    current = _current()
    after = yaml_forms.edition_wanted(current.version)
    if after != current.version:
        raise _changed()
    if text in (current.text, numbered(current.text, rules.file.version)):
        return _told(current, parse(current.text))
    text = numbered(text, current.version + 1)
    try:
        saved = store().rules.save(text, current.version, current.version + 1)
    except RulesChanged:
        raise _changed() from None
    record_act("rules", f"edition {current.version + 1}")
    return _told(saved, rules)


@api.post("/rules/dry-run")
@operation(
    "Try rules out on stored calls",
    {200: ApiDryRun},
    {413: "Too large.", 415: "The body is not YAML.", 429: "Too many people are trying rules out."},
    takes=YAML,
    query=[
        Parameter(
            "calls",
            {"type": "integer", "minimum": 1, "maximum": DRY_RUN_CALLS, "default": DRY_RUN_DEFAULT},
            "how many calls at most, live ones first, then those that ended last",
        )
    ],
)
@needs("read")
def try_rules() -> Response:
    """The hits that these rules would have had in live and ended calls. Nothing changes."""
    most = inputs.number(inputs.query("calls"), "calls", DRY_RUN_DEFAULT, DRY_RUN_CALLS)
    text = _text()
    record_read("dry-run")
    with one_at_a_time.turn():
        result = dry_run(_understood(text), most, partial(has_gone, request.environ.get("gunicorn.socket")))
    return as_json(result)


@api.post("/rules/understood")
@operation(
    "Read rules in YAML as JSON",
    {200: RuleFile},
    {413: "Too large.", 415: "The body is not YAML.", 429: "Too many people are trying rules out."},
    takes=YAML,
)
@needs("read")
def understand_rules() -> Response:
    """The rules in the body, with all their defaults. Nothing is saved."""
    inputs.query()
    text = _text()
    with one_at_a_time.turn():
        found = _understood(text).file
    return as_json(found)


@api.post("/rules/as-yaml")
@operation(
    "Write rules in JSON as YAML",
    {200: str},
    {413: "Too large.", 415: "The body is not JSON.", 429: "Too many people are trying rules out."},
    forms=(YAML,),
    body=RuleFile,
)
@needs("read")
def write_rules() -> Response:
    """The rules in the body as a file, without values that are as usual. Nothing is saved."""
    inputs.query()
    file: RuleFile = inputs.json_body(RuleFile)
    with one_at_a_time.turn():
        text = dump(_usable(file).file)
    return Response(text, content_type=f"{YAML}; charset=utf-8")


@api.post("/rules/heard")
@operation(
    "Try rules out on words",
    {200: ApiHeard},
    {413: "Too large.", 415: "The body is not JSON.", 429: "Too many people are trying rules out."},
    body=WordsToTry,
)
@needs("read")
def hear_words() -> Response:
    """The rules that apply to words of one party, as if these were the whole call. Nothing is saved."""
    inputs.query()
    asked: WordsToTry = inputs.json_body(WordsToTry)
    said = [Spoken("words:0", asked.track, 0.0, 1.0, asked.text, Sentiment(-1.0, 0.0))]
    with one_at_a_time.turn():
        hits = _usable(asked.file).apply(said, queue=asked.queue)
    told = [ApiHit("", "", hit.rule_id, hit.title, hit.severity, hit.at, hit.utterance_id, hit.quote) for hit in hits]
    return as_json(ApiHeard(told))


class _Enough(Exception):
    """The dry run has no time left, or nobody waits for it any more."""


def dry_run(rules: RuleSet, most: int, given_up: Callable[[], bool]) -> ApiDryRun:
    """Apply `rules` to up to `most` stored calls, masked as people see them. `more` in the answer: some were left
    out."""
    reads = store().reads
    until = time.monotonic() + DRY_RUN_SECONDS

    def go_on() -> None:
        if time.monotonic() > until or given_up():
            raise _Enough

    names = reads.newest(most + 1)
    result = ApiDryRun(0, len(names) > most, [], {rule.id: 0 for rule in rules.file.rules})
    for call_id in names[:most]:
        try:
            go_on()
            call = reads.call(call_id)
            if call is None:
                continue
            said = [spoken(utterance) for utterance in call.utterances]
            hits = rules.apply(said, between=go_on, queue=call.metadata.get("queue", ""))
        except _Enough:
            result.more = True
            break
        result.calls += 1
        agent = call.metadata.get("agent", "")
        for hit in hits:
            result.by_rule[hit.rule_id] += 1
            if len(result.hits) < DRY_RUN_HITS:
                told = (hit.rule_id, hit.title, hit.severity, hit.at, hit.utterance_id, hit.quote)
                result.hits.append(ApiHit(call_id, agent, *told))
    return result


def _check_webhooks(rules: RuleSet) -> None:
    """Raises a Problem if a rule calls a webhook that is not there."""
    archive = store().archive
    called = [(place, rule.webhook) for place, rule in enumerate(rules.file.rules) if rule.webhook]
    known = {one.name for one in endpoints.every(archive)} if called and archive is not None else set()
    for place, name in called:
        if name not in known:
            item = ErrorItem(f"/rules/{place}/webhook", f"There is no webhook named {name}")
            raise Problem(400, "invalid", f"rules[{place}].webhook: there is no webhook named {name}", errors=[item])


def _current() -> RulesText:
    return store().rules.read() or RulesText(1, "starter", read())


def _changed() -> Problem:
    return Problem(412, "changed", _("Somebody else has saved the rules."))


def _text() -> str:
    return yaml_forms.text(MAX_FILE_CHARS)


def _understood(text: str) -> RuleSet:
    """The rules in the text. Raises a Problem that names the place."""
    try:
        return parse(text)
    except RuleError as error:
        raise yaml_forms.refusal(error, "The rules") from None


def _usable(file: RuleFile) -> RuleSet:
    """The rules of a file. Raises a Problem that names the place."""
    try:
        return RuleSet(file)
    except RuleError as error:
        raise yaml_forms.refusal(error, "The rules") from None


def _told(edition: RulesText, rules: RuleSet) -> Response:
    body = ApiRules(edition.version, edition.digest, len(rules.file.rules))
    headers = {"ETag": f'"{edition.version}"'}
    return as_json(body, headers=headers)
