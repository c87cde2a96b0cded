"""A decoder (or job worker) whose engine (the stub, or Vosk) fails at one chunk:

    poisoned_decoder.py HOW MODULE FOLDER

HOW: abort (as a failed assertion in a C++ library), kill (as the kernel when memory is out), raise, or none.
MODULE: the module to run. FOLDER gets a file each time that work on the chunk begins.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Any

from state import g711
from workers.engines.stub import StubRecogniser
from workers.engines.vosk.library import load_library

POISON = bytes([0x2A]) * 1600
"""The chunk that nobody can decode, as mu-law."""


def main() -> None:
    how, module, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    poison = g711.decode_mulaw(POISON)

    def poisoned(owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        def wrapper(self: Any, pcm: bytes, *rest: Any) -> Any:
            if pcm == poison and how != "none":
                (folder / f"begun-{os.getpid()}-{time.monotonic_ns()}").touch()
                if how == "abort":
                    os.abort()
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                raise RuntimeError("the engine cannot bear this chunk")
            return inner(self, pcm, *rest)

        setattr(owner, name, wrapper)

    poisoned(StubRecogniser, "accept")
    if os.environ["EARSHOT_ENGINE"] == "vosk":
        poisoned(load_library().KaldiRecognizer, "AcceptWaveform")
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
