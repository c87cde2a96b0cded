"""Between the store's utterances and workers/insight, which knows neither Redis nor calls."""

from __future__ import annotations

import hashlib
import logging
from functools import cache
from pathlib import Path

import msgspec

from state import types
from state.attention_models import AttentionModels
from state.calls.assessments import Assessment, Kept, Stretch
from state.rules import RulesStore
from state.types import ScoredUtterance, Sentiment, Utterance
from workers import insight
from workers.insight.attention import AttentionModel
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.insight.redaction.masking import LOOK_BACK, mask, nothing_hidden, without_numbers
from workers.insight.ruled import RuledModel
from workers.insight.rules.rulefile import applying, load
from workers.insight.words.spoken import doubtful, party_of, spoken, waited
from workers.learning.versions import Versions
from workers.sentiment import courses
from workers.voice import calm

log = logging.getLogger("earshot.sentiment")


class Assessor:
    """Loaded once a process (about a second). A state.calls.assessments.Scorer.

    redact: reasons quote no secrets, and `mask` says what to hide. Without it `mask` is None.
    """

    def __init__(self, redact: bool = True, models: AttentionModels | None = None) -> None:
        self.mask = mask if redact else None
        self._rules_version: int | None = None
        self._quotable = without_numbers if redact else nothing_hidden
        self._analyzer = CallAnalyzer()
        self._rules = load()
        self._versions = Versions(models)

    def edition(self, queue: str, model: int | None) -> str:
        """Names the code, its data, the rules and the attention model."""
        return f"{_code_digest()}:{self._rules.digest}:{int(self.mask is not None)}:{model}:{queue}"

    look_back = LOOK_BACK

    def assess(self, stretch: Stretch) -> Assessment:
        """The utterance's own sentiment, the call's standing with it, and what redaction changes."""
        found, cut = stretch.found, stretch.kept.cut if stretch.kept else {}
        sentiment = self.judge(found)
        scored = msgspec.structs.replace(found, sentiment=sentiment)
        after = [scored if said is found else said for said in stretch.transcript]
        masked = self.mask(stretch.transcript, after, stretch.tracks, stretch.last, cut) if self.mask else None
        shown = masked.transcript if masked else after
        version = self._versions.latest if stretch.model is None else stretch.model
        model = self._versions.get(version)
        by = model.weights(stretch.queue), model.norms_of(stretch.queue)
        attention = RuledModel(self._analyzer, self._rules, *by, stretch.queue)
        before = courses.unpack(stretch.kept.course if stretch.kept else None)
        said = waited([spoken(utterance) for utterance in shown if counts(utterance)], stretch.holds)
        try:
            standing, courses_after = before.follow(attention, said)
        except Exception:
            standing, _ = before.follow(AttentionModel(self._analyzer, *by), said)  # raises again if not by the rules
            log.exception("rules failed; the call stands without them", extra={"call_id": stretch.call_id})
            return Assessment(sentiment, msgspec.structs.replace(standing, model=version), masked)
        leave_out = courses.may_leave_out(after, after.index(scored), cut)
        beyond = courses_after.leave_out(attention, said, sum(map(counts, after[:leave_out])))
        if beyond is not None:
            cut = cut | courses.next_indices(after[:leave_out])
        kept = Kept(self.edition(stretch.queue, version), cut, courses.pack(beyond or courses_after))
        return Assessment(sentiment, msgspec.structs.replace(standing, model=version), masked, kept)

    def judge(self, utterance: Utterance) -> Sentiment:
        """Sentiment of an utterance alone. The standing covers the course of the call."""
        return self._analyzer.score(self._quotable(utterance.text), party_of(utterance.track), doubtful(utterance))

    def follow_models(self) -> bool:
        """Let calls begin with the attention model that applies now. Returns whether it is a new one."""
        return self._versions.follow()

    def follow(self, store: RulesStore) -> bool:
        """Use the rules in the store if they are a new edition. Returns whether they are.

        Unreadable rules (from a newer version of the product, or damaged) change nothing.
        """
        version = None
        try:
            version = store.version()
            if version == self._rules_version:
                return False
            stored = store.read()
            self._rules = applying(stored.text if stored else None)
        except (ValueError, AttributeError) as error:  # RuleError is the former
            log.error("cannot read the stored rules; the old ones stay", extra={"error": str(error)})
        self._rules_version = version
        return True


def counts(utterance: ScoredUtterance) -> bool:
    """Whether it counts in the call's standing: it has a score, and not the neutral one of an unscorable utterance."""
    return utterance.sentiment is not None and utterance.mark is None


@cache
def _code_digest() -> str:
    """Names what standings are computed by: source and data of workers/insight, what it takes for a calm voice, and the
    types they are kept in."""
    files = sorted(
        path for path in Path(insight.__file__).parent.rglob("*") if path.is_file() and path.suffix != ".pyc"
    )
    others = [Path(types.__file__), Path(calm.__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in [*files, *others])).hexdigest()[:16]
