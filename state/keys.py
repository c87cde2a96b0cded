"""Every key, stream and group in Redis, named and described here and nowhere else.

All keys share one hash tag, so that every script's keys live in one slot of a Redis Cluster.

    call:<call>           hash    state, tracks (space separated, in order of arrival), started_at_ms, ended_at_ms,
                                  metadata (JSON), digest (of the declaration), declarer (name of who declared it),
                                  sender (name of whose audio it is, see types.Sender), open_tracks (tracks not
                                  finished), unscored (finals without score), standing (msgpack), summary (JSON),
                                  last (the utterance that ended last, without words, as it may be shown;
                                  msgpack), last_end, last_track, end_reason (types.EndReason), handling
                                  (msgpack of types.Handling)
    track:<call>:<track>  hash    see below
    audio:<call>:<track>  stream  the journal: one entry a chunk, id <seq>-0, from the open utterance's first
                                  chunk on. a=audio e=encoding h=digest n=first sample's index m=samples
                                  t=arrival in ms g=number of the first missing chunk before this one, if any
    listen:<call>:<track> stream  the last LISTEN_SECONDS of audio for people to hear; decoders never look at it.
                                  One entry a chunk, id <ms of the call in which it begins>-<seq>.
                                  a=audio e=encoding r=rate n=first sample's index m=samples; expires
                                  soon after the last chunk
    listening:<call>:<digest> string  this person is listening (digest of the name), and it is in the audit trail;
                                  expires soon after the last sound that was sent
    utterances:<call>     hash    utterance id -> msgpack of types.Utterance; as recognised, and masked (if
                                  REDACT=1) when it is scored and its masks can no longer change
    scores:<call>         hash    utterance id -> msgpack of types.Sentiment
    live, ended           zsets   call -> attention: the two lists the API serves
    idle                  zset    live call -> arrival of its last chunk in ms
    streaming             zset    live call that comes over a socket -> when it is to be ended, in ms, if no socket
                                  is heard of before
    streams:<call>        hash    the call's sockets: s:<socket> -> alive until (ms; 0: replaced); t:<track> -> the
                                  socket that sends it; b:<stream> -> what to add to the sender's clock (ms)
    heard:<id>            string  POST /decode: conversations finished under this id
    retained              zset    ended call -> when it ended in ms
    work                  stream  tokens for any decoder (c=call t=track); consumer group "decoders"
    work:<worker>         stream  tokens for the decoder that is warm for the track; same group
    workers               set     decoders that may hold tokens
    worker:<worker>       string  heartbeat, gone when the decoder is
    finals                stream  utterances to be scored (c=call i=utterance id); consumer group "sentiment", in
                                  which an entry's delivery count is 1 + how often it was begun in vain
    feed                  stream  what the page shows, one JSON event an entry (events.py), capped
    dead                  stream  dead letters, the last thousand: chunks (c t seq reason a e and r=rate), and
                                  utterances that could not be scored (c=call i=utterance id reason)
    dead-texts            hash    dead entry -> JSON of what decoding it alone gave (dead.py)
    load                  hash    chunks, audio_ms: accepted and not yet decoded
    rules                 hash    the supervisors' rules, if ever saved: text (YAML), version (counts the editions),
                                  digest (names the text), saved_at_ms; without it the starter set applies
    unsummarised          set     ended calls whose summary is outstanding
    summary-asked:<call>  string  a job for this call's summary was enqueued a moment ago (expires)
    fleet                 hash    selfcheck:<model identity> -> digest all its decoders must reproduce;
                                  model -> the engine's name, for the page's footer

Who may do what (access.py, audit.py); no secret stands here in the clear but the one that signs cookies:

    api-keys              hash    SHA-256 of an API key -> JSON of credentials.ApiKey
    api-keys-used         hash    the same -> when it was last used, in ms, to the minute
    users                 hash    account name -> JSON of access.User, with the password's argon2 hash
    session:<digest>      string  JSON of access.Session, by SHA-256 of the token in the cookie (expires)
    secret                string  signs the cookies of all web processes, where SECRET_KEY is not set
    audit                 stream  who did what, one JSON of audit.Deed an entry, capped
    limits/...            string  counters of the rate limits (webapp/limits.py; the limits library names them)

A track's hash:

    rate                  Hz, fixed by the first chunk
    last, done            number of the last chunk accepted, and of the last one decoded
    samples, done_samples the same in samples (gaps included)
    utt                   number of the chunk in which the open utterance begins (last+1 if none)
    uidx                  finals so far: index of the next one
    gaps                  JSON list of [first, last] chunk numbers that are missing or dead
    tok                   "<stream>|<entry id>" of the one live token, "" if none
    lease, owner, tries   who is at work, who was last, how often the next chunks were begun in vain
    forgiven              how often in a row a try was given back because the worker was killed from outside
    careful               number of the last chunk to be decoded one a lease, after a lease was lost
    ver                   lease of the last commit: names the state exactly
    state                 msgpack of engines.base.Snapshot
    partial               text of the open utterance, as it may be shown
    closed, finished      1 when the sender has ended the track; 1 when its last final is out
"""

