"""scripts/audit: prints the audit trail, newest first: when, who, what, about what, from which address.

ORIGIN says where WHO comes from: an account, a person of the OpenID Connect provider (oidc), an API key, a command on
the server. A stranger's WHO is what the stranger typed in. Reads and failed sign-ins that repeat on one day are one
line: TIMES says how often, SINCE the first time, WHEN the last.

scripts/audit                           the newest 100 of all parts
scripts/audit --part security           sign-ins, and changes of keys and accounts
scripts/audit --part acts               what supervisors did to calls and rules
scripts/audit --part reads              who read, heard, exported or searched calls
scripts/audit --part attempts           sign-ins that failed
scripts/audit --all --part acts --from 2026-01-01 --to 2026-02-01 > acts.jsonl

--all prints all entries of a part that the database and Redis have, newest first, as lines of JSON.
"""

from __future__ import annotations

import argparse
import sys

import msgspec

from scripts.operating.store import Operator, archive_at, command_parser, moment, printable, run, table
from state import trail
from state.archive.trail import Sought
from state.moments import moment_ms
from state.people.audit import PARTS


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    parser = command_parser("audit", __doc__)
    parser.add_argument("--count", type=int, default=100, help="entries (100)")
    parser.add_argument("--part", choices=PARTS, help="only this part of the trail")
    parser.add_argument("--all", action="store_true", help="all entries of --part, as lines of JSON")
    parser.add_argument("--from", dest="since", type=moment_ms, help="with --all: this day (UTC) or moment, and later")
    parser.add_argument("--to", dest="before", type=moment_ms, help="with --all: before this day or moment")
    options = parser.parse_args(argv)
    if options.all and not options.part:
        parser.error("--all needs --part")
    if not options.all and (options.since or options.before):
        parser.error("--from and --to need --all")
    if not 1 <= options.count <= 100_000:
        parser.error("--count is 1..100000")

    def work(at: Operator) -> None:
        if options.all:
            export(at, options)
            return
        rows: list[tuple[str, ...]] = [("WHEN", "WHO", "ORIGIN", "WHAT", "ABOUT", "FROM", "TIMES", "SINCE")]
        for entry in at.audit.newest(options.count, [options.part] if options.part else PARTS):
            deed = entry.deed
            times = (str(entry.count), moment(entry.first_ms)) if entry.count > 1 else ("", "")
            told = (deed.who, deed.origin, deed.what, deed.about, deed.address)
            rows.append((moment(entry.at_ms), *(printable(text) for text in told), *times))
        table(rows)

    return run("audit", options.data, work)


def export(at: Operator, options: argparse.Namespace) -> None:
    """Print every entry. Raises ArchiveAway."""
    sought = Sought(from_ms=options.since, to_ms=options.before)
    for entry in trail.entries(at.audit, archive_at(options.data), options.part, sought):
        when = {"at_ms": entry.at_ms, "first_ms": entry.first_ms, "count": entry.count}
        print(msgspec.json.encode(when | msgspec.structs.asdict(entry.deed)).decode())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
