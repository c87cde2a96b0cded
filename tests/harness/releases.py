"""Other releases of the source: the previous one from the history, and one that might come next."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

from scripts.machine.programs import ROOT

PREVIOUS = "f7979f4ea06ea3c0987be5acc946946989696398"
"""The previous release: a deploy from this commit to the present one, and back, must work without a pause. If you make
a release, name it here. If you change state.server.layout.PROTOCOL, name the first commit that speaks the new one."""

LAYOUT = Path("state/server/layout.py")
MIGRATIONS = Path("state/archive/migrations")
UNTRACKED = Path("webapp/static/vendor")
"""Files that a page needs and git does not keep."""

NEXT_STEP = '''
"""What a next release might add."""

import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"


def upgrade():
    op.create_table("novelties", sa.Column("call", sa.BigInteger, primary_key=True))
    op.add_column("calls", sa.Column("novelty", sa.Text))
    op.create_index("calls_by_novelty", "calls", ["novelty"])
'''


def previous_release(folder: Path) -> Path:
    """Unpack it into `folder`. Fails if the history is missing, or if its processes speak another protocol."""
    packed = subprocess.run(["git", "archive", PREVIOUS], cwd=ROOT, capture_output=True, check=False)
    assert packed.returncode == 0, (
        f"the previous release, {PREVIOUS}, is not in this clone: fetch the whole history (git fetch --unshallow). "
        f"git says: {packed.stderr.decode()}"
    )
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    assert protocol(folder) == protocol(ROOT), (
        f"the previous release speaks protocol {protocol(folder)} and this one {protocol(ROOT)}: no deploy from one to "
        f"the other works without a pause. docs/OPERATING.md says what to do; name the first commit that speaks "
        f"{protocol(ROOT)} in {Path(__file__).name}"
    )
    _complete(folder)
    return folder


def next_release(folder: Path, speaks: int | None = None) -> Path:
    """This source with one more migration of the database. speaks: another protocol of the store."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    numbers = folder / MIGRATIONS / "__init__.py"
    head = re.search(r'^HEAD = "(\d+)"', numbers.read_text(), re.MULTILINE)
    assert head is not None
    numbers.write_text(numbers.read_text().replace(head[0], 'HEAD = "9999"'))
    (folder / MIGRATIONS / "versions" / "step_9999_novelties.py").write_text(NEXT_STEP.format(head=head[1]))
    if speaks is not None:
        layout = folder / LAYOUT
        layout.write_text(layout.read_text().replace(f"PROTOCOL = {protocol(ROOT)}\n", f"PROTOCOL = {speaks}\n"))
        assert protocol(folder) == speaks
    _complete(folder)
    return folder


def protocol(folder: Path) -> int:
    """The store's protocol that the source there speaks."""
    found = re.search(r"^PROTOCOL = (\d+)$", (folder / LAYOUT).read_text(), re.MULTILINE)
    assert found is not None, f"{LAYOUT} of {folder} names no protocol"
    return int(found[1])


def _complete(folder: Path) -> None:
    (folder / UNTRACKED).symlink_to(ROOT / UNTRACKED)
