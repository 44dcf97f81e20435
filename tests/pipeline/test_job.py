"""bert/pipeline/job.py and bert/pipeline/provenance.py: what every stage does around its work."""

from __future__ import annotations

import json
import os
import platform
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bert.download.settings import Source
from bert.pipeline.code import ROOT, code_hashes
from bert.pipeline.errors import StageError
from bert.pipeline.job import job
from bert.pipeline.provenance import provenance
from bert.pipeline.scratch import runs
from stages.code import main as write_code
from stages.stability import main as stability


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


MODULE = "stages.stability"


def work(
    params: dict[str, Any], inputs: list[Path] | None = None, module: str = MODULE, record: Path | None = Path("p.json")
) -> str:
    """Run a job that publishes one file; the name of its scratch."""
    with job("tiny@one", module, params, inputs or [], Path("m.json"), record) as running:
        (running.folder / "result").write_text("done")
        running.metrics["count"] = 3
        running.provenance["precision"] = "fp32"
        running.publish({running.folder / "result": Path("out/result.txt")})
        return running.folder.name


def test_results_metrics_and_provenance_are_in_place_at_the_end() -> None:
    work({"seed": 1})
    assert Path("out/result.txt").read_text() == "done"
    assert json.loads(Path("m.json").read_text()) == {"count": 3}
    record = json.loads(Path("p.json").read_text())
    assert (record["stage"], record["command"]) == ("tiny@one", "dvc repro -f -s tiny@one")
    assert record["precision"] == "fp32" and record["seconds"] >= 0


def test_a_failed_job_writes_no_metrics_and_keeps_its_scratch() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        job("tiny", MODULE, {}, [], Path("m.json"), Path("p.json")) as running,
    ):
        (running.folder / "half").write_text("half")
        raise ZeroDivisionError
    assert not Path("m.json").exists() and not Path("p.json").exists()
    assert (running.folder / "half").exists()


def test_models_in_params_are_told_apart_by_their_values() -> None:
    names = {work({"sources": [Source(url=url)], "none": None}) for url in ("a", "b", "a")}
    assert len(names) == 2


def test_the_fingerprint_holds_the_code_unless_the_work_decides_itself() -> None:
    assert work({}, module="stages.shards") != work({}) == work({})
    names = []
    for module in (MODULE, "stages.shards"):
        with job("tiny", module, {}, [], None, code_in_fingerprint=False) as running:
            names.append(running.folder.name)
            assert running.code == code_hashes(module)
    assert names[0] == names[1]


def test_a_stage_refuses_to_run_under_code_that_is_not_the_recorded_one() -> None:
    write_code([])
    recorded = Path("code/stability.json")
    work({})
    shutil.rmtree("out")
    hashes = json.loads(recorded.read_text())
    recorded.write_text(json.dumps({**hashes, "bert/report/stability.py": "0" * 16, "bert/gone.py": "0" * 16}))
    with pytest.raises(StageError, match=r"changed since: bert/gone\.py, bert/report/stability\.py") as caught:
        work({})
    assert caught.value.run and caught.value.run.startswith("dvc repro code")
    assert not Path("out").exists()
    with pytest.raises(StageError, match=r"code/stability\.json is of other code"):
        stability(["--runs", "metrics", "--metrics", "m.json"])
    recorded.unlink()
    work({})  # no pipeline to record anything in


def test_without_a_place_of_its_own_the_provenance_stays_in_the_scratch() -> None:
    work({}, record=None)
    assert not Path("p.json").exists()
    assert json.loads(Path(".scratch/provenance/tiny@one.json").read_text())["stage"] == "tiny@one"
    work({}, record=None)
    assert runs() == [], "it is no run's folder, which stages.scratch would list and remove"


def test_a_missing_input_is_named_before_anything_is_done() -> None:
    with pytest.raises(StageError, match="data/nowhere: no such file or folder") as caught:
        work({}, [Path("data/nowhere")])
    assert caught.value.run == "dvc repro tiny@one"
    assert not Path(".scratch").exists()


def test_provenance_tells_the_machine_but_neither_its_name_nor_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "tfrecords@phase1")  # DVC knows the stage by its name in dvc.yaml
    monkeypatch.chdir(ROOT)
    record = provenance("tfrecords", datetime.now(UTC), ranks=2)
    assert (record["stage"], record["ranks"]) == ("tfrecords@phase1", 2)
    assert record["machine"]["cores"] == os.cpu_count() and record["machine"]["memory_gb"] > 0
    assert record["versions"]["python"] == platform.python_version() and "apache-beam" in record["versions"]
    assert record["machine"].keys() == {"cpu", "cores", "memory_gb", "accelerator"}
    assert str(ROOT) not in json.dumps(record)


def test_a_machine_without_git_and_nvidia_smi_still_has_a_provenance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    record = provenance("shards", datetime.now(UTC))
    assert (record["commit"], record["dirty"], record["machine"]["accelerator"]) == ("", False, "none")


def test_an_nvidia_smi_that_fails_is_no_accelerator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "nvidia-smi"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho has failed because it could not talk to the driver\nexit 9\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent))
    assert provenance("shards", datetime.now(UTC))["machine"]["accelerator"] == "none"
