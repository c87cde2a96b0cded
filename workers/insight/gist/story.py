"""The fold over a call's utterances that keeps its summary: small however long the call is, and the same on any worker.

A story takes one utterance at a time, in canonical order, with the analyzer's reading of it. `points` tells it.
"""

from __future__ import annotations

import msgspec

from state.types import Part, Point
from workers.insight.gist.cues import Cue, find, load
from workers.insight.gist.quote import fullest, pair, quote
from workers.insight.words.spoken import Spoken
from workers.insight.words.tokens import tokenise, wordset

REASON_TURNS = 6
"""Customer turns that say something, within which a call's reason is looked for."""
CUE_WORTH = {"topic": 1.2, "request": 1.0, "problem": 1.0, "identity": -0.8}
"""What a cue adds to a turn's chance to be the reason. Set by hand."""
ASKED_WORTH = 0.4
"""The agent has just asked how to help."""
LATER_COSTS = 0.4
"""Cost of each later turn: most people begin with what they want."""
FULL_WORDS = 8
"""Content words from which a turn says as much as a reason needs."""
BETTER_BY = 0.1
OWN_CUES = frozenset({"refund", "distress"})
"""Events of which the analyzer's phrases of the same name are not sure enough: only the cues tell them."""
LATEST = frozenset({"deed", "refuse"})
"""Events of which the last is kept, of all others the first."""
SETTLED_FOR = 2
"""Customer turns that say something after which thanks are no longer how the call stands."""
MOST_HAPPENED, MOST_PROMISES = 4, 3
SAME_SHARE = 0.6
"""Share of the shorter one's content words from which two promises are the same."""
CONTENT_ABOVE, UNHAPPY_BELOW = 0.15, -0.2
"""Polarity of a customer's turn in its context, as in attention.py and evidence.py."""
DEMANDS = ("escalation", "legal_threat", "leaving", "cancellation", "refund")
"""Wishes of a customer who does not get them elsewhere, the weightiest first."""

_SMALL = wordset(
    "i you it the a an to of and or is are was were be been do did does have has had in on at for with that this not no"
    " yes please will would can could me my your we our they them there what how about so just am if any from by as but"
    " okay hello hi good morning afternoon thank thanks right well oh day dear"
)


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """Something that was heard: what kind, how weighty, in which words, where."""

    kind: str
    worth: float
    quote: str
    at: float
    by: tuple[str, ...]
    track: str


class Story(msgspec.Struct, frozen=True, array_like=True):
    """A call so far. asked: the agent has just asked how to help. offer, asked_for: what the agent offers and the
    customer asks for, until it is answered. settled: the customer's latest thanks; since_settled: turns since that say
    something. last, mood: the latest of these, and its polarity."""

    reason: Seen | None = None
    turns: int = 0
    asked: bool = False
    happened: tuple[Seen, ...] = ()
    promises: tuple[Seen, ...] = ()
    offer: Seen | None = None
    asked_for: Seen | None = None
    demand: Seen | None = None
    settled: Seen | None = None
    deed: Seen | None = None
    refusal: Seen | None = None
    last: Seen | None = None
    mood: float = 0.0
    since_settled: int = 0


def follow(story: Story, said: Spoken, polarity: float, kinds: dict[str, str]) -> Story:
    """The story with one more utterance. polarity: in its context. kinds: phrase groups heard, each with its reason."""
    return _agent(story, said, kinds) if said.party == "agent" else _customer(story, said, polarity, kinds)


def about(story: Story) -> str:
    """Why the customer calls, in the customer's words; "" while nobody knows."""
    return story.reason.quote if story.reason else ""


def points(story: Story) -> list[Point]:
    """The summary, in the order in which it is read."""
    out = [_point("reason", "", story.reason)] if story.reason else []
    own = story.reason.by if story.reason else ()
    told = sorted((seen for seen in story.happened if seen.by != own), key=lambda seen: seen.at)
    out += [_point("happened", load().labels[seen.kind][0], seen) for seen in told]
    out += [_point("promise", "", seen) for seen in story.promises]
    found = _outcome(story)
    return [*out, _point("outcome", *found)] if found else out


# -- the customer ------------------------------------------------------------------------------------------


