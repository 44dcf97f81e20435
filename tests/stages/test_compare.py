"""stages/compare.py, on a real little repository with experiments that DVC has run."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bert.compare.text import WIDTH
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from stages.compare import main
from tests.dvc import run
from tests.report.parsed import Parsed

pytestmark = pytest.mark.slow

# What the stages of the little pipeline do: figures as if trained, on the machine that params name.
MEASURE = """
import json, pathlib, sys
from ruamel.yaml import YAML

params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
speed = {"fp32": 100.0, "tf32": 150.0, "bf16": 300.0}[params["precision"]]
f1 = {"fp32": 80.0, "tf32": 80.1, "bf16": 70.0}[params["precision"]]
seeds = {str(params["seed"] + n): {"f1": f1 + shift} for n, shift in enumerate((0.0, 1.0, 2.0))}
how = {"precision": params["precision"], "precision_effective": params["precision"], "ranks": 1}
timed = {"sequences_per_second": speed, "latency_ms": {"mean": 800 / speed, "p50": 8.0, "p90": 9.0}, **how}
metrics = {
    "squad": {"f1": f1, "count": 300, **how},
    "stability": {"squad": {params["precision"]: {"seeds": seeds}}},
    "benchmark_training/squad-tiny-128-8": timed,
    "benchmark_inference/tiny-128-8": timed,
    "summary": {"precision": params["precision"], "squad_f1": f1, "glue_mrpc": 74.1, "phase2_mlm_loss": 6.4,
                "inference_seq_per_s": speed, "squad_f1_std": 1.0, "machine": params["machine"]},
}
for key in sys.argv[1:]:
    machine = {"cpu": params["machine"], "cores": 2, "memory_gb": 8.0, "accelerator": "none"}
    record = {"seconds": 1000 / speed, "machine": machine}
    for path, value in ((f"metrics/{key}.json", metrics[key]), (f"metrics/provenance/{key}.json", record)):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(path).write_text(json.dumps(value))
"""
STAGES = {
    "squad": ["squad"],
    "stability": ["stability"],
    "report": ["summary"],
    "benchmarks": ["benchmark_training/squad-tiny-128-8", "benchmark_inference/tiny-128-8"],
}
PARAMS: dict[str, Any] = {
    **{"seed": 7, "model": "tiny", "precision": "fp32", "machine": "EPYC", "finetune": {"init": "imported"}},
    **{"squad": {"data": "cloze", "max_seq_length": 160}, "glue": {"data": "cloze", "tasks": []}},
    **{"benchmark_training": {"cells": ["squad-tiny-128-8"]}, "benchmark_inference": {"cells": ["tiny-128-8"]}},
}


def write_yaml(path: Path, value: Any) -> None:
    with open(path, "w", encoding="utf-8") as f:
        YAML(typ="safe", pure=True).dump(value, f)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main at fp32, a commit `old` before it; a remote; the experiments that are made below."""
    folder = tmp_path_factory.mktemp("compare") / "repo"
    (folder / "data/cloze").mkdir(parents=True)
    (folder / "data/cloze/squad").write_text("questions")
    (folder / "measure.py").write_text(MEASURE)
    (folder / ".gitignore").write_text("/metrics/provenance/\n")
    write_yaml(folder / "params.yaml", PARAMS)
    stages = {
        name: {
            "cmd": f"python measure.py {' '.join(keys)}",
            "deps": ["measure.py", "data/cloze/squad"],
            "params": ["seed", "precision", "machine"],
            "outs": [f"metrics/provenance/{key}.json" for key in keys],
            "metrics": [{f"metrics/{key}.json": {"cache": False}} for key in keys],
        }
        for name, keys in STAGES.items()
    }
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "remote", "add", "-d", "store", str(folder.parent / "store"))
    # An older revision: no pipeline, cells without a task, one that params do not name.
    figures = json.dumps({"sequences_per_second": 50.0, "precision": "fp32", "ranks": 1})
    for name in ("tiny-128-8", "tiny-128-1"):
        (folder / f"metrics/benchmark_training/{name}.json").parent.mkdir(parents=True, exist_ok=True)
        (folder / f"metrics/benchmark_training/{name}.json").write_text(figures)
    write_yaml(folder / "params.yaml", PARAMS | {"benchmark_training": {"cells": ["tiny-128-8"]}})
    commit(folder, "old")
    run(folder, "git", "tag", "old")
    shutil.rmtree(folder / "metrics")
    write_yaml(folder / "params.yaml", PARAMS)
    write_yaml(folder / "dvc.yaml", {"stages": stages})
    run(folder, "dvc", "repro")
    commit(folder, "fp32")
    for name, change in {
        "at-tf32": "precision=tf32",
        "at-bf16": "precision=bf16",
        "elsewhere": "machine=Xeon",
    }.items():
        run(folder, "dvc", "exp", "run", "-q", "-n", name, "-S", change)
        run(folder, "git", "checkout", "-q", "--", ".")
    run(folder, "dvc", "exp", "run", "-q", "-n", "squad-alone", "-S", "precision=bf16", "squad")
    run(folder, "git", "checkout", "-q", "--", ".")
    (folder / "data/cloze/squad").write_text("other questions")
    run(folder, "dvc", "exp", "run", "-q", "-n", "other-data")
    run(folder, "git", "checkout", "-q", "--", ".")
    run(folder, "dvc", "checkout", "-q")
    run(folder, "dvc", "push", "-q")
    return folder


