"""Every key, stream and group in Redis, named and described here and nowhere else.

Shards divide the keys of calls (shards.py). All keys of a shard share its hash tag, so every script's keys live in one
slot of a cluster. Every name below begins with the tag: {earshot}:call:... in a store of one shard. What belongs to no
call is on the plain server, with the tag {earshot}: layout, fleet, rules, and who may do what.

    call:<call>           hash    state, tracks (space separated, in order of arrival), started_at_ms, ended_at_ms,
                                  metadata (JSON), digest (of the declaration), declarer (name of who declared it),
                                  sender (name of whose audio it is, see types.Sender), open_tracks (tracks not
                                  finished), unscored (finals without score), standing (msgpack), summary (JSON),
                                  last (the utterance that ended last, without words, as it may be shown;
                                  msgpack), last_end, last_track, end_reason (types.EndReason), handling
                                  (msgpack of types.Handling), archived (1: the database has it), recorded (1: its
                                  sound is; 0: it was to be, and is not any more), happened (JSON list of
                                  types.Happening), happened_count, held (the track that is on hold, "" if none is),
                                  held_at_ms, muted (tracks, each between spaces), unrecorded_until_ms (no sound that
                                  began before goes into the recording)
    track:<call>:<track>  hash    see below
    audio:<call>:<track>  stream  the journal: one entry a chunk, id <seq>-0, from the open utterance's first
                                  chunk on. a=audio e=encoding h=digest n=first sample's index m=samples
                                  t=arrival in ms g=number of the first missing chunk before this one, if any q=1:
                                  its party has somebody on hold, so it counts as silence w=what a trace goes on
                                  from, if there is one (tracing.py)
    listen:<call>:<track> stream  the last LISTEN_SECONDS of audio for people to hear, and what the store of recordings
                                  does not have yet (recording/spool.py); decoders never look at it.
                                  One entry a chunk, id <ms of the call in which it begins>-<seq>.
                                  a=audio e=encoding r=rate n=first sample's index m=samples p=1: the recording was
                                  paused; expires
                                  soon after the last chunk
    listening:<call>:<digest> string  this person is listening (digest of the name), and it is in the audit trail;
                                  expires soon after the last sound that was sent
    utterances:<call>     hash    utterance id -> msgpack of types.Utterance; as recognised, and masked (if
                                  REDACT=1) when it is scored and its masks can no longer change
    scores:<call>         hash    utterance id -> msgpack of types.Sentiment
    kept:<call>           string  msgpack of assessments.Kept: what scorers keep of the beginning of a live call; only a
                                  cache, gone when the call has ended
    live, ended           zsets   call -> attention: the two lists the API serves
    idle                  zset    live call -> arrival of its last chunk in ms
    streaming             zset    live call that comes over a socket -> when it is to be ended, in ms, if no socket
                                  is heard of before
    seen                  zset    call that somebody looks at (* for all) -> until when that counts, in ms: its partials
                                  are worth their cost (sight.py); expires
    streams:<call>        hash    the call's sockets: s:<socket> -> alive until (ms; 0: replaced); t:<track> -> the
                                  socket that sends it; b:<stream> -> what to add to the sender's clock (ms)
    heard:<id>            string  POST /decode: conversations finished under this id
    retained              zset    call that is ending or has ended -> when it began to end, then when it ended, in ms
    work                  stream  tokens for any decoder (c=call t=track); consumer group "decoders"
    work:<worker>         stream  tokens for the decoder that is warm for the track; same group
    workers               set     decoders that may hold tokens
    residents             set     those of them that are at home in this shard
    worker:<worker>       string  heartbeat, gone when the decoder is: 1, or its busy share ("37%")
    vacant                        never written. Every script names it, so that a cluster runs none of them while their
                                  slot is moved key by key (MIGRATE): half of what it needs might be gone already
    turn:<what>           string  the decoder that looks after the others just now (rescue.py); expires in a moment.
                                  turn:words, turn:sound, turn:learn: old words or sound were looked for, and judgements
                                  to learn from; expire after an hour, the last after a quarter of a day.
                                  turn:board: the board was written; expires in a moment. turn:webhooks: the
                                  process that follows the feed for webhooks; expires in seconds
    finals                stream  utterances to be scored (c=call i=utterance id w=trace); consumer group "sentiment",
                                  in which an entry's delivery count is 1 + how often it was begun in vain
    feed                  stream  what the page shows, one JSON event an entry (j=events.py w=trace), capped
    dead                  stream  dead letters, the last thousand: chunks (c t seq reason a e and r=rate), and
                                  utterances that could not be scored (c=call i=utterance id reason)
    dead-texts            hash    dead entry -> JSON of what decoding it alone gave (dead.py)
    load                  hash    chunks, audio_ms, audio_bytes: accepted and not yet decoded
    rules                 hash    the supervisors' rules, if ever saved: text (YAML), version (counts the editions),
                                  digest (names the text), saved_at_ms; without it the starter set applies
    models                hash    how calls are weighed: version (the one that applies, if ever learned), each version's
                                  number -> JSON of attention_models.ModelVersion, look -> JSON of its Look
    queues                hash    queue, * for all others -> days for which the words of its archived calls are kept,
                                  0 for ever, where an admin said so; else WORDS_DAYS says
    vocabularies          hash    queue, * for queues without a list -> JSON list of the names said there, as an admin
                                  wrote them; "" -> counts the editions of all lists
    unsummarised          set     ended calls whose summary is outstanding
    summary-asked:<call>  string  a job for this call's summary was enqueued a moment ago (expires)
    unarchived            set     ended calls that the database does not have yet, or not as they stand now
    archive-asked:<call>  string  a job that writes this call to the database was enqueued a moment ago (expires)
    spooling              zset    recorded call -> when its audio is to be put into the store of recordings, in ms
    unassembled           set     archived calls whose recording is to be made of its parts
    assembly-asked:<call> string  a job that does so was enqueued a moment ago (expires)
    jobs-board            string  JSON of jobs.Board, for admins (expires)
    jobs-wished           set     ids of failed jobs that an admin wants tried again
    layout                string  JSON of layout.Layout: the protocol, and how many shards; in a cluster it stands there
    nodes                 string  JSON of a cluster's [host, port]s, for who starts while the node of REDIS_URL is down
    fleet                 hash    selfcheck:<model identity> -> digest all its decoders must reproduce;
                                  model -> the engine's name, for the page's footer

How long keys with words, sound or a call's id stay ("R" is RETENTION_HOURS; retention.py sweeps; a key that expires by
itself says so):

    call, track, utterances, scores, and the call's id in every list: R after the call's end, and, with DATABASE_URL,
                          until the database has it; a call that never ends: R after its sender finished, or after its
                          last chunk
    audio                 until its utterance is final, at most as long as its call
    listen                LISTEN_SECONDS + 60 s after the last chunk, three minutes of a recorded call (expires)
    feed                  an hour: retention.FEED_SECONDS
    dead, dead-texts      R after the letter was written
    finals, work          ids only, until the work is done or the call is gone
    streams, seen, heard, listening, summary-asked, archive-asked, assembly-asked: ids only, a day at most (expire)
    audit, audit-acts     ids and names, no words of a call: the newest 100,000 entries each
    audit-<part>...       likewise: 30 days (audit.FOLDED_DAYS; and they expire so long after the last entry)
    rq:job:...            a call's id: an hour if nobody does the job, a day if it failed (expires)
    jobs-board            likewise: a minute (expires)

Who may do what (state/people). The only secret in the clear here is the one that signs cookies:

    api-keys              hash    SHA-256 of an API key -> JSON of credentials.ApiKey
    api-keys-used         hash    the same -> when it was last used, in ms, to the minute
    users                 hash    account name -> JSON of accounts.User, with the password's argon2 hash
    session:<digest>      string  JSON of sessions.Session, by SHA-256 of the token in the cookie (expires)
    sessions              zset    digest of each of them -> when it runs out, in ms
    extensions            hash    name of an account or person -> the extension at which the switch calls them
    secret                string  signs the cookies of all web processes, where SECRET_KEY is not set
    audit                 stream  the trail's part "security", one JSON of audit.Deed an entry, capped
    audit-acts            stream  the trail's part "acts", likewise
    audit-<part>          zset    the parts "reads" and "attempts": entry -> last time in µs; trimmed by age
    audit-<part>-told     hash    entry -> JSON of audit.Deed; entry# -> how often; entry@ -> first time in µs
    audit-share           hash    day (since 1970), and how many entries of these parts each doer has on it
    limits/...            string  counters of the rate limits (webapp/http/limits.py; the limits library names them)

A track's hash:

    rate                  Hz, fixed by the first chunk
    last_seq, done_seq    number of the last chunk accepted, and of the last one decoded
    samples, done_samples the same in samples (gaps included)
    open_seq              number of the chunk in which the open utterance begins (last_seq + 1 if none)
    final_count           finals so far: index of the next one
    gaps                  JSON list of [first, last] chunk numbers that are missing or dead
    token                 "<stream>|<entry id>" of the one live token, "" if none
    lease, owner, tries   who is at work, who was last, how often the next chunks were begun in vain
    forgiven              how often in a row a try was given back because the worker was killed from outside
    careful_seq           number of the last chunk to be decoded one a lease, after a lease was lost
    committed             lease of the last commit: names the state exactly
    state                 msgpack of engines.base.Snapshot
    partial               text of the open utterance, as it may be shown
    wordless              1 while voice is heard and gives no words, as far as its decoder knows; else 0
    spooled               the last entry of `listen` that the store of recordings has
    closed, finished      1 when the sender has ended the track; 1 when its last final is out
"""

