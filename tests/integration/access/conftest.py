"""What tests of access share: accounts and keys, a client, and two calls of somebody else."""

from __future__ import annotations

import pytest
import redis
from flask.testing import FlaskClient

from state import keys
from state.people.access import Access
from tests.harness.line import Line
from tests.harness.routes import client
from tests.harness.secret_calls import DONE, LIVE, PBX
from tests.harness.servers import Server
from tests.harness.signing_in import PASSWORD, bearer
from workers.sentiment.assessor import Assessor


@pytest.fixture
def access(store: redis.Redis) -> Access:
    """Nobody has an account or a key yet."""
    return Access(store)


@pytest.fixture
def accounts(access: Access) -> Access:
    """Dana is a supervisor."""
    access.users.add("dana", "supervisor", PASSWORD)
    return access


@pytest.fixture
def http(valkey: Server, accounts: Access) -> FlaskClient:
    """Where Dana may sign in."""
    return client(valkey)


@pytest.fixture
def line(store: redis.Redis, assessor: Assessor) -> Line:
    """A live call and one that has ended, both sent by the key pbx."""
    done = Line(store, assessor, ["agent", "customer"], DONE, PBX, agent="Marcelina")
    done.say("customer", 0, "the numbat has ended")
    done.end()
    line = Line(store, assessor, ["agent", "customer"], LIVE, PBX, agent="Marcelina", queue="claims-desk")
    line.say("customer", 0, "this quokka is terrible I want a manager")
    line.say("agent", 0, "a quokka is no wombat")
    line.score()
    for track in ("agent", "customer"):
        store.hset(keys.track(LIVE, track), mapping={"partial": "the wombat is", "open_seq": 1})
    return line


@pytest.fixture
def spy(store: redis.Redis) -> dict[str, str]:
    """The headers of another key that may send."""
    return bearer(Access(store).api_keys.add("spy", ("ingest",)))


@pytest.fixture
def amy(store: redis.Redis) -> dict[str, str]:
    """The headers of an agent's own key; neither call is hers."""
    return bearer(Access(store).api_keys.add("amy", ("agent",), "Amy"))
