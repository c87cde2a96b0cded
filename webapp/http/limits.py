"""Rate limits and the lock-out against guessing, counted in Redis for all web processes together (limits library).

An office shares one address, and a stranger may know an account's name. So neither alone is locked out quickly, only
the two together.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time

import redis
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter

from state import keys
from state.credentials import digest

LOCK_MINUTES = 15
"""Minutes of a window. It begins with the first failure, so no lock-out lasts longer."""

TRIES_OF_ACCOUNT_AND_ADDRESS = 10
TRIES_OF_ACCOUNT = 100
FAILURES_OF_ADDRESS = 50
"""At most so many attempts at an account, from all addresses. With 100 guesses in 15 minutes, a password of 12 random
letters takes 10^9 years to guess, and a stranger needs ten addresses to keep an account's owner out."""

SIGN_INS_OF_PERSON = 30
"""At most so many right sign-ins in LOCK_MINUTES. Each is an entry of the audit trail, and nobody who may sign in may
push out what others did. Nobody has so many browsers."""

AHEAD = 50
"""A process counts a key's requests in advance, a fiftieth of the limit at once. It asks Redis again when these are
used up or a second is over. So a key meets its limit at most a fiftieth too early, or for each process too late."""

BAD_KEYS_A_MINUTE = 60
"""At most so many wrong keys of one address in a minute. Beyond it wrong keys get 429 instead of 401; right ones still
work."""


def network(address: str) -> str:
    """The form of an address for counting: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


class _Ahead:
    """Requests of a key that are counted already. until: when they are void (monotonic seconds). asked: whether a
    thread is asking Redis for more."""

    left = 0
    until = 0.0
    asked = False


class Limits:
    """The counters. Raises redis.RedisError as the client does."""

    def __init__(self, client: redis.Redis, key_requests_per_second: int) -> None:
        # The library wants an address though it is given the connections; it only reads "redis" from it.
        storage = RedisStorage("redis://", connection_pool=client.connection_pool, key_prefix=keys.LIMITS)
        self._limiter = FixedWindowRateLimiter(storage)
        self._key = RateLimitItemPerSecond(key_requests_per_second)
        self._at_once = max(1, key_requests_per_second // AHEAD)
        self._ahead: dict[str, _Ahead] = {}
        self._lock = threading.Lock()
        self._bad_key = RateLimitItemPerMinute(BAD_KEYS_A_MINUTE)
        self._pair, self._account, self._address, self._person = (
            RateLimitItemPerMinute(most, LOCK_MINUTES)
            for most in (TRIES_OF_ACCOUNT_AND_ADDRESS, TRIES_OF_ACCOUNT, FAILURES_OF_ADDRESS, SIGN_INS_OF_PERSON)
        )

    def key_used(self, name: str) -> bool:
        """Count a request of an API key. False if it is one too many."""
        now = time.monotonic()
        with self._lock:
            ahead = self._ahead.setdefault(name, _Ahead())
            if ahead.left and now < ahead.until:
                ahead.left -= 1
                return True
            asked, ahead.asked = ahead.asked, True
        if asked:  # by another thread: if each counted in advance, a burst would use the limit up
            return self._limiter.hit(self._key, "key", name)
        try:
            if not self._limiter.hit(self._key, "key", name, cost=self._at_once):
                return False
            with self._lock:
                ahead.left, ahead.until = self._at_once - 1, now + self._key.get_expiry()
            return True
        finally:
            ahead.asked = False

    def bad_key(self, address: str) -> bool:
        """Count a wrong key; False if this address had too many."""
        return self._limiter.hit(self._bad_key, "bad-key", network(address))

    def try_account(self, account: str, address: str) -> int:
        """Count an attempt to sign in, before anybody checks the password. 0, or seconds until the next attempt."""
        counted: list[tuple[RateLimitItem, list[str]]] = []
        for item, who in self._counters(account, address):
            if not self._limiter.hit(item, *who):
                self._take_back(counted)
                return self._wait(item, *who)
            counted.append((item, who))
        return 0

    def not_tried(self, account: str, address: str) -> None:
        """Take an attempt back, because nobody checked the password."""
        self._take_back(self._counters(account, address))

    def succeeded(self, account: str, address: str) -> None:
        """Take a right attempt back, and forget earlier typing errors of the account's owner."""
        self._take_back(self._counters(account, address)[:1])
        self._limiter.clear(self._pair, "sign-in", digest(account), network(address))
        self._limiter.clear(self._account, "sign-in-account", digest(account))

    def signs_in(self, name: str) -> int:
        """Count a sign-in of a known person. 0, or seconds until the next one."""
        return 0 if self._limiter.hit(self._person, "signed-in", name) else self._wait(self._person, "signed-in", name)

    def _counters(self, account: str, address: str) -> list[tuple[RateLimitItem, list[str]]]:
        who, where = digest(account), network(address)
        return [
            (self._address, ["sign-in-address", where]),
            (self._pair, ["sign-in", who, where]),
            (self._account, ["sign-in-account", who]),
        ]

    def _take_back(self, counted: list[tuple[RateLimitItem, list[str]]]) -> None:
        for item, who in counted:
            self._limiter.hit(item, *who, cost=-1)

    def _wait(self, item: RateLimitItem, *who: str) -> int:
        return max(1, math.ceil(self._limiter.get_window_stats(item, *who).reset_time - time.time()))
