"""What stands between the bars of a template."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_NAME = re.compile(r"[\w \-]+")
_YES = frozenset(("y", "yes", "on", "true", "1"))


@dataclass(frozen=True)
class Arguments:
    """What stands between a template's bars, stripped: by position, and by name."""

    positional: list[str] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, parts: list[str]) -> Arguments:
        found = cls()
        for part in parts:
            name, equals, value = part.partition("=")
            name = name.strip()
            if equals and name.isdigit() and int(name) == len(found.positional) + 1:
                found.positional.append(value.strip())
            elif equals and _NAME.fullmatch(name):
                found.named[name.lower()] = value.strip()
            else:
                found.positional.append(part.strip())
        return found

    def get(self, position: int) -> str:
        """The argument at a position counted from 1; empty where it is missing."""
        return self.positional[position - 1] if position <= len(self.positional) else ""

    def says(self, name: str) -> bool:
        return self.named.get(name, "").lower() in _YES


Expansion = Callable[[Arguments], str]
