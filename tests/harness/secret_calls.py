"""Two calls. A client that may only send must learn nothing of them. SECRETS would give them away."""

from __future__ import annotations

import redis

from state.types import Sender
from tests.harness.api import contents

PBX = Sender("key pbx", reads=False)
LIVE, DONE = "live-1", "done-1"
SECRETS = ("quokka", "wombat", "numbat", "marcelina", "claims-desk", "bandicoot")
"""Words of finals, of a partial and of an ended call; metadata; a note."""


def told(store: redis.Redis) -> dict[bytes, bytes]:
    """All keys of the two calls, except the sound for listening in, which expires by itself."""
    names = (LIVE.encode(), DONE.encode())
    found = contents(store).items()
    return {key: value for key, value in found if b":listen:" not in key and any(name in key for name in names)}


def secret_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text.lower()]
