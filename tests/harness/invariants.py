"""What must be true of the store between any two commands, whatever was killed (docs/GUARANTEES.md).

`violations(store)` reads a quiet store, to which nobody writes, and says in words what is wrong.

J1 work <=> token: a track has a token exactly while chunks wait, or its end waits, or somebody holds a lease
J2 exactly one work-stream entry is the track's token, it names the track, and its stream has a living reader
J3 the journal holds what came from the open utterance's first chunk to the last one, and nothing else
J4 finals are numbered 0..final_count-1 without a hole
J6 at rest there is no token, nothing pending, no lease, no load (at_rest)
Also: the counters (load, unscored, open_tracks) are right, and a call stands in exactly the lists of its state.
J5 (done moves only under the live lease) and J7 (OK means kept) are about answers. The model test checks them.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import Any

import redis

from state import keys
from state.server import acl
from state.server.shards import Shard, Shards, shards_of

_KEYS = [pattern for group in acl.GROUPS.values() for pattern in group]
"""Every key after its prefix. keys.py describes them, and a test compares the access control lists with it."""


def violations(store: Shards | redis.Redis) -> list[str]:
    """Everything that is wrong, one sentence each. Empty if all is well."""
    shards = shards_of(store)
    found = [wrong for shard in shards for wrong in _violations(shard)]
    prefixes = tuple({keys.PREFIX, "rq:", *(shard.keys.prefix for shard in shards)})
    for key in shards.plain.scan_iter(count=1000):
        if not key.decode().startswith(prefixes):
            found.append(f"key {key!r} is not documented")
    for shard in shards:
        for key in shard.redis.scan_iter(shard.keys.call("*"), count=1000):
            if shards.of(call := key.decode().removeprefix(shard.keys.call(""))) is not shard:
                found.append(f"call {call} is in shard {shard.number}, which is not its own")
    return found


def at_rest(store: Shards | redis.Redis) -> list[str]:
    """J6: what is still under way although everything has ended and every decoder has left."""
    return [wrong for shard in shards_of(store) for wrong in _at_rest(shard)]


def _violations(shard: Shard) -> list[str]:
    found: list[str] = []
    tracks = _names(shard, "track:")
    tokens = _work_entries(shard)
    load: Counter[str] = Counter()
    unscored: Counter[str] = Counter()
    open_tracks: Counter[str] = Counter()
    for call, track in (name.split(":") for name in tracks):
        found += _track(shard, call, track, tokens, load, open_tracks)
    for name, (call, track) in tokens.items():
        if shard.redis.hget(shard.keys.track(call, track), "token") != name.encode():
            found.append(f"J2: {name} in a work stream is no live token of {call}/{track}")
    for _, fields in _entries(shard, shard.keys.finals):
        unscored[fields[b"c"].decode()] += 1
    counted = {name.decode(): int(value) for name, value in shard.redis.hgetall(shard.keys.load).items()}
    for name in ("chunks", "audio_ms", "audio_bytes"):
        if counted.get(name, 0) != load[name]:
            found.append(f"load: {name} is {counted.get(name, 0)}, but {load[name]} wait")
    for call in _names(shard, "call:"):
        found += _call(shard, call, unscored[call], open_tracks[call])
    names = (key.decode() for key in shard.redis.scan_iter(shard.keys.prefix + "*", count=1000))
    found += [f"key {name!r} is not documented" for name in names if not _known(name, shard.keys.prefix)]
    return found


def _groups(shard: Shard, stream: bytes) -> list[dict[str, Any]]:
    """The stream's consumer groups. None if the stream has expired since we found it."""
    try:
        return list(shard.redis.xinfo_groups(stream))
    except redis.ResponseError as error:
        if "no such key" not in str(error):
            raise
        return []


def _at_rest(shard: Shard) -> list[str]:
    found = [f"J6: token {name} of {'/'.join(whose)}" for name, whose in _work_entries(shard).items()]
    for key in shard.redis.scan_iter(shard.keys.prefix + "*", count=1000, _type="STREAM"):
        found += [
            f"J6: {group['pending']} pending in {key.decode()} of {group['name'].decode()}"
            for group in _groups(shard, key)
            if group["pending"]
        ]
    for name in _names(shard, "track:"):
        lease = shard.redis.hget(f"{shard.keys.prefix}track:{name}", "lease")
        if lease:
            found.append(f"J6: {name} is leased to {lease.decode()}")
    for name in ("chunks", "audio_ms", "audio_bytes"):
        if int(shard.redis.hget(shard.keys.load, name) or 0):
            found.append(f"J6: load {name} is not zero")
    found += [f"J6: journal {key.decode()}" for key in shard.redis.scan_iter(shard.keys.prefix + "audio:*", count=1000)]
    found += [f"J6: {key.decode()}" for key in shard.redis.scan_iter(shard.keys.prefix + "work:*", count=1000)]
    found += [f"J6: decoder {name.decode()} is registered" for name in shard.redis.smembers(shard.keys.workers)]
    if shard.redis.xlen(shard.keys.finals):
        found.append("J6: utterances wait for a score")
    return found


