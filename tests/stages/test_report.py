"""stages/report.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bert.pipeline.errors import StageError
from stages.report import main

ROOT = Path(__file__).resolve().parents[2]
CURVE = "step\tloss\tmlm_loss\tnsp_loss\tlearning_rate\tgrad_norm\n1\t9\t8\t1\t0.001\t2\n2\t8\t7\t1\t0.0005\t2\n"
PARAMS = """
seed: 7
model: tiny
precision: fp32
finetune: {init: phase2, controls: [], steps: 9}
squad: {data: cloze}
glue: {data: cloze, tasks: [mrpc, cola]}
tfrecords: {phase1: {sequence_length: 128}, phase2: {sequence_length: 512}}
stability: {precisions: [default], tasks: [mrpc], seeds: [1, 2], squad_seeds: [3], pretrain_seeds: []}
benchmark_training: {cells: []}
benchmark_inference: {cells: [tiny-128-1]}
"""
ARGUMENTS = [
    *("--metrics", "metrics/squad.json", "metrics/glue/mrpc.json", "--metrics", "metrics/stability.json"),
    *("--curves", "metrics/curves/pretrain_phase1.tsv", "--provenance", "metrics/provenance"),
    *("--out", "metrics/report.html", "--summary", "metrics/summary.json"),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two metric files, one record, a curve and params.yaml."""
    for name, text in {
        "metrics/squad.json": '{"exact_match": 24.5, "f1": 31.25, "count": 410}',
        "metrics/glue/mrpc.json": '{"accuracy": 75.0, "f1": 80.0, "count": 408}',
        "metrics/provenance/squad.json": '{"stage": "squad", "machine": {"cpu": "Xeon", "cores": 2}, "seconds": 3.5}',
        "metrics/curves/pretrain_phase1.tsv": CURVE,
        "params.yaml": PARAMS,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_is_written_from_the_named_files(run: Path) -> None:
    main(ARGUMENTS)
    page = (run / "metrics/report.html").read_text()
    assert page.startswith("<!doctype html>") and page.endswith("</html>\n")
    assert "31.25" in page and "75.00" in page and "<svg" in page and "2 cores of Xeon" in page
    assert "not run yet: <code>dvc repro glue@cola</code>" in page


def test_the_headlines_are_a_flat_file_of_metrics(run: Path) -> None:
    (run / "metrics/glue/sst2.json").write_text('{"accuracy": 99.0, "count": 1}')  # of a task that is no longer named
    main(ARGUMENTS)
    found = json.loads((run / "metrics/summary.json").read_text())
    assert found == {
        **{"model": "tiny", "precision": "fp32", "machine": "2 cores of Xeon", "seed": 7},
        **{"squad_exact_match": 24.5, "squad_f1": 31.25, "glue_mrpc": 75.0},
    }


def test_a_broken_metric_file_leaves_no_page(run: Path) -> None:
    (run / "metrics/squad.json").write_text('{"f1": ')
    with pytest.raises(StageError, match=r"metrics/squad\.json") as error:
        main(ARGUMENTS)
    assert error.value.run == "dvc repro -f -s squad"
    assert not (run / "metrics/report.html").exists()


def test_the_bytes_do_not_depend_on_the_process(run: Path) -> None:
    written = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "TZ": f"UTC-{seed}"}
        subprocess.run([sys.executable, "-m", "stages.report", *ARGUMENTS], cwd=run, env=environment, check=True)
        written.append([(run / f"metrics/{name}").read_bytes() for name in ("report.html", "summary.json")])
    assert written[0] == written[1]


def test_a_missing_parameter_is_named(run: Path) -> None:
    (run / "params.yaml").write_text(PARAMS.replace("seed: 7\n", ""))
    with pytest.raises(StageError, match="'seed' is missing"):
        main(ARGUMENTS)


def test_former_members_of_a_matrix_are_not_shown(run: Path) -> None:
    (run / "metrics/glue/sst2.json").write_text('{"accuracy": 99.0, "count": 1}')
    main(["--metrics", "metrics", "--out", "page.html", "--summary", "summary.json"])
    page = (run / "page.html").read_text()
    assert "sst2" not in page and "75.00" in page
    assert "not run yet: <code>dvc repro stability_glue@mrpc-default-2</code>" in page
    assert "not run yet: <code>dvc repro stability_squad@default-3</code>" in page
    assert "not run yet: <code>dvc repro benchmark_inference@tiny-128-1</code>" in page
