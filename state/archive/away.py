"""The error of an archive that does not answer. It has a module to itself: who catches it loads no database client."""

from __future__ import annotations


class ArchiveAway(RuntimeError):
    """The database does not answer, its disk is full, or it is not fit. One line. Nothing was changed."""
