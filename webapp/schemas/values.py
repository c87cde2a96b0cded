"""Values in the API's bodies, and their limits."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from state.jobs import JOB_ID
from state.types import CALL_ID, TRACK
from state.webhooks.endpoints import NAME

MAX_SEQ = 2**53
"""The largest number that a double, and so a Lua script or a browser, still tells from its neighbour."""

MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE = 32, 64, 512
"""Most entries of a call's metadata; most characters of a key and of a value."""

MAX_METADATA_CHARACTERS = 4096
"""Most characters of all keys and values of a call together. Every page gets the metadata of every live call."""

MAX_NOTE = 500
"""Most characters of a note. Every page gets all notes of all live calls."""

MAX_REASON = 120
"""Most characters of an agent's reason to ask for help: a line of the table."""

ALERT = r"^[a-z0-9][a-z0-9:_-]{0,79}$"
"""Pattern of an alert's kind."""

TAG = r"^\w[\w .&+-]{0,31}$"

MAX_NAME = 64
"""Most characters of a supervisor's name, as of an account's."""

MAX_SNOOZE_SECONDS = 4 * 3600
"""Most seconds of a snooze: half a shift. To hear of a call never again, acknowledge it."""

CallId = Annotated[str, Meta(pattern=CALL_ID, description="at most 128 letters, digits and . _ ~ -")]
Track = Annotated[str, Meta(pattern=TRACK, description="at most 32 small letters, digits, _ and -")]
MetadataValue = Annotated[str, Meta(max_length=MAX_METADATA_VALUE)]
Metadata = Annotated[
    dict[str, MetadataValue],
    Meta(
        max_length=MAX_METADATA,
        description="agent, queue, caller, ...: printable text, keys of 1 to 64 characters, 4096 characters in all",
    ),
]
Tag = Annotated[str, Meta(pattern=TAG, description="at most 32 letters, digits, blanks and . & + - _")]
JobId = Annotated[str, Meta(pattern=JOB_ID, description="as the list of failed jobs has it")]
AlertKind = Annotated[str, Meta(pattern=ALERT, description="kind of an alert; needs_attention: the call itself")]
WebhookName = Annotated[str, Meta(pattern=NAME, description="at most 64 small letters, digits, _ and -")]
MessageId = Annotated[str, Meta(pattern=r"^msg_[0-9a-f]{32}$", description="the message's webhook-id")]
By = Annotated[
    str,
    Meta(max_length=MAX_NAME, description="your name, only with AUTH=off; otherwise your sign-in names you"),
]
Moment = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds", extra_json_schema={"format": "date-time"})]
