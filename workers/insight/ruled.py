"""Attention with the supervisors' rules: their hits are alerts, and evidence beside the built-in signs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from state.types import Alert, Standing
from workers.insight.attention import AttentionModel, Course
from workers.insight.hearing import SAME_SECONDS
from workers.insight.norms import ANYWHERE, Norms
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.rules.rule import Hit, RuleEvidence
from workers.insight.rules.ruleset import RuleSet, RuleState
from workers.insight.weights import Weights
from workers.insight.words.spoken import Spoken


class RuledModel(AttentionModel):
    """As AttentionModel; `rules` may be exchanged at any time."""

    def __init__(
        self,
        analyzer: CallAnalyzer,
        rules: RuleSet,
        weights: Weights | None = None,
        norms: Norms = ANYWHERE,
        queue: str = "",
    ) -> None:
        super().__init__(analyzer, weights, norms)
        self._queue = queue
        self.rules = rules

    def standing(
        self,
        utterances: Sequence[Spoken],
        *,
        rule_alerts: Sequence[Alert] = (),
        rule_evidence: Sequence[RuleEvidence] = (),
        findings: Sequence[Alert] = (),
        now: float | None = None,
    ) -> Standing:
        """The standing with the rules' hits, and what else is given."""
        hits = self.rules.apply(utterances, now=now, queue=self._queue)
        standing = super().standing(
            utterances,
            rule_alerts=[*rule_alerts, *(hit.alert for hit in hits if hit.about == "attention")],
            rule_evidence=[*rule_evidence, *(hit.evidence for hit in hits if hit.about == "attention")],
            findings=[*findings, *(hit.alert for hit in hits if hit.about == "compliance")],
            now=now,
        )
        return _told_once(standing)

    def follow(self, course: Course, said: Sequence[Spoken]) -> tuple[Standing, Course | None]:
        """As AttentionModel.follow, with the rules. A course is of use with the same rules only."""
        standing, after = super().follow(course, said)
        return _told_once(standing), after

    def _hits(self, heard: RuleState, said: Sequence[Spoken]) -> tuple[RuleState, list[Hit], list[Hit]]:
        return self.rules.follow(heard, said, queue=self._queue)


def _told_once(standing: Standing) -> Standing:
    """What a rule says and a built-in sign, too, is told in the rule's words."""
    said = [(alert.kind, alert.at) for alert in standing.alerts]
    new = [alert for alert in standing.alerts if not _said_by_a_rule(alert, said)]
    return msgspec.structs.replace(standing, alerts=new)


def _said_by_a_rule(alert: Alert, said: Sequence[tuple[str, float]]) -> bool:
    name = f"rule:{alert.kind.replace('_', '-')}"
    return any(kind == name and abs(at - alert.at) <= SAME_SECONDS for kind, at in said)
