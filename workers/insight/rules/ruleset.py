"""A checked rule set, applied to a call: its hits, found in a whole call or as the call goes on.

The hits depend only on the call's utterances, cooldowns included. So any worker raises the same ones, and a dry run
over stored calls shows what an edited rule would have raised.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from workers.insight.rules.rule import Hit, Rule, RuleError, RuleFile, Track
from workers.insight.words.phrasebook import PatternError, Phrasebook, variants
from workers.insight.words.spoken import Spoken, canonical
from workers.insight.words.tokens import spoken_words, tokenise

if TYPE_CHECKING:
    from workers.insight.rules.alike import Alike

SPLIT_SECONDS = 2.0
"""A phrase may be split over two utterances of one track that are no further apart than this."""
SPLIT_TOKENS = 8
"""Tokens of the utterance before in which such a phrase may begin."""
MAX_COMBINATIONS = 20_000
"""Of alternatives, over all phrases: twelve times the starter set's."""
MAX_WORDS = 100_000
"""In all these combinations: fourteen times the starter set's. Read in a second, kept in 60 MB."""
MAX_HEARD = 20_000
"""Most phrases heard in one call; later ones do not count. An hour of "yes" has some hundreds."""
MAX_EXAMPLES = 500
"""At most so many over all rules. Comparing an utterance with them takes a quarter of a millisecond."""
REMEMBERED = 20_000
"""Utterances whose words are kept with what was found in them. Only a cache."""


class Progress(msgspec.Struct, array_like=True):
    """How far a rule has come in a call. waiting: moments (second, utterance id, quote) that are not decided yet.
    answers: start and end of what was said against a hit, as far as it may still count."""

    times: int = 0
    last_at: float | None = None
    waiting: list[tuple[float, str | None, str]] = []
    answers: list[tuple[float, float]] = []


class RuleState(msgspec.Struct, array_like=True):
    """What a rule set has heard of a call so far. tails: each track's last end and words, where phrases may begin.
    frontier: where the last utterance began; none that comes later in canonical order begins before."""

    rules: dict[str, Progress] = {}
    tails: dict[str, tuple[float, tuple[str, ...]]] = {}
    reached: float = 0.0
    frontier: float = 0.0
    room: tuple[int, int] = (MAX_HEARD, MAX_HEARD)


