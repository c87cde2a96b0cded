"""scripts/audit: prints the audit trail, newest first: when, who, what, about what, from which address."""

from __future__ import annotations

import argparse
import sys

from scripts.store import Operator, add_data_option, moment, run, table


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--count", type=int, default=100, help="entries (100)")
    options = parser.parse_args(argv)
    if not 1 <= options.count <= 100_000:
        parser.error("--count is 1..100000")

    def work(at: Operator) -> None:
        rows: list[tuple[str, ...]] = [("WHEN", "WHO", "WHAT", "ABOUT", "FROM")]
        for _, at_ms, deed in at.audit.read(options.count):
            rows.append((moment(at_ms), deed.who, deed.what, deed.about, deed.address))
        table(rows)

    return run("audit", options.data, work)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
