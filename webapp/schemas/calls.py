"""A call over the API: declared, posted, ended, read."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from state.calls.ingest import MAX_TRACKS
from state.types import Alert, CallState, EndReason, Point, Reason, Voice
from webapp.schemas.handling import ApiHandling
from webapp.schemas.happenings import ApiHappening
from webapp.schemas.values import MAX_SEQ, CallId, Metadata, Moment, Track


class NewCall(msgspec.Struct, forbid_unknown_fields=True):
    """A call to declare. Without call_id the server makes one."""

    call_id: CallId | None = None
    tracks: Annotated[
        list[Track],
        Meta(min_length=1, max_length=MAX_TRACKS, description='distinct; ["customer"] if not given'),
    ] = msgspec.field(default_factory=lambda: ["customer"])
    metadata: Metadata = {}


class CallEnd(msgspec.Struct, forbid_unknown_fields=True):
    """The number of each track's last chunk. With it, a server that lost its last second answers 409, and does not
    close the call while the sender must send chunks again."""

    last_seq: Annotated[
        dict[Track, Annotated[int, Meta(ge=0, le=MAX_SEQ)]],
        Meta(
            max_length=MAX_TRACKS,
            description="track: number of its last chunk. The server does not check tracks that you leave out",
        ),
    ] = {}


class DeclaredCall(msgspec.Struct):
    """A call as its sender declared it."""

    call_id: str
    tracks: list[str]
    metadata: dict[str, str]


class ChunkReceipt(msgspec.Struct):
    """A chunk that is in the journal, or is decoded already. next_seq: the number that the server expects next."""

    call_id: str
    track: str
    seq: int
    next_seq: int


class ChannelsReceipt(msgspec.Struct):
    """A chunk of several tracks that is in the journal. next_seq: the number that the server expects next, by track."""

    call_id: str
    seq: int
    next_seq: dict[str, int]


class EndReceipt(msgspec.Struct):
    """A call whose sender has finished. It is `ended` when all its chunks are decoded and scored."""

    call_id: str


class ApiWord(msgspec.Struct):
    """One recognised word. start, end: seconds from the call's start. conf: confidence, 0 to 1 or null."""

    word: str
    start: float
    end: float
    conf: float | None


class ApiSentiment(msgspec.Struct):
    """polarity: -1 to 1. subjectivity: 0 to 1. reasons: why."""

    polarity: float
    subjectivity: float
    reasons: list[str]


class ApiUtterance(msgspec.Struct):
    """A finished stretch of speech. mark: "gap" or "dead" where audio is missing, else null.

    voice: how it was spoken, or null. effort_db: energy of 1-3.4 kHz over 0.3-1 kHz, more of it in a raised voice;
    pitch_semitones: median over 100 Hz; pitch_range_semitones: lowest to highest tenth; level_db: under full scale;
    words_per_second; pause_share: 0 to 1.
    """

    id: str
    track: str
    index: int
    start: float
    end: float
    text: str
    mark: str | None
    words: list[ApiWord]
    voice: Voice | None
    sentiment: ApiSentiment | None


class ApiLast(msgspec.Struct):
    """The utterance that ended last on any track."""

    id: str
    track: str
    text: str
    start: float
    end: float
    sentiment: ApiSentiment | None


class ApiCallSentiment(msgspec.Struct):
    """score: smoothed polarity, -1 to 1. trend: its change per minute. Null while nothing has a score."""

    score: float | None
    trend: float | None


class ApiStanding(msgspec.Struct, kw_only=True):
    """How a call stands. attention: chance (0 to 1) that it deserves a look. curve: [second, score] points.

    raised: a supervisor is wanted; with hysteresis, so it does not follow from attention alone. raised_at: second of
    the call since when, or null. reasons: what makes up the attention now, at most three, the weightiest first.
    findings: what the agent owed and did not do or say (greeting, notice of recording); no part of the attention.
    loud: the last utterances in a raised voice, by id. loud_since: second of the call since when the customer's voice
    is raised, or null. about: why the customer calls, in the customer's words; "" while nobody knows.
    model: version of the attention model that the call began with and keeps (GET /v1/models).
    """

    sentiment: ApiCallSentiment
    attention: float
    raised: bool
    raised_at: float | None
    reasons: list[Reason]
    alerts: list[Alert]
    findings: list[Alert]
    loud: list[str]
    loud_since: float | None
    model: int | None
    curve: list[tuple[float, float]]
    about: str


class ApiTrack(msgspec.Struct):
    """A track. gaps: [first, last] numbers of chunks that never came or could not be read. wordless: ten seconds of
    voice have given no words, and none came since."""

    next_seq: int
    decoded_seq: int
    lag_seconds: float
    partial: str
    gaps: list[tuple[int, int]]
    wordless: bool


class ApiRow(ApiStanding, kw_only=True):
    """A call as the table shows it."""

    call_id: str
    state: CallState
    started_at: Moment
    ended_at: Moment | None
    end_reason: Annotated[
        EndReason | None,
        Meta(
            description="sender; idle: no chunk came for CALL_IDLE_SECONDS; dropped: its socket broke and did not come"
            " back; null while the call is live"
        ),
    ]
    metadata: dict[str, str]
    tracks: dict[str, ApiTrack]
    last: ApiLast | None
    handling: ApiHandling
    events: list[ApiHappening]


class ApiCall(ApiRow, kw_only=True):
    """A call with its transcript. The summary comes some time after the end."""

    utterances: list[ApiUtterance]
    summary: dict[str, Any] | None


class ApiModelSummary(msgspec.Struct):
    """A summary that a language model wrote (SUMMARY_LLM_URL); it may be wrong. model: its name."""

    model: str
    reason: str
    happened: str
    promises: list[str]
    outcome: str


class ApiSummary(msgspec.Struct):
    """What a call is about, so far or as a whole. final: the call is over, and this is its last summary.

    points: reason, what happened, promises, outcome, in this order, each with the words it rests on and the ids of
    their utterances. by_model: the same as a language model tells it, or null.
    """

    call_id: str
    final: bool
    points: list[Point]
    by_model: ApiModelSummary | None


class Sees(msgspec.Struct, forbid_unknown_fields=True):
    """The calls in sight or open, which need words of open utterances, and no others."""

    calls: Annotated[list[CallId], Meta(max_length=100)]


class ApiFound(msgspec.Struct):
    """The utterance that holds most of the sought words."""

    utterance_id: str
    track: str
    start: float
    text: str


class ApiCalls(msgspec.Struct):
    """A page of calls, most attention first unless sorted otherwise; next_cursor is null on the last page.

    hits: where somebody said the sought words, by call_id. A call that has them only in its metadata has none.
    """

    calls: list[ApiRow]
    next_cursor: str | None
    hits: dict[str, ApiFound] = {}
