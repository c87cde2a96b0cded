"""Runs a command's module as `python -m` does. Ctrl-C at any moment ends it with one line and status 130:

    python -m scripts.machine.command NAME MODULE ARGUMENT...

Most of a command's first half second goes by in imports, where the module cannot catch anything yet.
"""

from __future__ import annotations

import runpy
import sys


def main(name: str, module: str, arguments: list[str]) -> int:
    """Become the module. NAME begins the line that tells of the end."""
    sys.argv = [name, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        sys.stderr.write(f"{name}: stopped\n")
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
