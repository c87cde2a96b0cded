"""scripts/dead: what was given up because working on it failed, or killed the worker, again and again.

These are chunks that could not be decoded, and utterances that could not be scored.

list             one line each
inspect ID       what is known of one; --audio FILE.wav also writes what it holds
redrive ID       have the jobs process decode a chunk once more, alone, and print the text (its mark stays)
drop ID          forget it

The server is REDIS_URL's.
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

from state import g711, settings
from state.calls.dead import DeadLetter, DeadLetters, SetAside
from state.server.opening import open_shards
from state.server.unreachable import told
from state.settings import SettingsError
from state.types import SAMPLE_BYTES
from workers.jobs.queue import ask, job_queue

REDRIVE_SECONDS = 120
"""How long a redrive may take: loading a big model, then one chunk."""


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/dead", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("list", "inspect", "redrive", "drop"))
    parser.add_argument("id", nargs="?", help="as list prints it")
    parser.add_argument("--audio", type=Path, metavar="FILE.wav")
    options = parser.parse_args(argv)
    if (options.what == "list") != (options.id is None):
        parser.error("list takes no ID, the others take one")
    return options


def main(argv: list[str]) -> int:
    """Entry point; exit status 1 and one line on stderr if it could not be done."""
    options = arguments(argv)
    try:
        shards = open_shards(settings.load(), "command")
        letters = DeadLetters(shards)
        if options.what == "list":
            for letter in letters.all():
                print(line(letter))
            for said in letters.set_aside():
                print(said_line(said))
            return 0
        said = next((said for said in letters.set_aside() if said.id == options.id), None)
        if said is not None:
            if options.what == "redrive":
                return fail("only a chunk can be tried again")
            if options.what == "drop":
                letters.drop(said.id)
            else:
                print(said_line(said))
            return 0
        found = letters.get(options.id)
        if found is None:
            return fail(f"there is no dead letter {options.id}")
        if options.what == "inspect":
            inspect(found, options.audio)
        elif options.what == "redrive":
            return redrive(shards.plain, letters, found)
        else:
            letters.drop(found.id)
    except redis.RedisError as error:
        return fail(told(settings.load().redis_url, error))
    except (SettingsError, ValueError, OSError) as error:
        return fail(str(error))
    return 0


def said_line(said: SetAside) -> str:
    """One utterance that could not be scored, in a line."""
    return f"{said.id}  {moment(said.id)}  {said.call_id} utterance {said.utterance_id}  {said.reason}"


def moment(letter_id: str) -> str:
    """When a letter was written, UTC."""
    return f"{datetime.fromtimestamp(int(letter_id.partition('-')[0]) / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def line(letter: DeadLetter) -> str:
    """One dead chunk in a line."""
    said = f"  redriven: {outcome(letter)}" if letter.redriven else ""
    return (
        f"{letter.id}  {moment(letter.id)}  {letter.call_id} {letter.track} chunk {letter.seq}  {letter.reason}{said}"
    )


def outcome(letter: DeadLetter) -> str:
    """What the redrive gave."""
    assert letter.redriven is not None
    return printable(letter.redriven.error or letter.redriven.text or "[silence]")


def printable(text: str) -> str:
    """Transcripts are not trusted: no control characters reach the terminal."""
    return "".join(character if character.isprintable() else " " for character in text)


def inspect(letter: DeadLetter, audio: Path | None) -> None:
    """Everything of one letter; its audio to a file."""
    samples = len(letter.audio) // SAMPLE_BYTES[letter.encoding]
    print(line(letter))
    print(f"{letter.encoding}, {letter.rate} Hz, {len(letter.audio)} bytes, {samples / letter.rate:.3f} s")
    if audio is not None:
        with wave.open(str(audio), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(letter.rate)
            out.writeframes(g711.to_pcm(letter.encoding, letter.audio))


def redrive(client: redis.Redis, letters: DeadLetters, letter: DeadLetter) -> int:
    """Ask for the job, wait for it, print what it gave."""
    job = ask(job_queue(client), "redrive", letter.id, job_timeout=REDRIVE_SECONDS, result_ttl=60, failure_ttl=3600)
    deadline = time.monotonic() + REDRIVE_SECONDS
    while (status := job.get_status()) not in (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, None):
        if time.monotonic() > deadline:
            return fail("nobody did the job in time; is a jobs process running?")
        time.sleep(0.2)
    if status is not JobStatus.FINISHED:
        return fail("the chunk killed the job's process, too")
    after = letters.get(letter.id)
    if after is None or after.redriven is None:
        return fail("it was dropped meanwhile")
    print(outcome(after))
    return 1 if after.redriven.error else 0


def fail(why: str) -> int:
    """One line on stderr; exit status 1."""
    sys.stderr.write(f"dead: {why}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
