"""Which machine measured a figure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bert.compare.contents import FETCH, Contents
from bert.report.tables import Row, Table, letter, number


@dataclass(frozen=True)
class Machine:
    """The hardware of a record: what has to be the same for two speeds to be comparable.

    Attributes:
        accelerator: the names of its GPUs; `none`
        memory_gb: of the host
    """

    accelerator: str
    cpu: str
    cores: int | None
    memory_gb: float | None


def machine(contents: Contents, key: str) -> Machine | None:
    """That on which the figures of `key` were measured; None where no record of it is here."""
    found: Any = contents.inputs.provenance.get(key, {}).get("machine")
    if not isinstance(found, dict):
        return None
    return Machine(
        str(found.get("accelerator") or "none"),
        str(found.get("cpu") or "unknown"),
        found.get("cores"),
        found.get("memory_gb"),
    )


class Labels:
    """A, B, ... for machines, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._known: dict[Machine, str] = {}

    def of(self, one: Machine | None) -> str:
        """Its label; `?` of a machine that is not known."""
        return "?" if one is None else self._known.setdefault(one, letter(len(self._known) + 1))

    def table(self) -> Table:
        """Those that were asked for."""
        rows = tuple(
            Row((label, one.accelerator, one.cpu, number(one.cores), number(one.memory_gb, 1)))
            for one, label in self._known.items()
        )
        return Table("Machines", ("", "accelerator", "CPU", "cores", "memory, GiB"), rows, text_columns=3)


def unknown_note(contents: Iterable[Contents], keys: Iterable[str]) -> tuple[str, ...]:
    """Of which revisions the records of `keys` are not here, and the command that gets them."""
    wanted = tuple(keys)
    without = [
        one.name for one in contents if any(key in one.inputs.metrics and machine(one, key) is None for key in wanted)
    ]
    if not without:
        return ()
    return (
        f"?: it is not known here which machine measured it ({', '.join(without)}): its record is not in DVC's cache. "
        f"From a remote: {FETCH}; of an experiment: dvc exp pull REMOTE NAME.",
    )
