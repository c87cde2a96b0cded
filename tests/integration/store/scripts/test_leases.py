"""Scripts by which decoders share the work."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import redis

from state import keys
from state.calls.leases import Token
from tests.harness.protocol import Play, Unchanged, change, chunk, run


def test_open_takes_the_lease_cold_or_warm(play: Play) -> None:
    play.put(1)
    play.put(2)
    lease = play.lease()
    assert (lease.done_seq, lease.last_seq, lease.open_seq, lease.tries) == (0, 2, 1, 1)
    assert (lease.warm, lease.state) == (False, b"")
    assert play.commit(lease, upto=1, open_from=1) == "OK"
    warm = play.decoder("d").open(play.token(), lease.id, 1)
    assert warm is not None and warm.warm and warm.state == b"" and [c.seq for c in warm.journal] == [2]
    play.decoder("d").release(warm)
    cold = play.decoder("e").open(play.token("e"), "somebody.else", 1)
    assert cold is not None and not cold.warm and cold.state == b"1-1" and [c.seq for c in cold.journal] == [1, 2]


def test_a_chunk_that_comes_while_the_lease_is_taken_is_left_for_the_next_one(
    play: Play, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that loses its last writes may keep the lease and lose that chunk. So the lease must leave it out."""
    play.put(1)
    decoder = play.decoder("d")
    really = decoder._open

    def and_then_a_chunk(*args: Any) -> Any:
        answer, state, _ = really(*args)
        play.put(2)
        return answer, state, client.xrange(keys.audio("c", "t"))

    monkeypatch.setattr(decoder, "_open", and_then_a_chunk)
    lease = play.lease()
    assert (lease.last_seq, [chunk.seq for chunk in lease.journal]) == (1, [1])
    assert play.commit(lease) == "OK"
    monkeypatch.undo()
    assert [chunk.seq for chunk in play.lease().journal] == [2]


