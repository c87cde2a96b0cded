"""Reads the archive: lists of calls by a search, and one call."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, TableClause, bindparam, column, func, literal_column, select, table, tuple_

from state.archive.opening import Archive
from state.archive.tables import alerts, calls, tags, transcripts
from state.texts import customer
from state.types import ScoredUtterance
from state.views import CallRow, CallView

RANKED = 500
"""At most so many calls are ranked by relevance: the newest with all words. A search finds older ones by time."""

ALIKE = 500
"""Most calls of the archive that a search for sounds reads, because there is no index of sounds. 10 MB of text."""

Order = Literal["attention", "time", "relevance"]
"""Most attention first; the newest first; the best match first, then the newest."""

Place = tuple[float, str]
"""A call's place in a list: the number it is sorted by, then its id. Higher places come first."""

_row = msgspec.json.Decoder(CallRow).decode
_utterances = msgspec.json.Decoder(list[ScoredUtterance]).decode
_TOKEN = re.compile(r"[^\W_]+")


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """What is sought; None and [] are not. words: all of them, whole; from_ms (included) and to_ms (not): when the
    call began; attention: at least."""

    words: list[str] = []
    agent: str | None = None
    queue: str | None = None
    customer: str | None = None
    tag: str | None = None
    alert: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    attention: float | None = None
    handled: bool | None = None

    def fits(self, row: CallRow) -> bool:
        """Whether a call is sought, words aside."""
        wanted = {"agent": row.metadata.get("agent"), "queue": row.metadata.get("queue")}
        wanted["customer"] = customer(row.metadata)
        return (
            all(getattr(self, name) in (None, value) for name, value in wanted.items())
            and (self.tag is None or self.tag in row.handling.tags)
            and (self.alert is None or any(alert.kind == self.alert for alert in row.standing.alerts))
            and (self.from_ms is None or row.started_at_ms >= self.from_ms)
            and (self.to_ms is None or row.started_at_ms < self.to_ms)
            and (self.attention is None or row.standing.attention >= self.attention)
            and (self.handled is None or (row.handling.state != "open") == self.handled)
        )


class Hit(msgspec.Struct, frozen=True):
    """The utterance that holds most of the sought words."""

    utterance_id: str
    track: str
    start: float
    text: str


class Found(msgspec.Struct, frozen=True):
    """A call that was found. hit: None if no words were sought, or none of them was spoken."""

    row: CallRow
    place: Place
    hit: Hit | None = None


def tokens(words: str) -> list[str]:
    """The words of a search as the databases divide text."""
    return _TOKEN.findall(words.lower())


def place(row: CallRow, order: Order) -> Place:
    """A call's place. By relevance, a call that is not ranked comes before all others, by time."""
    if order == "attention":
        return row.standing.attention, row.call_id
    return row.started_at_ms, row.call_id


def search(
    archive: Archive,
    sought: Sought,
    order: Order,
    limit: int,
    after: Place | None = None,
    without: Collection[str] = (),
) -> list[Found]:
    """Up to `limit` calls, in order, those after a place; without those ids. Raises ArchiveAway."""
    with archive.reading() as connection:
        ask = _ranked if order == "relevance" else _listed
        return ask(connection, sought, order, limit, after, frozenset(without))


def search_alike(
    archive: Archive, sought: Sought, order: Order, limit: int, after: Place | None, holds: Callable[[str], bool]
) -> list[tuple[Found, list[ScoredUtterance]]]:
    """Calls whose text `holds` accepts, of the newest ALIKE that are sought, words aside, and what was said on them.
    Those that hold the words as they are written are left out. Raises ArchiveAway."""
    newest = _filtered(select(calls.c.id, transcripts.c.text).join(transcripts), sought)
    words = set(sought.words)
    with archive.reading() as connection:
        told = connection.execute(newest.order_by(calls.c.started_at_ms.desc()).limit(ALIKE))
        numbers = [one.id for one in told if not words <= set(tokens(one.text)) and holds(one.text)]
        wanted = select(transcripts.c.row, transcripts.c.utterances).where(transcripts.c.call.in_(numbers))
        rows = [(_row(one.row), _utterances(one.utterances)) for one in connection.execute(wanted)]
    found = [(Found(row, place(row, order)), said) for row, said in rows]
    following = [one for one in found if after is None or one[0].place < after]
    return sorted(following, key=lambda one: one[0].place, reverse=True)[:limit]


def read_call(archive: Archive, call_id: str) -> CallView | None:
    """A whole call, the latest of this id; None if there is none. Raises ArchiveAway."""
    wanted = (
        select(transcripts.c.row, transcripts.c.summary, transcripts.c.utterances)
        .join(calls, calls.c.id == transcripts.c.call)
        .where(calls.c.call_id == call_id)
        .order_by(calls.c.started_at_ms.desc())
        .limit(1)
    )
    with archive.reading() as connection:
        found = connection.execute(wanted).first()
    if found is None:
        return None
    row = _row(found.row)
    return CallView(
        **{name: getattr(row, name) for name in CallRow.__struct_fields__},
        utterances=_utterances(found.utterances),
        summary=msgspec.json.decode(found.summary),
    )


