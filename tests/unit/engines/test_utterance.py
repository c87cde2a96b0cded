"""An open utterance is a process. It begins as a copy, harms no other when it dies, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workers.engines.base import RecogniserLost
from workers.engines.vosk.utterance import Utterance

ROOT = Path(__file__).parents[3]

PARENT = """
import os, signal, time
from tests.unit.engines.test_utterance import Listener
from workers.engines.vosk.utterance import Utterance
idle, busy, stopped = utterances = [Utterance(Listener()) for _ in range(3)]
busy._line.send_bytes(b"hsleep")
stopped.hear(b"one")
os.kill(stopped._pid, signal.SIGSTOP)
print(*[one._pid for one in utterances], flush=True)
time.sleep(60)
"""


class Listener:
    """Stands in for the library's recogniser. It does what it hears."""

    def __init__(self) -> None:
        self.heard = ["primed"]

    def AcceptWaveform(self, samples: bytes) -> int:  # noqa: N802 (the library's names)
        what = samples.decode()
        if what == "abort":
            os.abort()
        if what == "be killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "raise":
            raise RuntimeError("not this one")
        if what == "sleep":
            time.sleep(60)
        if what == "look at descriptors":
            what = " ".join(sorted(entry.name for entry in Path("/proc/self/fd").iterdir()))
        self.heard.append(what)
        return int(what == "end")

    def PartialResult(self) -> str:  # noqa: N802
        return self.heard[-1]

    def FinalResult(self) -> str:  # noqa: N802
        return ", ".join(self.heard)


def processes() -> list[psutil.Process]:
    """This process's children, zombies included."""
    return psutil.Process().children()


def lives(process: psutil.Process) -> bool:
    """Whether it still runs. A zombie does not: its new parent may not have waited for it yet."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_each_utterance_begins_as_the_primed_one_and_leaves_it_as_it_was() -> None:
    primed = Listener()
    first, second = Utterance(primed), Utterance(primed)
    assert not first.hear(b"one") and not second.hear(b"two")
    assert (first.partial(), second.partial()) == (b"one", b"two")
    assert first.hear(b"end") and first.final() == b"primed, one, end"
    assert second.final() == b"primed, two"
    assert primed.heard == ["primed"]


def test_processes_end_with_their_utterances_and_are_waited_for() -> None:
    before = processes()
    ended, forgotten = Utterance(Listener()), Utterance(Listener())
    assert len(processes()) == len(before) + 2
    assert ended.partial() == forgotten.partial() == b"primed"  # a process that answers has named itself
    assert {process.name() for process in processes() if process not in before} == {"utterance"}
    ended.final()
    del forgotten
    assert processes() == before


@pytest.mark.parametrize("what", [b"abort", b"raise"])
def test_one_that_breaks_by_itself_says_so_and_harms_no_other(what: bytes) -> None:
    before = processes()
    broken, other = Utterance(Listener()), Utterance(Listener())
    with pytest.raises(RuntimeError, match="ended by itself") as raised:
        broken.hear(what)
    assert not isinstance(raised.value, RecogniserLost)
    assert other.final() == b"primed"
    with pytest.raises(RuntimeError):
        broken.partial()
    assert processes() == before


def test_one_that_is_killed_says_that() -> None:
    utterance = Utterance(Listener())
    with pytest.raises(RecogniserLost):
        utterance.hear(b"be killed")
    idle = Utterance(Listener())
    os.kill(idle._pid, signal.SIGKILL)
    with pytest.raises(RecogniserLost):
        idle.partial()


def test_where_no_process_is_to_be_had_the_audio_is_not_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_fork)
    with pytest.raises(RecogniserLost, match="temporarily unavailable"):
        Utterance(Listener())


def test_processes_die_with_a_parent_that_is_killed() -> None:
    """Three kinds die: an idle one, a busy one, and a stopped one, which cannot see that its line has ended."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    orphans = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    assert len(orphans) == 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while alive := [orphan for orphan in orphans if lives(orphan)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.02)


def test_signals_to_all_processes_of_a_service_leave_an_open_utterance_to_its_parent() -> None:
    utterance = Utterance(Listener())
    utterance.hear(b"one")
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(utterance._pid, number)
    assert utterance.final() == b"primed, one"


def test_a_process_keeps_no_descriptor_of_its_parent_but_its_line() -> None:
    ours, theirs = socket.socketpair()
    earlier, later = Utterance(Listener()), Utterance(Listener())
    later.hear(b"look at descriptors")
    descriptors = later.partial().decode().split()
    assert len(descriptors) <= 5, descriptors  # three standard ones, the line, and the folder that the listing opens
    theirs.close()
    ours.settimeout(5)
    assert ours.recv(1) == b"", "a copy of the descriptor keeps it open"
    ours.close()
    assert earlier.final() == b"primed"
