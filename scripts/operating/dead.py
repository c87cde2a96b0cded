"""scripts/dead: work that Earshot gave up because it failed, or killed the worker, again and again.

These are chunks that no decoder could decode, and utterances that no scorer could score.

list             print one line for each
inspect ID       print all about one; --audio FILE.wav also writes its audio
redrive ID       let the jobs process decode a chunk once more, alone, and print the text (its mark stays)
drop ID          forget it

The server is that of REDIS_URL, else the one of scripts/run.
"""

from __future__ import annotations

import argparse
import sys
import time
import wave
from datetime import UTC, datetime
from pathlib import Path

import redis
from rq.job import JobStatus

from scripts.operating.store import Operator, Refused, command_parser, printable, run
from state import g711
from state.calls.dead import DeadLetter, DeadLetters, SetAside
from state.types import SAMPLE_BYTES
from workers.jobs.queue import ask, job_queue

REDRIVE_SECONDS = 120
"""Most seconds of a redrive, which loads a big model and decodes one chunk."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = command_parser("dead", __doc__)
    parser.add_argument("what", choices=("list", "inspect", "redrive", "drop"))
    parser.add_argument("id", nargs="?", help="its id, as list prints it")
    parser.add_argument("--audio", type=Path, metavar="FILE.wav")
    options = parser.parse_args(argv)
    if (options.what == "list") != (options.id is None):
        parser.error("list takes no ID, the others take one")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    return run("dead", options.data, lambda at: work(at, options))


def work(at: Operator, options: argparse.Namespace) -> None:
    """One command. Raises Refused."""
    letters = DeadLetters(at.shards)
    if options.what == "list":
        for line in [*map(chunk_line, letters.all()), *map(said_line, letters.set_aside())]:
            print(line)
        return
    found = next((said for said in letters.set_aside() if said.id == options.id), None) or letter_of(
        letters, options.id
    )
    if options.what == "drop":
        letters.drop(found.id)
    elif options.what == "inspect":
        if isinstance(found, SetAside):
            print(said_line(found))
        else:
            inspect(found, options.audio)
    elif isinstance(found, SetAside):
        raise Refused("only a chunk can run again")
    else:
        redrive(at.shards.plain, letters, found)


def letter_of(letters: DeadLetters, letter_id: str) -> DeadLetter:
    """Raises Refused if there is none of this id."""
    try:
        found = letters.get(letter_id)
    except ValueError as error:
        raise Refused(str(error)) from None
    if found is None:
        raise Refused(f"there is no dead letter {letter_id}")
    return found


def said_line(said: SetAside) -> str:
    """A line about one utterance that nobody could score."""
    return f"{said.id}  {moment(said.id)}  {said.call_id} utterance {said.utterance_id}  {said.reason}"


def moment(letter_id: str) -> str:
    """When Earshot wrote the letter, UTC."""
    return f"{datetime.fromtimestamp(int(letter_id.partition('-')[0]) / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def chunk_line(letter: DeadLetter) -> str:
    """A line about one dead chunk."""
    said = f"  redriven: {outcome(letter)}" if letter.redriven else ""
    return (
        f"{letter.id}  {moment(letter.id)}  {letter.call_id} {letter.track} chunk {letter.seq}  {letter.reason}{said}"
    )


def outcome(letter: DeadLetter) -> str:
    """The text that the redrive gave, or its error."""
    assert letter.redriven is not None
    return printable(letter.redriven.error or letter.redriven.text or "[silence]")


def inspect(letter: DeadLetter, audio: Path | None) -> None:
    """Print everything about one letter. Write its audio to a file."""
    samples = len(letter.audio) // SAMPLE_BYTES[letter.encoding]
    print(chunk_line(letter))
    print(f"{letter.encoding}, {letter.rate} Hz, {len(letter.audio)} bytes, {samples / letter.rate:.3f} s")
    if audio is not None:
        with wave.open(str(audio), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(letter.rate)
            out.writeframes(g711.to_pcm(letter.encoding, letter.audio))


def redrive(client: redis.Redis, letters: DeadLetters, letter: DeadLetter) -> None:
    """Ask for the job, wait for it, print the text. Raises Refused if there is none."""
    job = ask(job_queue(client), "redrive", letter.id, job_timeout=REDRIVE_SECONDS, result_ttl=60, failure_ttl=3600)
    deadline = time.monotonic() + REDRIVE_SECONDS
    while (status := job.get_status()) not in (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, None):
        if time.monotonic() > deadline:
            raise Refused("nobody did the job in time. Is a jobs process running?")
        time.sleep(0.2)
    if status is not JobStatus.FINISHED:
        raise Refused("the chunk killed the job's process, too")
    after = letters.get(letter.id)
    if after is None or after.redriven is None:
        raise Refused("somebody dropped it meanwhile")
    if after.redriven.error:
        raise Refused(outcome(after))
    print(outcome(after))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
