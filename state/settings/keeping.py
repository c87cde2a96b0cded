"""What Earshot masks, keeps of a call, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from state.settings.values import about


@dataclass(frozen=True, kw_only=True)
class Masking:
    """What is masked and measured."""

    redact: Annotated[
        bool, about("Whether to mask card numbers, addresses and the like. 0 shows and stores them as spoken")
    ] = True
    voice: Annotated[
        str,
        about(
            "Whose voices Earshot measures, raised or calm: customers, everyone or off. See docs/PRIVACY.md",
            pattern="^(customers|everyone|off)$",
        ),
    ] = "customers"


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What is kept, and for how long."""

    listen_seconds: Annotated[
        int,
        about(
            "Seconds of each track's newest audio that supervisors may hear. 0: no listening. Redis needs 8 kB a second"
            " and track of G.711: 100 calls of two tracks and 60 s take 96 MB",
            ge=0,
            le=3600,
        ),
    ] = 60
    retention_hours: Annotated[
        int,
        about(
            "Hours an ended call stays in Redis. With DATABASE_URL, longer if the database does not have it yet",
            ge=1,
            le=1_000_000,
        ),
    ] = 24
    database_url: Annotated[
        str,
        about(
            "Database that keeps ended calls: sqlite:////path/to/file or postgresql://user:password@host/name. Empty:"
            " none (scripts/run: a file in its data folder). One file serves one machine",
            pattern=r"^((sqlite:///|postgres(ql)?://).+)?$",
        ),
    ] = ""
    database_connections: Annotated[
        int,
        about("Most connections to the database of a process; beyond, its threads wait for one", ge=2, le=1000),
    ] = 15
    words_days: Annotated[
        str,
        about(
            "Days until the words of archived calls go, by queue, * for all others: billing=30,*=365. Empty: never",
            pattern=r"^([^=,]+=[1-9][0-9]{0,4}(,[^=,]+=[1-9][0-9]{0,4})*)?$",
        ),
    ] = ""
    sound_days: Annotated[
        str,
        about(
            "Queues whose calls are recorded, each with the days that the sound is kept, * for all others, 0: not"
            " recorded. billing=30 or training=0,*=90. Empty: nothing is recorded. Needs DATABASE_URL and RECORDINGS",
            pattern=r"^([^=,]+=(0|[1-9][0-9]{0,4})(,[^=,]+=(0|[1-9][0-9]{0,4}))*)?$",
        ),
    ] = ""
    recordings: Annotated[
        str,
        about(
            "Where recordings are kept: a folder (an absolute path), or s3://bucket/prefix with the usual variables of"
            " AWS_... (scripts/run: recordings in its data folder)",
            pattern=r"^((/|s3://[^/]).*)?$",
        ),
    ] = ""
    audit_years: Annotated[
        int,
        about(
            "Years that the database keeps an entry of the audit trail. A change is for new entries only",
            ge=1,
            le=100,
        ),
    ] = 7
