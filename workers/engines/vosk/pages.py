"""Memory in huge pages. A fork copies the table of pages: 1.5 MB for 700 MB in small ones, 3 kB in huge ones."""

from __future__ import annotations

import ctypes
from pathlib import Path

MADV_COLLAPSE = 25
"""Linux 6.1's request to move memory from small pages into huge ones. Later memory gets small ones as before."""

HUGE_BYTES = 2 * 1024 * 1024
"""Bytes of a huge page (x86, and ARM with small pages of 4 kB)."""

_c = ctypes.CDLL(None)


def use_huge_pages() -> None:
    """Put this process's memory so far into huge pages, as far as the kernel can and may. Elsewhere nothing happens.

    Call it in the process that made the memory: in a fork of it, shared memory would be copied.
    """
    try:
        mappings = Path("/proc/self/maps").read_text().splitlines()
    except OSError:
        return
    for mapping in mappings:
        addresses, access, _, _, _, *name = mapping.split()
        if "w" in access and name in ([], ["[heap]"]):
            first, last = (int(address, 16) for address in addresses.split("-"))
            first, last = -(-first // HUGE_BYTES) * HUGE_BYTES, last // HUGE_BYTES * HUGE_BYTES
            if first < last:
                _c.madvise(ctypes.c_void_p(first), ctypes.c_size_t(last - first), MADV_COLLAPSE)
