"""Machine settings: the `BERT_*` variables. They change no result, only where it is made, and how fast.

This is their one list. A stage reads them once, when it starts, and hands on what others need; the table in
docs/many-machines.md and what the tests unset are taken from here (`python -m bert.pipeline.machine` prints the table).
"""

from __future__ import annotations

import difflib
import logging
import os
import shlex
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError, field_validator

from bert.pipeline.errors import StageError

log = logging.getLogger(__name__)

PREFIX = "BERT_"
OF_TESTS = ("BERT_SHARED_DATA", "BERT_KILLS")
"""Settings of the tests alone, see CONTRIBUTING.md."""
TRAINING_STAGES = (
    *("pretrain_phase1", "pretrain_phase2", "squad", "squad_control", "glue", "glue_control"),
    *("stability_phase1", "stability_phase2", "stability_squad", "stability_glue"),
)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Host(NamedTuple):
    """A machine, and how many ranks it may hold."""

    name: str
    slots: int

    def __str__(self) -> str:
        return f"{self.name}:{self.slots}"


def _setting(default: Any, description: str, expected: str) -> Any:
    """A field whose variable is BERT_<its name>. expected: what an error says that the value should be."""
    return Field(default, description=description, json_schema_extra={"expected": expected})


class MachineSettings(BaseModel):
    """All of them, parsed. An unset or empty variable has its default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ranks: PositiveInt | None = _setting(
        None,
        "Horovod processes; default: as many as `BERT_HOSTS` has room for, or 1. The stage starts itself under "
        "`horovodrun`",
        "a positive number",
    )
    hosts: tuple[Host, ...] = _setting(
        (), "where ranks run, and how many each may hold: `host1:8,host2:8`; default: all here", "host:ranks,..."
    )
    min_ranks: PositiveInt | None = _setting(
        None,
        "a job that loses ranks goes on with fewer, down to so many. Without it, it ends, and goes on at the next "
        "`dvc repro`",
        "a positive number",
    )
    ssh_port: Annotated[int, Field(ge=1, le=65535)] | None = _setting(
        None, "of the way to other hosts, where `~/.ssh/config` does not say it", "a port"
    )
    ssh_identity: str | None = _setting(None, "file of the key to other hosts, likewise", "a file")
    network_interface: str | None = _setting(
        None, "that ranks on several hosts talk through, of one name on all; default: Horovod looks for one", "a name"
    )
    stall_seconds: PositiveInt = _setting(
        600,
        "how long ranks wait for a silent one (default 600); then the job ends, and goes on at the next `dvc repro`",
        "a positive number",
    )
    micro_batch: PositiveInt | dict[str, PositiveInt] | None = _setting(
        None,
        "rows a process holds at a time: one number, or `pretrain_phase1=64,squad=32`. The global batch is a "
        "parameter; accumulation follows",
        "a positive number or stage=number,...",
    )
    recompute: bool = _setting(
        False, "`1`: layers are computed again in the backward pass, so that larger micro-batches fit", "0 or 1"
    )
    save_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = _setting(
        60.0, "time between training checkpoints (default 60)", "a number, 0 or more"
    )
    resume: Literal["accept", "fresh"] | None = _setting(
        None, "`accept` or `fresh`: what to do with a checkpoint that other code wrote", "accept or fresh"
    )
    beam_options: tuple[str, ...] = _setting(
        (),
        "any Beam options, such as `--runner=FlinkRunner --flink_master=host:8081 --environment_type=LOOPBACK`. "
        "Default: in memory, or a process a core for larger input",
        "options of Beam, quoted as for a shell",
    )
    work: str | None = _setting(
        None,
        "folder or url (of any Beam file system) where a cluster's workers read and write; inputs are uploaded there, "
        "results fetched",
        "a folder or a url",
    )
    tensorboard: str | None = _setting(None, "folder of live figures of a training, see docs/watching.md", "a folder")
    dvclive: bool | None = _setting(
        None, "`1` or `0`: DVCLive's figures always or never; default: under `dvc exp run`", "0 or 1"
    )
    timings: str | None = _setting(
        None, "folder where each stage leaves its seconds by phase, see `benchmarks/repro_time.py`", "a folder"
    )
    log: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = _setting(
        "INFO", "log level of this project (default INFO)", "DEBUG, INFO, WARNING, ERROR or CRITICAL"
    )

    @field_validator("hosts", mode="before")
    @classmethod
    def _parse_hosts(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        hosts = []
        for entry in value.split(","):
            name, colon, slots = entry.strip().rpartition(":")
            if not (name and colon and slots.isdecimal() and int(slots)) or " " in name:
                raise ValueError(f"{entry.strip()!r} is none; such as host1:8,host2:8")
            hosts.append(Host(name, int(slots)))
        if len({host.name for host in hosts}) < len(hosts):
            raise ValueError("a host stands there twice: give each once, with a sum")
        return tuple(hosts)

    @field_validator("micro_batch", mode="before")
    @classmethod
    def _parse_micro_batch(cls, value: Any) -> Any:
        if not isinstance(value, str) or "=" not in value:
            return value
        sizes = dict(entry.split("=", 1) for entry in value.replace(" ", "").split(",") if "=" in entry)
        if len(sizes) != value.count(",") + 1:
            raise ValueError("such as pretrain_phase1=64,squad=32")
        if unknown := [name for name in sizes if name.split("@")[0] not in TRAINING_STAGES]:
            raise ValueError(f"{', '.join(unknown)}: no stage that trains; those are {', '.join(TRAINING_STAGES)}")
        return sizes

    @field_validator("beam_options", mode="before")
    @classmethod
    def _parse_options(cls, value: Any) -> Any:
        return tuple(shlex.split(value)) if isinstance(value, str) else value

    @field_validator("recompute", "dvclive", mode="before")
    @classmethod
    def _parse_switch(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value not in ("0", "1"):
                raise ValueError("")
            return value == "1"
        return value

    @field_validator("log", mode="before")
    @classmethod
    def _parse_level(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    def micro_batch_of(self, stage: str, repeated: str | None = None) -> int | None:
        """Rows that a process of `stage` (such as glue@mrpc) holds at a time; None where nothing is said.

        repeated: the stage whose training it is once more, which holds as many where nothing is said of `stage` itself.
        """
        if isinstance(self.micro_batch, dict):
            names = [name for of in (stage, repeated or stage) for name in (of, of.split("@")[0])]
            return next((self.micro_batch[name] for name in names if name in self.micro_batch), None)
        return self.micro_batch

    @property
    def wanted_ranks(self) -> int:
        """BERT_RANKS; without, as many as BERT_HOSTS has room for, or 1."""
        return self.ranks or sum(host.slots for host in self.hosts) or 1


def variables() -> dict[str, str]:
    """{variable: what it is for}, in the order of the table in docs/many-machines.md."""
    return {f"{PREFIX}{name.upper()}": str(field.description) for name, field in MachineSettings.model_fields.items()}


@cache
def _warn(name: str) -> None:
    """Once in a process, which reads the settings several times."""
    near = difflib.get_close_matches(name, variables(), n=1)
    log.warning("%s is set, but is no setting%s", name, f"; {near[0]} is" if near else "")


def machine_settings(environment: Mapping[str, str] = os.environ) -> MachineSettings:
    """The settings that the environment has; a variable that is none of them, such as BERT_RANK, is named in the log.

    Raises:
        StageError: a value that does not fit; names the variable, what is expected and what came.
    """
    given = {name: value.strip() for name, value in environment.items() if name.startswith(PREFIX) and value.strip()}
    known = variables()
    for name in sorted(given.keys() - known.keys() - set(OF_TESTS)):
        _warn(name)
    try:
        return MachineSettings.model_validate(
            {n.removeprefix(PREFIX).lower(): v for n, v in given.items() if n in known}
        )
    except ValidationError as error:
        raise _refused(error, given) from None


def _refused(error: ValidationError, given: Mapping[str, str]) -> StageError:
    """The first variable whose value does not fit."""
    first = error.errors()[0]
    field = str(first["loc"][0])
    name = f"{PREFIX}{field.upper()}"
    extra: Any = MachineSettings.model_fields[field].json_schema_extra
    why = str(first["ctx"]["error"]) if first["type"] == "value_error" else ""
    return StageError(
        f"{name} is {given[name]!r}, expected {extra['expected']}{': ' + why if why else ''}",
        run=f"unset {name}, or correct it",
    )


def table() -> str:
    """The table in docs/many-machines.md."""
    rows = [f"| `{name}` | {description} |" for name, description in variables().items()]
    return "\n".join(["| variable | meaning |", "|---|---|", *rows])


if __name__ == "__main__":
    print(table())
