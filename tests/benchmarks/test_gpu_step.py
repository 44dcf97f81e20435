"""Tests for benchmarks/gpu_export.py, and for gpu_step.py as the one file that it has to be."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpu_export, gpu_step
from bert.benchmark.flops import encoder, pretraining_heads, training
from bert.model.config import BertConfig
from bert.model.parameters import pretraining_shapes

NAME = "tiny-2x16-fp32-plain"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu_step") / "programs"
    gpu_export.main([str(folder), "--cells", "tiny:2x16", "--precision", "fp32", "--update"])
    return folder


def test_programs_name_their_arguments_in_the_order_of_the_text(programs: Path) -> None:
    config = BertConfig.named("tiny", gpu_step.VOCAB_SIZE)
    shapes = {name: list(shape) for name, shape in pretraining_shapes(config).items()}
    found = {}
    for path in programs.glob("*.json"):
        facts = json.loads(path.read_text())
        text = gzip.decompress(path.with_suffix(".mlir.gz").read_bytes()).decode()
        assert [[shape, kind] for _, shape, kind in facts["arguments"]] == [
            list(x) for x in gpu_export.arguments_of(text)
        ]
        for name, shape, kind in facts["arguments"]:
            base = name.removeprefix("gradient/").removeprefix("m/").removeprefix("v/")
            if base in shapes:
                assert (shape, kind) == (shapes[base], "f32"), name
        found[path.stem] = {name for name, *_ in facts["arguments"]}
    assert set(found) == {f"{NAME}.gradient", "tiny.norm", "tiny.update"}
    batch = {f"batch/{name}" for name in gpu_step.random_rows(2, 16, 100)}
    assert found[f"{NAME}.gradient"] == {*batch, *shapes, "total/predictions", "total/rows", "step", "scale"}
    assert found["tiny.norm"] == {f"gradient/{name}" for name in shapes}
    kinds = {f"{kind}{name}" for name in shapes for kind in ("", "gradient/", "m/", "v/")}
    assert found["tiny.update"] == kinds | {"norm", "rate", "scale", "update"}


def test_operations_are_counted_as_in_the_pipelines_benchmark(programs: Path) -> None:
    body = encoder(sequence_length=16, hidden_size=128, intermediate_size=512, num_layers=2)
    heads = pretraining_heads(hidden_size=128, vocab_size=gpu_step.VOCAB_SIZE, num_predictions=2)
    facts = json.loads((programs / f"{NAME}.gradient.json").read_text())
    assert facts["flops_a_sequence"] == training(body + heads)


def test_fused_attention_is_exported_without_dropout_of_its_weights_only(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--attention-dropout 0"):
        gpu_export.main([str(tmp_path), "--cells", "tiny:2x16", "--attention", "fused"])


def test_rows_to_check_with_have_all_lengths_and_predict_real_tokens() -> None:
    rows = gpu_step.random_rows(4, 32, 100, padded=True)
    lengths = rows["input_mask"].sum(axis=1)
    assert (lengths[0], lengths[-1]) == (1, 32)
    assert (np.diff(rows["input_mask"], axis=1) <= 0).all(), "tokens come first"
    weighted = rows["masked_lm_weights"] > 0
    assert (rows["masked_lm_positions"] < lengths[:, None])[weighted].all()
    assert weighted.any(axis=1).all()


def test_the_running_half_needs_no_other_file_and_survives_each_failure(programs: Path, tmp_path: Path) -> None:
    shutil.copy(gpu_step.__file__, tmp_path)
    (tmp_path / "jax.py").write_text("raise ImportError('no such device')\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "gpu_step.py", "run", str(programs), "--out", "step.json", "--peers", "nothing:2x16"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "step.json").read_text())
    assert set(results) == {"peak fp32", f"{NAME}.gradient", "tiny.norm", "tiny.update", "transformers nothing:2x16"}
    for name, figures in results.items():
        assert name.startswith("transformers") or figures["error"] == "ImportError: no such device"
    assert "| tiny | 2 x 16 | fp32 | plain | 0.1 | ImportError: no such device |" in done.stdout


def test_the_share_is_that_of_the_peak_of_the_same_precision() -> None:
    program = {
        **{"part": "gradient", "model": "large", "rows": 64, "length": 128, "precision": "bf16", "attention": "plain"},
        **{
            "attention_dropout": 0.1,
            "sequences_per_second": 1414.0,
            "flops_a_sequence": 240.6e9,
            "temporaries_gb": 12.9,
        },
    }
    results = {
        "peak bf16": {"tflops": 811.0, "device": "H200"},
        "peak tf32": {"tflops": 377.0, "device": "H200"},
        "large-64x128-bf16-plain.gradient": program,
        "large.norm": {"part": "norm", "model": "large", "ms": 1.4},
        "large.update": {"part": "update", "model": "large", "ms": 5.0},
    }
    gpu_step.share_of_peak(results)
    assert program["share"] == 0.419
    assert "| large | 64 x 128 | bf16 | plain | 0.1 | 1414.0 | 0.419 | 12.9 | 1.4 | 5.0 |" in gpu_step.table(results)
