"""Counts of what a stage took and dropped, as its metrics show them."""

from __future__ import annotations

from collections import Counter
from typing import Any


def by_reason(total: Counter[str]) -> dict[str, Any]:
    """Counts with the drops gathered by reason, in a stable order."""
    kept = {name: n for name, n in sorted(total.items()) if not name.startswith("dropped:")}
    dropped = {
        name.removeprefix("dropped:"): n for name, n in sorted(total.items()) if name.startswith("dropped:") and n
    }
    return {**kept, "dropped": dropped}
