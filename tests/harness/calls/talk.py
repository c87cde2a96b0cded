"""Made-up calls with words to read."""

from __future__ import annotations

from tests.harness.calls.world import World


def talk(world: World, call_id: str, lines: int = 4) -> None:
    """A call of a few lines. The third is the worst."""
    for number in range(lines):
        track = "agent" if number % 2 else "customer"
        start = number * 10.0
        said = world.final(call_id, track, f"line number {number} of this call", start, start + 4)
        polarity = -0.8 if number == 2 else 0.1
        alert = ("escalation", "Asks for a manager") if number == 2 else None
        world.score(call_id, said, polarity, 0.6, alert=alert, reasons=("angry words",) if number == 2 else ())
