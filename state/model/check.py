"""scripts/model: tries every order of the protocol's steps with spin, in a model of it (state/model/protocol.pml).

First it runs the protocol as it is: one disaster at any moment must break no invariant. Then it tries several disasters
together, as many as the time allows. Then it runs every seeded fault, and must find each. It takes about a minute and
prints one JSON object. Exit status 1: the protocol is wrong, or a fault was not found.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MODEL = Path(__file__).with_name("protocol.pml")

FAULTS = sorted(set(re.findall(r"\bFAULT_([A-Z_]+[A-Z])", MODEL.read_text())))
"""All mistakes that can be built into the model."""

SPARE = {"DONE_NOT_COMPARED"}
"""Faults that break nothing by themselves: no two leases are alike, so the lease alone tells a late commit. This is a
second lock, for the day when two leases are alike: LEASES_COUNTED."""

PARTS = 3
"""Looks at what several disasters do together, each in an order of its own."""

_DEPTH = 20_000
_SEEN_BITS = 27
"""Of spin's table of states seen, where it is only to find something: 16 MB."""


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/model", description=__doc__)
    parser.add_argument(
        "--disasters", type=int, default=3, help="disasters that may come together in the second part (3)"
    )
    parser.add_argument("--seconds", type=float, default=25.0, help="for the second part (25)")
    parser.add_argument("--whole", action="store_true", help="see all states of the second part: gigabytes, and hours")
    options = parser.parse_args(argv)
    if options.disasters < 0 or options.seconds <= 0:
        parser.error("--disasters is 0 or more, --seconds positive")
    return options


def check(
    disasters: int,
    fault: str | None = None,
    whole: bool = True,
    seconds: float | None = None,
    trail: Path | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Run spin over the model once.

    Args:
        disasters: how many may come.
        fault: one of FAULTS, or None for the protocol as it is.
        whole: remember every state exactly; else by a few bits, which misses some.
        seconds: how long at most; None: to the end.
        trail: where to leave a file that shows how it happened, if something is wrong.
        seed: draws the order of the steps, so that runs which end early see different parts.

    Returns:
        disasters, states (seen), complete (all of them), and `wrong`: the assertion that does not hold, or None.

    Raises:
        RuntimeError: spin or the compiler failed.
    """
    with tempfile.TemporaryDirectory(prefix="earshot-model-") as folder:
        defines = [f"-DDISASTERS={disasters}", *([f"-DFAULT_{fault}"] if fault else [])]
        shutil.copy(MODEL, folder)  # spin looks for a trail beside the model
        _run(["spin", "-a", *defines, MODEL.name], folder)
        kept = ["-DCOLLAPSE"] if whole else ["-DBITSTATE"]
        drawn = [] if seed is None else ["-DT_RAND", "-DP_RAND"]
        _run(["gcc", "-O2", "-w", "-DSAFETY", *kept, *drawn, "-o", "pan", "pan.c"], folder)
        command = ["./pan", "-E", f"-m{_DEPTH}", *([] if whole else [f"-w{_SEEN_BITS}"])]
        command += [] if seed is None else [f"-RS{seed}"]
        if seconds is not None:  # as by Ctrl-C: it says what it has seen
            command = ["timeout", "--signal=INT", str(seconds), *command]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
        states = re.search(r"([0-9.e+]+) states, stored", said)
        if states is None:
            raise RuntimeError(f"spin's checker said: {said[-500:]}")
        wrong = re.search(r"^pan:1: (.*) \(at depth", said, re.MULTILINE)
        if wrong and trail is not None:
            trail.write_text(_run(["spin", "-t", "-p", *defines, MODEL.name], folder))
    return {
        "disasters": disasters,
        "states": int(float(states[1])),
        "complete": whole and not wrong and "Search not completed" not in said,
        "wrong": wrong[1] if wrong else None,
    }


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    options = arguments(argv)
    trail = Path(tempfile.gettempdir()) / "earshot-model-trail.txt"
    report: dict[str, Any] = {"one disaster": check(1, trail=trail)}
    say(f"one disaster: {report['one disaster']}")
    parts = report["several disasters"] = []
    for _ in range(1 if options.whole else PARTS):
        drawn = {} if options.whole else {"seconds": options.seconds / PARTS, "seed": random.randrange(1, 10**6)}
        parts.append(drawn | check(options.disasters, whole=options.whole, trail=trail, **drawn))
        say(f"several disasters: {parts[-1]}")
    faults = report["seeded faults"] = {}
    for fault in FAULTS:
        found = faults[fault] = check(2, fault, whole=False, seconds=5.0 if fault in SPARE else 60.0)["wrong"]
        say(f"{fault}: {found or 'nothing found'}")
    print(json.dumps(report, indent=1))
    wrong = [part["wrong"] for part in (report["one disaster"], *parts) if part["wrong"]]
    if wrong:
        say(f"the protocol is wrong. {trail} shows how")
    return int(bool(wrong) or any(not found for fault, found in faults.items() if fault not in SPARE))


def _run(command: Sequence[str | Path], folder: str) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command[0]} failed: {(ran.stdout + ran.stderr)[-500:]}")
    return ran.stdout


def say(what: str) -> None:
    """Progress goes to stderr."""
    sys.stderr.write(f"model: {what}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
