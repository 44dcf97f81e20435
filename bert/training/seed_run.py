"""A training beside the result's, under another seed and perhaps in another precision, for its metrics alone.

Stage `stability` says how far those of such runs lie apart.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import get_args

from bert.pipeline.errors import StageError
from bert.pipeline.params import top_level
from bert.training.settings import ComputeSettings, PrecisionName

DEFAULT = "default"
"""Stands for the parameter `precision`."""
PRECISIONS = (DEFAULT, *get_args(PrecisionName))


@dataclass(frozen=True)
class SeedRun:
    """seed: of initial weights, order of the rows, dropout; the data are the result's, made by the parameter `seed`."""

    seed: int
    precision: str = DEFAULT

    def __str__(self) -> str:
        """As dvc.yaml names it. Example: default-1"""
        return f"{self.precision}-{self.seed}"


def add_seed_options(parser: argparse.ArgumentParser) -> None:
    """--seed and --precision, of runs beside the result's."""
    parser.add_argument(
        "--seed", type=int, help="a run beside the result's with this seed instead of the parameter `seed`"
    )
    parser.add_argument(
        "--precision",
        default=DEFAULT,
        help=f"of such a run: {', '.join(PRECISIONS)} (without it: default, the parameter `precision`)",
    )


def seed_run(args: argparse.Namespace) -> SeedRun | None:
    """The run that `add_seed_options` asks for; None: the result's.

    Raises:
        StageError: no such precision, or one without a seed.
    """
    if args.precision not in PRECISIONS:
        raise StageError(
            f"--precision: expected one of {', '.join(PRECISIONS)}, got {args.precision!r}",
            run="correct stability.precisions in params.yaml",
        )
    if args.seed is None:
        if args.precision != DEFAULT:
            raise StageError(
                f"--precision {args.precision}: expected --seed beside it; the result's own precision is a parameter",
                run=f"dvc exp run -S precision={args.precision}",
            )
        return None
    return SeedRun(args.seed, args.precision)


def compute_settings(of: SeedRun | None) -> ComputeSettings:
    """Those of params.yaml, in the precision of the run. The loss scale follows from the precision."""
    settings = top_level(ComputeSettings)
    if of is None or of.precision == DEFAULT:
        return settings
    return settings.model_copy(update={"precision": of.precision})
