"""What the API says and takes, as types: the JSON, its validation and the OpenAPI document all come from here."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from state.archive.reports import Figures
from state.calls.ingest import MAX_TRACKS
from state.jobs import JOB_ID
from state.people.audit import Origin
from state.types import CALL_ID, TRACK, Alert, CallState, EndReason, HandlingState, Point, Reason, Voice

MAX_SEQ = 2**53
"""The largest number that a double, and so a Lua script or a browser, still tells from its neighbour."""

MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE = 32, 64, 512
"""Entries of a call's metadata; characters of a key and of a value."""

MAX_METADATA_CHARACTERS = 4096
"""Of all keys and values of a call together. Every page is told the metadata of every live call."""

MAX_NOTE = 500
"""Characters of a note. Every page gets all notes of all live calls."""

TAG = r"^\w[\w .&+-]{0,31}$"

MAX_NAME = 64
"""Characters of a supervisor's name, as of an account's."""

MAX_SNOOZE_SECONDS = 4 * 3600
"""Half a shift: who wants to hear of it never again acknowledges it."""

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
By = Annotated[
    str,
    Meta(max_length=MAX_NAME, description="your name, only with AUTH=off; otherwise your sign-in names you"),
]
Moment = Annotated[str, Meta(description="ISO 8601, UTC, milliseconds", extra_json_schema={"format": "date-time"})]


class NewCall(msgspec.Struct, forbid_unknown_fields=True):
    """A call to declare. Without call_id the server makes one."""

    call_id: CallId | None = None
    tracks: Annotated[
        list[Track],
        Meta(min_length=1, max_length=MAX_TRACKS, description='distinct; ["customer"] if not given'),
    ] = msgspec.field(default_factory=lambda: ["customer"])
    metadata: Metadata = {}


class CallEnd(msgspec.Struct, forbid_unknown_fields=True):
    """The number of each track's last chunk. With it, a server that lost its last second answers 409, and the call is
    not closed over chunks that are to be sent again."""

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
    curve: list[tuple[float, float]]
    about: str


class ApiNote(msgspec.Struct):
    """What a supervisor wrote on a call."""

    by: str
    at: Moment
    text: str


class ApiHandling(msgspec.Struct, kw_only=True):
    """What supervisors do about a call: see PUT /v1/calls/{call_id}/handling.

    by, at: who did what `state` says, and when; until: end of a snooze, from which on the call counts as open; seen:
    alerts up to this second of the call are done with; revision: counts every change of anything here.
    """

    state: HandlingState
    by: str
    at: Moment | None
    until: Moment | None
    seen: float | None
    revision: int
    notes: list[ApiNote]
    tags: list[str]


class ApiTrack(msgspec.Struct):
    """A track. gaps: [first, last] numbers of chunks that never came or could not be read."""

    next_seq: int
    decoded_seq: int
    lag_seconds: float
    partial: str
    gaps: list[tuple[int, int]]


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


