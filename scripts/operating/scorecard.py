"""scripts/scorecard: reads and saves the scorecard's questions as a file.

scripts/scorecard show > mine.yaml      prints the questions that apply
scripts/scorecard set mine.yaml         saves a file, unless somebody saved an edition after the file's `version`

FILE may be - for standard input.
"""

from __future__ import annotations

import argparse
import re
import sys

from scripts.operating.asking import Refused, ask, parser_of, text_of

PATH = "/v1/scorecard.yaml"


def arguments(argv: list[str]) -> argparse.Namespace:
    parser, commands = parser_of("scorecard", __doc__)
    commands.add_parser("show", help="print the questions that apply")
    command = commands.add_parser("set", help="save a file")
    command.add_argument("file", metavar="FILE")
    command.add_argument("--force", action="store_true", help="save over any edition")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    try:
        if options.command == "show":
            sys.stdout.write(ask(options, "GET", PATH).text)
        else:
            save(options)
        return 0
    except (Refused, OSError) as error:
        sys.stderr.write(f"scorecard: {error}\n")
    return 1


def save(options: argparse.Namespace) -> None:
    """Save the file. If something in it is wrong, the server names it and its line."""
    text = text_of(options.file)
    edition = re.search(r"^version: *(\d+)", text, re.MULTILINE)
    match = f'"{edition[1]}"' if edition and not options.force else "*"
    made = ask(options, "PUT", PATH, text, {"If-Match": match}).json()
    print(f"version {made['version']} applies now: {len(made['questions'])} questions")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
