"""What one rank does for all: the first one works, the others wait for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bert.training.world import LostRanks, World

T = TypeVar("T")


def by_first_rank(world: World, where: str, work: Callable[[], T]) -> T:
    """What `work` returns on the first rank, on every rank; it has to be picklable.

    Args:
        where: for the message, such as "squad, features".

    Raises:
        LostRanks: on the other ranks, as soon as the first one has failed or is gone.
        Exception: on the first rank, what `work` raises.
    """
    result: T | None = None
    failure: Exception | None = None
    if world.is_first:
        try:
            result = work()
        except Exception as error:  # the others must hear of it before this rank ends
            failure = error
    with world.together(where):
        result, reason = world.gather((result, failure and (str(failure).splitlines() or [""])[0]))[0]
    if failure is not None:
        raise failure
    if reason is not None:
        raise LostRanks(
            f"{where}: rank {world.rank} goes no further, since the first rank has failed: {reason}",
            run="see what the first rank said, then dvc repro",
        )
    return result
