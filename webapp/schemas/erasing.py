"""Erasing calls, and legal holds against it, over the API."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from webapp.schemas.values import MAX_METADATA_VALUE, MAX_NOTE, Moment


class ApiErased(msgspec.Struct):
    """Ids of the calls that were erased."""

    calls: list[str]


class NewHold(msgspec.Struct, forbid_unknown_fields=True):
    """A legal hold to be made: on a call by its id, or on all calls of a customer (or caller)."""

    kind: Literal["call", "customer"]
    name: Annotated[str, Meta(min_length=1, max_length=MAX_METADATA_VALUE)]
    reason: Annotated[str, Meta(min_length=1, max_length=MAX_NOTE)]


class ApiHold(msgspec.Struct):
    """A legal hold. by: the admin who made it."""

    kind: Literal["call", "customer"]
    name: str
    reason: str
    by: str
    since: Moment


class ApiHolds(msgspec.Struct):
    """All legal holds, the newest first."""

    holds: list[ApiHold]
