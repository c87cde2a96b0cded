"""A decoder that kills itself (SIGKILL) at one point of the protocol: `crashing_decoder.py POINT FOLDER VISIT...`.

The product has no hooks for this, so this file wraps the points in the process that dies. The decoder's children count
together how often they reach the point. A child whose number is a VISIT dies. FOLDER keeps the count.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from state.calls.fleet import FleetMember
from workers.decoder import parent, track


def crash_here(folder: Path, visits: set[int]) -> None:
    """Count a visit in a file, because children come and go. Die if its number is one of those."""
    count = folder / "visits"
    visit = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(visit))
    if visit in visits:
        (folder / f"died-{visit}").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def around(owner: Any, name: str, before: Callable[[], None] | None, after: Callable[[Any], None] | None) -> None:
    """Wrap a method."""
    inner = getattr(owner, name)

    def wrapper(*args: Any, **named: Any) -> Any:
        if before:
            before()
        result = inner(*args, **named)
        if after:
            after(result)
        return result

    setattr(owner, name, wrapper)


def main() -> int:
    point, folder = sys.argv[1], Path(sys.argv[2])
    visits = {int(visit) for visit in sys.argv[3:]}

    def die() -> None:
        crash_here(folder, visits)

    def die_if(result: Any) -> None:
        if result is not None:
            die()

    if point == "after-delivery":
        around(FleetMember, "next_token", None, die_if)
    elif point == "after-open":
        around(FleetMember, "open", None, die_if)
    elif point == "mid-decode":
        around(track._Lease, "_passed", None, lambda _: die())
    elif point == "before-commit":
        around(FleetMember, "commit", die, None)
    elif point == "after-commit":
        around(FleetMember, "commit", None, lambda _: die())
    else:
        raise SystemExit(f"no such point: {point}")
    return parent.main()


if __name__ == "__main__":
    raise SystemExit(main())
