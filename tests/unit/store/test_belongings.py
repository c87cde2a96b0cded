"""A backup copies every key that belongs to no call, or leaves it out for a reason."""

from __future__ import annotations

from state import belongings, keys


def test_every_key_of_no_call_is_copied_or_left_out_for_a_reason() -> None:
    named = {
        value for name, value in vars(keys).items() if name.isupper() and name != "PREFIX" and isinstance(value, str)
    }
    stored = {value for value in named if value.startswith(keys.PREFIX)}
    of_calls = {value for value in vars(keys.STORE).values() if value not in (keys.AUDIT_ACTS, keys.PREFIX)}
    copied = {*belongings.HASHES, *belongings.STRINGS, *belongings.STREAMS}
    assert stored - of_calls == copied | set(belongings.LEFT_OUT)
    assert copied.isdisjoint(belongings.LEFT_OUT)