def _customer(story: Story, said: Spoken, polarity: float, kinds: dict[str, str]) -> Story:
    cues = find(said.text, said.party)
    content = _content(said.text)
    changes: dict[str, object] = {"asked": False, "offer": None, "asked_for": None}
    if story.turns < REASON_TURNS and len(content) >= 2:
        changes["turns"] = story.turns + 1
        found = _reason(story, said, cues, len(content))
        if found is not None:
            changes["reason"] = found
    if story.offer is not None and polarity > UNHAPPY_BELOW and _accepts(cues, kinds):
        accepted = msgspec.structs.replace(story.offer, by=(*story.offer.by, said.id))
        changes["promises"] = _promised(story.promises, accepted)
    for cue in cues:
        if cue.name == "promise":
            changes["promises"] = _promised(story.promises, _seen("promise", said, cue))
        elif cue.name == "ask":
            changes["asked_for"] = _seen("promise", said, cue)
    events = {
        kind: _told(kind, said, reason) for kind, reason in kinds.items() if kind in load().labels.keys() - OWN_CUES
    }
    events |= {cue.name: _seen(cue.name, said, cue) for cue in cues if cue.name in load().labels}
    if polarity >= UNHAPPY_BELOW:
        events = {kind: seen for kind, seen in events.items() if kind in DEMANDS}
    happened = story.happened
    for seen in events.values():
        happened = _happens(happened, seen)
    changes["happened"] = happened
    demand = next((events[kind] for kind in DEMANDS if kind in events), None)
    if demand is not None:
        changes["demand"] = demand
    elif polarity > CONTENT_ABOVE and not kinds.keys().isdisjoint(("thanks", "relief", "assent")):
        changes["settled"] = _settled(story, said, kinds)
    if len(content) >= 2:
        changes["last"], changes["mood"] = _whole("last", said), polarity
        changes["since_settled"] = 0 if "settled" in changes else story.since_settled + 1
    return msgspec.structs.replace(story, **changes)


def _reason(story: Story, said: Spoken, cues: tuple[Cue, ...], content: int) -> Seen | None:
    """Take this turn as the call's reason, if it is a better one than the last."""
    worths = {cue: CUE_WORTH[cue.name] for cue in cues if cue.name in CUE_WORTH}
    best = max(worths, key=lambda cue: worths[cue], default=None)
    worth = max([0.0, *worths.values()]) + min([0.0, *worths.values()])
    worth += min(content, FULL_WORDS) / FULL_WORDS + ASKED_WORTH * story.asked - LATER_COSTS * story.turns
    if story.reason is not None and worth <= story.reason.worth + BETTER_BY:
        return None
    if best is None or worths[best] < 0:
        at = fullest(said.text)
        best = Cue("reason", at, at)
    found = _seen("reason", said, best)
    return msgspec.structs.replace(found, worth=round(worth, 2))


def _settled(story: Story, said: Spoken, kinds: dict[str, str]) -> Seen:
    """The customer is content. A mere "okay" or "bye" takes no thanks' place."""
    kind = next((kind for kind in ("relief", "thanks") if kind in kinds), "assent")
    seen = _told(kind, said, kinds[kind])
    held = story.settled
    if kind == "assent" and held is not None and held.kind != kind and story.mood >= UNHAPPY_BELOW:
        return msgspec.structs.replace(seen, kind=held.kind, quote=held.quote, by=held.by)
    return seen


def _accepts(cues: tuple[Cue, ...], kinds: dict[str, str]) -> bool:
    names = {cue.name for cue in cues}
    if "decline" in names or not kinds.keys().isdisjoint(("rejection", "polite_refusal", *DEMANDS)):
        return False
    return "accept" in names or not kinds.keys().isdisjoint(("assent", "relief", "thanks"))


# -- the agent ---------------------------------------------------------------------------------------------


def _agent(story: Story, said: Spoken, kinds: dict[str, str]) -> Story:
    changes: dict[str, object] = {"asked_for": None}
    happened, promises = story.happened, story.promises
    cues = find(said.text, said.party)
    names = {cue.name for cue in cues}
    if story.asked_for is not None and "agree" in names and not names & {"refuse", "promise", "deed"}:
        asked, agreed = story.asked_for, _whole("promise", said)
        both = pair(asked.quote, agreed.quote)
        promises = _promised(promises, msgspec.structs.replace(asked, quote=both, by=(*asked.by, said.id)))
    for cue in cues:
        seen = _done(story, said, cue) if cue.name == "done" else _seen(cue.name, said, cue)
        if cue.name == "asked":
            changes["asked"] = True
        elif cue.name == "promise":
            promises = _promised(promises, seen)
        elif cue.name == "offer":
            changes["offer"] = seen
        elif seen.kind in load().labels:
            happened = _happens(happened, seen)
            if seen.kind == "deed":
                changes["deed"] = seen
            elif seen.kind == "refuse":
                changes["refusal"] = seen
    if "cold" in kinds and story.mood < 0:
        happened = _happens(happened, _told("cold", said, kinds["cold"]))
    return msgspec.structs.replace(story, happened=happened, promises=promises, **changes)


