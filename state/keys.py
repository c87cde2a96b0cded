"""Every key, stream and group in Redis, named and described here and nowhere else.

Shards divide the keys of calls (shards.py). All keys of a shard share its hash tag, so every script's keys live in one
slot of a cluster. Every name below begins with the tag: {earshot}:call:... in a store of one shard. What belongs to no
call is on the plain server, with the tag {earshot}: layout, fleet, rules, and who may do what.

    call:<call>           hash    see below
    track:<call>:<track>  hash    see below
    audio:<call>:<track>  stream  the journal: one entry a chunk, from the open utterance's first chunk on.
                                  Id: <seq>-0. a=audio e=encoding h=digest n=first sample's index m=samples
                                  t=arrival in ms g=number of the first missing chunk before it, if any
                                  q=1: counts as silence, because its party has somebody on hold
                                  w=what a trace goes on from, if anything (tracing.py)
    listen:<call>:<track> stream  the last LISTEN_SECONDS of audio for people to hear, and what the store of
                                  recordings does not have yet (recording/spool.py); decoders never read it.
                                  One entry a chunk. Id: <ms of the call in which it begins>-<seq>. a=audio e=encoding
                                  r=rate n=first sample's index m=samples p=1: the recording was paused.
                                  Expires soon after the last chunk
    listening:<call>:<digest> string  this person is listening (digest of the name), and the audit trail says so;
                                  expires soon after the last sound sent
    utterances:<call>     hash    utterance id -> msgpack of types.Utterance: as recognised; if REDACT=1, masked once it
                                  is scored and its masks can no longer change
    scores:<call>         hash    utterance id -> msgpack of types.Sentiment
    kept:<call>           string  msgpack of assessments.Kept: what scorers keep of a live call's beginning; only a
                                  cache, which goes when the call ends
    live, ended           zsets   call -> attention: the two lists the API serves
    idle                  zset    live call -> arrival of its last chunk in ms
    streaming             zset    live call that comes over a socket -> ms at which it ends if no socket speaks before
    seen                  zset    call that somebody looks at (* for all) -> ms until which that counts: its partials
                                  are worth their cost (sight.py); expires
    streams:<call>        hash    the call's sockets: s:<socket> -> alive until (ms; 0: replaced); t:<track> -> the
                                  socket that sends it; b:<stream> -> ms to add to the sender's clock
    heard:<id>            string  POST /decode: conversations finished under this id
    retained              zset    call -> ms at which it began to end; once it has ended, ms at which it ended
    work                  stream  tokens for any decoder (c=call t=track); consumer group "decoders"
    work:<worker>         stream  tokens for the decoder that is warm for the track; same group
    workers               set     decoders that may hold tokens
    residents             set     those of them that are at home in this shard
    worker:<worker>       string  heartbeat: 1, or the decoder's busy share ("37%"); gone when the decoder is
    vacant                        never written. Every script names it. So a cluster runs no script while its slot moves
                                  key by key (MIGRATE), when half of the script's keys may be gone already
    turn:<what>           string  whose turn it is, or that somebody has just done it; others wait until it expires.
                                  sweep, relieve, upkeep: a decoder looks after the others (rescue.py), for a moment.
                                  words, sound, report: old words, old sound, the weekly report, for an hour.
                                  learn: a quarter of a day. trail: a minute. board: a moment. webhooks: the process
                                  that follows the feed for webhooks, for seconds. llm-away: the language model
                                  failed, so nobody asks it, for a minute
    finals                stream  utterances to be scored (c=call i=utterance id w=trace); consumer group "sentiment".
                                  An entry's delivery count is 1 + how often a scorer began it in vain
    feed                  stream  what the page shows, one JSON event an entry (j=events.py w=trace), capped
    dead                  stream  dead letters, the last thousand: chunks (c t seq reason a e and r=rate), and
                                  utterances that could not be scored (c=call i=utterance id reason)
    dead-texts            hash    dead entry -> JSON of the text from decoding it alone (dead.py)
    load                  hash    chunks, audio_ms, audio_bytes: accepted and not yet decoded
    rules                 hash    the supervisors' rules, if ever saved; else the starter set applies. text (YAML),
                                  version (counts the editions), digest (names the text), saved_at_ms
    models                hash    how calls are weighed: version (the one that applies, if Earshot has learned), each
                                  version's number -> JSON of attention_models.ModelVersion, look -> JSON of its Look
    queues                hash    queue, * for all others -> days that the words of its archived calls stay, if an
                                  admin said so (0: for ever); else WORDS_DAYS says
    vocabularies          hash    queue, * for queues without a list -> JSON list of the names said there, as an admin
                                  wrote them; "" -> counts the editions of all lists
    unsummarised          set     ended calls that wait for their summary
    summary-asked:<call>  string  somebody enqueued a job for this call's summary a moment ago (expires)
    unarchived            set     ended calls that the database does not have yet, or not as they are now
    archive-asked:<call>  string  somebody enqueued a job that archives this call a moment ago (expires)
    spooling              zset    recorded call -> ms at which its audio is due in the store of recordings
    unassembled           set     archived calls whose recording still lies in parts
    assembly-asked:<call> string  somebody enqueued a job that joins the parts a moment ago (expires)
    jobs-board            string  JSON of jobs.Board, for admins (expires)
    jobs-wished           set     ids of failed jobs that an admin wants tried again
    layout                string  JSON of layout.Layout: the protocol and the number of shards; a cluster has it itself
    nodes                 string  JSON of a cluster's [host, port]s, for a process that starts while the node of
                                  REDIS_URL is down
    fleet                 hash    selfcheck:<model identity> -> digest that all its decoders must compute;
                                  model -> the engine's name, for the page's footer

How long keys with words, sound or a call's id stay ("R" is RETENTION_HOURS; retention.py sweeps; a key that expires
goes by itself):

    call, track, utterances, scores, and the call's id in every list: R after the call's end; with DATABASE_URL, also
                          until the database has it. A call that never ends: R after its sender finished, or after its
                          last chunk
    audio                 until its utterance is final, at most as long as its call
    listen                LISTEN_SECONDS + 60 s after the last chunk; a recorded call's three minutes at least (expires)
    feed                  an hour: retention.FEED_SECONDS
    dead, dead-texts      R after the letter was written
    finals, work          ids only, until the work is done or the call is gone
    streams, seen, heard, listening, summary-asked, archive-asked, assembly-asked: ids only, a day at most (expire)
    audit, audit-acts     ids and names, no words of a call: the newest 100,000 entries each
    audit-<part>...       likewise: 30 days (audit.FOLDED_DAYS); they expire that long after the last entry
    rq:job:...            a call's id: an hour if nobody does the job, a day if it failed (expires)
    jobs-board            likewise: a minute (expires)

Who may do what (state/people). The only secret in the clear here is the one that signs cookies:

    api-keys              hash    SHA-256 of an API key -> JSON of credentials.ApiKey
    api-keys-used         hash    the same -> ms of its last use, to the minute
    users                 hash    account name -> JSON of accounts.User, with the password's argon2 hash
    session:<digest>      string  JSON of sessions.Session, by SHA-256 of the token in the cookie (expires)
    sessions              zset    digest of each session -> ms at which it ends
    extensions            hash    name of an account or person -> the extension at which the switch calls them
    secret                string  signs the cookies of all web processes, where SECRET_KEY is not set
    audit                 stream  the trail's part "security", one JSON of audit.Deed an entry, capped
    audit-acts            stream  the trail's part "acts", likewise
    audit-<part>          zset    the parts "reads" and "attempts": entry -> last time in µs; trimmed by age
    audit-<part>-told     hash    entry -> JSON of audit.Deed; entry# -> how often; entry@ -> first time in µs
    audit-share           hash    the day (since 1970), and each doer's number of entries in these parts on that day
    limits/...            string  counters of the rate limits (webapp/http/limits.py; the limits library names them)

A call's hash:

    state, tracks         types.CallState; names of its tracks in order of arrival, with spaces between
    started_at_ms, ended_at_ms, metadata (JSON)
    digest, declarer      of the declaration; who declared it
    sender                whose audio it is: see types.Sender
    open_tracks, unscored tracks not finished; finals without a score
    standing, handling    msgpack of types.Standing; msgpack of types.Handling
    summary, end_reason   JSON; types.EndReason
    last                  msgpack of the utterance that ended last, as it may be shown, without its list of words
    last_end, last_track  the second in which it ended; its track
    archived, recorded    1: the database has the call; 1: its sound is recorded, 0: it was to be and no longer is
    happened, happened_count  JSON list of types.Happening; their number
    held, held_at_ms      the track that is on hold, "" if none; since when
    muted                 tracks, each between spaces
    unrecorded_until_ms   no sound that began before goes into the recording

A track's hash:

    rate                  Hz, fixed by the first chunk
    last_seq, done_seq    number of the last chunk accepted, and of the last one decoded
    samples, done_samples the same in samples (gaps included)
    open_seq              number of the chunk in which the open utterance begins (last_seq + 1 if none)
    final_count           finals so far: index of the next one
    gaps                  JSON list of [first, last] chunk numbers that are missing or dead
    token                 "<stream>|<entry id>" of the one live token, "" if none
    lease, owner, tries   lease of the decoder at work; the last decoder; how often the next chunks were begun in vain
    forgiven              how many tries in a row were given back because the worker was killed from outside
    careful_seq           number of the last chunk to decode one a lease, after a lease was lost
    committed             lease of the last commit: names the state exactly
    state                 msgpack of engines.base.Snapshot
    partial               text of the open utterance, as it may be shown
    wordless              1 while a voice gives no words, as far as its decoder knows; else 0
    spooled               the last entry of `listen` that the store of recordings has
    closed, finished      1 when the sender has ended the track; 1 when its last final is out
"""

from __future__ import annotations

DECODERS = "decoders"
"""Consumer group on `work` and every `work:<worker>`."""

SENTIMENT = "sentiment"
"""Consumer group on `finals`."""


class Keys:
    """The names of all keys under one hash tag. Heads of scripts use the attributes' names."""

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
"""Keys of a store of one shard, as most stores are."""

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
utterances = STORE.utterances
scores = STORE.scores
kept = STORE.kept
streams = STORE.streams
work = STORE.own_work
worker = STORE.heartbeat
audit_entries = STORE.audit_entries
audit_told = STORE.audit_told
turn = STORE.turn


def session(digest: str) -> str:
    return f"{PREFIX}session:{digest}"
