"""Scripts for a call as a whole, and for a server that forgot or is full."""

from __future__ import annotations

import pytest
import redis

from state import keys
from state.calls.retention import Retention
from state.calls.streams import Streams
from state.models import introduce_model
from state.people.audit import Audit, Deed
from state.server.scripts import SCRIPTS
from tests.harness.invariants import at_rest
from tests.harness.protocol import Play, Unchanged


def test_erase_takes_all_of_a_call_in_any_state_but_spares_the_young(play: Play, client: redis.Redis) -> None:
    retention = Retention(client, play.settings)
    for call in ("leased", "live", "ending", "held"):
        play.put(1, call)
        play.put(4, call, skip=True)
    lease = play.lease()
    play.ingest.end("ending")
    Streams(client, play.settings).hold("held", "socket", ["t"], True)
    long_ago, soon = client.time()[0] * 1000 - 60_000, client.time()[0] * 1000 + 60_000
    with Unchanged(client):
        assert not any(retention.erase(call, long_ago) for call in ("leased", "live", "ending", "held"))
        assert not retention.erase("held", soon), "a socket holds it"
    assert retention.erase("ending", soon) and retention.erase("live") and retention.erase("held")
    client.config_set("maxmemory", 1)
    try:
        assert retention.erase("leased"), "it frees a full server"
    finally:
        client.config_set("maxmemory", 0)
    assert play.commit(lease) == "STALE"
    left = {key.decode() for key in client.scan_iter()}
    assert {key for key in left if key.startswith(keys.PREFIX)} <= {
        keys.WORK, keys.WORKERS, keys.STORE.residents, keys.LOAD, keys.FEED, keys.FINALS,
        keys.worker("d"), keys.work("d"),
    }, left  # fmt: skip
    assert retention.erase("live"), "a second time there is nothing to erase"


def test_a_server_that_forgot_its_scripts_is_told_them_again(play: Play, client: redis.Redis) -> None:
    play.decoder("d")
    client.script_flush()
    play.put(1)
    token = play.token()
    client.script_flush()
    lease = play.decoder("d").open(token, "", 0)
    assert lease is not None
    client.script_flush()
    assert play.commit(lease) == "OK"


def test_a_full_server_takes_nothing_in_and_still_drains(play: Play, client: redis.Redis) -> None:
    """Newer servers, when full, refuse a script whose first write may take memory. So all but ingest and create begin
    with one that frees some."""
    for seq in range(1, 5):
        play.put(seq)
        play.put(seq, call="moved")
    play.decoder("d")
    introduce_model(client, "stub", "Stub", "digest")
    play.unscored()
    client.config_set("maxmemory", 1)
    try:
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.put(5)
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.put(1, call="new")
        with Unchanged(client), pytest.raises(redis.exceptions.ResponseError, match="maxmemory"):
            play.ingest.create("new", ["t"], {})
        late = play.decoder("e")  # a decoder may also join, be known, and beat
        late.beat()
        Audit(client).record_read(Deed("key crm", "read", "c", origin="key"))  # and people may read
        assert introduce_model(client, "stub", "Stub", "digest") == "digest"
        late.release(play.lease("e"))
        late.give_up(play.token("e"))
        play.ingest.end("c")
        play.ingest.end("moved")
        for _ in range(2):
            while (token := late.next_token(0)) is not None:
                lease = late.open(token, "", 0)
                if lease is not None:
                    assert play.commit(lease, "e", upto=min(lease.last_seq, lease.done_seq + 2)) == "OK"
        waiting = play.unscored()
        assert len(waiting) == 4
        assert [play.score(entry) for entry in waiting][-1] == "ENDED"
        late.leave()
        play.decoders["d"].leave()
        assert at_rest(client) == []
    finally:
        client.config_set("maxmemory", 0)


def test_every_script_is_tested_here() -> None:
    """A new script must come with tests of its answers."""
    assert set(SCRIPTS) == {
        "ingest", "create", "end", "open", "commit", "release", "move", "register", "bury", "score", "summarise",
        "hold", "handle", "forget", "erase", "fold", "archived", "spooled", "happen",
    }  # fmt: skip
