"""Work on a thread beside the test. If it fails, the test fails."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor


def beside(work: Callable[[], None]) -> Future[None]:
    """Run `work` on a thread of its own. `result()` waits for its end and raises the error that ended it."""
    with_one = ThreadPoolExecutor(1, work.__name__)
    working = with_one.submit(work)
    with_one.shutdown(wait=False)
    return working
