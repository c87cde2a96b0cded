"""Parts of the commands that read and save a file at the server, over the API."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import requests

YAML = {"Content-Type": "application/yaml"}
TIMEOUT_SECONDS = 60.0


class Refused(RuntimeError):
    """The server refused, or the file cannot be read. One line."""


def parser_of(name: str, about: str | None) -> tuple[argparse.ArgumentParser, Any]:
    """A command's parser, with options for the server's address and the key; and the object to which it adds its own
    commands."""
    parser = argparse.ArgumentParser(
        prog=f"scripts/{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--url", default=f"http://127.0.0.1:{os.environ.get('PORT', '8000')}", help="address of the web process"
    )
    parser.add_argument("--key", default=os.environ.get("EARSHOT_KEY", ""), help="API key (or EARSHOT_KEY)")
    return parser, parser.add_subparsers(dest="command", required=True)


def text_of(file: str) -> str:
    """A file's text, or standard input's. Raises OSError, Refused."""
    try:
        if file == "-":
            return sys.stdin.read()
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123 (a name as somebody typed it)
            return opened.read()
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is not UTF-8: {error}") from None


def ask(
    options: argparse.Namespace, method: str, path: str, text: str = "", headers: dict[str, str] | None = None
) -> requests.Response:
    """Send one request. Raises Refused with what the server says."""
    key = {"Authorization": f"Bearer {options.key}"} if options.key else {}
    try:
        answer = requests.request(
            method,
            options.url.rstrip("/") + path,
            data=text.encode() if text else None,
            headers={**YAML, **key, **(headers or {})},
            timeout=TIMEOUT_SECONDS,
        )
    except requests.Timeout:
        raise Refused(f"{options.url} does not answer in {TIMEOUT_SECONDS:.0f} s") from None
    except requests.ConnectionError:
        raise Refused(f"nobody answers at {options.url}; is the web process running? (--url, PORT)") from None
    if not answer.ok:
        raise Refused(_reason(answer))
    return answer


def _reason(answer: requests.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    return str(problem.get("detail") or f"the server answered {answer.status_code}")
