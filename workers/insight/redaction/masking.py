"""Decides which words people may see, and which the store may keep, during a call and after it.

A number is seldom whole in one utterance, and its name may be in another party's words, which another worker decodes.
So it becomes certain only a little later what is secret. Until then nobody sees it:

* `cautious` hides everything in one text that could be, or be part of, something secret. Partials, and finals
  that are not scored, are only ever shown so.
* `view` looks at all that is scored: numbers that may still go on stay hidden, harmless ones appear.
* what can no longer change is replaced in the store too. At the call's end that is all of it, so what is stored
  then follows from what was said alone, whichever worker was faster.

Masks replace words one by one, so that the words' times stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

import msgspec

from state.types import Masked, ScoredUtterance, Utterance
from state.views import CallView
from workers.insight.redaction.dictation import JOINERS, MASKED_NUMBER, bare, runs
from workers.insight.redaction.finding import Finding, findings, glyph
from workers.insight.redaction.spelled import dates, emails
from workers.insight.words.spoken import Spoken, canonical
from workers.insight.words.tokens import FILLERS

OPEN_DIGITS = 4
"""Digits from which a number at the end of the words stays hidden until it is clear that it does not go on: a
quarter of a card number. Shorter ones ("nine thirty", "one hundred") are seldom part of a longer one."""

CAUTIOUS_DIGITS = 3
"""Least digits in a row to hide before anything is known of the words around them, ..."""
CAUTIOUS_EDGE_DIGITS = 2
"""... fewer at either end of the text, and a text of nothing but digits whatever their number."""

LOOK_BACK = 60
"""Utterances to look at with every score; older ones come once more at the end."""
SURE_FROM = 20
"""The first of those, which are only context: a number's name may have been said before them."""
SETTLED_AFTER = 30
"""Utterances after which redaction waits no longer for a party that has said nothing so far."""

Said = TypeVar("Said", bound=Utterance)

Covered = Mapping[int, str]
"""Index of a word (of the text's whitespace words) -> what stands for it."""


def nothing_hidden(text: str) -> str:
    """In the place of `cautious` where redaction is off."""
    return text


def cautious(text: str) -> str:
    """`text` with everything hidden that could be part of something secret. Its number of words stays."""
    return _written(text, _hidden(text))


def everything(text: str) -> str:
    """`text` with every word hidden: for one that could not be judged."""
    return " ".join(MASKED_NUMBER for _ in text.split())


def without_numbers(text: str) -> str:
    """`text` as it may be quoted in reasons: without numbers long enough to tell anything, and addresses."""
    return _written(text, _long(text))


def cover(utterance: Said, covered: Covered) -> Said:
    """The utterance with words hidden, in its text and in its list of words."""
    if not covered:
        return utterance
    words = utterance.words
    if len(words) == len(utterance.text.split()):
        words = [
            msgspec.structs.replace(word, word=covered[n]) if n in covered else word for n, word in enumerate(words)
        ]
    else:  # an engine that splits otherwise: times are less than a secret
        words = []
    return msgspec.structs.replace(utterance, text=_written(utterance.text, covered), words=words)


def hide(utterance: Utterance) -> Utterance:
    """The utterance as it may be shown before it is scored."""
    return cover(utterance, _hidden(utterance.text))


class Window(NamedTuple):
    """Seconds of the call from which it is looked at, and from which what is found is seen whole."""

    since: float = 0.0
    sure: float = 0.0


ALL = Window()


NOTHING: Mapping[str, int] = {}


def mask(
    before: Sequence[ScoredUtterance],
    after: Sequence[ScoredUtterance],
    tracks: Sequence[str],
    last: bool,
    cut: Mapping[str, int] = NOTHING,
) -> Masked:
    """The changes when `before`, the stored call in canonical order, becomes `after`: one more utterance is scored.

    last: nothing more will be said or scored. tracks: all of the call, also those that were silent so far.
    cut: the call's beginning may be left out, but for LOOK_BACK utterances; the first index of each track that is not.
    """
    new = next(n for n, (b, a) in enumerate(zip(before, after, strict=True)) if b is not a)
    window = ALL if last or new < LOOK_BACK else _window(after, new - LOOK_BACK)
    shown_before = view(before, window=window, cut=cut)
    shown = view(after, ended=last, window=window, cut=cut)
    return Masked(
        transcript=shown,
        store=settled(after, tracks, ended=last, window=window, cut=cut),
        tell=[plain(now) for was, now in zip(shown_before, shown, strict=True) if plain(now) != plain(was)],
    )


def finish(transcript: Sequence[ScoredUtterance], tracks: Sequence[str]) -> Masked:
    """The same once a call has ended without a score's being the last."""
    shown = view(transcript, ended=True)
    return Masked(
        transcript=shown,
        store=settled(transcript, tracks, ended=True),
        tell=[plain(now) for was, now in zip(view(transcript), shown, strict=True) if plain(now) != plain(was)],
    )


def _window(transcript: Sequence[ScoredUtterance], first: int) -> Window:
    return Window(transcript[first].start, transcript[first + SURE_FROM].start)


def shown(call: CallView) -> CallView:
    """A call as people may see it."""
    return msgspec.structs.replace(call, utterances=view(call.utterances, ended=call.state == "ended"))


