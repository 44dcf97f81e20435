"""stages/preset.py, and what presets/*.yaml hold."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings, Cell, TrainingCell
from bert.benchmark.timing import reference_pretraining, reference_training
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_json
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import load, section
from bert.training.settings import PhaseTraining, PrecisionName, PretrainSettings
from bert.training.world import split_batch
from stages.preset import main, names, read_preset, with_preset

PARAMS = load(ROOT / "params.yaml")
GRIDS = ["laptop", "published_inference", "published_pretraining", "published_squad_training"]
TRAININGS = [name for name in names() if name not in GRIDS]
MACHINES = [name for name in TRAININGS if name != "large"]
# Micro-batches of a rank in a step of each phase.
ACCUMULATED = {
    "dgxa100_8gpu_fp16": (128, 256),
    "dgxa100_8gpu_tf32": (128, 512),
    "dgx2_16gpu_fp16": (64, 256),
    "dgx2_16gpu_fp32": (128, 256),
    "dgx1_8gpu_fp16": (512, 1024),
    "dgx1_8gpu_fp32": (1024, 2048),
}


@pytest.fixture
def applied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """params.yaml as `dvc exp run` changes it for a preset, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)

    def apply(name: str) -> Any:
        (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
        flags = shlex.split(read_preset(name, PARAMS).flags())
        assert flags[::2] == ["-S"] * (len(flags) // 2)
        apply_overrides(tmp_path / "params.yaml", flags[1::2])
        return read_preset(name, PARAMS)

    return apply


def test_the_six_machines_of_the_reference_are_there() -> None:
    assert sorted(ACCUMULATED) == MACHINES


@pytest.mark.parametrize("name", TRAININGS)
def test_dvc_takes_the_flags_and_the_stages_take_the_parameters(name: str, applied: Any) -> None:
    applied(name)
    settings = section(PretrainSettings, "pretrain", without=("phase1", "phase2", "init"))
    assert settings.dropout is None
    first, second = (section(PhaseTraining, f"pretrain.phase{n}") for n in (1, 2))
    assert (first.steps, first.batch_size, first.learning_rate) == (7038, 65536, 0.006)
    assert (second.steps, second.batch_size, second.learning_rate) == (1564, 32768, 0.004)
    assert section(str, "model") == "large"
    # Nine tenths of the sequences' work at 128, and a tenth of 7,820 steps of twice the batch at 512.
    assert second.steps * second.batch_size == 782 * first.batch_size


@pytest.mark.parametrize("name", MACHINES)
def test_each_divides_evenly_into_the_accumulation_that_its_batch_needs(
    name: str, applied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = applied(name)
    machine = machine_settings(preset.machine)
    ranks = machine.wanted_ranks
    assert str(ranks) in name.split("_")[1] and section(PrecisionName, "precision") == name.split("_")[2]
    for phase, accumulated in zip(("phase1", "phase2"), ACCUMULATED[name], strict=True):
        size = section(PhaseTraining, f"pretrain.{phase}").batch_size
        stage = f"pretrain_{phase}"
        split = split_batch(stage, f"pretrain.{phase}.batch_size", size, ranks, machine.micro_batch_of(stage))
        assert split.accumulate == accumulated
        assert split.rows_per_rank * ranks == size
    size = section(int, "squad.batch_size")
    split_batch("squad", "squad.batch_size", size, ranks, machine.micro_batch_of("squad"))


@pytest.mark.parametrize("name", names())
def test_a_shell_leaves_the_words_as_they_are(name: str) -> None:
    """Between `$(` and `)` nobody would take quotation marks away."""
    preset = read_preset(name, PARAMS)
    for words in (preset.flags(), preset.environment()):
        printed = run(["bash", "-c", 'printf "%s\\n" $(echo "$0")', words], capture_output=True, text=True, check=True)
        assert printed.stdout.split("\n")[:-1] == (words.split() or [""])


@pytest.mark.parametrize("name", GRIDS)
def test_dvc_and_the_benchmarks_take_the_grids(name: str, applied: Any) -> None:
    preset = applied(name)
    assert load() == with_preset(PARAMS, preset), "what is estimated is what dvc runs"
    cells = {key.partition(".")[0]: value for key, value in preset.params.items() if key.endswith(".cells")}
    for stage, kind in (("benchmark_training", TrainingCell), ("benchmark_inference", Cell)):
        assert [kind.parse(cell).name for cell in cells.get(stage, [])] == cells.get(stage, [])
    trained, asked = cells.get("benchmark_training", []), cells.get("benchmark_inference", [])
    if name == "published_inference":
        assert asked == [f"{m}-{n}-{b}" for m in ("base", "large") for n in (128, 384) for b in (1, 2, 4, 8)]
        assert section(BenchmarkInferenceSettings, "benchmark_inference").iterations == 1024
    settings = section(BenchmarkTrainingSettings, "benchmark_training")
    steps = settings.warmup + settings.steps
    if name == "published_pretraining":
        # On eight GPUs of each kind, the accumulation that the tables give.
        splits = {cell: settings.split(TrainingCell.parse(cell), 8).accumulate for cell in trained}
        assert [splits[f"pretrain-large-128-{rows}"] for rows in (64, 32, 16, 8)] == [128, 256, 512, 1024]
        assert [splits[f"pretrain-large-512-{rows}"] for rows in (16, 8, 4, 2)] == [256, 512, 1024, 2048]
        assert reference_pretraining([1.0] * steps, 1)
    elif trained:
        assert reference_training([1.0] * steps, 1), "by the reference's rules there is a figure"


def test_the_command_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    main(["--list"])
    assert capsys.readouterr().out.split() == names()
    main(["dgx2_16gpu_fp32", "--env"])
    assert capsys.readouterr().out == "BERT_RANKS=16 BERT_MICRO_BATCH=pretrain_phase1=32,pretrain_phase2=8\n"
    main(["laptop", "--env"])
    assert capsys.readouterr().out == "", "it has none"
    main(["dgx2_16gpu_fp32"])
    assert " -S precision=fp32 " in capsys.readouterr().out
    with pytest.raises(StageError, match=r"no preset 'dgx3'.*\n  next: python -m stages.preset --list"):
        main(["dgx3"])
    for name in ("laptp", "presets/laptop.yaml"):
        with pytest.raises(StageError, match=r"did you mean laptop\?"):
            main([name])


def test_an_estimate_is_printed_cell_by_cell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    measured = {"roofline": {"matmul_peak_gflops_per_second": 1e9, "peak_fraction": 0.5}, "precision": "fp32"}
    write_json(tmp_path / "metrics/benchmark_inference/tiny-128-8.json", measured)
    monkeypatch.chdir(tmp_path)
    main(["laptop", "--estimate"])
    first, doubt, header, *cells, total, _ = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[CG]PU: [\d,]+ GFLOP/s in one large matrix product, in fp32", first)
    assert doubt.startswith("metrics/ has a peak of 1,000,000,000 GFLOP/s: ")
    assert header.split() == ["cell", "calls", "TFLOP", "of", "peak", "about"]
    laptop = read_preset("laptop", PARAMS).params
    trained, asked = laptop["benchmark_training.cells"], laptop["benchmark_inference.cells"]
    expected = [f"benchmark_training@{c}" for c in trained] + [f"benchmark_inference@{c}" for c in asked]
    assert [line.split()[0] for line in cells] == expected
    assert total.startswith(f"{len(cells)} cells, all together about ")
    with pytest.raises(StageError, match="this preset has no cells of a benchmark"):
        main(["large", "--estimate"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("params: {pretrain.phase3.steps: 1}", r"params.yaml has no parameter 'pretrain.phase3.steps'"),
        ("parameters: {seed: 1}", "parameters: expected base, params, machine"),
        ("base: huge", "no preset 'huge'"),
    ],
)
def test_what_nobody_reads_is_an_error(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(StageError, match=message):
        read_preset("mine", PARAMS, tmp_path)


def test_a_grid_says_how_long_it_takes_before_it_starts() -> None:
    """As in `dvc exp run $(python -m stages.preset laptop)`, also where no terminal is: in a batch job."""
    done = run([sys.executable, "-m", "stages.preset", "laptop"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "benchmark_training@pretrain-" in done.stderr and "all together about" in done.stderr
    assert done.stdout.startswith("-S ") and done.stdout.count("\n") == 1
