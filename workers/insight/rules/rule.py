"""A supervisor's own rules: phrases to listen for, and phrases that must not be missing.

A rule set is YAML (rules.yaml is a commented one), decoded into these types. Every error names its place. ruleset.py
applies it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from state.types import Alert
from workers.insight.rules.yamlfile import FileError

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITY_EVIDENCE: dict[Severity, float] = {
    "info": 0.0,
    "low": 0.1,
    "medium": 0.3,
    "high": 0.4,
    "critical": 0.7,
}
"""A hit's share in the call's attention: a critical hit raises a call by itself, others only help to."""
Track = Literal["customer", "agent", "any"]
About = Literal["attention", "compliance"]
"""attention: a hit is an alert and speaks for going in. compliance: it is a finding beside the call's attention."""

MAX_RULES = 500

Identifier = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Phrases = Annotated[list[Annotated[str, Meta(min_length=1, max_length=500)]], Meta(min_length=1, max_length=200)]
Examples = Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=3, max_length=20)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Polarity = Annotated[float, Meta(ge=-1, le=1)]


class RuleError(FileError):
    """A rule set cannot be used."""


class Missing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words that must not be missing: one of `phrases` on `track`, within `within_seconds` after the trigger."""

    phrases: Phrases
    within_seconds: Seconds
    track: Track = "agent"


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule.

    about:             what a hit is for.
    phrases, examples: what triggers it: any of the phrases, or wording like one of the examples, by its meaning;
                       without both, the first word on the track of `and_not` does: a call that has no such track is not
                       at fault.
    alike:             how alike wording must be to an example, 0..1.
    and_not:           only a hit if this was then not said in time: 'said X and not Y within N s'.
    times:             how often the phrases must be said before it is a hit.
    polarity_below:    only utterances scored below this trigger it.
    cooldown_seconds:  time after a hit in which further ones do not count.
    queue:             only for calls of this queue; None: of all.
    webhook:           name of a webhook that a hit calls, whatever else that is told.
    """

    id: Identifier
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    severity: Severity
    about: About = "attention"
    track: Track = "customer"
    phrases: Phrases | None = None
    examples: Examples | None = None
    alike: Annotated[float, Meta(ge=0.3, le=0.95)] = 0.55
    and_not: Missing | None = None
    times: Annotated[int, Meta(ge=1, le=100)] = 1
    polarity_below: Polarity | None = None
    cooldown_seconds: Annotated[float, Meta(ge=0, le=86_400)] = 60.0
    queue: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    enabled: bool = True
    webhook: Identifier | None = None

    @property
    def has_trigger(self) -> bool:
        """Whether something that is said triggers it."""
        return self.phrases is not None or self.examples is not None


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule file. version: counts the editions; each saved change adds one."""

    version: Annotated[int, Meta(ge=1)]
    rules: Annotated[list[Rule], Meta(max_length=MAX_RULES)]


class RuleEvidence(msgspec.Struct, frozen=True, order=True):
    """A hit of a supervisor's rule as evidence: when, how strong (0..1), in words.

    kind: a built-in sign of that name says the same, and only the stronger of the two counts.
    by: id of the utterance that triggered it, "" for none.
    """

    at: float
    value: float
    reason: str
    kind: str = ""
    by: str = ""


class Hit(msgspec.Struct, frozen=True):
    """A rule that applied: at second `at` of the call, in utterance `utterance_id` (None: at the call's
    start)."""

    rule_id: str
    title: str
    severity: Severity
    at: float
    utterance_id: str | None
    quote: str
    about: About = "attention"

    @property
    def reason(self) -> str:
        """The hit in words."""
        return f"“{self.quote}”: {self.title}" if self.quote else self.title

    @property
    def alert(self) -> Alert:
        """As an alert of the call; its kind is "rule:<id>"."""
        return Alert(f"rule:{self.rule_id}", self.reason, self.at, [self.utterance_id] if self.utterance_id else [])

    @property
    def evidence(self) -> RuleEvidence:
        """As evidence for attention.AttentionModel."""
        kind = self.rule_id.replace("-", "_")
        return RuleEvidence(self.at, SEVERITY_EVIDENCE[self.severity], self.reason, kind, self.utterance_id or "")
