"""What `glue.<name>` says of the files of a task of one's own, beside how it is trained."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, FiniteFloat, model_validator

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section
from bert.tasks.glue.tasks import TASKS

Format = Literal["tsv", "csv", "jsonl"]
SUFFIXES: dict[str, Format] = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
METRICS_OF = {"classification": ("accuracy", "f1", "f1_macro", "mcc"), "regression": ("pearson", "spearman")}
LARGEST = 10.0
"""Numbers are learned as they are, from a head that begins at 0: of larger ones, training would learn the size."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_OTHER_KEYS = ("data", "tasks")  # of the section `glue`


def _below(value: str) -> str:
    path = PurePath(value)
    if path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError("expected a file below the folder of download.glue, such as reviews/train.csv")
    return value


def _as_text(value: Any) -> Any:
    """A label as files write it: to YAML, 1 is a number and true is none either."""
    return str(value).lower() if isinstance(value, bool) else str(value) if isinstance(value, int | float) else value


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


File = Annotated[str, AfterValidator(_below)]
Label = Annotated[str, BeforeValidator(_as_text)]


class OwnTaskSettings(Section):
    """The keys of `glue.<name>` that only a task has which is none of GLUE's.

    Attributes:
        train_file, dev_file: below the folder of download.glue
        test_file: without labels, predicted too
        format: auto, by the suffix
        text: the columns of one or two texts
        label: the column of what is learned
        labels: the classes in their order; None: those of the training file, sorted
        scale: of a regression, the smallest and the largest number
        metrics: the main one first; f1 is that of the second of two classes
    """

    train_file: File
    dev_file: File
    test_file: File | None = None
    format: Format | Literal["auto"] = "auto"
    text: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1, max_length=2)]
    label: str
    kind: Literal["classification", "regression"]
    labels: Annotated[tuple[Label, ...], Field(min_length=2)] | None = None
    scale: tuple[FiniteFloat, FiniteFloat] | None = None
    metrics: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are read of a file with labels."""
        return (*self.text, self.label)

    def format_of(self, file: str) -> Format:
        """Raises KeyError where nothing says it."""
        return SUFFIXES[PurePath(file).suffix.lower()] if self.format == "auto" else self.format

    @model_validator(mode="after")
    def _fits_together(self) -> OwnTaskSettings:
        for file in filter(None, (self.train_file, self.dev_file, self.test_file)):
            if self.format == "auto" and PurePath(file).suffix.lower() not in SUFFIXES:
                raise ValueError(f"format is auto, but {file} ends in none of {', '.join(SUFFIXES)}")
        for what, values in (
            ("text and label", self.columns),
            ("labels", self.labels or ()),
            ("metrics", self.metrics),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"{what}: one stands there twice")
        if unknown := [name for name in self.metrics if name not in METRICS_OF[self.kind]]:
            raise ValueError(f"metrics of a {self.kind} are {', '.join(METRICS_OF[self.kind])}, not {unknown[0]}")
        if self.kind == "classification":
            if self.scale is not None:
                raise ValueError("scale is of a regression")
        else:
            if self.labels is not None:
                raise ValueError("labels are of a classification")
            if self.scale is None or not -LARGEST <= self.scale[0] < self.scale[1] <= LARGEST:
                raise ValueError(
                    f"a regression needs a scale [smallest, largest] within {-LARGEST:g} and {LARGEST:g}: numbers are "
                    "learned as they are, so divide larger ones"
                )
        return self


def check_name(name: str, sections: Mapping[str, Any]) -> bool:
    """Whether a task is one of one's own.

    Args:
        sections: all that params.yaml has under `glue`.

    Raises:
        StageError: the name fits no file and no stage of DVC, or is GLUE's and its section says what its files are, or
            is not and the section does not.
    """
    if not _NAME.fullmatch(name) or name in _OTHER_KEYS:
        raise StageError(
            f"params.yaml: glue.tasks: expected letters, digits, _ and - as a task's name, and none of "
            f"{', '.join(_OTHER_KEYS)}; got {name!r}",
            run="give it another name in glue.tasks and its section, then dvc repro",
        )
    said = [key for key in sections.get(name) or () if key in OwnTaskSettings.model_fields]
    if name in TASKS:
        if said:
            raise StageError(
                f"params.yaml: glue.{name}.{said[0]}: {name} is a task of GLUE, whose files are known",
                run="give your task another name in glue.tasks and its section, then dvc repro",
            )
        return False
    if not said:
        raise StageError(
            f"params.yaml: glue.{name}: {name} is no task of GLUE ({', '.join(TASKS)}), and the section does not say "
            f"what its files are (train_file, dev_file, text, label, kind, metrics)",
            run="correct the name in glue.tasks, or add these keys as the comment in params.yaml shows, then dvc repro",
        )
    return True