def _listed(
    connection: Connection, sought: Sought, order: Order, limit: int, after: Place | None, without: frozenset[str]
) -> list[Found]:
    by = calls.c.attention if order == "attention" else calls.c.started_at_ms
    wanted = _filtered(select(calls.c.id, by.label("by"), calls.c.call_id), sought)
    if sought.words:
        index = _index(connection, sought.words)
        wanted = wanted.where(calls.c.id.in_(select(index.call).where(index.holds)))
    if after is not None:
        wanted = wanted.where(tuple_(by, calls.c.call_id) < after)
    wanted = wanted.order_by(by.desc(), calls.c.call_id.desc()).limit(limit + len(without))
    found = [(number, (by, call_id)) for number, by, call_id in connection.execute(wanted) if call_id not in without]
    return _shown(connection, found[:limit], sought.words)


def _ranked(
    connection: Connection, sought: Sought, _order: Order, limit: int, after: Place | None, without: frozenset[str]
) -> list[Found]:
    index = _index(connection, sought.words)
    holding = calls.join(index.table, index.call == calls.c.id)
    newest = _filtered(select(calls.c.id).select_from(holding).where(index.holds), sought)
    numbers = connection.execute(newest.order_by(index.call.desc()).limit(RANKED)).scalars().all()
    if not numbers:
        return []
    wanted = _filtered(select(calls.c.id, index.rank, calls.c.call_id).select_from(holding).where(index.holds), sought)
    ranked = [
        (number, (round(float(rank), 6), call_id))
        for number, rank, call_id in connection.execute(wanted.where(index.among(numbers)))
        if call_id not in without
    ]
    ranked.sort(key=lambda call: call[1], reverse=True)
    following = [call for call in ranked if after is None or call[1] < after]
    return _shown(connection, following[:limit], sought.words)


def _filtered(wanted: Select[Any], sought: Sought) -> Select[Any]:
    for name in ("agent", "queue", "customer", "handled"):
        if (value := getattr(sought, name)) is not None:
            wanted = wanted.where(calls.c[name] == value)
    if sought.tag is not None:
        wanted = wanted.where(calls.c.id.in_(select(tags.c.call).where(tags.c.tag == sought.tag)))
    if sought.alert is not None:
        wanted = wanted.where(calls.c.id.in_(select(alerts.c.call).where(alerts.c.kind == sought.alert)))
    if sought.from_ms is not None:
        wanted = wanted.where(calls.c.started_at_ms >= sought.from_ms)
    if sought.to_ms is not None:
        wanted = wanted.where(calls.c.started_at_ms < sought.to_ms)
    if sought.attention is not None:
        wanted = wanted.where(calls.c.attention >= sought.attention)
    return wanted


class _Index(NamedTuple):
    """The full-text index, asked for words. call: number of a call in it; holds: whether all words stand in that call;
    rank: how well they do; among: what leads the database to the calls of these numbers soonest."""

    table: TableClause
    call: Any
    holds: Any
    rank: Any
    among: Callable[[Sequence[int]], Any]


def _index(connection: Connection, sought: list[str]) -> _Index:
    """Each word is one token, letters and digits only."""
    if connection.dialect.name == "sqlite":
        words = table("words", column("rowid"))
        query = " AND ".join(f'"{word}"' for word in sought)
        holds: Any
        rank: Any
        holds, rank = literal_column("words").op("MATCH")(query), literal_column("-bm25(words)")
        return _Index(words, words.c.rowid, holds, rank, lambda numbers: words.c.rowid >= min(numbers))
    texts = table("transcripts", column("call"), column("words"))
    asked: list[Any] = [func.plainto_tsquery(literal_column("'simple'::regconfig"), word) for word in sought]
    together: Any = reduce(lambda both, word: both.op("&&")(word), asked)
    holds, rank = texts.c.words.op("@@")(together), func.ts_rank_cd(texts.c.words, together)
    return _Index(texts, texts.c.call, holds, rank, texts.c.call.in_)


def _shown(connection: Connection, found: list[tuple[int, Place]], words: list[str]) -> list[Found]:
    columns = [transcripts.c.call, transcripts.c.row, *([transcripts.c.utterances] if words else [])]
    wanted = select(*columns).where(transcripts.c.call.in_(bindparam("numbers", expanding=True)))
    shown = {one.call: one for one in connection.execute(wanted, {"numbers": [number for number, _ in found]})}
    return [
        Found(_row(shown[number].row), at, best_hit(_utterances(shown[number].utterances), words) if words else None)
        for number, at in found
        if number in shown
    ]


def best_hit(said: list[ScoredUtterance], words: list[str]) -> Hit | None:
    """The first utterance that holds most of the words."""
    sought = set(words)
    held = [(len(sought & set(tokens(utterance.text))), utterance) for utterance in said]
    most, best = max(held, key=lambda one: one[0], default=(0, None))
    return Hit(best.id, best.track, best.start, best.text) if most and best is not None else None
