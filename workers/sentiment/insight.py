"""Between the store's utterances and workers/insight, which knows neither Redis nor calls."""

from __future__ import annotations

from state.types import ScoredUtterance, Sentiment, Standing, Utterance
from workers.insight.analyzer import CallAnalyzer
from workers.insight.attention import AttentionModel, AttentionSettings
from workers.insight.spoken import Spoken, party_of


class Insight:
    """Loaded once a process (about a second). Both methods are pure, as state.scores.Scores.store needs them."""

    def __init__(self) -> None:
        self._analyzer = CallAnalyzer()
        self._attention = AttentionModel(self._analyzer, AttentionSettings())

    def judge(self, _earlier: list[ScoredUtterance], utterance: Utterance) -> Sentiment:
        """Sentiment of what was said, by itself; the course of the call is the standing's."""
        return self._analyzer.score(utterance.text, party_of(utterance.track))

    def stand(self, call_id: str, scored: list[ScoredUtterance]) -> Standing:
        """How the call stands after these utterances; the call's id finds the fold kept from the last time."""
        return self._attention.standing([spoken(utterance) for utterance in scored], call_id=call_id)


def spoken(utterance: ScoredUtterance) -> Spoken:
    """A stored utterance as workers/insight takes it."""
    return Spoken(utterance.id, utterance.track, utterance.start, utterance.end, utterance.text, utterance.sentiment)