def test_open_drops_a_token_that_is_not_the_live_one(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.decoder("d")
    stale = client.xadd(keys.WORK, {"c": "c", "t": "t"})
    tokens = [play.token(), play.token()]
    with_lease = [play.decoder("d").open(token, "", 0) for token in tokens]
    assert [lease is not None for lease in with_lease] == [True, False]
    assert client.xrange(keys.WORK, stale, stale) == []
    unknown = Token(f"{keys.WORK}|1-1", "nobody", "t")
    with Unchanged(client):
        assert play.decoder("d").open(unknown, "", 0) is None


def test_commit_applies_once(play: Play, client: redis.Redis) -> None:
    play.put(1)
    lease = play.lease()
    assert play.commit(lease) == "OK"
    with Unchanged(client):
        assert play.commit(lease) == "AGAIN"
    assert client.hget(keys.utterances("c"), "t:0") is not None
    assert client.xlen(keys.audio("c", "t")) == 0 and play.track()["token"] == b""


def test_commit_is_stale_without_the_live_lease_or_from_another_base(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    first = play.lease()
    play.decoder("e").give_up(first.token)
    second = play.lease("e")
    with Unchanged(client):
        assert play.commit(first) == "STALE"
        wrong_base = msgspec.structs.replace(second, done_seq=1)
        no_such_call = msgspec.structs.replace(second, token=Token("x", "nobody", "t"))
        for wrong in (wrong_base, no_such_call):
            assert play.decoder("e").commit(wrong, change(second)) == "STALE"
    assert play.commit(second, "e") == "OK"


def test_commit_sends_the_next_token_to_the_warm_decoder_while_it_lives(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    play.commit(play.lease(), upto=1)
    assert play.track()["token"].startswith(keys.work("d").encode() + b"|")
    lease = play.lease()
    client.delete(keys.worker("d"))
    play.put(3)
    play.commit(lease, upto=2)
    assert play.track()["token"].startswith(keys.WORK.encode() + b"|")
    assert play.commit(play.lease("e")) == "OK"
    play.put(4)
    to_everybody = msgspec.structs.replace(change(lease := play.lease("e"), upto=3), to_everybody=True)
    assert play.decoder("e").commit(lease, to_everybody) == "OK"
    assert play.track()["token"].startswith(keys.WORK.encode() + b"|")


def test_commit_keeps_dead_chunks_aside_and_marks_them(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.put(2)
    lease = play.lease()
    assert play.decoder("d").commit(lease, change(lease, dead=(2,))) == "OK"
    ((_, dead),) = client.xrange(keys.DEAD)
    assert [dead[name] for name in (b"c", b"t", b"seq", b"reason", b"r")] == [b"c", b"t", b"2", b"test", b"8000"]
    assert dead[b"a"] == chunk(2).audio
    assert play.track()["gaps"] == b"[[2,2]]"


def test_gaps_are_listed_as_they_come(play: Play) -> None:
    for seq in (2, 3, 10, 11, 1_013):
        assert play.put(seq, skip=True) == "OK"
    lease = play.lease()
    assert play.decoder("d").commit(lease, change(lease, dead=(3, 11))) == "OK"
    assert play.track()["gaps"] == b"[[1,1],[4,9],[12,1012],[3,3],[11,11]]"


def test_commit_ends_a_call_that_has_nothing_to_be_scored(play: Play, client: redis.Redis) -> None:
    play.put(1)
    play.ingest.end("c")
    lease = play.lease()
    silent = msgspec.structs.replace(change(lease), finals=[], final_count=0)
    assert play.decoder("d").commit(lease, silent) == "ENDED"
    assert client.hget(keys.call("c"), "state") == b"ended" and play.track()["finished"] == b"1"


def test_a_call_that_ends_under_a_lease_is_finished_by_the_next(play: Play) -> None:
    play.put(1)
    lease = play.lease()
    play.ingest.end("c")
    assert play.commit(lease) == "OK"
    last = play.lease()
    assert last.closed and last.done_seq == last.last_seq
    assert play.commit(last) == "OK"
    assert play.track()["finished"] == b"1"


def test_release_gives_the_try_back(play: Play, client: redis.Redis) -> None:
    play.put(1)
    lease = play.lease()
    play.decoder("d").release(lease)
    assert (play.track()["tries"], play.track()["lease"]) == (b"0", b"")
    with Unchanged(client):
        play.decoder("d").release(lease)
        assert play.commit(lease) == "STALE"
    assert play.lease("e").tries == 1


def test_move_hands_a_token_on_but_not_from_under_a_lease_unless_forced(play: Play, client: redis.Redis) -> None:
    def move(token: Token, force: bool, forgive: int = 0) -> str:
        answer = run(client, "move", call_id="c", track="t", token=token.name, force=force, forgive=forgive)
        return str(answer["outcome"])

    play.put(1)
    token = play.token()
    assert move(token, False) == "MOVED"
    with Unchanged(client):
        assert move(token, False) == "STALE"
        assert move(token, True) == "STALE"
    lease = play.lease()
    with Unchanged(client):
        assert move(lease.token, False) == "LEASED"
    assert move(lease.token, True) == "MOVED"
    assert play.track()["lease"] == b"" and play.track()["tries"] == b"1"
    for tries in (1, 1, 2):  # two losses are forgiven, the third costs a try
        assert move(play.lease().token, True, 2) == "MOVED"
        assert int(play.track()["tries"]) == tries
    assert play.commit(play.lease()) == "OK"
    assert (play.track()["tries"], play.track()["forgiven"]) == (b"0", b"0")


def test_bury_spares_the_living_and_who_holds_anything(play: Play, client: redis.Redis) -> None:
    def bury(name: str) -> str:
        return str(run(client, "bury", worker=name)["outcome"])

    play.put(1)
    token = play.token("d")
    with Unchanged(client):
        assert bury("d") == "ALIVE"
    client.delete(keys.worker("d"))
    with Unchanged(client):
        assert bury("d") == "HOLDS", "a token of the shared stream is pending here"
    lease = play.decoder("e").open(token, "", 0)
    assert lease is not None
    play.put(2)
    client.set(keys.worker("d"), 1)
    play.decoder("d").commit(msgspec.structs.replace(lease), change(lease, upto=1))
    client.delete(keys.worker("d"))
    assert play.decoder("e").others.sweep() in (0, 1)
    assert not client.sismember(keys.WORKERS, "d") and not client.exists(keys.work("d"))
    assert "d" not in [c["name"].decode() for c in client.xinfo_consumers(keys.WORK, keys.DECODERS)]
    assert play.lease("e").done_seq == 1


def test_register_can_be_repeated(play: Play, client: redis.Redis) -> None:
    fleet = play.decoder("d")
    fleet.beat()
    with Unchanged(client):
        fleet._register()
        fleet.beat()
    client.delete(keys.worker("d"))
    fleet.beat()
    assert 0 < client.pttl(keys.worker("d")) <= 60_000
