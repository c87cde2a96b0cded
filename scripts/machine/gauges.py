"""One figure of a web process's /metrics."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping


def gauge(port: int, name: str, headers: Mapping[str, str] | None = None) -> float | None:
    """The gauge `earshot_NAME`, without labels; None if /metrics lacks it. `headers` go with the request.

    Raises OSError, http.client.HTTPException.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/metrics", headers=headers or {})
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found = re.search(rf"^earshot_{name} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None
