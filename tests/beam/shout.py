"""A piece of work for Beam, and its run in one scratch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.beam.run import Item, Part, Workplace, run_parts
from bert.beam.workplace import Watch, unwatched
from bert.pipeline.errors import StageError


def item(name: str, weight: int = 1, **more: Any) -> Item:
    return {"name": name, "bytes": weight, **more}


class Shout:
    """Writes an item's name in capitals; notes what it does in `log`; an item named `bad` is bad input."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def setup(self) -> None:
        self._note("setup")

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        self._note(item["name"])
        if item["name"] == "bad":
            raise StageError("data/bad.txt: line 3 is bad:\nit says [while nothing", run="dvc repro -f bad")
        if item["name"] == "broken":
            raise ZeroDivisionError("no user's fault")
        with part.create("shout") as f:
            f.write(item["name"].upper().encode())
        return {"letters": len(item["name"])}

    def _note(self, text: str) -> None:
        with open(self._log, "a") as f:
            f.write(f"{text}\n")


class Run:
    """`run_parts` of Shout over items of these names, in one scratch; work folder and options of Beam may be set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.work_folder: str | None = None
        self.options = ""
        self.watch: Watch = unwatched

    @property
    def place(self) -> Workplace:
        return Workplace(self.folder / "scratch", self.work_folder, self.options.split(), self.watch)

    def __call__(self, *items: Item) -> list[dict[str, Any]]:
        self.folder.mkdir(exist_ok=True)
        self.log.write_text("")
        return run_parts("shout", items, Shout(self.log), self.place)

    @property
    def done(self) -> list[str]:
        return self.log.read_text().split()
