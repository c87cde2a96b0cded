"""Between the store's utterances and workers/insight, which knows neither Redis nor calls."""

from __future__ import annotations

import logging

from state.rules import RulesStore, RulesText
from state.types import ScoredUtterance, Sentiment, Standing, Utterance
from workers.insight.analyzer import CallAnalyzer
from workers.insight.attention import AttentionModel
from workers.insight.masking import mask, nothing_hidden, without_numbers
from workers.insight.ruled import RuledModel
from workers.insight.rulefile import load, parse
from workers.insight.rules import RuleError, RuleSet
from workers.insight.spoken import Spoken, party_of

log = logging.getLogger("earshot.sentiment")


class Insight:
    """Loaded once a process (about a second). All methods are pure, as state.scores.Scores.store needs them.

    redact: reasons quote no secrets, and `mask` says what is to be hidden; without, `mask` is None.
    """

    def __init__(self, redact: bool = True) -> None:
        self.mask = mask if redact else None
        self._rules_version: int | None = None
        self._quotable = without_numbers if redact else nothing_hidden
        self._analyzer = CallAnalyzer()
        self._attention = RuledModel(self._analyzer, load())
        self._without_rules = AttentionModel(self._analyzer)

    def judge(self, _earlier: list[ScoredUtterance], utterance: Utterance) -> Sentiment:
        """Sentiment of what was said, by itself; the course of the call is the standing's."""
        return self._analyzer.score(self._quotable(utterance.text), party_of(utterance.track))

    def stand(self, call_id: str, scored: list[ScoredUtterance]) -> Standing:
        """How the call stands after these utterances; the call's id finds the fold kept from the last time."""
        said = [spoken(utterance) for utterance in scored]
        try:
            return self._attention.standing(said, call_id=call_id)
        except Exception:
            standing = self._without_rules.standing(said, call_id=call_id)  # raises again if it was not the rules
            log.exception("the supervisors' rules failed; this call stands without them", extra={"call_id": call_id})
            return standing

    def follow(self, store: RulesStore) -> bool:
        """Take up the rules in the store if they are another edition than before; whether they are.

        Rules that cannot be read (saved by a newer version of the product) change nothing.
        """
        version = store.version()
        if version == self._rules_version:
            return False
        stored = store.read()
        try:
            self._attention.rules = applying(stored)
        except RuleError as error:
            log.error("the stored rules cannot be read; going on with those before", extra={"error": str(error)})
        self._rules_version = version
        return True


def applying(stored: RulesText | None) -> RuleSet:
    """The rules that apply: those stored, else the starter set. Raises RuleError."""
    return load() if stored is None else parse(stored.text)


def spoken(utterance: ScoredUtterance) -> Spoken:
    """A stored utterance as workers/insight takes it."""
    return Spoken(utterance.id, utterance.track, utterance.start, utterance.end, utterance.text, utterance.sentiment)
