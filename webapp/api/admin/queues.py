"""/v1/queues: how long each queue's words are kept, and the names that people say there.

For admins; every change is in the audit trail.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint, Response
from msgspec import Meta
from sqlalchemy import select

from state.archive.opening import Archive
from state.archive.tables import calls
from state.queues import FOR_EVER, OTHERS, Queues
from state.settings.values import sound_days
from state.vocabularies import MOST_LETTERS, MOST_NAMES, Vocabularies
from webapp.access.rights import needs, record
from webapp.api.documents.openapi import JSON_BODY, operation
from webapp.http import inputs
from webapp.http.answers import as_json
from webapp.http.problems import invalid
from webapp.schemas.values import MAX_METADATA_VALUE
from webapp.store import store

api = Blueprint("queues", __name__, url_prefix="/v1")

MOST_DAYS = 99_999

QueueName = Annotated[str, Meta(min_length=1, max_length=MAX_METADATA_VALUE)]
Days = Annotated[int, Meta(ge=0, le=MOST_DAYS)]


class ApiQueue(msgspec.Struct):
    """A queue; "*" is all others. words_days: 0 for ever; said: by an admin here, not by WORDS_DAYS. sound_days: of
    recordings, as SOUND_DAYS says; 0: its calls are not recorded."""

    queue: str
    words_days: int
    said: bool
    sound_days: int
    names: list[str]


class ApiQueues(msgspec.Struct):
    """Those that are set up, and those of archived calls; "*" is the last. edition: counts the changes of names."""

    queues: list[ApiQueue]
    edition: int


class QueueKept(msgspec.Struct, forbid_unknown_fields=True):
    """Days for which words of a queue's archived calls are kept. words_days: 0 for ever; null as WORDS_DAYS says."""

    queue: QueueName
    words_days: Days | None


class QueueNames(msgspec.Struct, forbid_unknown_fields=True):
    """Names, products and places that people say in a queue, in their spelling; none takes the list away. The queue "*"
    is all queues without a list of their own."""

    queue: QueueName
    names: Annotated[list[Annotated[str, Meta(min_length=1, max_length=MOST_LETTERS)]], Meta(max_length=MOST_NAMES)]


@api.get("/queues")
@operation("List the queues, how long they are kept, and their names", {200: ApiQueues})
@needs("admin")
def list_queues() -> Response:
    """Without a database nothing is archived, and RETENTION_HOURS says how long calls are kept."""
    inputs.query()
    here = store()
    kept = _queues()
    words, sound, said = kept.words(), sound_days(here.settings.sound_days), kept.said()
    lists = Vocabularies(here.shards.plain).read()
    queues = sorted((set(words) | set(sound) | set(lists.names) | _archived(here.archive)) - {OTHERS})
    found = [
        ApiQueue(
            queue,
            words.get(queue, words[OTHERS]),
            queue in said,
            sound.get(queue, sound.get(OTHERS, 0)),
            lists.names.get(queue, []),
        )
        for queue in [*queues, OTHERS]
    ]
    return as_json(ApiQueues(found, lists.number))


@api.put("/queues")
@operation(
    "Say how long a queue is kept",
    {200: ApiQueues},
    JSON_BODY,
    body=QueueKept,
)
@needs("admin")
def keep_queue() -> Response:
    """Old words go within the hour. If you set fewer days, words that have gone do not come back."""
    inputs.query()
    asked = inputs.json_body(QueueKept)
    days = {None: "as WORDS_DAYS says", FOR_EVER: "for ever"}.get(asked.words_days, f"{asked.words_days} days")
    record("queue-kept", f"{asked.queue}: words {days}")
    _queues().say(asked.queue, asked.words_days)
    return list_queues()


@api.put("/queues/names")
@operation(
    "Set the names of a queue",
    {200: ApiQueues},
    JSON_BODY,
    body=QueueNames,
)
@needs("admin")
def name_queue() -> Response:
    """Earshot corrects words that sound like one of them and are spelled nearly like it. It begins within seconds, with
    tracks that begin or move to another decoder."""
    inputs.query()
    asked: QueueNames = inputs.json_body(QueueNames)
    names = list(dict.fromkeys(" ".join(name.split()) for name in asked.names))
    for place, name in enumerate(names):
        if not name.isprintable() or not any(letter.isalpha() for letter in name):
            raise invalid(f"/names/{place}", "must be printable and have letters")
    record("queue-names", f"{asked.queue}: {len(names)} names")
    Vocabularies(store().shards.plain).say(asked.queue, names)
    return list_queues()


def _queues() -> Queues:
    here = store()
    return Queues(here.shards.plain, here.settings)


def _archived(archive: Archive | None) -> set[str]:
    """Queues of archived calls. Raises ArchiveAway."""
    if archive is None:
        return set()
    with archive.reading() as connection:
        return {name for name in connection.execute(select(calls.c.queue).distinct()).scalars() if name}
