"""What each kind of process may do at the server: users for Redis' access control lists (ACL), one a process type.

python -m state.server.acl > users.acl     users with random passwords, for the server's aclfile; new ones at each call
REDIS_URL=redis://web:PASSWORD@host:6379/0 for the web processes, redis://decoder:... for decoders, and so on

An attacker who takes over a decoder can read and change calls, but no account, key or session. A streams process gives
the keys' fingerprints, but no account. A web process can ask for no job. Nobody can empty, reconfigure or stop the
server. keys.py describes the keys; a test checks that each of them is in one group here.
"""

from __future__ import annotations

import secrets
import sys

from state.keys import PREFIX

GROUPS: dict[str, tuple[str, ...]] = {
    "calls": (
        *("call:*", "track:*", "audio:*", "listen:*", "utterances:*", "scores:*", "streams:*", "heard:*", "live"),
        *(
            "ended",
            "idle",
            "streaming",
            "seen",
            "retained",
            "work",
            "work:*",
            "workers",
            "worker:*",
            "turn:*",
            "finals",
        ),
        *("residents", "layout", "nodes", "vacant"),
        *(
            "feed",
            "dead",
            "dead-texts",
            "load",
            "rules",
            "models",
            "queues",
            "vocabularies",
            "unsummarised",
            "unarchived",
            "summary-asked:*",
            "archive-asked:*",
            "spooling",
            "unassembled",
            "assembly-asked:*",
            "kept:*",
            "fleet",
            "jobs-board",
            "jobs-wished",
        ),
    ),
    "keys": ("api-keys", "api-keys-used", "limits*"),
    "people": ("users", "extensions", "session:*", "sessions", "secret", "listening:*"),
    "trail": ("audit*",),
}
"""Names of keys after the prefix, as patterns."""

EVERY_SHARD = PREFIX.replace("}", "*}")
"""The prefix, as a pattern: each shard has a tag of its own."""

JOBS = "rq:*"
"""The keys of RQ's queue and its channels, which have no prefix of ours."""

USERS: dict[str, tuple[str, ...]] = {
    "web": ("calls", "keys", "people", "trail"),
    "streams": ("calls", "keys"),
    "decoder": ("calls",),
    "sentiment": ("calls", "jobs"),
    "jobs": ("calls", "jobs", "trail"),
    "recorder": ("calls",),
    "webhooks": ("calls",),
    "audiosocket": ("calls",),
    "operator": ("calls", "keys", "people", "jobs", "trail"),
}
"""Groups of each process type of the Procfile; operator: the commands of scripts/ that people give."""

LISTS_CLIENTS = "sentiment"
"""Users that may read the server's list of clients, for the operators' page."""

COMMANDS = (
    "-@all +@read +@write +@connection +@transaction -@admin -@dangerous -scan -randomkey "
    "+client|setname +client|info +eval +evalsha +script|load +time +info +cluster|slots"
)
"""For all users. Without @dangerous there is no KEYS, FLUSHALL, CONFIG, SHUTDOWN, DEBUG, REPLICAOF, and no ACL. A Lua
script may do no more than the user who runs it."""


def rule(user: str) -> str:
    """The user's permissions, as ACL SETUSER takes them; its password is not among them."""
    groups = USERS[user]
    patterns = [f"~{EVERY_SHARD}{name}" for group in groups if group in GROUPS for name in GROUPS[group]]
    more = " +client|list" if user == LISTS_CLIENTS else ""
    if "jobs" in groups:
        patterns.append(f"~{JOBS}")
        more += f" &{JOBS} +@pubsub"
    return f"on resetkeys resetchannels {' '.join(patterns)} {COMMANDS}{more}"


def aclfile() -> str:
    """Every user, each with another password. Without a password nobody gets in."""
    lines = ["user default off"]
    lines += [f"user {user} >{secrets.token_urlsafe(24)} {rule(user)}" for user in USERS]
    return "\n".join(lines) + "\n"


def table() -> str:
    """The users and groups for docs/ACCESS.md."""
    lines = ["| user | keys |", "|---|---|"]
    lines += [f"| `{user}` | {', '.join(groups)} |" for user, groups in USERS.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(aclfile())