class RuleSet:
    """A checked rule file, ready to apply. Immutable; safe to share."""

    def __init__(self, file: RuleFile, source: str = "rules") -> None:
        """Raises RuleError for a pattern that cannot be read, a double id, or a rule that can never apply."""
        self.file = file
        triggers: list[tuple[str, Rule]] = []
        wanted: list[tuple[str, Rule]] = []
        seen: set[str] = set()
        combinations = words = 0
        for number, rule in enumerate(file.rules):
            place = f"rules[{number}]"
            told = f"{place} ({rule.id})"
            if rule.id in seen:
                raise RuleError(source, f"{place}.id", "the id is used twice", told)
            seen.add(rule.id)
            if not rule.has_trigger and rule.and_not is None:
                raise RuleError(source, place, "needs phrases, examples or and_not", told)
            if not rule.has_trigger and (rule.times > 1 or rule.polarity_below is not None):
                raise RuleError(source, place, "times and polarity_below need phrases or examples", told)
            for name, phrases, held in (
                ("phrases", rule.phrases or [], triggers),
                ("and_not.phrases", rule.and_not.phrases if rule.and_not else [], wanted),
            ):
                for index, phrase in enumerate(phrases):
                    try:
                        found = variants(phrase)
                        combinations += len(found)
                        words += sum(map(len, found))
                        if combinations > MAX_COMBINATIONS:
                            raise PatternError(f"with it the rules have more than {MAX_COMBINATIONS} combinations")
                        if words > MAX_WORDS:
                            raise PatternError(f"with it the rules' combinations have more than {MAX_WORDS} words")
                    except PatternError as error:
                        within = f"{name}[{index}]"
                        raise RuleError(
                            source, f"{place}.{within}", str(error), f"{told} {within} '{phrase}'"
                        ) from error
                    if rule.enabled:
                        held.append((phrase, rule))
        self._triggers, self._wanted = _Ear(triggers, _alike(file, source)), _Ear(wanted)

    @property
    def digest(self) -> str:
        """Names the content: equal rules, equal digest."""
        return hashlib.sha256(msgspec.json.encode(self.file, order="deterministic")).hexdigest()[:16]

    def apply(
        self,
        utterances: Sequence[Spoken],
        *,
        now: float | None = None,
        between: Callable[[], None] = lambda: None,
        queue: str = "",
    ) -> list[Hit]:
        """All hits in a call so far, by time.

        now: second of audio reached; a missing phrase is a hit only when its time has run out by then.
        Without it the end of the last utterance counts. For an ended call give its length.
        between: called every few milliseconds of work; what it raises ends the work.
        queue: of the call, "" for none.
        """
        _, hits, open_hits = self.follow(
            RuleState(), canonical(list(utterances)), now=now, between=between, queue=queue
        )
        return sorted([*hits, *open_hits], key=_moment)

    def follow(
        self,
        state: RuleState,
        said: Sequence[Spoken],
        *,
        now: float | None = None,
        between: Callable[[], None] = lambda: None,
        queue: str = "",
    ) -> tuple[RuleState, list[Hit], list[Hit]]:
        """What further utterances, in canonical order, add: the state with them, hits, and hits that a later one may
        take back (they come again with it). The others as for `apply`."""
        tails = dict(state.tails)
        triggers, room = self._triggers.heard(said, between, dict(state.tails), state.room[0])
        wanted, room_wanted = self._wanted.heard(said, between, tails, state.room[1])
        reached = max([state.reached, *(u.end for u in said)])
        frontier = said[-1].start if said else state.frontier
        rules = dict(state.rules)
        hits: list[Hit] = []
        open_hits: list[Hit] = []
        for rule in self.file.rules:
            between()
            heard, answered = triggers.get(rule.id, []), wanted.get(rule.id, [])
            known = rules.get(rule.id)
            if not rule.enabled or rule.queue not in (None, queue):
                continue
            if known is None and rule.has_trigger and not heard and not answered:
                continue
            if known is None:
                known = Progress(waiting=[] if rule.has_trigger else _first_word(rule, said))
                if not rule.has_trigger and not known.waiting:
                    continue
            rules[rule.id] = after = _heard(rule, known, heard, answered, frontier)
            sure, unsure = _decide(rule, after, max(reached, now or 0.0), frontier)
            hits += sure
            open_hits += unsure
        after_all = RuleState(rules, tails, reached, frontier, (room, room_wanted))
        return after_all, sorted(hits, key=_moment), sorted(open_hits, key=_moment)


def _alike(file: RuleFile, source: str) -> Alike | None:
    """What finds wording like the rules' examples; None without any. Raises RuleError."""
    rules = [rule for rule in file.rules if rule.enabled and rule.examples]
    if not rules:
        return None
    if sum(len(rule.examples or ()) for rule in rules) > MAX_EXAMPLES:
        raise RuleError(source, "", f"more than {MAX_EXAMPLES} examples")
    from workers.insight.rules.alike import (
        Alike,  # late: the table takes a quarter of a second, and most rules need none
    )

    try:
        return Alike(rules)
    except OSError as error:
        raise RuleError(source, "", f"examples need the package wordllama: {error}") from error


def _first_word(rule: Rule, said: Sequence[Spoken]) -> list[tuple[float, str | None, str]]:
    """The moment from which the wanted words are missing: the first word of the party that should say them."""
    track = rule.and_not.track if rule.and_not else "any"
    first = next((utterance for utterance in said if _on(track, utterance)), None)
    return [] if first is None else [(first.start, first.id, "")]


def _moment(hit: Hit) -> tuple[float, str]:
    return hit.at, hit.rule_id


class _Said(msgspec.Struct, frozen=True):
    utterance: Spoken
    quote: str