class HandlingAsked(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to do about a call. See PUT /v1/calls/{call_id}/handling.

    seconds: how long to snooze; only with snoozed.  seen: alerts up to this second of the call are done with (if not
    given: as before).  revision: do it only if nothing has changed since this one; so a taken call is taken over.
    """

    state: HandlingState
    seconds: Annotated[int, Meta(ge=1, le=MAX_SNOOZE_SECONDS)] | None = None
    seen: Annotated[float, Meta(ge=0)] | None = None
    revision: Annotated[int, Meta(ge=0)] | None = None
    by: By | None = None


class Extension(msgspec.Struct, forbid_unknown_fields=True):
    """Where the switch calls a supervisor; "" forgets it. acts: what may be done on the switch (only told)."""

    extension: Annotated[str, Meta(pattern=r"^([A-Za-z0-9][A-Za-z0-9_-]{0,31})?$", description="such as 201")]
    acts: list[str] = []


class SwitchReceipt(msgspec.Struct):
    """The switch has begun with it."""

    call_id: str
    act: str


class NewNote(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A note for a call."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_NOTE)]
    by: By | None = None


class ApiSilence(msgspec.Struct):
    """Seconds of a recording that are silent. why: missing (no audio came), secret (redaction masked what was said) or
    paused."""

    start: float
    end: float
    why: str


class ApiRecording(msgspec.Struct):
    """A call's recording, FLAC, agent left and customer right. left, right: the waveform: how loud each step of `step`
    seconds is at most, 0 to 100."""

    seconds: float
    rate: int
    bytes: int
    silences: list[ApiSilence]
    step: float
    left: list[int]
    right: list[int]


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


class ApiFound(msgspec.Struct):
    """The utterance that holds most of what was sought."""

    utterance_id: str
    track: str
    start: float
    text: str


class ApiCalls(msgspec.Struct):
    """A page of calls, most attention first unless sorted otherwise; next_cursor is null on the last page.

    hits: where the words that were sought were said, by call_id; a call that is only known by them has none.
    """

    calls: list[ApiRow]
    next_cursor: str | None
    hits: dict[str, ApiFound] = {}


class Readiness(msgspec.Struct):
    """Whether this process can do its work, and if not, why not."""

    ready: bool
    reasons: list[str]
    model: str
    """The speech engine, for people."""


class ApiSession(msgspec.Struct):
    """Who asks. kind: an API key, a signed-in user, or anyone (AUTH=off); origin: how that is known, see ApiDeed;
    until: when a sign-in runs out."""

    kind: Literal["key", "user", "anyone"]
    name: str
    origin: Origin
    scopes: list[str]
    until: Moment | None


class ApiDeed(msgspec.Struct):
    """An entry of the audit trail: who did what, to which account, key or call, from which address.

    origin: how `who` is known (an account, a person of the OpenID Connect provider, an API key, a command on the
    server; of a stranger it is what was typed in). Repeats of a day are one entry: count of them, the first at
    first_at, the last at `at` and from `address`.
    """

    id: str
    at: Moment
    first_at: Moment
    count: int
    who: str
    origin: Origin
    what: str
    about: str
    address: str


class ApiAudit(msgspec.Struct):
    """A page of the audit trail, newest first. next_cursor is null on the last page."""

    entries: list[ApiDeed]
    next_cursor: str | None


class ApiRules(msgspec.Struct):
    """An edition of the rules. version counts the editions from 1, the starter set; rules: how many there are."""

    version: int
    digest: str
    rules: int


class ApiHit(msgspec.Struct):
    """A rule that would have applied: at second `at` of the call; quote: the words that did it."""

    call_id: str
    agent: str
    rule_id: str
    title: str
    severity: str
    at: float
    utterance_id: str | None
    quote: str


class ApiDryRun(msgspec.Struct):
    """What rules would have raised. calls: how many were looked at; more: there were others, left out for time.

    hits: the first 1000; by_rule: the number of all hits, by rule, also of rules without any.
    """

    calls: int
    more: bool
    hits: list[ApiHit]
    by_rule: dict[str, int]


class ApiAgent(msgspec.Struct):
    """An agent's ended calls. Means over the calls that have the figure; null where none has."""

    agent: str
    calls: int
    raised_calls: int
    sentiment_score: float | None
    talk_ratio: float | None
    words_per_minute: float | None
    longest_monologue_seconds: float | None
    silence_seconds: float | None
    hold_seconds: float | None
    overlaps: float | None
    interruptions: float | None


class ApiFailedJob(msgspec.Struct):
    """A background job that failed. task: "" if it is none of Earshot's; then nobody may try it again. reason: the last
    line of what went wrong."""

    id: str
    task: str
    argument: str
    failed_at: Moment
    reason: str


class ApiJobs(msgspec.Struct):
    """The background jobs, as of `at`; null if no sentiment process lives, which writes it down.

    workers: jobs processes alive.  queued, running: numbers of jobs.  failed_count: all failures of a day; failed: the
    newest.  outstanding: by task, of how many calls.  due: by task, when the next one is due.
    """

    at: Moment | None
    workers: int = 0
    queued: int = 0
    running: int = 0
    failed_count: int = 0
    failed: list[ApiFailedJob] = msgspec.field(default_factory=list)
    outstanding: dict[str, int] = msgspec.field(default_factory=dict)
    due: dict[str, Moment] = msgspec.field(default_factory=dict)


class ApiRetry(msgspec.Struct):
    """A failed job that is to be tried again."""

    id: str


class ApiReport(msgspec.Struct):
    """Figures of ended calls: in all, by day of the zone, by queue and by agent. Raised: needed attention.

    from_day, to_day: both included. Calls archived by an older edition lack figures; they count in `calls`.
    """

    from_day: str
    to_day: str
    zone: str
    whole: Figures
    days: list[Figures]
    queues: list[Figures]
    agents: list[Figures]


class ApiAgents(msgspec.Struct):
    """Agents by name, from the summaries of the ended calls that are kept; calls: how many were counted."""

    agents: list[ApiAgent]
    calls: int
