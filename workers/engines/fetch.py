"""Prints what a URL holds. It is a separate program, because only a kill stops a name lookup that hangs, and no thread
may wait when decoders fork.

    python -I fetch.py URL SECONDS

Exit status: 0, or 1 with a reason on stderr.
"""

from __future__ import annotations

import sys

import requests


def main() -> None:
    url, seconds = sys.argv[1:]
    try:
        answer = requests.get(url, timeout=float(seconds))
    except requests.RequestException:
        sys.exit("cannot be reached")
    if not answer.ok:
        sys.exit(f"answered {answer.status_code}")
    sys.stdout.buffer.write(answer.content)


if __name__ == "__main__":
    main()