class _Ear:
    """Finds phrases in utterances. It remembers what it has found in the same words."""

    def __init__(self, phrases: list[tuple[str, Rule]], alike: Alike | None = None) -> None:
        self._alike = alike
        self._book = Phrasebook(phrases)
        self._found = lru_cache(maxsize=REMEMBERED)(self._find)

    def heard(
        self,
        said: Sequence[Spoken],
        between: Callable[[], None],
        before: dict[str, tuple[float, tuple[str, ...]]],
        room: int,
    ) -> tuple[dict[str, list[_Said]], int]:
        """By rule id, where its phrases were said, on any track, one entry an utterance; and the room that is left.

        before: each track's end and last words, which are brought up to date. room: so many entries at most.
        """
        out: dict[str, list[_Said]] = {}
        for utterance in said:
            if room <= 0:
                break
            between()
            tokens = _tokens(utterance.text)
            ended, tail = before.get(utterance.track, (0.0, ()))
            if utterance.start - ended > SPLIT_SECONDS:
                tail = ()
            for rule_id, begin, end in self._found(tail, tuple(tokens.forms))[:room]:
                room -= 1
                said_before = tail[begin:]
                quote = " ".join(
                    (*said_before, spoken_words(utterance.text, tokens, begin - len(tail), end - len(tail)))
                )
                out.setdefault(rule_id, []).append(_Said(utterance, quote))
            before[utterance.track] = (utterance.end, (*tail, *tokens.forms)[-SPLIT_TOKENS:])
        return out, room

    def _find(self, tail: tuple[str, ...], forms: tuple[str, ...]) -> list[tuple[str, int, int]]:
        """Ids of the rules whose phrases end in `forms`, each with the span [begin, end) of its words in both."""
        spans: dict[str, tuple[int, int]] = {}
        for hit in self._book.find([*tail, *forms]):
            if hit.end > len(tail):
                spans.setdefault(hit.payload.id, (hit.start, hit.end))
        for rule_id, begin, end in self._alike.find(forms) if self._alike else ():
            spans.setdefault(rule_id, (len(tail) + begin, len(tail) + end))
        return [(rule_id, begin, end) for rule_id, (begin, end) in spans.items()]


_tokens = lru_cache(maxsize=REMEMBERED)(tokenise)


def _on(track: Track, utterance: Spoken) -> bool:
    return track == "any" or (track == "agent") == (utterance.party == "agent")


def _heard(rule: Rule, before: Progress, triggers: list[_Said], wanted: list[_Said], frontier: float) -> Progress:
    """The rule's progress with what was said; what has been answered waits no more."""
    times, waiting = before.times, list(before.waiting)
    for said in triggers:
        sentiment = said.utterance.sentiment
        if not _on(rule.track, said.utterance):
            continue
        if rule.polarity_below is not None and (sentiment is None or sentiment.polarity >= rule.polarity_below):
            continue
        times += 1
        if times >= rule.times:
            waiting.append((said.utterance.end, said.utterance.id, said.quote))
    missing = rule.and_not
    if missing is None:
        return Progress(times, before.last_at, waiting)
    within, on = missing.within_seconds, missing.track
    answers = [*before.answers, *((s.utterance.start, s.utterance.end) for s in wanted if _on(on, s.utterance))]
    waiting = [
        moment
        for moment in waiting
        if not any(moment[0] <= end and start <= moment[0] + within for start, end in answers)
    ]
    # Later moments are not before the frontier.
    return Progress(times, before.last_at, waiting, [answer for answer in answers if answer[1] >= frontier])


def _decide(rule: Rule, progress: Progress, reached: float, frontier: float) -> tuple[list[Hit], list[Hit]]:
    """The rule's hits that are sure, which leave `progress`, and those that may still be taken back."""
    hits: tuple[list[Hit], list[Hit]] = ([], [])
    last, undecided, decided = progress.last_at, [], True
    for moment in progress.waiting:
        second, utterance_id, quote = moment
        at = second + (rule.and_not.within_seconds if rule.and_not else 0.0)
        decided = decided and (rule.and_not is None or at < frontier)
        if not decided:
            undecided.append(moment)
        if at > reached or (last is not None and at - last < rule.cooldown_seconds):
            continue
        hit = Hit(rule.id, rule.title, rule.severity, round(at, 2), utterance_id, quote, rule.about)
        last = hit.at
        if decided:
            progress.last_at = last
        hits[0 if decided else 1].append(hit)
    progress.waiting = undecided
    return hits
