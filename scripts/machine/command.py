"""Runs a command's module as `python -m` does, and ends it properly at any moment:

    python -m scripts.machine.command NAME MODULE ARGUMENT...

Ctrl-C ends it with one line and status 130, SIGTERM with status 143. The programs that it started end with it. Most of
a command's first half second goes by in imports, where the module itself cannot catch anything yet.
"""

from __future__ import annotations

import runpy
import signal
import sys

from scripts.machine.programs import end_started

INTERRUPTED, TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""Exit statuses as a shell gives them for a program that a signal ended."""


def main(name: str, module: str, arguments: list[str]) -> int:
    """Become the module. `name` begins the line about Ctrl-C."""
    sys.argv = [name, *arguments]
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(TERMINATED))
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: stopped\n")
        return INTERRUPTED
    finally:
        _on_both(signal.SIG_IGN)  # a second one would leave some of them
        end_started()
        _on_both(signal.SIG_DFL)
    return 0


def _on_both(action: signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, action)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