from __future__ import annotations

import re

PREFIX = "{earshot}:"

DECODERS = "decoders"
"""Consumer group on `work` and every `work:<worker>`."""

SENTIMENT = "sentiment"
"""Consumer group on `finals`."""

WORK = PREFIX + "work"
WORKERS = PREFIX + "workers"
FINALS = PREFIX + "finals"
FEED = PREFIX + "feed"
DEAD = PREFIX + "dead"
DEAD_TEXTS = PREFIX + "dead-texts"
LOAD = PREFIX + "load"
LIVE = PREFIX + "live"
ENDED = PREFIX + "ended"
IDLE = PREFIX + "idle"
RETAINED = PREFIX + "retained"
STREAMING = PREFIX + "streaming"
UNSUMMARISED = PREFIX + "unsummarised"
FLEET = PREFIX + "fleet"
API_KEYS = PREFIX + "api-keys"
API_KEYS_USED = PREFIX + "api-keys-used"
USERS = PREFIX + "users"
SECRET = PREFIX + "secret"
AUDIT = PREFIX + "audit"
LIMITS = PREFIX + "limits"
RULES = PREFIX + "rules"


def call(call_id: str) -> str:
    return f"{PREFIX}call:{call_id}"


def track(call_id: str, track: str) -> str:
    return f"{PREFIX}track:{call_id}:{track}"


def audio(call_id: str, track: str) -> str:
    return f"{PREFIX}audio:{call_id}:{track}"


def listen(call_id: str, track: str) -> str:
    return f"{PREFIX}listen:{call_id}:{track}"


def listening(call_id: str, digest: str) -> str:
    return f"{PREFIX}listening:{call_id}:{digest}"


def utterances(call_id: str) -> str:
    return f"{PREFIX}utterances:{call_id}"


def scores(call_id: str) -> str:
    return f"{PREFIX}scores:{call_id}"


def streams(call_id: str) -> str:
    return f"{PREFIX}streams:{call_id}"


def heard(speaker_id: str) -> str:
    return f"{PREFIX}heard:{speaker_id}"


def work(worker: str) -> str:
    return f"{PREFIX}work:{worker}"


def worker(worker: str) -> str:
    return f"{PREFIX}worker:{worker}"


def summary_asked(call_id: str) -> str:
    return f"{PREFIX}summary-asked:{call_id}"


def session(digest: str) -> str:
    return f"{PREFIX}session:{digest}"


_ENTRY_ID = re.compile(r"([0-9]{1,20})-([0-9]{1,20})")


def entry_id(text: str) -> tuple[int, int]:
    """The two numbers of a stream entry's id. Raises ValueError if the server would not take it for one."""
    found = _ENTRY_ID.fullmatch(text)
    if found is None or max(numbers := (int(found[1]), int(found[2]))) >= 2**64:
        raise ValueError(f"not an entry's id: {text!r}")
    return numbers