def commit(folder: Path, message: str) -> None:
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", message)


@pytest.fixture
def compare(repo: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The rows of the page, of some revisions, in the repository or a clone of it."""

    def rows(*revisions: str, folder: Path = repo) -> list[list[str]]:
        monkeypatch.chdir(folder)
        main([*revisions, "--html", str(tmp_path / "page.html")])
        return Parsed((tmp_path / "page.html").read_text(encoding="utf-8")).rows

    return rows


def of(rows: list[list[str]], header: str, *columns: str) -> list[tuple[str, ...]]:
    """The cells in `columns` of the first table that has a column `header`."""
    start = next(n for n, row in enumerate(rows) if header in row)
    names, found = rows[start], []
    for row in rows[start + 1 :]:
        if len(row) != len(names) or "revision" in row:
            break
        found.append(tuple(row[names.index(column)] for column in columns))
    return found


def test_scores_differ_only_where_the_seeds_do_not_explain_it(compare: Any) -> None:
    rows = compare("HEAD", "at-tf32", "at-bf16", "other-data")
    assert of(rows, "difference", "revision", "runs", "mean", "difference") == [
        ("HEAD", "3", "81.00", "–"),
        ("at-tf32", "3", "81.10", "none"),
        ("at-bf16", "3", "71.00", "-10.00"),
        ("other-data", "3", "81.00", "other data"),
    ]


def test_speeds_are_divided_on_one_machine_alone(compare: Any) -> None:
    rows = compare("HEAD", "at-tf32", "at-bf16", "elsewhere", "old")
    assert of(rows, "update", "work", "revision", "on", "seq / s", "speed-up") == [
        ("squad tiny-128-8", "HEAD", "A", "100.0", "–"),
        ("squad tiny-128-8", "at-tf32", "A", "150.0", "1.50"),
        ("squad tiny-128-8", "at-bf16", "A", "300.0", "3.00"),
        ("squad tiny-128-8", "elsewhere", "B", "100.0", "other machine"),
        ("squad tiny-128-8", "old", "?", "50.0", "?"),
    ]
    assert of(rows, "CPU", "", "CPU") == [("A", "EPYC"), ("B", "Xeon")]


def test_the_files_here_are_compared_with_head_or_with_one_revision(repo: Path, compare: Any) -> None:
    (repo / "params.yaml").write_text((repo / "params.yaml").read_text().replace("fp32", "tf32"))
    run(repo, "dvc", "repro", "-q")
    try:
        differing = of(compare(), "parameter", "parameter", "revisions", "value")
        assert differing == [("precision", "HEAD", "fp32"), ("precision", "workspace", "tf32")]
        assert of(compare(), "speed-up", "revision", "on", "speed-up") == [
            ("HEAD", "A", "–"),
            ("workspace", "A", "1.50"),
        ]
        assert [row[1] for row in of(compare("at-bf16"), "speed-up", "revision", "speed-up")] == ["–", "0.50"]
    finally:
        run(repo, "git", "checkout", "-q", "--", ".")
        run(repo, "dvc", "checkout", "-q")


def test_in_a_clone_the_machines_are_not_known_until_dvc_has_fetched_their_records(
    repo: Path, compare: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the two commands that are printed."""
    hub, clone = tmp_path / "hub", tmp_path / "clone"
    run(repo, "git", "clone", "-q", "--bare", str(repo), str(hub))
    run(repo, "dvc", "exp", "push", "-q", str(hub), "at-bf16")
    run(tmp_path, "git", "clone", "-q", str(hub), str(clone))
    assert of(compare(folder=clone), "update", "revision", "speed-up") == [("HEAD", "–"), ("workspace", "same")]
    run(clone, "git", "checkout", "-q", "old")  # whose own dvc.lock, none, says nothing of the others' records
    both, old = ("main", "origin/main"), ("old", "main")
    # That it is one measurement is in dvc.lock, which git has.
    assert of(compare(*both, folder=clone), "update", "on", "speed-up") == [("?", "–"), ("?", "same")]
    assert of(compare(*old, folder=clone), "update", "on", "speed-up") == [("?", "–"), ("?", "?")]
    said = " ".join(capsys.readouterr().out.split())
    fetch = said.partition("From a remote: ")[2].partition(";")[0]
    run(clone, *fetch.split())
    assert of(compare(*both, folder=clone), "update", "on", "speed-up") == [("A", "–"), ("A", "same")]
    with pytest.raises(StageError, match="'at-bf16'") as error:
        main(["main", "at-bf16"])
    listing = str(error.value.run).partition(", and if it is there: ")[0]
    assert "at-bf16" in run(clone, *listing.split()).stdout
    pull = said.partition("of an experiment: ")[2].partition(". ")[0]
    run(clone, *pull.replace("REMOTE", "origin").replace("NAME", "at-bf16").split())
    rows = compare("main", "at-bf16", folder=clone)
    assert of(rows, "update", "on", "speed-up") == [("A", "–"), ("A", "3.00")]


def test_figures_that_an_experiment_did_not_make_are_left_out(repo: Path, compare: Any, tmp_path: Path) -> None:
    rows = compare("HEAD", "at-bf16", "squad-alone")
    timed = {row[1] for row in rows if row[0] == "squad tiny-128-8"}
    assert {"HEAD", "at-bf16"} <= timed and "squad-alone" not in timed
    assert [row for row in rows if "squad-alone" in row and "70.00" in row], "its own score"
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    said = page.partition("squad-alone: left out is what was made before its parameters or data changed: ")[2]
    files, _, commands = said.partition("</p>")[0].partition(". To make it anew: ")
    assert "metrics/stability.json, metrics/benchmark_training/squad-tiny-128-8.json" in files
    checkout, repro = unescape(commands).split(" && ")
    run(tmp_path, "git", "clone", "-q", str(repo), "clone")
    run(tmp_path / "clone", "git", "fetch", "-q", "origin", "refs/exps/*:refs/exps/*")
    run(tmp_path / "clone", *checkout.split())
    run(tmp_path / "clone", *repro.split())
    assert "at-bf16: left out" not in page
    compare("workspace", "HEAD", folder=tmp_path / "clone")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "workspace: left out" not in page and "HEAD: left out" in page


def test_the_page_stands_alone_and_the_text_fits_a_terminal(
    compare: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compare("HEAD", "at-tf32", "at-bf16", "elsewhere", "old", "other-data")
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= WIDTH
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert not [name for name in ("http://", "https://", "<script src", "src=", "@import") if name in page]
    main(["HEAD", "at-bf16", "--markdown"])
    assert "| squad tiny-128-8 | HEAD | fp32 | A |" in capsys.readouterr().out


def test_the_commands_of_the_docs_do_what_they_say(repo: Path, tmp_path: Path) -> None:
    """In a terminal of 100 columns."""
    text = (ROOT / "docs/comparing.md").read_text(encoding="utf-8")
    commands = [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith(("dvc ", "python "))]
    shown = [command for command in commands if command[:3] in (["dvc", "metrics", "diff"], ["dvc", "exp", "show"])]
    assert len(shown) == 3
    for command in shown:
        done = run(repo, *command, COLUMNS=str(WIDTH), DVC_PAGER="cat")
        lines = done.stdout.splitlines()
        assert max(map(len, lines)) <= WIDTH and "at-bf16" in done.stdout
        assert "70" in next(line for line in lines if ("squad_f1 " if "diff" in command else "at-bf16") in line)
        assert "squad_f1_std" not in done.stdout, "it did not change, and is no headline to keep"
    (page,) = (command for command in commands if "--html" in command)
    run(repo, *page[:-1], str(tmp_path / "comparison.html"), PYTHONPATH=str(ROOT))
    assert "at-bf16" in (tmp_path / "comparison.html").read_text(encoding="utf-8")


def test_an_unknown_revision_is_one_error_with_the_nearest_names(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    with pytest.raises(
        StageError, match=r"'at-bf61': no branch, tag, commit or experiment .*near it: at-bf16"
    ) as error:
        main(["HEAD", "at-bf61"])
    assert error.value.run == "dvc exp list --all-commits"
    assert {"at-bf16", "at-tf32"} <= set(run(repo, *error.value.run.split(), "--name-only").stdout.split())


def test_where_no_page_can_be_written_is_said_before_anything_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # no repository: nothing could be compared
    (tmp_path / "a folder").mkdir()
    for page, said, command in (
        ("a folder", "got that of a folder", "python -m stages.compare HEAD --html 'a folder/comparison.html'"),
        ("/dev/null", "got that of a device", "python -m stages.compare HEAD --html comparison.html"),
        ("not there/page.html", "got not there", "mkdir -p 'not there'"),
    ):
        with pytest.raises(StageError, match=f"--html {page}: expected the name of a file.* {said}") as error:
            main(["HEAD", "--html", page])
        assert error.value.run == command
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write everywhere
    with pytest.raises(StageError, match="in a folder of one's own"):
        main(["HEAD", "--html", "page.html"])
    assert [path.name for path in tmp_path.rglob("*")] == ["a folder"] and not capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "next_command"),
    [
        (["HEAD", "HEAD"], "python -m stages.compare HEAD"),
        (["main", "HEAD", "main"], "python -m stages.compare main"),
        (["workspace"], "python -m stages.compare"),
    ],
)
def test_a_revision_is_not_compared_with_itself(names: list[str], next_command: str) -> None:
    with pytest.raises(StageError, match=f"{names[0]}: named twice") as error:
        main(names)
    assert error.value.run == next_command


def test_a_broken_file_is_named_with_its_revision(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo)
    (repo / "metrics/squad.json").write_text("{")
    try:
        with pytest.raises(StageError, match=r"metrics/squad\.json of workspace: not valid JSON") as error:
            main([])
        assert error.value.run == "dvc repro -f -s squad"
        run(repo, "git", "checkout", "-q", "--", ".")
        (repo / "metrics/provenance/squad.json").write_text("{")
        with pytest.raises(StageError, match=r"metrics/provenance/squad\.json of workspace: not valid JSON") as error:
            main([])
        assert error.value.run == "dvc repro -f -s squad"
    finally:
        run(repo, "git", "checkout", "-q", "--", ".")
        run(repo, "dvc", "checkout", "-q", "--force")
    run(repo, "git", "branch", "-f", "empty", "main")
    empty = run(repo, "git", "commit-tree", "-m", "nothing", run(repo, "git", "mktree").stdout.strip()).stdout.strip()
    with pytest.raises(StageError, match=r"there is no metrics/\*\.json in it; name one that has") as error:
        main(["HEAD", empty])
    assert [line.split()[1] for line in run(repo, *str(error.value.run).split()).stdout.splitlines()][-1] == "old"
    monkeypatch.chdir(tmp_path)
    run(tmp_path, "git", "init", "-q")
    with pytest.raises(StageError, match="workspace: there is no metrics") as error:
        main(["workspace", "HEAD"])
    assert error.value.run == "dvc repro"
