"""Attention with the supervisors' rules: their hits are alerts, and evidence beside the built-in signs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from state.types import Alert, Standing
from workers.insight.analyzer import CallAnalyzer
from workers.insight.attention import SAME_SECONDS, AttentionModel, AttentionSettings
from workers.insight.rules import RuleEvidence, RuleSet
from workers.insight.spoken import Spoken


class RuledModel(AttentionModel):
    """As AttentionModel; `rules` may be exchanged at any time."""

    def __init__(self, analyzer: CallAnalyzer, rules: RuleSet, settings: AttentionSettings | None = None) -> None:
        super().__init__(analyzer, settings)
        self.rules = rules

    def standing(
        self,
        utterances: Sequence[Spoken],
        *,
        rule_alerts: Sequence[Alert] = (),
        rule_evidence: Sequence[RuleEvidence] = (),
        usual_length_seconds: float | None = None,
        now: float | None = None,
        call_id: str | None = None,
    ) -> Standing:
        """The standing with the rules' hits, and what else is given."""
        hits = self.rules.apply(utterances, now=now)
        standing = super().standing(
            utterances,
            rule_alerts=[*rule_alerts, *(hit.alert for hit in hits)],
            rule_evidence=[*rule_evidence, *(hit.evidence for hit in hits)],
            usual_length_seconds=usual_length_seconds,
            now=now,
            call_id=call_id,
        )
        said = [(alert.kind, alert.at) for alert in standing.alerts]
        new = [alert for alert in standing.alerts if not _said_by_a_rule(alert, said)]
        return msgspec.structs.replace(standing, alerts=new)


def _said_by_a_rule(alert: Alert, said: Sequence[tuple[str, float]]) -> bool:
    name = f"rule:{alert.kind.replace('_', '-')}"
    return any(kind == name and abs(at - alert.at) <= SAME_SECONDS for kind, at in said)
