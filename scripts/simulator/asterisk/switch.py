"""Asterisk in a folder of its own: Debian's packages by debootstrap, a configuration, a process. Needs root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "earshot" / "asterisk"
SUITE = "sid"
"""Debian's unstable release: the stable one has no Asterisk."""

MIRROR = "http://deb.debian.org/debian"
INSIDE = "/earshot"
"""Folder in that one which holds all our files."""

READY_SECONDS = 60.0

CONFIG = Path(__file__).parent / "config"
"""Folder of the files that docs/TELEPHONY.md shows. {words} in braces are filled in."""


class NoAsterisk(RuntimeError):
    """Asterisk cannot be installed, or does not start. One line."""


def install() -> None:
    """Fetch the packages if they are missing. Raises NoAsterisk."""
    if (FOLDER / "usr/sbin/asterisk").exists():
        return
    if os.geteuid() != 0:
        raise NoAsterisk("debootstrap and chroot need root")
    for program in ("debootstrap", "unshare"):
        if shutil.which(program) is None:
            raise NoAsterisk(f"{program} is not installed")
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    _run("debootstrap", "--variant=minbase", SUITE, str(FOLDER), MIRROR)
    no_services = FOLDER / "usr/sbin/policy-rc.d"
    no_services.write_text("#!/bin/sh\nexit 101\n")
    no_services.chmod(0o755)
    _run("chroot", str(FOLDER), "apt-get", "install", "-y", "--no-install-recommends", "asterisk", "uuid-runtime")


def _run(*command: str) -> None:
    sys.stderr.write(f"asterisk: {' '.join(command[:2])} ...\n")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NoAsterisk(f"{command[0]} failed: {''.join(last)}")


@contextmanager
def running(log: Path, sounds: dict[str, bytes], **filled: object) -> Iterator[Path]:
    """Run Asterisk with our configuration. Gives the folder that it sees as INSIDE. Raises NoAsterisk.

    sounds: name -> mu-law at 8000 Hz, for Playback(/earshot/sounds/NAME). filled: values for CONFIG's braces.
    """
    home = FOLDER / INSIDE.lstrip("/")
    shutil.rmtree(home, ignore_errors=True)
    for name in ("etc", "run", "spool", "log", "sounds", "recordings"):
        (home / name).mkdir(parents=True)
    for file in CONFIG.iterdir():
        text = file.read_text()
        for word, value in filled.items():
            text = text.replace("{" + word + "}", str(value))
        (home / "etc" / file.name).write_text(text)
    for name, audio in sounds.items():
        (home / "sounds" / f"{name}.ulaw").write_bytes(audio)
    start = (
        f"mount -t proc proc {FOLDER}/proc && mount --bind /dev {FOLDER}/dev && "
        f"exec chroot {FOLDER} asterisk -f -C {INSIDE}/etc/asterisk.conf"
    )
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", start]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        _wait_ready(process, f"http://127.0.0.1:{filled['http_port']}/ari/asterisk/info", log)
        yield home
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # its namespace ends with it, and so does Asterisk
        process.wait(10)


def _wait_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until everything is loaded. Before that, ARI answers 503."""
    deadline = time.monotonic() + READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError as error:
            if error.code == 401 and "Asterisk Ready" in log.read_text(errors="replace"):
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise NoAsterisk(f"it does not start; see {log}")
