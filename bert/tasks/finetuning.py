"""Fine-tuning on one task, as one rank does it: the run from a pretrained model, and its predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bert.checkpoints.folder import Model, save_model
from bert.inference.forward import make_forward
from bert.inference.settings import check_engine
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters
from bert.optim.schedule import learning_rate
from bert.pipeline import timings
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text
from bert.tasks.length_buckets import LengthGroups, length_batches, token_counts
from bert.tasks.settings import FinetuneParams, TaskSettings
from bert.training.batches import Arrays, array_batches
from bert.training.context import Context, Outcome
from bert.training.loop import Run, Training
from bert.training.objectives import TaskObjective
from bert.training.precision import set_precision, with_attention
from bert.training.step import TrainStep


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model in memory: {name: variable}, and the run that made it."""

    config: BertConfig
    parameters: dict[str, Any]
    run: Run
    steps: int

    def weights(self) -> dict[str, np.ndarray]:
        return {name: p.numpy() for name, p in self.parameters.items()}


class FineTuning:
    """Of the model `start` to an objective, by what params.yaml says."""

    def __init__(
        self,
        stage: str,
        objective: TaskObjective,
        start: Model,
        params: FinetuneParams[TaskSettings],
        context: Context,
    ) -> None:
        """Set this process's precision. Raises StageError where a later step would find params that do not fit.

        stage: DVC's name of it, for people.
        """
        layers = start.config.num_hidden_layers
        if params.task.reinit_layers > layers:
            raise StageError(
                f"{params.section}.reinit_layers is {params.task.reinit_layers}, but the model has {layers} layers",
                run=f"set it to 0...{layers} in params.yaml, then dvc repro",
            )
        length, most = params.task.max_seq_length, start.config.max_position_embeddings
        if length > most:
            raise StageError(
                f"{params.section}.max_seq_length is {length}, but the model has positions for {most}",
                run=f"set it to {most} or less in params.yaml, then dvc repro",
            )
        check_engine(params.engine, params.compute.precision)
        self._stage, self._objective, self._start = stage, objective, start
        self._params, self._context = params, context
        shared = params.shared
        self._trained = start.config.with_dropout(shared.dropout, shared.attention_dropout)
        precision = set_precision(params.compute, start.config.hidden_size, context.recompute)
        self._precision = with_attention(precision, params.compute, self._trained, "finetune")

    def tune(self, rows: Arrays) -> Finetuned:
        """Train the encoder with a new head on `rows` {feature: (N, S) or (N,)}."""
        task, shared, seed = self._params.task, self._params.shared, self._params.seed
        world, split = self._context.world, self._context.split
        steps = max(1, round(len(rows["input_ids"]) * task.epochs / task.batch_size))
        warmup = round(task.warmup_proportion * steps)
        config = self._trained
        parameters = make_parameters(self._objective.shapes(config), config, seed, self._kept_weights())
        step = TrainStep(
            self._objective,
            config,
            parameters,
            shared,
            lambda at: learning_rate(at, task.learning_rate, warmup, steps, 1.0, "warmup"),
            precision=self._precision,
            split=split,
            world=world,
            seed=seed,
        )
        groups = LengthGroups.of(rows["input_mask"], steps) if shared.group_by_length else None
        run = Training(
            self._stage,
            step,
            lambda first, stop: array_batches(rows, seed, first, stop, split, world, groups),
            steps,
            shared.max_skipped,
            task.batch_size,
            replace(self._context, scratch=self._context.scratch / "tuned"),
        ).run()
        return Finetuned(self._start.config, parameters, run, steps)

    def _kept_weights(self) -> dict[str, np.ndarray]:
        """The encoder's weights without those of the top `reinit_layers` layers and, with them, the pooler."""
        layers, anew = self._start.config.num_hidden_layers, self._params.task.reinit_layers
        left_out = tuple(f"bert/encoder/layer_{n}/" for n in range(layers - anew, layers))
        if anew:
            left_out += ("bert/pooler/",)
        weights = self._start.weights.items()
        return {name: w for name, w in weights if name.startswith("bert/") and not name.startswith(left_out)}

    def predict(self, tuned: Finetuned, rows: Arrays, batch_size: int) -> np.ndarray:
        """Logits of all rows, (N, ...) float32, in order, on every rank.

        Rows of like length are predicted together, without the padding that they share (`length_batches`). Where logits
        are of positions, (N, 2, S), those of that padding are 0.
        """
        world, precision = self._context.world, replace(self._precision, xla=tuned.run.xla)
        one = make_forward(self._params.engine, self._objective.forward, tuned.parameters, tuned.config, precision)
        features = {name: rows[name] for name in ("input_ids", "input_mask", "segment_ids")}
        count, longest = features["input_ids"].shape
        batches = length_batches(token_counts(features["input_mask"]), longest, batch_size)
        mine: dict[int, np.ndarray] = {}
        for number in range(world.rank, len(batches), world.size):
            places, length = batches[number].places, batches[number].length
            with timings.call(timings.EVALUATING, (len(places), length)):
                mine[number] = one({name: values[places, :length] for name, values in features.items()})
        gathered: dict[int, np.ndarray] = {}
        for of_rank in world.gather(mine):
            gathered |= of_rank
        shape = gathered[len(batches) - 1].shape[1:]  # of a batch of the longest, or of classes
        found = np.zeros((count, *shape[:-1], longest if len(shape) == 2 else shape[-1]), np.float32)
        for number, values in gathered.items():
            found[batches[number].places, ..., : values.shape[-1]] = values
        return found

    def finish(self, tuned: Finetuned, scores: dict[str, Any]) -> Outcome:
        """On the first rank: leave curve.tsv and model/, if it is kept, in the scratch; scores and figures."""
        scratch, task = self._context.scratch, self._params.task
        if self._context.keep_model:
            save_model(scratch / "model", tuned.config, tuned.weights(), self._start.vocab, self._start.do_lower_case)
        write_text(scratch / "curve.tsv", "\n".join(tuned.run.curve) + "\n")
        metrics = {
            **scores,
            "train_loss": tuned.run.last["task_loss"],
            "sequences_per_second": round(tuned.run.rate(task.batch_size), 2),
            "steps": tuned.steps,
            "global_batch": task.batch_size,
            "ranks": self._context.world.size,
            "precision": self._precision.name,
            "precision_effective": self._precision.effective,
            "inference_engine": self._params.engine,
            **tuned.run.metrics,
        }
        return Outcome(_rounded(metrics), {"resumed_from_step": tuned.run.resumed_from})


def _rounded(value: Any) -> Any:
    """Floats to 4 digits, through dicts: scores, not noise, in the metrics files."""
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return round(value, 4) if isinstance(value, float) else value
