"""What tests of the API share."""

from __future__ import annotations

import pytest
import redis
from flask.testing import FlaskClient

from tests.harness.api import app_client
from tests.harness.servers import Server


@pytest.fixture
def http(valkey: Server, store: redis.Redis) -> FlaskClient:
    """A client of an application whose store is empty."""
    return app_client(valkey)
