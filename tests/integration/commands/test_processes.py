"""The processes of scripts/run start and stop together."""

from __future__ import annotations

import os
import time
from pathlib import Path

from scripts.demo.processes import Processes


def test_no_process_is_left_over_however_soon_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("".join(f"{name}: sleep 600\n" for name in "abcd"))
    for half_ms in range(20):
        processes = Processes(tmp_path, tmp_path / "logs", dict(os.environ))
        processes.start()
        time.sleep(half_ms / 2000)
        processes.stop()
        still = [process for process in processes._running.values() if process.poll() is None]
        for process in still:
            process.kill()
        assert not still
