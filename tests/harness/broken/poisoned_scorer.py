"""A sentiment worker that fails at one text: `poisoned_scorer.py HOW`. HOW is abort, kill, raise or loop."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from typing import Any

from state.calls import finals
from workers.insight.polarity.analyzer import CallAnalyzer
from workers.sentiment import scoring

POISON = "words nobody can bear"


def main() -> None:
    how = sys.argv[1]
    hear = CallAnalyzer.score

    def poisoned(self: CallAnalyzer, text: str, *rest: Any, **more: Any) -> Any:
        if text == POISON:
            if how == "abort":
                os.abort()
            if how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            while how == "loop":
                pass
            raise RuntimeError(f"no: {text}")
        return hear(self, text, *rest, **more)

    CallAnalyzer.score = poisoned  # type: ignore[method-assign]
    finals.ABANDONED_AFTER_MS = 500
    scoring.SCORING_CPU_SECONDS = 0.3
    runpy.run_module("workers.sentiment", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
