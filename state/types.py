"""The product's vocabulary: the parts of a call, a track, an utterance and a score.

Plain values, no behaviour and no Redis. They are stored as msgpack and sent as JSON by msgspec, whose
field order makes equal values equal bytes.

Clocks: `start` and `end` are seconds from the call's start, counted in audio, not by a wall clock: sample
n of a track is second n / rate. Wall-clock moments are integers of milliseconds since 1970, UTC (`*_at_ms`).
"""

from __future__ import annotations

from typing import Literal

import msgspec

CALL_ID = r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$"
"""Characters that a URL need not escape, without ':' and '{', which mean something in our keys."""

TRACK = r"^[a-z0-9][a-z0-9_-]{0,31}$"

AGENT_TRACKS = frozenset({"agent", "operator", "rep", "advisor", "adviser", "csr", "staff"})
"""Names of tracks, in small letters, that carry an agent. Any other counts as a customer's."""

CallState = Literal["live", "ending", "ended"]
"""live: audio may come. ending: the sender has finished, chunks or scores are outstanding. ended: all done."""

EndReason = Literal["sender", "idle", "dropped"]
"""Why a call is no longer live: its sender said so, or closed its last socket properly; no chunk came for
CALL_IDLE_SECONDS; its socket dropped and did not come back within STREAM_GRACE_SECONDS."""

Encoding = Literal["mulaw", "alaw", "s16le"]
"""How to read a chunk's bytes: G.711 (1 byte a sample) or signed 16 bit little-endian (2 bytes)."""


class Sender(msgspec.Struct, frozen=True):
    """Who sends audio: its name, and whether it may read every call anyway.

    A call belongs to the sender whose audio came first. Only a sender that may read can take it over; from then on the
    call belongs to that one. So a sender that may not read never gets the words of somebody else's audio.
    """

    name: str
    reads: bool


INSIDE = Sender("inside", reads=True)
"""A part of Earshot itself: workers, benchmarks."""

SAMPLE_BYTES: dict[str, int] = {"mulaw": 1, "alaw": 1, "s16le": 2}


class Word(msgspec.Struct, frozen=True, array_like=True):
    """One recognised word. `conf` is 0..1, or None from an engine that gives none."""

    word: str
    start: float
    end: float
    conf: float | None


class Voice(msgspec.Struct, frozen=True):
    """How an utterance was spoken (workers/voice/measure.py); rounded to steps.

    effort_db: energy of 1-3.4 kHz over 0.3-1 kHz.  pitch_semitones: median, over 100 Hz; pitch_range_semitones: from
    the lowest to the highest tenth; both None if too little of it is voiced.  level_db: of the voiced parts, under full
    scale.  words_per_second: pauses included.  pause_share: 0..1 of its time.
    """

    effort_db: float
    pitch_semitones: float | None
    pitch_range_semitones: float | None
    level_db: float
    words_per_second: float
    pause_share: float


class Utterance(msgspec.Struct, frozen=True):
    """A finished stretch of speech of one track.

    `id` is "<track>:<index>", `index` counts the track's finals from 0. `mark` says why an utterance is not
    plain speech ("gap": audio is missing here; "dead": a chunk was dead-lettered; "unscorable": it could not be
    scored, and its score is neutral), else None. `voice` is None where voices are not measured (setting VOICE), or
    where there is too little sound.
    """

    id: str
    track: str
    index: int
    start: float
    end: float
    text: str
    words: list[Word]
    mark: str | None = None
    voice: Voice | None = None


class Sentiment(msgspec.Struct, frozen=True):
    """Polarity -1 (hostile) to 1 (delighted) and subjectivity 0..1 of one utterance, and why (plain words)."""

    polarity: float
    subjectivity: float
    reasons: list[str] = []


class Alert(msgspec.Struct, frozen=True):
    """Something a supervisor should know: `kind` for programs, `reason` in words, second `at` of the call, and the
    ids of the utterances it rests on."""

    kind: str
    reason: str
    at: float
    utterances: list[str] = []


class Reason(msgspec.Struct, frozen=True):
    """Why a call has attention now: a phrase or a fact in words, since second `at`, and the utterances it rests on."""

    text: str
    at: float
    utterances: list[str] = []


Part = Literal["reason", "happened", "promise", "outcome"]


class Point(msgspec.Struct, frozen=True):
    """A line of a call's summary: what it says in words (may be ""), the words it rests on, at second `at`, said on
    `track`, and the ids of the utterances."""

    part: Part
    text: str
    quote: str
    at: float
    utterances: list[str]
    track: str


