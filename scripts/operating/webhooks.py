"""scripts/webhooks: other programs that get events, and the log of deliveries.

scripts/webhooks add https://example.com/hook --events call.alert,call.ended    prints the secret, once
scripts/webhooks list
scripts/webhooks remove NAME
scripts/webhooks enable NAME             switches one on again that answered 410
scripts/webhooks log [NAME] [--state waiting|delivered|failed]
scripts/webhooks redeliver NAME MESSAGE  sends a message again, with the same id

--form slack sends a sentence instead, for receivers that understand Slack's incoming webhooks.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from scripts.operating.store import Operator, Refused, archive_at, command_parser, moment, printable, run, table
from state.archive.opening import Archive
from state.calls.reads import Reads
from state.server.clock import now_ms
from state.webhooks import deliveries, endpoints
from state.webhooks.deliveries import STATES
from state.webhooks.happenings import EVENT_TYPES

LOG_LINES = 100


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = command_parser("webhooks", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a webhook and print its secret")
    add.add_argument("url")
    add.add_argument("--events", default="", help=f"of {', '.join(EVENT_TYPES)}; with none, only rules call it")
    add.add_argument("--name", default="", help="name by which rules call it (default: from the address)")
    add.add_argument("--form", choices=("standard", "slack"), default="standard")
    commands.add_parser("list", help="print all")
    for name in ("remove", "enable"):
        commands.add_parser(name).add_argument("name")
    log = commands.add_parser("log", help="print the newest deliveries")
    log.add_argument("name", nargs="?")
    log.add_argument("--state", choices=STATES)
    again = commands.add_parser("redeliver", help="deliver again")
    again.add_argument("name")
    again.add_argument("message")
    options = parser.parse_args(argv)
    if options.command == "add":
        options.events = [one for one in options.events.split(",") if one]
        if unknown := [one for one in options.events if one not in EVENT_TYPES]:
            parser.error(f"there is no event {unknown[0]}; there are {', '.join(EVENT_TYPES)}")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)

    def work(at: Operator) -> None:
        archive = archive_at(options.data)
        if archive is None:
            raise Refused("webhooks need a database: set DATABASE_URL")
        _WORK[options.command](at, archive, options)

    return run("webhooks", options.data, work)


def _add(at: Operator, archive: Archive, options: Any) -> None:
    at.record("webhook", f"add {options.name} {endpoints.host(options.url)}")
    made = endpoints.add(
        archive,
        options.url,
        options.events,
        options.form,
        options.name,
        now_ms(at.shards.plain),
        Reads(at.shards).tip(),
    )
    sys.stderr.write(f"made the webhook {made.name}; its secret is printed this once:\n")
    print(made.secret)


def _list(_at: Operator, archive: Archive, _options: Any) -> None:
    counts = endpoints.counts(archive)
    rows: list[tuple[str, ...]] = [("NAME", "ADDRESS", "EVENTS", "FORM", "WAITING", "FAILED", "OFF SINCE")]
    for one in endpoints.every(archive):
        numbers = (str(counts.get((one.name, state), 0)) for state in ("waiting", "failed"))
        off = f"{moment(one.gone_at_ms)} {one.gone_why}" if one.gone_at_ms else "-"
        rows.append((one.name, printable(one.url), ",".join(one.events) or "-", one.form, *numbers, printable(off)))
    table(rows)


def _remove(at: Operator, archive: Archive, options: Any) -> None:
    at.record("webhook", f"remove {options.name}")
    if options.name == endpoints.KAFKA or not endpoints.remove(archive, options.name):
        raise Refused(f"there is no webhook named {options.name}")


def _enable(at: Operator, archive: Archive, options: Any) -> None:
    at.record("webhook", f"enable {options.name}")
    if not endpoints.enable(archive, options.name, Reads(at.shards).tip()):
        raise Refused(f"there is no webhook named {options.name}")


def _log(_at: Operator, archive: Archive, options: Any) -> None:
    rows: list[tuple[str, ...]] = [("WHEN", "WEBHOOK", "EVENT", "CALL", "STATE", "TRIES", "ANSWER", "MESSAGE")]
    found, _ = deliveries.log(archive, LOG_LINES, options.name, options.state)
    for one in found:
        answer = one.error or (str(one.status) if one.status else "-")
        about = (moment(one.at_ms), one.endpoint, one.type, one.call_id, one.state, str(one.tries))
        rows.append((*about, printable(answer), one.message_id))
    table(rows)


def _redeliver(at: Operator, archive: Archive, options: Any) -> None:
    at.record("webhook", f"redeliver {options.message} to {options.name}")
    deliveries.redeliver(archive, options.name, options.message, now_ms(at.shards.plain))


_WORK = {
    "add": _add,
    "list": _list,
    "remove": _remove,
    "enable": _enable,
    "log": _log,
    "redeliver": _redeliver,
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
