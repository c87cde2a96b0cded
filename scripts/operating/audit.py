"""scripts/audit: prints the audit trail, newest first: when, who, what, about what, from which address.

ORIGIN says where WHO comes from: an account, a person of the OpenID Connect provider (oidc), an API key, a command on
the server. A stranger's WHO is what was typed in. Reads and failed sign-ins that repeat on one day are one line:
TIMES says how often, SINCE the first time, WHEN the last.

scripts/audit                           the newest 100 of all parts
scripts/audit --part security           sign-ins, and changes of keys and accounts
scripts/audit --part acts               what supervisors did to calls and rules
scripts/audit --part reads              who read, heard, exported or searched calls
scripts/audit --part attempts           sign-ins that failed
"""

from __future__ import annotations

import argparse
import sys

from scripts.operating.store import Operator, add_data_option, moment, printable, run, table
from state.people.audit import PARTS


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    parser = argparse.ArgumentParser(
        prog="scripts/audit", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--count", type=int, default=100, help="entries (100)")
    parser.add_argument("--part", choices=PARTS, help="only this part of the trail")
    options = parser.parse_args(argv)
    if not 1 <= options.count <= 100_000:
        parser.error("--count is 1..100000")

    def work(at: Operator) -> None:
        rows: list[tuple[str, ...]] = [("WHEN", "WHO", "ORIGIN", "WHAT", "ABOUT", "FROM", "TIMES", "SINCE")]
        for entry in at.audit.newest(options.count, [options.part] if options.part else PARTS):
            deed = entry.deed
            times = (str(entry.count), moment(entry.first_ms)) if entry.count > 1 else ("", "")
            told = (deed.who, deed.origin, deed.what, deed.about, deed.address)
            rows.append((moment(entry.at_ms), *(printable(text) for text in told), *times))
        table(rows)

    return run("audit", options.data, work)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
