"""Two calls of which whoever may only send must hear nothing, and what would give them away."""

from __future__ import annotations

import redis

from state.types import Sender
from tests.harness.api import contents

PBX = Sender("key pbx", reads=False)
LIVE, DONE = "live-1", "done-1"
SECRETS = ("quokka", "wombat", "numbat", "marcelina", "claims-desk", "bandicoot")
"""What was said, is being said, was said in a call that has ended; metadata; a note."""


def told(store: redis.Redis) -> dict[bytes, bytes]:
    """All that is kept of the two calls, but the sound to listen to, which goes by itself."""
    names = (LIVE.encode(), DONE.encode())
    found = contents(store).items()
    return {key: value for key, value in found if b":listen:" not in key and any(name in key for name in names)}


def secret_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text.lower()]
