"""The questions of both splits, train and dev, held against each other and against the parameters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.data import Question, Version, evenly_spaced, has_answers, read_squad, squad_version


@dataclass(frozen=True)
class Splits:
    """Both splits.

    Attributes:
        train, dev: what `limit_train` and `limit_dev` leave of them
        dropped_train, dropped_dev: what reading has dropped, by reason
        version: by whose rules they are learned and scored
        is_scored: whether the dev set has answers
    """

    train: list[Question]
    dev: list[Question]
    dropped_train: Counter[str]
    dropped_dev: Counter[str]
    version: Version
    is_scored: bool


def read_splits(data: Path, settings: SquadSettings) -> Splits:
    """The questions in the folder `data`.

    Raises:
        StageError: questions that are not whole, none to learn from, questions without an answer where `squad.version`
            is 1.1, or a threshold to be searched on questions that are only asked.
    """
    train_file, dev_file = data / settings.train_file, data / settings.dev_file
    train, dropped_train = read_squad(train_file, settings.data)
    dev, dropped_dev = read_squad(dev_file, settings.data)
    if not any(question.answers for question in train):
        raise StageError(
            f"{train_file}: none of its {len(train)} questions has an answer to learn from",
            run="give a file with answers as squad.train_file in params.yaml, then dvc repro squad",
        )
    is_scored = has_answers(dev)
    version = squad_version(
        {train_file: train, dev_file: dev},
        settings.version,
        "set squad.version to auto or 2.0 in params.yaml, or give files of v1.1 there (squad.train_file, "
        "squad.dev_file), then dvc repro squad",
    )
    if version == "2.0" and settings.null_score_diff_threshold is None and not is_scored:
        raise StageError(
            f"squad.null_score_diff_threshold is null: the best one is searched on answered questions, but "
            f"{dev_file} only asks",
            run="set it to a number in params.yaml, such as 0.0, then dvc repro squad",
        )
    return Splits(
        evenly_spaced(train, settings.limit_train),
        evenly_spaced(dev, settings.limit_dev),
        dropped_train,
        dropped_dev,
        version,
        is_scored,
    )
