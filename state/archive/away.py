"""What is raised where the archive does not answer. Apart, so that who catches it loads no database's client."""

from __future__ import annotations


class ArchiveAway(RuntimeError):
    """The database does not answer, or its disk is full, or it is not fit. One line. Nothing was changed."""
