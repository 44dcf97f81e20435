"""Live figures in DVC's own format: a table a figure and a metrics.json, for DVC Studio, `dvc plots show` and VS Code.

DVCLive keeps its hands off git and dvc.yaml here: the experiment is `dvc exp run`'s matter.
"""

from __future__ import annotations

from pathlib import Path

from dvclive.live import Live

from bert.training.context import Figures, History


class DvcLive:
    """`folder`/plots/metrics/<name>.tsv and `folder`/metrics.json."""

    def __init__(self, folder: Path, history: History) -> None:
        """Begin anew, with the figures of `history`.

        DVCLive's own way of going on would add to what a killed run showed after its last checkpoint.
        """
        self._live = Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None, monitor_system=False)
        for step, figures in history:
            self._log(step, figures)

    def _log(self, step: int, figures: Figures) -> None:
        self._live.step = step
        for name, value in figures.items():
            self._live.log_metric(name, value)

    def show(self, step: int, figures: Figures) -> None:
        self._log(step, figures)
        self._live.next_step()  # writes metrics.json, and tells Studio where that is configured

    def close(self) -> None:
        self._live.end()
