"""The windows of both splits, from the cache of features."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bert.checkpoints.folder import Model
from bert.tasks.feature_cache import FeatureCache
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import make_windows
from bert.tasks.squad.splits import Splits

# What makes them, beside what makes the features of all tasks.
CODE = tuple(f"bert/tasks/squad/{name}.py" for name in ("data", "splits", "features", "cached_windows"))


def window_cache(code: Mapping[str, str]) -> FeatureCache:
    """The cache of windows that this code makes: {file: hash}."""
    return FeatureCache.of(CODE, code)


def make_entries(
    cache: FeatureCache, data: Path, splits: Splits, settings: SquadSettings, model: Model
) -> tuple[str, str]:
    """The names of the entries with the windows of train and of dev; what is not there is made.

    data: folder of the questions.
    """
    shape = {
        "max_seq_length": settings.max_seq_length,
        "doc_stride": settings.doc_stride,
        "max_query_length": settings.max_query_length,
    }

    def entry(file: str, limit: int | None, questions: list[Question]) -> str:
        return cache.entry(
            f"squad-{Path(file).stem}",
            {**shape, "limit": limit, "data": settings.data, "do_lower_case": model.do_lower_case},
            [data / file, model.vocab],
            lambda: make_windows(questions, model.tokenizer(), **shape),
        )

    return (
        entry(settings.train_file, settings.limit_train, splits.train),
        entry(settings.dev_file, settings.limit_dev, splits.dev),
    )
