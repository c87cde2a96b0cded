"""The place of a test's store: one server, or a cluster with a plain server beside it. Promises hold on both.

@pytest.fixture(params=PLACES)
def place(request, tmp_path):
    with store_in(request.param, tmp_path) as place:
        yield place
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.harness.cluster import Cluster
from tests.harness.servers import start_server

PLACES = ("one server", "cluster")


@dataclass(frozen=True)
class Place:
    """environ: what a process needs to find the store."""

    environ: Mapping[str, str]

    @property
    def url(self) -> str:
        """Its REDIS_URL."""
        return self.environ["REDIS_URL"]


@contextmanager
def store_in(kind: str, folder: Path) -> Iterator[Place]:
    """A store, gone at the end. kind: one of PLACES."""
    server = start_server("valkey9", dir=folder / "server")
    try:
        if kind == "one server":
            yield Place({"REDIS_URL": server.url})
        else:
            with Cluster(folder / "cluster") as cluster:
                yield Place({"REDIS_URL": cluster.url, "JOBS_REDIS_URL": server.url})
    finally:
        server.kill()
