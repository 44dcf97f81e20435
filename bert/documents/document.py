"""A document: what every corpus is turned into, and its JSON-lines form; or a failure to make one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import IO


@dataclass(frozen=True)
class Document:
    """`id` is stable, and one text's alone (`wikipedia:12`); `text` holds one passage a line, no empty lines."""

    id: str
    url: str
    title: str
    text: str

    @property
    def passages(self) -> list[str]:
        return self.text.split("\n")

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"


@dataclass(frozen=True)
class Failure:
    """What gave no document although it should have; a line of errors.jsonl."""

    id: str
    title: str
    reason: str


def read_documents(lines: IO[bytes] | Iterable[bytes]) -> Iterator[Document]:
    """Documents of an open JSON-lines file."""
    for line in lines:
        yield Document(**json.loads(line))
