"""The rules and their dry run, over the API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from workers.insight.rules.rule import RuleFile


class ApiRules(msgspec.Struct):
    """An edition of the rules. version counts the editions from 1, the starter set; rules: how many there are."""

    version: int
    digest: str
    rules: int


class WordsToTry(msgspec.Struct, forbid_unknown_fields=True):
    """Words that somebody might say. file: the rules; queue: of the call, "" for none."""

    file: RuleFile
    text: Annotated[str, Meta(min_length=1, max_length=2000)]
    track: Literal["customer", "agent"] = "customer"
    queue: Annotated[str, Meta(max_length=512)] = ""


class ApiHit(msgspec.Struct):
    """A rule that would have applied: at second `at` of the call; quote: the words that did it."""

    call_id: str
    agent: str
    rule_id: str
    title: str
    severity: str
    at: float
    utterance_id: str | None
    quote: str


class ApiDryRun(msgspec.Struct):
    """The hits that rules would have had. calls: how many it looked at; more: time was too short for others.

    hits: the first 1000; by_rule: the number of all hits, by rule, also of rules without any.
    """

    calls: int
    more: bool
    hits: list[ApiHit]
    by_rule: dict[str, int]


class ApiHeard(msgspec.Struct):
    """The rules that apply to words at once; not those that wait for missing words."""

    hits: list[ApiHit]
