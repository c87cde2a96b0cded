"""What must be true of the store between any two commands, whatever was killed: see docs/GUARANTEES.md.

`violations(client)` reads a quiet server (nobody writes meanwhile) and says in words what is wrong.

J1 work <=> token: a track has a token exactly while chunks wait, or its end, or a lease is held
J2 exactly one work-stream entry is the track's token, it names the track, and its stream has a living reader
J3 the journal holds what came from the open utterance's first chunk to the last one, and nothing else
J4 finals are numbered 0..final_count-1 without a hole
J6 at rest there is no token, nothing pending, no lease, no load (at_rest)
and: the counters (load, unscored, open_tracks) equal what they count; a call stands in exactly the lists of its state
J5 (done moves only under the live lease) and J7 (OK means kept) are about answers: the model test checks them.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import redis

from state import keys

_KEYS = re.compile(
    r"(?:call|summary-asked|utterances|scores|kept|streams|heard):[^:]+|(?:track|audio|listen|listening):[^:]+:[^:]+"
    r"|worker:[^:]+|turn:[a-z]+|work:[^:]+|rules"
    r"|streaming|live|ended|idle|retained|work|workers|finals|feed|dead|dead-texts|load|unsummarised|fleet"
    r"|api-keys|api-keys-used|users|session:[0-9a-f]+|secret|audit.*|limits.*"
)
_RQ = re.compile(r"rq:.*")


def violations(client: redis.Redis) -> list[str]:
    """Everything that is wrong, one sentence each; empty if all is well."""
    found: list[str] = []
    tracks = _names(client, "track:")
    tokens = _work_entries(client)
    load: Counter[str] = Counter()
    unscored: Counter[str] = Counter()
    open_tracks: Counter[str] = Counter()
    for call, track in (name.split(":") for name in tracks):
        found += _track(client, call, track, tokens, load, open_tracks)
    for name, (call, track) in tokens.items():
        if client.hget(keys.track(call, track), "token") != name.encode():
            found.append(f"J2: {name} in a work stream is no live token of {call}/{track}")
    for _, fields in _entries(client, keys.FINALS):
        unscored[fields[b"c"].decode()] += 1
    counted = {name.decode(): int(value) for name, value in client.hgetall(keys.LOAD).items()}
    for name in ("chunks", "audio_ms", "audio_bytes"):
        if counted.get(name, 0) != load[name]:
            found.append(f"load: {name} is {counted.get(name, 0)}, but {load[name]} wait")
    for call in _names(client, "call:"):
        found += _call(client, call, unscored[call], open_tracks[call])
    found += [f"key {key!r} is not documented" for key in client.scan_iter(count=1000) if not _known(key.decode())]
    return found


def at_rest(client: redis.Redis) -> list[str]:
    """J6: what is still in flight although everything has ended and every decoder has left."""
    found = [f"J6: token {name} of {'/'.join(whose)}" for name, whose in _work_entries(client).items()]
    for key in client.scan_iter(keys.PREFIX + "*", count=1000, _type="STREAM"):
        found += [
            f"J6: {group['pending']} pending in {key.decode()} of {group['name'].decode()}"
            for group in client.xinfo_groups(key)
            if group["pending"]
        ]
    for name in _names(client, "track:"):
        lease = client.hget(f"{keys.PREFIX}track:{name}", "lease")
        if lease:
            found.append(f"J6: {name} is leased to {lease.decode()}")
    for name in ("chunks", "audio_ms", "audio_bytes"):
        if int(client.hget(keys.LOAD, name) or 0):
            found.append(f"J6: load {name} is not zero")
    found += [f"J6: journal {key.decode()}" for key in client.scan_iter(keys.PREFIX + "audio:*", count=1000)]
    found += [f"J6: {key.decode()}" for key in client.scan_iter(keys.PREFIX + "work:*", count=1000)]
    found += [f"J6: decoder {name.decode()} is registered" for name in client.smembers(keys.WORKERS)]
    if client.xlen(keys.FINALS):
        found.append("J6: utterances wait for a score")
    return found


def _known(key: str) -> bool:
    if key.startswith(keys.PREFIX):
        return _KEYS.fullmatch(key.removeprefix(keys.PREFIX)) is not None
    return _RQ.fullmatch(key) is not None


def _names(client: redis.Redis, kind: str) -> list[str]:
    start = keys.PREFIX + kind
    return sorted(key.decode().removeprefix(start) for key in client.scan_iter(start + "*", count=1000))


def _entries(client: redis.Redis, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    entries: Any = client.xrange(key)
    return list(entries)


def _work_entries(client: redis.Redis) -> dict[str, tuple[str, str]]:
    """Token name -> call and track, for every entry of every work stream."""
    streams = [keys.WORK, *(keys.work(name) for name in _names(client, "work:"))]
    return {
        f"{stream}|{entry_id.decode()}": (fields[b"c"].decode(), fields[b"t"].decode())
        for stream in streams
        for entry_id, fields in _entries(client, stream)
    }


def _track(
    client: redis.Redis,
    call: str,
    track: str,
    tokens: dict[str, tuple[str, str]],
    load: Counter[str],
    open_tracks: Counter[str],
) -> list[str]:
    found: list[str] = []
    where = f"{call}/{track}"
    t = {name.decode(): value.decode(errors="replace") for name, value in _hash(client, keys.track(call, track))}
    last_seq, done_seq, open_seq = int(t["last_seq"]), int(t["done_seq"]), int(t["open_seq"])
    finished = t.get("finished") == "1"
    open_tracks[call] += not finished
    wanted = last_seq > done_seq or (t.get("closed") == "1" and not finished)
    if wanted != (t["token"] != ""):
        found.append(f"J1: {where} has work: {wanted}, token: {t['token']!r}")
    if t["lease"] and not t["token"]:
        found.append(f"J1: {where} is leased without a token")
    if t["token"]:
        if tokens.get(t["token"]) != (call, track):
            found.append(f"J2: {t['token']} of {where} is in no stream")
        if sum(whose == (call, track) for whose in tokens.values()) != 1:
            found.append(f"J2: {where} has more than one token")
        owner = t["token"].partition("|")[0].removeprefix(keys.WORK).removeprefix(":")
        if owner and not client.sismember(keys.WORKERS, owner):
            found.append(f"J2: the token of {where} waits for {owner}, whom nobody will bury")
    found += _journal(client, call, track, t, load)
    ids = {name.decode() for name in client.hkeys(keys.utterances(call)) if name.decode().startswith(track + ":")}
    if ids != {f"{track}:{n}" for n in range(int(t["final_count"]))}:
        found.append(f"J4: {where} has final_count {t['final_count']} and finals {sorted(ids)}")
    if not open_seq <= done_seq + 1 <= last_seq + 1:
        found.append(f"{where}: open_seq {open_seq}, done {done_seq}, last {last_seq}")
    return found


def _journal(client: redis.Redis, call: str, track: str, t: dict[str, str], load: Counter[str]) -> list[str]:
    found: list[str] = []
    where = f"{call}/{track}"
    open_seq, done_seq, last_seq, rate = (int(t[name]) for name in ("open_seq", "done_seq", "last_seq", "rate"))
    reached: tuple[int, int] | None = None  # chunk and sample after it
    for entry_id, fields in _entries(client, keys.audio(call, track)):
        seq = int(entry_id.partition(b"-")[0])
        at, samples = int(fields[b"n"]), int(fields[b"m"])
        begins = int(fields.get(b"g", seq))
        if reached is None:
            if not begins <= open_seq <= seq:
                found.append(f"J3: the journal of {where} begins at {begins}..{seq}, the open utterance at {open_seq}")
        elif begins != reached[0] + 1 or at != reached[1] + (seq - begins) * samples:
            found.append(f"J3: chunk {seq} of {where} does not follow {reached}")
        reached = (seq, at + samples)
        if seq > done_seq:
            load["chunks"] += 1
            load["audio_ms"] += samples * 1000 // rate
            load["audio_bytes"] += len(fields[b"a"])
    if reached is None:
        if open_seq != last_seq + 1:
            found.append(f"J3: the journal of {where} is empty, the open utterance begins at {open_seq} of {last_seq}")
    elif reached != (last_seq, int(t["samples"])):
        found.append(f"J3: the journal of {where} ends at {reached}, the track at {last_seq}, {t['samples']}")
    return found


def _call(client: redis.Redis, call: str, unscored: int, open_tracks: int) -> list[str]:
    found: list[str] = []
    c = {name.decode(): value.decode(errors="replace") for name, value in _hash(client, keys.call(call))}
    if int(c["unscored"]) != unscored:
        found.append(f"call {call}: unscored is {c['unscored']}, but {unscored} wait")
    if int(c["open_tracks"]) != open_tracks:
        found.append(f"call {call}: open_tracks is {c['open_tracks']}, but {open_tracks} are open")
    scored = set(client.hkeys(keys.scores(call)))
    if not scored <= set(client.hkeys(keys.utterances(call))):
        found.append(f"call {call}: scores of utterances that do not exist")
    lists = {key for key in (keys.LIVE, keys.ENDED, keys.IDLE, keys.RETAINED) if client.zscore(key, call) is not None}
    wanted = {
        "live": {keys.LIVE, keys.IDLE},
        "ending": {keys.LIVE, keys.RETAINED},
        "ended": {keys.ENDED, keys.RETAINED},
    }[c["state"]]
    if lists != wanted:
        found.append(f"call {call} is {c['state']} and stands in {sorted(lists)}")
    if c["state"] == "ended" and client.pttl(keys.call(call)) < 0:
        found.append(f"call {call} has ended and would be kept for ever")
    if c["state"] == "ended" and client.exists(keys.kept(call)):
        found.append(f"call {call} has ended, and what scorers kept of it is still there")
    if c["state"] == "ending" and not open_tracks and not unscored:
        found.append(f"call {call} has nothing outstanding and has not ended")
    return found


def _hash(client: redis.Redis, key: str) -> list[tuple[bytes, bytes]]:
    return list(client.hgetall(key).items())
