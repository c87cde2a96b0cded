"""The audit trail: one entry counts repeats, and no part of the trail can push entries out of another."""

from __future__ import annotations

import pytest
import redis

from state import keys
from state.calls.ingest import Chunk, Ingest
from state.people import audit
from state.people.access import Access
from state.people.audit import FOLDED_DAYS, Audit, Deed
from state.settings import Settings
from tests.harness.api import SECOND
from tests.harness.routes import client
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer, csrf_of, sign_in

DAY_SECONDS = 24 * 3600


@pytest.fixture
def trail(store: redis.Redis) -> Audit:
    return Audit(store)


@pytest.fixture
def calls(store: redis.Redis) -> list[str]:
    ingest = Ingest(store, Settings())
    names = [f"call-{n}" for n in range(3)]
    for name in names:
        ingest.create(name, ["customer"], {})
        ingest.put(name, "customer", 1, Chunk(SECOND, "mulaw", 8000))
    return names


def told(trail: Audit) -> list[tuple[str, str, str, int]]:
    """The readings, oldest first: who, what, about, how often."""
    return [(e.deed.who, e.deed.what, e.deed.about, e.count) for e in reversed(trail.read("reads", 100))]


def test_every_way_to_read_words_is_written_down_once_with_a_count(
    valkey: Server, store: redis.Redis, calls: list[str], trail: Audit
) -> None:
    http = client(valkey)
    key = bearer(Access(store).api_keys.add("crm", ("read",)))
    for path, times in (
        ("/v1/calls/call-0", 3),
        ("/v1/calls/call-1", 1),
        ("/v1/calls/call-0/transcript.txt", 2),
        ("/v1/calls", 2),
        ("/v1/calls?text=parcel", 2),
        ("/v1/calls/call-9", 2),  # there is no such call, so nothing was read
    ):
        for _ in range(times):
            http.get(path, headers=key)
    rules = http.get("/v1/rules", headers=key).text
    assert http.post("/v1/rules/dry-run", data=rules, headers=key, content_type="application/yaml").status_code == 200
    assert told(trail) == [
        ("key crm", "read", "call-0", 3),
        ("key crm", "read", "call-1", 1),
        ("key crm", "export", "call-0.txt", 2),
        ("key crm", "list", "", 2),
        ("key crm", "search", "", 2),
        ("key crm", "dry-run", "", 1),
    ]
    assert b"parcel" not in b"".join(store.hvals(keys.audit_told("reads"))), (
        "the words somebody searches for may be secret"
    )
    first = trail.read("reads", 100)[-1]
    assert first.first_ms <= first.at_ms and first.deed.origin == "key" and first.deed.address == "127.0.0.1"


def test_a_read_key_cannot_push_anything_out_of_the_trail(
    valkey: Server, store: redis.Redis, calls: list[str], trail: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "FOLDED_A_DAY", 20)
    http, access = client(valkey), Access(store)
    access.users.add("dana", "supervisor", PASSWORD)
    sign_in(http, "dana")
    assert http.get("/v1/calls/call-2").status_code == 200
    page = csrf_of(http.get("/").text)
    taken = http.put("/v1/calls/call-2/handling", json={"state": "taken"}, headers={"X-CSRF-Token": page})
    assert taken.status_code == 200
    before = {part: trail.read(part, 100) for part in ("security", "acts")}

    ingest = Ingest(store, Settings())
    stranger, key = client(valkey), bearer(access.api_keys.add("crm", ("read",)))
    for number in range(60):
        ingest.create(f"many-{number}", ["customer"], {})
        for _ in range(2):
            assert stranger.get(f"/v1/calls/many-{number}", headers=key).status_code == 200
    assert {part: trail.read(part, 100) for part in ("security", "acts")} == before
    reads = trail.read("reads", 1000)
    assert ("dana", "call-2", 1) in [(e.deed.who, e.deed.about, e.count) for e in reads]
    mine = [e for e in reads if e.deed.who == "key crm"]
    assert len(mine) == 20 + 1 and sum(e.count for e in mine) == 120, (
        "each reading counts; those beyond the limit count together"
    )
    assert [e.count for e in mine if e.deed.about == "(others)"] == [80]


def test_reads_are_kept_for_their_time_and_no_longer(store: redis.Redis, trail: Audit) -> None:
    for name in ("a", "b"):
        trail.record_read(Deed("key crm", "read", name, origin="key"))
    entries, kept = keys.audit_entries("reads"), keys.audit_told("reads")
    old = next(entry for entry in store.zrange(entries, 0, -1) if entry.endswith(b" a"))
    store.zincrby(entries, -(FOLDED_DAYS * DAY_SECONDS + 1) * 1_000_000, old)
    trail.record_read(Deed("key crm", "read", "c", origin="key"))
    assert [about for _, _, about, _ in told(trail)] == ["b", "c"]
    assert store.hlen(kept) == 3 * 2
    month = FOLDED_DAYS * DAY_SECONDS
    assert all(month - 60 < store.ttl(key) <= month for key in (entries, kept)), "even if nothing else is read"


def test_the_same_on_another_day_is_another_entry(store: redis.Redis, trail: Audit) -> None:
    trail.record_read(Deed("key crm", "read", "a", origin="key"))
    entries, kept = keys.audit_entries("reads"), keys.audit_told("reads")
    share = keys.STORE.audit_share
    [entry] = store.zrange(entries, 0, -1)
    day, rest = entry.split(b" ", 1)
    yesterday = str(int(day) - 1).encode()
    earlier = yesterday + b" " + rest
    store.zadd(entries, {earlier: int(store.zscore(entries, entry)) - DAY_SECONDS * 1_000_000})
    store.zrem(entries, entry)
    for mark in (b"", b"#", b"@"):
        store.hset(kept, earlier + mark, store.hget(kept, entry + mark))
        store.hdel(kept, entry + mark)
    store.hset(share, "day", yesterday)
    trail.record_read(Deed("key crm", "read", "a", origin="key"))
    assert [(about, count) for _, _, about, count in told(trail)] == [("a", 1), ("a", 1)]


def test_calls_can_be_read_while_the_servers_memory_is_full(
    valkey: Server, store: redis.Redis, calls: list[str], trail: Audit
) -> None:
    http, key = client(valkey), bearer(Access(store).api_keys.add("crm", ("read",)))
    assert http.get("/v1/calls", headers=key).status_code == 200
    store.config_set("maxmemory", 1_000_000)
    try:
        with pytest.raises(redis.exceptions.OutOfMemoryError):
            store.set("x", 1)
        assert trail.read("reads", 10)
        trail.record_read(Deed("key crm", "read", "call-0", origin="key"))
    finally:
        store.config_set("maxmemory", 0)
    assert ("key crm", "read", "call-0", 1) in told(trail)


def test_every_part_is_read_page_by_page(valkey: Server, store: redis.Redis, trail: Audit) -> None:
    Access(store).users.add("lee", "admin", PASSWORD)
    http = client(valkey)
    sign_in(http, "lee")
    for number in range(7):
        trail.record_read(Deed("key crm", "read", f"c{number}", origin="key"))
    found: list[str] = []
    cursor = ""
    while True:
        page = http.get(f"/v1/audit?part=reads&limit=3{cursor}").get_json()
        found += [entry["about"] for entry in page["entries"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == [f"c{number}" for number in reversed(range(7))]
    assert http.get("/v1/audit?part=nonsense").status_code == 400
