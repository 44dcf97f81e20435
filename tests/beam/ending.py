"""A piece of work for Beam whose process may end in the middle of it; run as a program, a driver of two workers."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bert.beam.run import Item, Part, Workplace, run_parts
from bert.pipeline.errors import StageError

TWO_PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")


class Ending:
    """Notes each item that it begins in `log`, with its process; what then becomes of it says the item's `end`."""

    def __init__(self, log: Path, slow: float) -> None:
        self._log, self._slow = log, slow

    def setup(self) -> None:
        pass

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        with open(self._log, "a") as f:
            f.write(f"{item['name']} {os.getpid()}\n")
        with part.create("file") as file:
            file.write(b"half of it")
            if item["end"] == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            elif item["end"] == "aborted":
                os.abort()
            elif item["end"].startswith("exit:"):
                os._exit(int(item["end"].removeprefix("exit:")))
            elif item["end"] == "hungry":
                _, most = resource.getrlimit(resource.RLIMIT_AS)
                resource.setrlimit(resource.RLIMIT_AS, (2**33, most))
                try:
                    bytearray(2**34)
                finally:
                    resource.setrlimit(resource.RLIMIT_AS, (most, most))
            time.sleep(self._slow)
            file.write(b", and all")
        return {"seconds": self._slow}


def run(folder: Path, ends: list[str], slow: float, options: tuple[str, ...]) -> None:
    """Items of these ends, named by letters, the first ones the heaviest."""
    items = [
        {"name": name, "bytes": 100 - order, "end": end}
        for order, (name, end) in enumerate(zip("abcdefgh", ends, strict=False))
    ]
    run_parts("ending", items, Ending(folder / "log", slow), Workplace(folder / "scratch", options=options))


def main(folder: Path, ends: list[str], slow: float) -> None:
    """In two processes; prints the error, if it is one of ours."""
    try:
        run(folder, ends, slow, TWO_PROCESSES)
    except StageError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3]))
