"""scripts/erase: erases calls for good, everywhere they are kept, and makes the legal holds that forbid it.

scripts/erase call ID                        erases one ended call
scripts/erase customer NAME                  erases all ended calls of a customer or caller
scripts/erase hold call|customer NAME WHY    makes a hold: nobody erases the calls, nor does their age
scripts/erase release call|customer NAME     takes a hold back
scripts/erase holds                          lists the holds
scripts/erase strays                         lists recordings of calls that are nowhere else, for example after an older
                                             copy of the database came back; "erase call ID" erases one
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from hashlib import sha256

from scripts.operating.store import Operator, Refused, archive_at, command_parser, moment, printable, run, table
from state.archive import erase
from state.archive.erase import Held, Hold
from state.archive.opening import Archive, ArchiveAway
from state.erasure import CallIsLive, Erasure
from state.recording.sounds import SoundsAway
from state.settings import load


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    parser = command_parser("erase", __doc__)
    what = parser.add_subparsers(dest="what", required=True)
    what.add_parser("call").add_argument("name")
    what.add_parser("customer").add_argument("name")
    for name in ("hold", "release"):
        told = what.add_parser(name)
        told.add_argument("kind", choices=("call", "customer"))
        told.add_argument("name")
        if name == "hold":
            told.add_argument("reason")
    what.add_parser("holds")
    what.add_parser("strays")
    options = parser.parse_args(argv)

    def work(at: Operator) -> None:
        settings, archive = load(), archive_at(options.data)
        if not settings.recordings and not os.environ.get("REDIS_URL"):
            settings = replace(settings, recordings=str(options.data.resolve() / "recordings"))
        try:
            _work(at, options, Erasure(at.shards, archive, settings), archive)
        except (CallIsLive, Held, ArchiveAway, SoundsAway) as refusal:
            said = f"call {refusal} goes on: end it first" if isinstance(refusal, CallIsLive) else str(refusal)
            raise Refused(said) from None

    return run("erase", options.data, work)


def _work(at: Operator, options: argparse.Namespace, erasure: Erasure, archive: Archive | None) -> None:
    if options.what in ("call", "customer"):
        digest = sha256(options.name.encode()).hexdigest()
        if options.what == "customer":
            at.record("erase-customer", f"sha256 {digest}")
        found = [options.name] if options.what == "call" else erasure.calls_of(options.name)
        gone = 0
        for call_id in found:
            at.record("erase", call_id)
            if places := erasure.erase(call_id):
                gone += 1
                at.record("erased", f"{call_id} from {' and '.join(places)}")
        if not gone:
            raise Refused("there is no such call")
        print(f"erased {gone} {'call' if gone == 1 else 'calls'}")
        return
    if archive is None:
        raise Refused(f"{'strays' if options.what == 'strays' else 'holds'} need a database: set DATABASE_URL")
    if options.what == "strays":
        strays = [(moment(call.started_at_ms), printable(call.call_id)) for call in erasure.strays()]
        table([("BEGAN", "CALL"), *strays])
        return
    if options.what == "holds":
        rows: list[tuple[str, ...]] = [("SINCE", "KIND", "NAME", "BY", "WHY")]
        for one in erase.held(archive):
            rows.append((moment(one.at_ms), *(printable(text) for text in (one.kind, one.name, one.by, one.reason))))
        table(rows)
        return
    shown = options.name if options.kind == "call" else f"sha256 {sha256(options.name.encode()).hexdigest()}"
    at.record(options.what, f"{options.kind} {shown}")
    if options.what == "hold":
        erase.hold(archive, Hold(options.kind, options.name, options.reason, "command", time.time_ns() // 1_000_000))
    elif not erase.release(archive, options.kind, options.name):
        raise Refused("there is no such hold")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
