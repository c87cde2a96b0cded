"""scripts/keys: API keys. You see a key once, when you make it. Nobody can recover it later.

scripts/keys add pbx --scopes ingest
scripts/keys add ann --agent "Ann Lee"      an agent's own key, for the softphone and the link /enter#KEY
scripts/keys list
scripts/keys revoke pbx
"""

from __future__ import annotations

import argparse
import sys

from scripts.operating.store import Operator, command_parser, moment, run, table
from state.credentials import Scope, parse_scopes


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = command_parser("keys", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a key and print it")
    add.add_argument("name", help="name of its owner: pbx, crm, ...")
    add.add_argument(
        "--scopes", default="ingest", help="ingest (post calls), read (see them) or ingest+read (default: ingest)"
    )
    add.add_argument("--agent", help="make an agent's own key instead: the agent's name, as telephony sends it")
    commands.add_parser("list", help="print name, scopes and last use of every key")
    revoke = commands.add_parser("revoke", help="make a key void at once")
    revoke.add_argument("name")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)

    def work(at: Operator) -> None:
        if options.command == "add":
            scopes: tuple[Scope, ...] = ("agent",) if options.agent else parse_scopes(options.scopes)
            print(at.administration.add_key(options.name, scopes, options.agent or ""))
        elif options.command == "revoke":
            at.administration.revoke_key(options.name)
        else:
            show(at)

    return run("keys", options.data, work)


def show(at: Operator) -> None:
    rows: list[tuple[str, ...]] = [("NAME", "KEY", "SCOPES", "MADE", "LAST USED")]
    given = at.access.api_keys.given_names
    for key in at.access.api_keys.all():
        made, used = ("API_KEYS", "?") if key.name in given else (moment(key.created_at_ms), moment(key.used_at_ms))
        rows.append((key.name, f"{key.shown}…", "+".join(key.scopes), made, used))
    table(rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
