"""The download pipeline, run again and again in one scratch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert.beam.run import Workplace
from bert.download.lanes import download
from bert.download.settings import AnySource, DownloadSettings
from tests.project import files


class Run:
    """`download` with its scratch and its out in one folder; the same scratch again is a restart."""

    def __init__(self, folder: Path, settings: DownloadSettings) -> None:
        self.scratch, self.out, self.settings = folder / "scratch", folder / "out", settings
        self.work_folder: str | None = None
        self.metrics: dict[str, Any] = {}
        self.manifest: dict[str, Any] = {}
        self.missing: list[dict[str, Any]] = []

    def __call__(self, *sources: AnySource, **changed: Any) -> dict[str, bytes]:
        """The files that came, by name, without the stage's own lists."""
        place = Workplace(self.scratch, self.work_folder)
        self.metrics = download(sources, self.settings.model_copy(update=changed), place, self.out)
        found = files(self.out)
        self.manifest = json.loads(found.pop("manifest.json"))
        self.missing = [json.loads(line) for line in found.pop("missing.jsonl", b"").splitlines()]
        return found
