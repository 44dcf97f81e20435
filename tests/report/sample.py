"""A small run of everything: metric files, curve and records, as the stages write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CPU = {"cpu": "Xeon 8581C", "cores": 2, "memory_gb": 23.5, "accelerator": "none"}
GPU = {"cpu": "EPYC 9654", "cores": 16, "memory_gb": 128.0, "accelerator": "NVIDIA H100, NVIDIA H100"}

PRETRAINED = {
    **{"mlm_loss": 5.1234, "mlm_accuracy": 0.2123, "nsp_loss": 0.6512, "nsp_accuracy": 0.6123},
    **{"unigram_entropy": 6.3123, "nats_below_unigram": 1.1889, "train_mlm_loss": 5.0, "train_nsp_loss": 0.65},
    **{"sequences_per_second": 213.4567, "tokens_per_second": 27322.1, "steps": 600, "global_batch": 64, "ranks": 1},
    **{"precision": "tf32", "precision_effective": "fp32", "xla": True, "skipped_steps": 3, "peak_rss_mb": 2312},
    **{"best_step": 500, "best_mlm_loss": 5.2345, "kept_step": 600, "accumulation": 4, "recompute": True},
    **{"held_out_sequences": 1000, "epochs": 0.4884},
}

METRICS: dict[str, dict[str, Any]] = {
    "download/wikipedia": {"files": 1, "bytes": 1695871},
    "documents/wikipedia": {"pages": 206, "documents": 106, "dropped": {"redirect": 88, "namespace": 12, "short": 0}},
    "documents/books": {"configured": False, "documents": 0},
    "documents/text": {"documents": 300},
    "shards": {"train": {"documents": 365, "sentences": 41022, "dropped": {"too_long": 4}}, "test": {"documents": 40}},
    "cloze": {
        "questions": {"train": {"count": 3120, "dropped": {"ambiguous": 97}}, "dev": {"count": 300}},
        "paraphrases": {"train": {"count": 1000}, "dev": {"count": 100}},
    },
    "vocab": {"size": 4021, "learned": True},
    "tfrecords/phase1": {"train": {"examples": 20123, "sequences": 20123, "padding": 0.0534}, "test": {"examples": 9}},
    "tfrecords/phase2": {
        "train": {"examples": 5123},
        "test": {"examples": 1000, "random_next": 600, "sequences": 1000},
    },
    "pretrain_phase1": PRETRAINED,
    "pretrain_phase2": {**PRETRAINED, "nats_below_unigram": 1.4123, "recompute": False},
    "squad": {
        **{"exact_match": 24.123, "f1": 31.456, "count": 410, "sequences_per_second": 22.1, "train_questions": 700},
        "by_type": {"number": {"exact_match": 30.1, "f1": 35.2, "count": 120}},
        "baselines": {"position": {"exact_match": 3.1, "f1": 6.2}, "random_span": {"exact_match": 0.3, "f1": 15.5}},
        "dropped": {"train": {"answer_not_in_context": 5}},
    },
    "squad_control/phase1": {"exact_match": 12.5, "f1": 17.2, "count": 410},
    "squad_control/random": {"exact_match": 10.5, "f1": 14.2, "count": 410},
    "glue_control/mrpc-random": {"accuracy": 60.12, "f1": 70.2, "count": 408},
    "export": {"checked": 300, "agreeing": 299, "ties": 1, "bytes": 17000000},
    "export_glue/mrpc": {"checked": 408, "agreeing": 408, "ties": 0, "bytes": 18000000},
    "glue_data/mrpc": {
        "examples": {"train": 3668, "dev": 408},
        "labels": {"train": {"0": 1194, "1": 2474}},
        "dropped": {"train": {"blank sentence": 2}},
    },
    "glue/mrpc": {
        **{"accuracy": 74.12, "f1": 81.23, "count": 408},
        "baselines": {"majority": {"accuracy": 50.0, "f1": 66.0}, "overlap": {"accuracy": 70.0}},
    },
    "stability_phase1/default-2": PRETRAINED,
    "stability_squad/bf16-2": {"exact_match": 23.0, "f1": 30.0},
    "stability_glue/mrpc-default-2": {"accuracy": 75.0, "f1": 80.0},
    "stability_glue/mrpc-default-10": {"accuracy": 71.0, "f1": 79.0},
    "stability": {
        "pretrain_phase1": {
            "tf32": {
                "final_loss": {"mean": 5.6, "std": 0.070711, "min": 5.55, "max": 5.65},
                "mlm_loss": {"mean": 5.1234, "std": 0.0, "min": 5.1234, "max": 5.1234},
                "seeds": {"7": {"final_loss": 5.65, "mlm_loss": 5.1234}, "2": {"final_loss": 5.55, "mlm_loss": 5.1234}},
                "ran_as": "fp32",
            }
        },
        "mrpc": {
            "fp32": {
                "accuracy": {"mean": 73.0, "std": 2.828427, "min": 71.0, "max": 75.0},
                "f1": {"mean": 79.5, "std": 0.707107, "min": 79.0, "max": 80.0},
                "seeds": {"2": {"accuracy": 75.0, "f1": 80.0}, "10": {"accuracy": 71.0, "f1": 79.0}},
            },
            "bf16": {
                "accuracy": {"mean": 74.5, "min": 74.5, "max": 74.5},
                "f1": {"mean": 80.5, "min": 80.5, "max": 80.5},
                "seeds": {"10": {"accuracy": 74.5, "f1": 80.5}},
            },
        },
    },
}


TOO_LARGE = "benchmark_training/pretrain-tiny-512-64"
OUT_OF_MEMORY: dict[str, Any] = {
    **{"out_of_memory": True, "task": "pretrain", "sequence_length": 512, "batch_size": 64, "accumulation": 2},
    **{"global_batch": 128, "ranks": 1, "precision": "fp16", "precision_effective": "fp16", "xla": True},
}


def benchmark(length: int, batch: int, **more: Any) -> dict[str, Any]:
    """Figures of one cell; the rules of the reference give others than the clean ones."""
    return {
        **{"sequence_length": length, "batch_size": batch, "ranks": 1, "xla": True},
        **{"precision": "fp16", "precision_effective": "fp16", "warmup": 3, "iterations": 30},
        **{"first_call_seconds": 6.1, "sequences_per_second": 111.5, "tokens_per_second": 14272.0},
        "latency_ms": {"mean": 8.97, "p50": 8.5, "p90": 9.9, "p95": 10.1, "p99": 12.3, "p100": 13.7},
        "roofline": {"gflops_per_second": 90.1, "peak_fraction": 0.4351},
        "reference_rules": {
            "sequences_per_second": 222.75,
            "latency_ms": {"mean": 31.25, "p90": 9.5, "p95": 9.75, "p99": 11.5},
        },
        **more,
    }


def write(root: Path, metrics: dict[str, dict[str, Any]], machine: dict[str, Any] = CPU) -> None:
    """The files metrics/<key>.json, and beside each the record of where it was measured."""
    for key, value in metrics.items():
        stage = key.replace("/", "@", 1)
        record = {
            **{"stage": stage, "command": f"dvc repro -f -s {stage}", "machine": machine, "commit": "1a2b3c4"},
            **{"versions": {"python": "3.11.2"}, "dirty": key == "squad"},
            **{"started": "2026-01-02T03:04:05Z", "seconds": 12.34},
        }
        for path, content in ((f"{key}.json", value), (f"provenance/{key}.json", record)):
            file = root / "metrics" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(content))


def write_run(root: Path) -> Path:
    """metrics/ of a whole run, all but one benchmark on one machine, and three curves. Returns `root`."""
    write(root, METRICS)
    write(root, {f"benchmark_inference/tiny-128-{b}": benchmark(128, b) for b in (1, 8, 16)})
    more = {"task": "squad", "accumulation": 1, "global_batch": 8, "compile_seconds": 5.25}
    write(root, {"benchmark_training/squad-tiny-128-8": benchmark(128, 8, **more), TOO_LARGE: OUT_OF_MEMORY}, GPU)
    curves = root / "metrics" / "curves"
    curves.mkdir()
    lines = ["step\tloss\tmlm_loss\tnsp_loss\tlearning_rate\tgrad_norm"]
    lines += [f"{n}\t{9 - n / 100}\t{8.3 - n / 100}\t0.7\t{1e-3 * (1 - n / 400)}\t1.5" for n in range(1, 401)]
    (curves / "pretrain_phase1.tsv").write_text("\n".join(lines) + "\n")
    lines = ["step\tmlm_loss\tmlm_accuracy\tnsp_loss\tnsp_accuracy"]
    lines += [f"{n}\t{8.5 - n / 100}\t0.1\t0.71\t0.5" for n in (100, 200, 300, 400)]
    (curves / "pretrain_phase1_held_out.tsv").write_text("\n".join(lines) + "\n")
    (root / "metrics" / "lengths").mkdir()
    (root / "metrics" / "lengths" / "phase1.tsv").write_text(
        "split\ttokens\tsequences\ntrain\t64\t30\ntrain\t128\t97\ntest\t64\t1\ntest\t128\t5\n"
    )
    (curves / "squad.tsv").write_text("step\tloss\ttask_loss\tlearning_rate\n10\t5\t5\t0.001\n20\t4\t4\t0.0005\n")
    return root
