"""Versions of the attention model, over the API."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from webapp.schemas.values import Moment
from workers.insight.models import Lesson
from workers.insight.norms import Norms


class ApiModel(msgspec.Struct):
    """A version of the attention model. after: the version before it. origin: learned (from judgements), norms (what is
    normal in the queues was measured again), taken back (an earlier version's weights apply again, as `by` wanted).

    lessons: what was learned, and how well calls are judged with it that it had not seen. queues: those with weights of
    their own. norms: what is normal, by queue.
    """

    version: int
    after: int
    made_at: Moment
    origin: str
    by: str
    lessons: list[Lesson]
    queues: list[str]
    norms: dict[str, Norms]


class ApiModels(msgspec.Struct):
    """The versions that are kept, the newest first. version: the one that calls begin with; 0 is the shipped one.

    looked_at: when the job last looked at judgements; lessons: the result, also if it changed nothing.
    """

    version: int
    versions: list[ApiModel]
    looked_at: Moment | None
    lessons: list[Lesson]


class TakenBack(msgspec.Struct, forbid_unknown_fields=True):
    """version: the one whose weights shall apply again; 0: the shipped one."""

    version: Annotated[int, Meta(ge=0, le=2**31)]
