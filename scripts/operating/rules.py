"""scripts/rules: reads and saves the supervisors' rules as a file.

scripts/rules show > mine.yaml      prints the rules that apply
scripts/rules check mine.yaml       says whether a file works; asks no server
scripts/rules dry-run mine.yaml     prints the hits that it would have had in the stored calls
scripts/rules set mine.yaml         saves it, unless somebody saved an edition after the file's `version`

FILE may be - for standard input.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from scripts.operating.asking import Refused, ask, parser_of, text_of
from workers.insight.rules.rule import RuleError
from workers.insight.rules.rulefile import parse

SHOWN_HITS = 200


def arguments(argv: list[str]) -> argparse.Namespace:
    parser, commands = parser_of("rules", __doc__)
    commands.add_parser("show", help="print the rules that apply")
    for name, about in (
        ("check", "say whether a file works"),
        ("dry-run", "show what a file would have raised"),
        ("set", "save it"),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("file", metavar="FILE")
        if name == "set":
            command.add_argument("--force", action="store_true", help="save over any edition")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    try:
        return int(COMMANDS[options.command](options) or 0)
    except (Refused, RuleError, OSError) as error:  # OSError: requests' errors are some, as for a wrong address
        sys.stderr.write(f"rules: {error}\n")
    return 1


def show(options: argparse.Namespace) -> None:
    sys.stdout.write(ask(options, "GET", "/v1/rules").text)


def check(options: argparse.Namespace) -> None:
    rules = parse(text_of(options.file), options.file)
    print(f"{len(rules.file.rules)} rules, version {rules.file.version}: all work")


def save(options: argparse.Namespace) -> None:
    text = text_of(options.file)
    rules = parse(text, options.file)
    match = "*" if options.force else f'"{rules.file.version}"'
    answer = ask(options, "PUT", "/v1/rules", text, {"If-Match": match}).json()
    print(f"version {answer['version']} applies now: {answer['rules']} rules")


def dry_run(options: argparse.Namespace) -> None:
    text = text_of(options.file)
    parse(text, options.file)
    found = ask(options, "POST", "/v1/rules/dry-run", text).json()
    print(f"{found['calls']} calls read" + (", and there are more" if found["more"] else ""))
    for rule, hits in found["by_rule"].items():
        print(f"  {hits:5} {rule}")
    for hit in found["hits"][:SHOWN_HITS]:
        quote = f": “{hit['quote']}”" if hit["quote"] else ""
        print(f"{hit['call_id']}  {hit['at']:7.1f} s  {hit['severity']:8}  {hit['title']}{quote}")


COMMANDS: dict[str, Callable[[argparse.Namespace], int | None]] = {
    "show": show,
    "check": check,
    "set": save,
    "dry-run": dry_run,
}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
