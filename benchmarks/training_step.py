"""One training step of BERT, ours beside keras-hub's and transformers': sequences a second and share of the peak.

    pip install keras-hub transformers torch               # in an environment of its own, beside ours
    python -m benchmarks.training_step --precision fp32 bf16 --python ~/peers/bin/python --out step.json
    python -m benchmarks.training_step --rows 4 --length 512 --predictions 80 --python ~/peers/bin/python

Masked LM on random full-length rows, forward, backward and AdamW, dropout on; ours and transformers' predict the next
sentence too, keras-hub's has no head for that. Each turn is a process of its own, and turns alternate. The peak is that
of one large matrix product in the same precision, in the same run. What the peers' Python has to import besides is
TensorFlow, NumPy and this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bert.launch.allocator import tunables

WARMUP = 2
VOCAB_SIZE = 30522
Arrays = dict[str, Any]
SHAPES = {
    "tiny": (2, 128, 2, 512),
    "base": (12, 768, 12, 3072),
    "large": (24, 1024, 16, 4096),
}
"""Layers, hidden size, heads, intermediate size."""


def random_rows(rows: int, length: int, predictions: int) -> Arrays:
    """The features of bert/examples/schema.py, of random tokens without padding."""
    rng = np.random.default_rng(0)
    shape = (rows, length)
    places = np.stack([np.sort(rng.permutation(length - 2)[:predictions]) + 1 for _ in range(rows)])
    return {
        "input_ids": rng.integers(1000, VOCAB_SIZE, shape, dtype=np.int32),
        "input_mask": np.ones(shape, np.int32),
        "segment_ids": np.broadcast_to(np.arange(length) >= length // 2, shape).astype(np.int32),
        "masked_lm_positions": places.astype(np.int32),
        "masked_lm_ids": rng.integers(1000, VOCAB_SIZE, places.shape, dtype=np.int32),
        "masked_lm_weights": np.ones(places.shape, np.float32),
        "next_sentence_labels": rng.integers(2, size=(rows, 1), dtype=np.int32),
    }


def ours(model: str, precision: str, batch: Arrays, xla: Any) -> Callable[[], float]:
    """A call that takes a step and returns its loss."""
    import tensorflow as tf

    from bert.model.config import BertConfig
    from bert.model.parameters import make_parameters, pretraining_shapes
    from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
    from bert.pipeline.params import section, top_level
    from bert.training.objectives import pretraining
    from bert.training.precision import set_precision
    from bert.training.settings import ComputeSettings
    from bert.training.step import TrainStep
    from bert.training.world import Split, World

    config = BertConfig.named(model, VOCAB_SIZE)
    compute = top_level(ComputeSettings).model_copy(update={"precision": precision, "xla": xla})
    chosen = set_precision(compute, config.hidden_size)
    parameters = make_parameters(pretraining_shapes(config), config, 0)
    update = UpdateSettings(
        optimizer=section(OptimizerSettings, "finetune.optimizer"),
        loss_scale=section(LossScaleSettings, "finetune.loss_scale"),
    )
    split = Split(1, 1, len(batch["input_ids"]))
    step = TrainStep(
        pretraining(), config, parameters, update, lambda at: tf.constant(1e-4),
        precision=chosen, split=split, world=World(), seed=0,
    )  # fmt: skip
    tensors = {name: tf.constant(values) for name, values in batch.items()}
    numbers = iter(range(10**9))
    predictions = batch["masked_lm_ids"].size
    return lambda: float(step(tensors, tf.constant(next(numbers), tf.int64))["mlm_loss"]) / predictions


def keras_hub(model: str, precision: str, batch: Arrays, xla: Any) -> Callable[[], float]:
    import keras
    from keras_hub.layers import MaskedLMHead
    from keras_hub.models import BertBackbone

    keras.config.set_dtype_policy({"fp32": "float32", "bf16": "mixed_bfloat16"}[precision])
    layers, hidden, heads, intermediate = SHAPES[model]
    backbone = BertBackbone(
        VOCAB_SIZE, layers, heads, hidden, intermediate, dropout=0.1, max_sequence_length=512, num_segments=2
    )
    inputs = {**backbone.input, "positions": keras.Input((None,), dtype="int32")}
    hidden_states = backbone(backbone.input)["sequence_output"]
    head = MaskedLMHead(VOCAB_SIZE, backbone.token_embedding, intermediate_activation="gelu")
    logits = head(hidden_states, mask_positions=inputs["positions"])
    whole = keras.Model(inputs, logits)
    whole.compile(
        keras.optimizers.AdamW(1e-4, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=xla is True,
    )
    x = {
        "token_ids": batch["input_ids"],
        "segment_ids": batch["segment_ids"],
        "padding_mask": batch["input_mask"],
        "positions": batch["masked_lm_positions"],
    }
    return lambda: float(np.asarray(whole.train_on_batch(x, batch["masked_lm_ids"])).reshape(-1)[0])


def transformers(model: str, precision: str, batch: Arrays, xla: Any) -> Callable[[], float]:
    import torch  # type: ignore[import-not-found, unused-ignore]
    from transformers import BertConfig, BertForPreTraining  # type: ignore[import-not-found, unused-ignore]

    del xla
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    layers, hidden, heads, intermediate = SHAPES[model]
    config = BertConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=intermediate,
        hidden_act="gelu_new",
    )
    whole = BertForPreTraining(config).train()
    optimizer = torch.optim.AdamW(whole.parameters(), 1e-4, fused=True)
    labels = np.full(batch["input_ids"].shape, -100, np.int64)
    np.put_along_axis(labels, batch["masked_lm_positions"].astype(np.int64), batch["masked_lm_ids"], 1)
    given = {
        "input_ids": torch.tensor(batch["input_ids"]).long(),
        "attention_mask": torch.tensor(batch["input_mask"]),
        "token_type_ids": torch.tensor(batch["segment_ids"]).long(),
        "labels": torch.tensor(labels),
        "next_sentence_label": torch.tensor(batch["next_sentence_labels"][:, 0]).long(),
    }

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            loss = whole(**given).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(whole.parameters(), 1.0)
        optimizer.step()
        return float(loss)

    return step


IMPLEMENTATIONS = {"ours": ours, "keras_hub": keras_hub, "transformers": transformers}
LIBRARIES = {"ours": "tensorflow", "keras_hub": "keras-hub", "transformers": "transformers"}


def one_turn(args: argparse.Namespace) -> dict[str, Any]:
    """Seconds of each measured step of one implementation, in this process."""
    if args.one == "peak":
        import tensorflow as tf

        from bert.benchmark.peak import matmul_peak

        return {"peak": max(matmul_peak({"fp32": tf.float32, "bf16": tf.bfloat16}[args.precision[0]]) for _ in "123")}
    batch = random_rows(args.rows, args.length, args.predictions)
    xla = {"true": True, "false": False}.get(args.xla, args.xla)
    step = IMPLEMENTATIONS[args.one](args.model, args.precision[0], batch, xla)
    losses, seconds = [], []
    for _ in range(WARMUP + args.steps):
        began = time.perf_counter()
        losses.append(step())
        seconds.append(time.perf_counter() - began)
    try:
        library = f"{LIBRARIES[args.one]} {version(LIBRARIES[args.one])}"
    except PackageNotFoundError:
        library = LIBRARIES[args.one]
    return {"seconds": seconds[WARMUP:], "first_loss": losses[0], "last_loss": losses[-1], "library": library}


def flops_a_sequence(model: str, length: int, predictions: int) -> int:
    """Of forward and backward, see bert/benchmark/flops.py."""
    from bert.benchmark.flops import encoder, pretraining_heads, training

    layers, hidden, _, intermediate = SHAPES[model]
    body = encoder(sequence_length=length, hidden_size=hidden, intermediate_size=intermediate, num_layers=layers)
    return training(body + pretraining_heads(hidden_size=hidden, vocab_size=VOCAB_SIZE, num_predictions=predictions))


def _turn(one: str, precision: str, args: argparse.Namespace) -> dict[str, Any]:
    python = sys.executable if one in ("ours", "peak") else args.python
    sizes = {name: getattr(args, name) for name in ("model", "rows", "length", "predictions", "steps", "xla")}
    flags = [f"--{name}={value}" for name, value in sizes.items()]
    command = [python, "-m", "benchmarks.training_step", "--one", one, "--precision", precision, *flags]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    if one == "ours":  # as the training stages start themselves
        environment["GLIBC_TUNABLES"] = tunables()
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{one} at {precision} failed:\n{done.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(precision: str, args: argparse.Namespace) -> dict[str, Any]:
    """Medians over all turns of each implementation, and ours over each peer's."""
    names = ["ours", *(args.peers if args.python else ())]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    libraries: dict[str, str] = {}
    peaks = []
    for turn in range(args.turns):
        peaks.append(_turn("peak", precision, args)["peak"])
        for name in names if turn % 2 == 0 else reversed(names):
            figures = _turn(name, precision, args)
            seconds[name] += figures["seconds"]
            libraries[name] = figures["library"]
            print(f"{precision} {name}: {statistics.median(figures['seconds']):.3f} s a step, "
                  f"loss {figures['first_loss']:.3f} -> {figures['last_loss']:.3f}", file=sys.stderr)  # fmt: skip
    flops = flops_a_sequence(args.model, args.length, args.predictions)
    peak = max(peaks)
    found = {}
    for name in names:
        rate = args.rows / statistics.median(seconds[name])
        found[name] = {
            "library": libraries[name],
            "sequences_per_second": round(rate, 3),
            "gflops_per_second": round(rate * flops / 1e9, 1),
            "share_of_peak": round(rate * flops / peak, 3),
            "ours_over_it": round(statistics.median(seconds[name]) / statistics.median(seconds["ours"]), 3),
        }
    return {"matmul_peak_gflops_per_second": round(peak / 1e9, 1), **found}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="base", choices=SHAPES)
    p.add_argument("--rows", type=int, default=16, help="of the batch")
    p.add_argument("--length", type=int, default=128)
    p.add_argument("--predictions", type=int, default=20)
    p.add_argument("--precision", nargs="+", default=["fp32", "bf16"], choices=("fp32", "bf16"))
    p.add_argument("--xla", default="auto", choices=("auto", "true", "false"), help="for ours; keras-hub: true or not")
    p.add_argument("--steps", type=int, default=6, help="measured in a turn, after two that are not")
    p.add_argument("--turns", type=int, default=3)
    p.add_argument("--peers", nargs="+", default=["keras_hub", "transformers"], choices=("keras_hub", "transformers"))
    p.add_argument("--python", help="of the environment that holds the peers; ours alone without")
    p.add_argument("--out", type=Path, help="where to write the figures as JSON too")
    p.add_argument("--one", choices=(*IMPLEMENTATIONS, "peak"), help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.one:
        print(json.dumps(one_turn(args)))
        return
    figures: dict[str, Any] = {precision: compare(precision, args) for precision in args.precision}
    figures["settings"] = {name: getattr(args, name) for name in ("model", "rows", "length", "predictions", "xla")}
    figures["machine"] = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    text = json.dumps(figures, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