# -- what is kept ------------------------------------------------------------------------------------------


def _happens(happened: tuple[Seen, ...], seen: Seen) -> tuple[Seen, ...]:
    """With one more event: the weightiest, one of a kind, one of an utterance."""
    held = next((one for one in happened if one.kind == seen.kind), None)
    if held is not None and seen.kind not in LATEST:
        return happened
    others = [one for one in happened if one is not held]
    same = next((one for one in others if one.by == seen.by), None)
    if same is not None:
        if same.worth >= seen.worth:
            return happened
        others.remove(same)
    others.append(seen)
    if len(others) > MOST_HAPPENED:
        others.remove(min(others, key=lambda one: (one.worth, -one.at)))
    return tuple(others)


def _promised(promises: tuple[Seen, ...], seen: Seen) -> tuple[Seen, ...]:
    """With one more promise, in the place of one that says the same; the latest ones."""
    words = _content(seen.quote)
    kept = [one for one in promises if not _same(_content(one.quote), words) and one.by[0] != seen.by[0]]
    return tuple([*kept, seen][-MOST_PROMISES:])


def _outcome(story: Story) -> tuple[str, Seen] | None:
    """How the call stands, in words, with the utterances that say so."""
    settled, demand, deed, refusal = story.settled, story.demand, story.deed, story.refusal
    since = settled.at if settled else -1.0
    if demand is not None and demand.at > max(since, deed.at if deed else -1.0):
        return f"open: {load().labels[demand.kind][0]}", demand
    if story.last is not None and story.mood < UNHAPPY_BELOW and story.last.at > since:
        return "open: the customer is unhappy", story.last
    if settled is not None and story.since_settled <= SETTLED_FOR and not (refusal and refusal.at > since):
        return f"settled: the customer {'is relieved' if settled.kind == 'relief' else 'is content'}", settled
    if refusal is not None and refusal.at > max(since, deed.at if deed else -1.0):
        return "open: the agent could not do it", refusal
    if deed is not None:
        return "done: the agent did it", deed
    if story.promises:
        return "promised", story.promises[-1]
    return ("unclear", story.last) if story.last else None


def _point(part: Part, text: str, seen: Seen) -> Point:
    return Point(part, text, seen.quote, seen.at, list(seen.by), seen.track)


def _seen(kind: str, said: Spoken, cue: Cue) -> Seen:
    worth = load().labels[kind][1] if kind in load().labels else 0.0
    told = quote(said.text, cue.first, cue.last, from_first=said.party == "agent")
    return Seen(kind, worth, told, round(said.start, 2), (said.id,), said.track)


def _done(story: Story, said: Spoken, cue: Cue) -> Seen:
    """A "done" answers what the customer has just said."""
    seen = _seen("deed", said, cue)
    if story.last is None:
        return seen
    return msgspec.structs.replace(seen, quote=pair(story.last.quote, seen.quote), by=(*story.last.by, said.id))


def _whole(kind: str, said: Spoken) -> Seen:
    return _seen(kind, said, Cue(kind, 0, len(said.text.split()) - 1))


def _told(kind: str, said: Spoken, reason: str) -> Seen:
    """What the analyzer heard. Its reason quotes the words, in marks."""
    words = said.text.split()
    heard = _heard(reason)
    first = next((n for n in range(len(words)) if heard and words[n].strip(",.!?;:") == heard[0].strip(",.!?;:")), 0)
    return _seen(kind, said, Cue(kind, first, min(len(words), first + max(1, len(heard))) - 1))


def _heard(reason: str) -> list[str]:
    """The words that a reason of the analyzer quotes."""
    return reason.partition("“")[2].partition("”")[0].split()


def _content(text: str) -> frozenset[str]:
    return frozenset(form for form in tokenise(text).forms if form not in _SMALL and not form.isdigit())


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and len(one & other) >= SAME_SHARE * shorter