def view(
    transcript: Sequence[ScoredUtterance],
    *,
    ended: bool = False,
    window: Window = ALL,
    cut: Mapping[str, int] = NOTHING,
) -> list[ScoredUtterance]:
    """The transcript as it may be shown; what was said before the window as it stands."""
    known = _known(transcript, cut)
    covered: dict[str, dict[int, str]] = {}
    for found in _findings(transcript, known, window):
        if found.kind is not None or (found.open and found.digits >= OPEN_DIGITS and not ended):
            _add(covered, found)
    return [cover(u, covered.get(u.id, {}) if u.id in known else _hidden(u.text)) for u in transcript]


def settled(
    transcript: Sequence[ScoredUtterance],
    tracks: Sequence[str],
    *,
    ended: bool = False,
    window: Window = ALL,
    cut: Mapping[str, int] = NOTHING,
) -> list[Utterance]:
    """The utterances to replace in the store, in their new form."""
    known = _known(transcript, cut)
    heard = dict.fromkeys(tracks, -1.0)
    for said in transcript:
        if said.id in known:
            heard[said.track] = max(heard.get(said.track, -1.0), said.start)
    starts = {said.id: said.start for said in transcript}
    long_ago = transcript[-SETTLED_AFTER].start if len(transcript) >= SETTLED_AFTER else -1.0
    horizon = max(min(heard.values(), default=-1.0), long_ago)
    covered: dict[str, dict[int, str]] = {}
    for found in _findings(transcript, known, window):
        begins = starts[found.pieces[0][0]]
        whole = not found.open and window.sure <= begins <= horizon
        if found.kind is not None and (found.certain or whole or ended):
            _add(covered, found)
    return [plain(cover(said, covered[said.id])) for said in transcript if _changes(said, covered.get(said.id, {}))]


def _changes(said: Utterance, covered: Covered) -> bool:
    words = said.text.split()
    return any(words[index] != glyph for index, glyph in covered.items())


def plain(said: Utterance) -> Utterance:
    """Without the score: as the store holds it."""
    return Utterance(*(getattr(said, name) for name in Utterance.__struct_fields__))


def _known(transcript: Sequence[ScoredUtterance], cut: Mapping[str, int]) -> set[str]:
    """Ids of what is scored (or is a mark, which never is) with all that the track said before it."""
    known: set[str] = set()
    following = dict(cut)
    for said in sorted(transcript, key=lambda u: (u.track, u.index)):
        done = said.sentiment is not None or said.mark is not None
        if done and said.index == following.get(said.track, 0):
            following[said.track] = said.index + 1
            known.add(said.id)
    return known


def _findings(transcript: Sequence[ScoredUtterance], known: set[str], window: Window) -> list[Finding]:
    said = canonical(
        [Spoken(u.id, u.track, u.start, u.end, u.text) for u in transcript if u.id in known and u.start >= window.since]
    )
    # Nothing is secret in a call in which nothing has to be hidden from the cautious; and looking that up is cheap.
    return _found(tuple(said)) if any(_hidden(u.text) for u in said) else []


@lru_cache(maxsize=8)
def _found(said: tuple[Spoken, ...]) -> list[Finding]:
    """Showing and storing ask for the same, one after the other."""
    return findings(list(said))


def _add(covered: dict[str, dict[int, str]], found: Finding) -> None:
    for utterance_id, first, last in found.pieces:
        place = covered.setdefault(utterance_id, {})
        for index in range(first, last + 1):
            place.setdefault(index, glyph(found.kind))


def _written(text: str, covered: Covered) -> str:
    if not covered:
        return text
    return " ".join(covered.get(n, word) for n, word in enumerate(text.split()))


@lru_cache(maxsize=20_000)
def _hidden(text: str) -> Covered:
    return {**_long(text), **_cautious(text)}


@lru_cache(maxsize=20_000)
def _long(text: str) -> Covered:
    covered: dict[int, str] = {}
    for found in _alone(text):
        if found.kind == "email" or found.digits >= OPEN_DIGITS:
            for _, first, last in found.pieces:
                covered.update(dict.fromkeys(range(first, last + 1), glyph(found.kind)))
    return covered


def _alone(text: str) -> list[Finding]:
    return findings([Spoken("", "customer", 0.0, 1.0, text)])


def _telling(words: Sequence[str]) -> bool:
    """Whether there is more than hesitation and what joins the groups of a number."""
    return any(bare(word) and bare(word) not in FILLERS and bare(word) not in JOINERS for word in words)


def _cautious(text: str) -> dict[int, str]:
    words = text.split()
    covered: dict[int, str] = {}
    for first, last in [*emails(words), *dates(words)]:
        covered.update(dict.fromkeys(range(first, last + 1), glyph("email")))
    for run in runs([Spoken("", "customer", 0.0, 1.0, text)], 1.0):
        for _, first, last in run.pieces:
            at_edge = not _telling(words[:first]) or not run.followed_by
            alone = not _telling(words[:first]) and not run.followed_by
            least = 1 if alone else CAUTIOUS_EDGE_DIGITS if at_edge else CAUTIOUS_DIGITS
            if len(run.digits) >= least:
                covered.update(dict.fromkeys(range(first, last + 1), MASKED_NUMBER))
    return covered
