"""A real Asterisk. It needs root, debootstrap and some minutes, so it runs only with EARSHOT_ASTERISK=1."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.harness.web import ROOT


@pytest.mark.skipif(os.environ.get("EARSHOT_ASTERISK") != "1", reason="EARSHOT_ASTERISK=1 runs it, as root")
@pytest.mark.timeout(1200)
def test_a_real_asterisk_gives_the_same_words_and_a_supervisor_is_heard_by_the_right_people() -> None:
    done = subprocess.run([ROOT / "scripts/asterisk"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("the same words") == 3, "local channels, SIP and AudioSocket"
    assert "whisper, barge, takeover and hangup do what they say" in done.stdout