def _known(key: str, prefix: str) -> bool:
    return any(fnmatchcase(key.removeprefix(prefix), pattern) for pattern in _KEYS)


def _names(shard: Shard, kind: str) -> list[str]:
    start = shard.keys.prefix + kind
    return sorted(key.decode().removeprefix(start) for key in shard.redis.scan_iter(start + "*", count=1000))


def _entries(shard: Shard, key: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
    entries: Any = shard.redis.xrange(key)
    return list(entries)


def _work_entries(shard: Shard) -> dict[str, tuple[str, str]]:
    """Token name -> call and track, for every entry of every work stream."""
    streams = [shard.keys.work, *(shard.keys.own_work(name) for name in _names(shard, "work:"))]
    return {
        f"{stream}|{entry_id.decode()}": (fields[b"c"].decode(), fields[b"t"].decode())
        for stream in streams
        for entry_id, fields in _entries(shard, stream)
    }


def _track(
    shard: Shard,
    call: str,
    track: str,
    tokens: dict[str, tuple[str, str]],
    load: Counter[str],
    open_tracks: Counter[str],
) -> list[str]:
    found: list[str] = []
    where = f"{call}/{track}"
    t = {name.decode(): value.decode(errors="replace") for name, value in _hash(shard, shard.keys.track(call, track))}
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
        owner = t["token"].partition("|")[0].removeprefix(shard.keys.work).removeprefix(":")
        if owner and not shard.redis.sismember(shard.keys.workers, owner):
            found.append(f"J2: the token of {where} waits for {owner}, and nobody will bury that decoder")
    found += _journal(shard, call, track, t, load)
    names = (name.decode() for name in shard.redis.hkeys(shard.keys.utterances(call)))
    ids = {name for name in names if name.startswith(track + ":")}
    if ids != {f"{track}:{n}" for n in range(int(t["final_count"]))}:
        found.append(f"J4: {where} has final_count {t['final_count']} and finals {sorted(ids)}")
    if not open_seq <= done_seq + 1 <= last_seq + 1:
        found.append(f"{where}: open_seq {open_seq}, done {done_seq}, last {last_seq}")
    return found


def _journal(shard: Shard, call: str, track: str, t: dict[str, str], load: Counter[str]) -> list[str]:
    found: list[str] = []
    where = f"{call}/{track}"
    open_seq, done_seq, last_seq, rate = (int(t[name]) for name in ("open_seq", "done_seq", "last_seq", "rate"))
    reached: tuple[int, int] | None = None  # the last chunk, and the first sample after it
    for entry_id, fields in _entries(shard, shard.keys.audio(call, track)):
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


def _call(shard: Shard, call: str, unscored: int, open_tracks: int) -> list[str]:
    found: list[str] = []
    c = {name.decode(): value.decode(errors="replace") for name, value in _hash(shard, shard.keys.call(call))}
    if int(c["unscored"]) != unscored:
        found.append(f"call {call}: unscored is {c['unscored']}, but {unscored} wait")
    if int(c["open_tracks"]) != open_tracks:
        found.append(f"call {call}: open_tracks is {c['open_tracks']}, but {open_tracks} are open")
    scored = set(shard.redis.hkeys(shard.keys.scores(call)))
    if not scored <= set(shard.redis.hkeys(shard.keys.utterances(call))):
        found.append(f"call {call}: scores of utterances that do not exist")
    k = shard.keys
    all_lists = (k.live, k.ended, k.idle, k.retained)
    lists = {key for key in all_lists if shard.redis.zscore(key, call) is not None}
    wanted = {
        "live": {shard.keys.live, shard.keys.idle},
        "ending": {shard.keys.live, shard.keys.retained},
        "ended": {shard.keys.ended, shard.keys.retained},
    }[c["state"]]
    if lists != wanted:
        found.append(f"call {call} is {c['state']} and stands in {sorted(lists)}")
    if c["state"] == "ended" and shard.redis.pttl(shard.keys.call(call)) < 0:
        found.append(f"call {call} has ended and would be kept for ever")
    if c["state"] == "ended" and shard.redis.exists(shard.keys.kept(call)):
        found.append(f"call {call} has ended, and what scorers kept of it is still there")
    if c["state"] == "ending" and not open_tracks and not unscored:
        found.append(f"call {call} has nothing outstanding and has not ended")
    return found


def _hash(shard: Shard, key: str) -> list[tuple[bytes, bytes]]:
    return list(shard.redis.hgetall(key).items())