class Standing(msgspec.Struct, frozen=True):
    """How a call stands, as far as it is scored. The table sorts and draws by it.

    score: smoothed polarity, -1..1; None while nothing is scored.  trend: change of it, per minute of call.
    attention: chance (0..1) that it deserves a look.  curve: [second, score] points, oldest first, at most 30.
    raised: a supervisor is wanted, with hysteresis, so that rows do not flap; raised_at: second of the call since
    when, None while not raised.  reasons: what makes up the attention now, in words, the weightiest first.
    findings: hits of rules about compliance.  loud: the last utterances in a raised voice, by id; loud_since: second
    of the call since when the customer's voice is raised, None while it is not.  about: why the customer calls, in
    the customer's words.  gist: the summary so far, at most nine lines; the feed leaves it out.  model: version
    of the attention model that the call began with and keeps (attention_models.py), None while nothing is scored.
    """

    score: float | None = None
    trend: float | None = None
    attention: float = 0.0
    alerts: list[Alert] = []
    curve: list[tuple[float, float]] = []
    raised: bool = False
    raised_at: float | None = None
    reasons: list[Reason] = []
    findings: list[Alert] = []
    loud: list[str] = []
    loud_since: float | None = None
    about: str = ""
    gist: list[Point] = []
    model: int | None = None


HandlingState = Literal["open", "acknowledged", "snoozed", "taken"]
"""open: nobody has seen to it. acknowledged: seen. snoozed: seen, and due again later. taken: somebody is on it."""


class Note(msgspec.Struct, frozen=True):
    """A supervisor's note on a call."""

    by: str
    at_ms: int
    text: str


Why = Literal["", "misheard", "friendly", "ordinary", "solved", "other"]
"""Why an alert was not needed: nobody said the words, or they meant something else; such calls are usual here; the
agent had it in hand; another reason. "": nobody said why."""


class Judgement(msgspec.Struct, frozen=True):
    """A supervisor's judgement of a call's alert. alert: its kind; RAISED for the call itself, raised or not. right: a
    look was needed."""

    alert: str
    right: bool
    why: Why
    by: str
    at_ms: int


RAISED = "needs_attention"
"""Kind of the alert that says that a call was raised."""


class Help(msgspec.Struct, frozen=True):
    """An agent asks for a supervisor. reason: in few words, may be "".  answered_at_ms, answered_by: when one came to
    the call, saw to it or wrote to the agent, and who; None and "" while the agent waits.  cancelled_at_ms: when the
    agent took the request back."""

    by: str
    at_ms: int
    reason: str
    answered_at_ms: int | None = None
    answered_by: str = ""
    cancelled_at_ms: int | None = None


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """What supervisors have done about a call.

    state, by, at_ms: what was done last, by whom and when ("" and None while nothing was); until_ms: the end of a
    snooze, from which on the call counts as open.  seen: alerts up to this second of the call are done with; a later
    one is news (None: none was seen).  revision: counts every change of anything here.  judged: of each alert the last
    judgement.  help: the agent's last request for help, None if there was none or it was taken back; helps_before: the
    requests before it, oldest first.  messages: what supervisors wrote to the agent.
    """

    state: HandlingState = "open"
    by: str = ""
    at_ms: int | None = None
    until_ms: int | None = None
    seen: float | None = None
    revision: int = 0
    notes: list[Note] = []
    tags: list[str] = []
    judged: list[Judgement] = []
    help: Help | None = None
    helps_before: list[Help] = []
    messages: list[Note] = []

    @property
    def helps(self) -> list[Help]:
        """All requests for help, oldest first."""
        return [*self.helps_before, *([self.help] if self.help is not None else [])]


HappeningKind = Literal[
    "hold", "resume", "mute", "unmute", "transfer", "join", "leave", "dtmf", "recording-paused", "recording-resumed"
]


class Happening(msgspec.Struct, frozen=True):
    """An event on the line that the sound does not tell. at: second of the call. track: whose line; of a hold who
    waits; "" where none is named. to: of a transfer. who: joins, and is on that track from now on, until somebody else
    joins or they leave. dtmf: a key was pressed; nobody keeps which one."""

    kind: HappeningKind
    at: float
    track: str = ""
    to: str = ""
    who: str = ""


class ScoredUtterance(Utterance, frozen=True, kw_only=True):
    """An utterance with its score; None until it is scored."""

    sentiment: Sentiment | None


class Masked(msgspec.Struct, frozen=True):
    """Redaction's result for a call when one more utterance is scored (workers/insight/redaction/masking.py).

    transcript: all of it as people may see it.  store: utterances to replace in the store, in their new form.
    tell: utterances that people now see in another form, in this form.
    """

    transcript: list[ScoredUtterance]
    store: list[Utterance] = []
    tell: list[Utterance] = []
