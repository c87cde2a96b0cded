"""The rules and their dry run, over the API."""

from __future__ import annotations

import msgspec


class ApiRules(msgspec.Struct):
    """An edition of the rules. version counts the editions from 1, the starter set; rules: how many there are."""

    version: int
    digest: str
    rules: int


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
    """What rules would have raised. calls: how many were looked at; more: there were others, left out for time.

    hits: the first 1000; by_rule: the number of all hits, by rule, also of rules without any.
    """

    calls: int
    more: bool
    hits: list[ApiHit]
    by_rule: dict[str, int]
