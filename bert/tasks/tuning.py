"""What fine-tuning is on every task: the pretrained model, the run from it, the control without it, the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bert.checkpoints.folder import load_model, save_model
from bert.model.config import BertConfig
from bert.model.parameters import Shapes
from bert.pipeline.files import write_json, write_text
from bert.tasks.finetuning import Finetuned, finetune
from bert.tasks.settings import FinetuneSettings, TaskSettings
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.training.batches import Arrays
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings
from bert.training.step import Objective
from bert.training.world import World


class Tuning:
    """One task's fine-tuning from the model folder `init`, by `section` of params.yaml; files go to `scratch`.

    Raises:
        StageError: a model folder that is not whole, or a precision that the device does not have.
    """

    def __init__(
        self,
        stage: str,
        section: str,
        init: Path,
        task: TaskSettings,
        shared: FinetuneSettings,
        compute: ComputeSettings,
        seed: int,
        scratch: Path,
        world: World,
        code: dict[str, str],
    ) -> None:
        self.start = load_model(init, f"dvc repro {init.name}")
        self.precision = set_precision(compute, self.start.config.hidden_size)
        self.tokenizer = WordPieceTokenizer(self.start.vocab)
        self.world = world
        self._stage, self._section, self._task, self._shared = stage, section, task, shared
        self._seed, self._scratch, self._code = seed, scratch, code

    def tune(
        self, objective: Objective, shapes: Callable[[BertConfig], Shapes], rows: Arrays, *, from_random: bool = False
    ) -> Finetuned:
        """Train on `rows` {feature: (N, S) or (N,)}. from_random: the control, without the pretrained weights."""
        return finetune(
            self._stage,
            self._section,
            objective,
            shapes,
            self.start,
            from_random,
            rows,
            reinit_layers=self._task.reinit_layers,
            batch_size=self._task.batch_size,
            epochs=self._task.epochs,
            peak_rate=self._task.learning_rate,
            warmup_proportion=self._task.warmup_proportion,
            optimizer=self._shared.optimizer,
            loss_scale=self._shared.loss_scale,
            dropout=self._shared.dropout,
            max_skipped=self._shared.max_skipped,
            precision=self.precision,
            seed=self._seed,
            scratch=self._scratch / ("control" if from_random else "tuned"),
            world=self.world,
            code=self._code,
        )

    def publish(self, tuned: Finetuned, scores: dict[str, Any], memory: dict[str, float]) -> None:
        """Leave model/, curve.tsv, run.json and metrics.json: `scores` and what the run measured of itself."""
        metrics = {
            **scores,
            "train_loss": tuned.run.last["task_loss"],
            "sequences_per_second": round(tuned.run.rate(self._task.batch_size), 2),
            **tuned.run.exchange,
            "steps": tuned.steps,
            "global_batch": self._task.batch_size,
            "ranks": self.world.size,
            "precision": self.precision.name,
            "precision_effective": self.precision.effective,
            "xla": tuned.run.xla,
            "skipped_steps": tuned.run.skipped_steps,
            "rollbacks": int(bool(tuned.run.skipped_batches)),
            "skipped_batches": len(tuned.run.skipped_batches),
            **memory,
        }
        save_model(self._scratch / "model", tuned.config, tuned.weights(), self.start.vocab)
        write_text(self._scratch / "curve.tsv", "\n".join(tuned.run.curve) + "\n")
        write_json(self._scratch / "run.json", {"resumed_from_step": tuned.run.resumed_from})
        write_json(self._scratch / "metrics.json", _rounded(metrics))


def _rounded(value: Any) -> Any:
    """Floats to 4 digits, through dicts: scores, not noise, in the metrics files."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
