"""An open utterance: a recogniser of the library in a separate process.

The process is a fork of ours and begins with a copy of a primed recogniser. It ends with the utterance, or with our
process, however that ends. A crash of the library takes only this utterance along. Its audio is in the journal, so
any worker can decode it again.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import traceback
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from workers.engines.base import RecogniserLost

HEAR, PARTIAL, FINAL = b"h", b"p", b"f"
"""First byte of a request to the process."""

NAME = b"utterance"
"""Name of these processes, for ps and top."""

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
"""Request to Linux' prctl."""

_c = ctypes.CDLL(None)


class Utterance:
    """One open utterance.

    Each method raises RecogniserLost if something killed the process from outside or the system gives none, and
    RuntimeError if it ended by itself. The process ends with the thread that opened the utterance.
    """

    def __init__(self, primed: Any) -> None:
        """primed: a recogniser of the library, which only serves to be copied."""
        self._owner, self._pid = os.getpid(), 0
        try:
            self._line, theirs = Pipe()
            self._pid = os.fork()
        except OSError as error:
            raise RecogniserLost(f"the system gives no process for an utterance: {error.strerror}") from None
        if self._pid == 0:
            _live(theirs, primed, self._owner)
        theirs.close()

    def hear(self, samples: bytes) -> bool:
        """Decode signed 16 bit samples. Whether the library says that the utterance is over."""
        return self._ask(HEAR + samples) == b"1"

    def partial(self) -> bytes:
        """The library's PartialResult."""
        return self._ask(PARTIAL)

    def final(self) -> bytes:
        """The library's FinalResult. The utterance is closed."""
        result = self._ask(FINAL)
        self._end()
        return result

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # the interpreter may be half gone
            self._end()

    def _ask(self, asked: bytes) -> bytes:
        try:
            self._line.send_bytes(asked)
            return self._line.recv_bytes()
        except (EOFError, OSError):
            status = self._end()
        if status == -signal.SIGKILL:
            raise RecogniserLost("something killed the process of an open utterance")
        raise RuntimeError(f"the process of an open utterance ended by itself (status {status})")

    def _end(self) -> int | None:
        """End the process if it has not ended. Its exit status as subprocess gives it."""
        pid, self._pid = self._pid, 0
        if not pid or os.getpid() != self._owner:  # a fork has a copy of this object, and no such child
            return None
        self._line.close()
        os.kill(pid, signal.SIGKILL)  # until it is waited for, nobody else can have its number
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _live(line: Connection, recogniser: Any, parent: int) -> NoReturn:
    """The process's life. It never goes back to the code that forked it."""
    try:
        _part(line, parent)
        while True:
            asked = line.recv_bytes()
            line.send_bytes(_answer(recogniser, asked[:1], asked[1:]))
    except (EOFError, OSError):
        os._exit(0)  # the utterance is closed
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def _answer(recogniser: Any, what: bytes, samples: bytes) -> bytes:
    if what == HEAR:
        return b"1" if recogniser.AcceptWaveform(samples) else b"0"
    result: str = recogniser.PartialResult() if what == PARTIAL else recogniser.FinalResult()
    return result.encode()


def _part(line: Connection, parent: int) -> None:
    """Be a process that shares only memory with its parent, and dies with it."""
    if sys.platform == "linux":
        _c.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _c.prctl(PR_SET_NAME, NAME)
    if os.getppid() != parent:
        os._exit(0)  # it died before it could be watched
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # sent to all processes of a service: the parent finishes its chunk first
    for entry in list(Path("/dev/fd").iterdir()):  # others' lines: nobody would see them end
        if int(entry.name) > 2 and int(entry.name) != line.fileno():
            with contextlib.suppress(OSError):
                os.close(int(entry.name))
    _c.srand(os.getpid())  # copies of one state would hide from the self-check a model that depends on chance
    gc.disable()  # it would write to every page that is shared
