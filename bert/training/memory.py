"""The most memory that a training has held."""

from __future__ import annotations

import resource


def peak_rss_mb() -> float:
    """The most memory that this process has held, in MB (2**20 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