from __future__ import annotations

DECODERS = "decoders"
"""Consumer group on `work` and every `work:<worker>`."""

SENTIMENT = "sentiment"
"""Consumer group on `finals`."""


class Keys:
    """The names of all keys under one hash tag. Scripts name them in their heads as the attributes here."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.prefix = "{" + tag + "}:"
        self.live = self.prefix + "live"
        self.ended = self.prefix + "ended"
        self.idle = self.prefix + "idle"
        self.streaming = self.prefix + "streaming"
        self.seen = self.prefix + "seen"
        self.retained = self.prefix + "retained"
        self.unsummarised = self.prefix + "unsummarised"
        self.unarchived = self.prefix + "unarchived"
        self.spooling = self.prefix + "spooling"
        self.unassembled = self.prefix + "unassembled"
        self.work = self.prefix + "work"
        self.workers = self.prefix + "workers"
        self.residents = self.prefix + "residents"
        self.load = self.prefix + "load"
        self.finals = self.prefix + "finals"
        self.feed = self.prefix + "feed"
        self.dead = self.prefix + "dead"
        self.dead_texts = self.prefix + "dead-texts"
        self.audit_share = self.prefix + "audit-share"
        self.acts = self.prefix + "audit-acts"
        self.vacant = self.prefix + "vacant"

    def call(self, call_id: str) -> str:
        return f"{self.prefix}call:{call_id}"

    def track(self, call_id: str, track: str) -> str:
        return f"{self.prefix}track:{call_id}:{track}"

    def audio(self, call_id: str, track: str) -> str:
        return f"{self.prefix}audio:{call_id}:{track}"

    def listen(self, call_id: str, track: str) -> str:
        return f"{self.prefix}listen:{call_id}:{track}"

    def listening(self, call_id: str, digest: str) -> str:
        return f"{self.prefix}listening:{call_id}:{digest}"

    def utterances(self, call_id: str) -> str:
        return f"{self.prefix}utterances:{call_id}"

    def scores(self, call_id: str) -> str:
        return f"{self.prefix}scores:{call_id}"

    def kept(self, call_id: str) -> str:
        return f"{self.prefix}kept:{call_id}"

    def streams(self, call_id: str) -> str:
        return f"{self.prefix}streams:{call_id}"

    def heard(self, speaker_id: str) -> str:
        return f"{self.prefix}heard:{speaker_id}"

    def own_work(self, worker: str) -> str:
        return f"{self.prefix}work:{worker}"

    def heartbeat(self, worker: str) -> str:
        return f"{self.prefix}worker:{worker}"

    def audit_entries(self, part: str) -> str:
        return f"{self.prefix}audit-{part}"

    def audit_told(self, part: str) -> str:
        return f"{self.prefix}audit-{part}-told"

    def turn(self, what: str) -> str:
        return f"{self.prefix}turn:{what}"

    def summary_asked(self, call_id: str) -> str:
        return f"{self.prefix}summary-asked:{call_id}"

    def archive_asked(self, call_id: str) -> str:
        return f"{self.prefix}archive-asked:{call_id}"

    def assembly_asked(self, call_id: str) -> str:
        return f"{self.prefix}assembly-asked:{call_id}"


STORE = Keys("earshot")
"""Of a store of one shard, which most are."""

PREFIX = STORE.prefix

WORK = STORE.work
WORKERS = STORE.workers
FINALS = STORE.finals
FEED = STORE.feed
DEAD = STORE.dead
DEAD_TEXTS = STORE.dead_texts
LOAD = STORE.load
LIVE = STORE.live
ENDED = STORE.ended
IDLE = STORE.idle
RETAINED = STORE.retained
STREAMING = STORE.streaming
UNSUMMARISED = STORE.unsummarised
AUDIT_ACTS = STORE.acts
LAYOUT = PREFIX + "layout"
NODES = PREFIX + "nodes"
FLEET = PREFIX + "fleet"
API_KEYS = PREFIX + "api-keys"
API_KEYS_USED = PREFIX + "api-keys-used"
USERS = PREFIX + "users"
SESSIONS = PREFIX + "sessions"
EXTENSIONS = PREFIX + "extensions"
SECRET = PREFIX + "secret"
AUDIT = PREFIX + "audit"
LIMITS = PREFIX + "limits"
RULES = PREFIX + "rules"
QUEUES = PREFIX + "queues"
VOCABULARIES = PREFIX + "vocabularies"
JOBS_BOARD = PREFIX + "jobs-board"
JOBS_WISHED = PREFIX + "jobs-wished"
MODELS = PREFIX + "models"

call = STORE.call
track = STORE.track
audio = STORE.audio
listen = STORE.listen
listening = STORE.listening
utterances = STORE.utterances
scores = STORE.scores
kept = STORE.kept
streams = STORE.streams
heard = STORE.heard
work = STORE.own_work
worker = STORE.heartbeat
summary_asked = STORE.summary_asked
audit_entries = STORE.audit_entries
audit_told = STORE.audit_told
turn = STORE.turn


def session(digest: str) -> str:
    return f"{PREFIX}session:{digest}"
