"""scripts/users: accounts for the pages, and who is signed in. A supervisor sees the calls, an admin also reads the
audit trail, and an agent sees only their own live calls.

scripts/users add dana                      prints a random password
scripts/users add lee --role admin --password-stdin < file
scripts/users list
scripts/users password dana                 sets a new random password and ends all sessions
scripts/users role dana admin
scripts/users remove dana
scripts/users sessions                      prints who is signed in, from where and until when
scripts/users sign-out dana:oidc:1f6c...    ends all sessions of this name, as `sessions` prints it

People who come through OpenID Connect have no account here. sign-out ends their sessions; the provider decides whether
they come back. Open pages close within seconds.
"""

from __future__ import annotations

import argparse
import sys

from scripts.operating.store import Operator, command_parser, moment, printable, run, table
from state.people.accounts import ROLES


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = command_parser("users", __doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make an account")
    add.add_argument("name")
    add.add_argument("--role", choices=ROLES, default="supervisor")
    password = commands.add_parser("password", help="set a password; ends all sessions of the account")
    password.add_argument("name")
    for command in (add, password):
        command.add_argument(
            "--password-stdin", action="store_true", help="read it from stdin instead of making a random one"
        )
    role = commands.add_parser("role", help="set the role; ends all sessions of the account")
    role.add_argument("name")
    role.add_argument("role", choices=ROLES)
    remove = commands.add_parser("remove", help="remove the account and end its sessions")
    remove.add_argument("name")
    commands.add_parser("list", help="print every account")
    commands.add_parser("sessions", help="print who is signed in")
    sign_out = commands.add_parser("sign-out", help="end all sessions of an account or of a person of the provider")
    sign_out.add_argument("name", help="as sessions prints it")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    given = sys.stdin.readline().rstrip("\r\n") if getattr(options, "password_stdin", False) else None
    return run("users", options.data, lambda at: work(at, options, given))


def work(at: Operator, options: argparse.Namespace, given: str | None) -> None:
    """Do one command. given: the password from stdin, if any."""
    doing = at.administration
    if options.command == "list":
        rows: list[tuple[str, ...]] = [("NAME", "ORIGIN", "ROLE", "MADE")]
        table(rows + [(user.name, "account", user.role, moment(user.created_at_ms)) for user in at.access.users.all()])
    elif options.command == "sessions":
        show_sessions(at)
    elif options.command == "sign-out":
        ended = doing.sign_out(options.name)
        print(f"{ended} session{'s' if ended > 1 else ''} ended")
    elif options.command == "role":
        doing.set_role(options.name, options.role)
    elif options.command == "remove":
        doing.remove_account(options.name)
    else:
        if options.command == "add":
            password = doing.add_account(options.name, options.role, given)
        else:
            password = doing.new_password(options.name, given)
        if given is None:
            print(password)


def show_sessions(at: Operator) -> None:
    """Print one line for each session."""
    rows: list[tuple[str, ...]] = [("NAME", "ORIGIN", "ROLE", "SINCE", "UNTIL", "FROM", "ISSUER AND SUBJECT")]
    for one in at.access.sessions.all():
        when = (moment(one.begun_at_ms), moment(one.until_ms))
        rows.append((one.name, one.origin, one.role, *when, one.address, printable(f"{one.issuer} {one.subject}")))
    table(rows)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
