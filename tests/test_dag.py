"""What DVC promises, on a tiny corpus: nothing to do, resume after a kill, experiments, sharing, same bytes.

One repository for all tests of this file, made by real `dvc repro` runs up to the first pretraining stage (the whole
DAG on the embedded sample is what `.ci/run` runs). The tests run in file order; each leaves the workspace as it was.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from bert.checkpoints.exporters import exported, write_hugging_face
from bert.checkpoints.folder import Model
from bert.model.parameters import pretraining_shapes
from bert.pipeline.code import ROOT
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.dvc import RUNNING, SECONDS, environment, ran, run
from tests.model.reference import random_weights
from tests.training.tiny import CONFIG

pytestmark = pytest.mark.slow

STAGE = "pretrain_phase1"
WORDS = [a + b for a in ("ba", "ke", "li", "mo", "nu", "ra", "si") for b in ("den", "fal", "gor", "hun", "jit", "kap")]
VOCABULARY = [*SPECIAL_PIECES, ".", *WORDS]
# In what decides which shard a document goes to.
CONSTANT, CHANGED = "_seed}\\x00", "_seed}\\x01"


def corpus() -> str:
    """80 documents, a line each, of random words."""
    rng = np.random.Generator(np.random.Philox(key=7))
    lines = []
    for _ in range(80):
        sentences = [" ".join(rng.choice(WORDS, size=8)).capitalize() + "." for _ in range(8)]
        lines.append(" ".join(sentences))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("dag") / "repo"
    folder.mkdir()
    for name in ("bert", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", "params.yaml", ".gitignore", ".dvcignore"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "corpus.txt").write_text(corpus())
    (folder / "given.txt").write_text("\n".join(VOCABULARY) + "\n")
    yaml = YAML()
    params = yaml.load((folder / "params.yaml").read_text())
    params["download"] |= {"wikipedia": [], "books": [], "text": [{"url": "corpus.txt"}], "squad": [], "glue": []}
    params["shards"] |= {"train": 3, "test": 1, "test_fraction": 0.2}
    params["vocab"] |= {"source": {"url": "given.txt"}}
    params["tfrecords"]["phase1"] |= {"sequence_length": 32, "max_predictions": 5}
    params["pretrain"] |= {"dropout": 0.1}
    params["pretrain"]["phase1"] |= {"steps": 40, "batch_size": 8, "warmup_steps": 5, "eval_every": 10}
    with open(folder / "params.yaml", "w") as f:
        yaml.dump(params, f)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    shutil.copyfile(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    run(folder, "dvc", "repro", STAGE)
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "first run")
    yield folder


def go_back(repo: Path) -> None:
    """The workspace of the last commit: its params and metrics from git, its data and models from the cache."""
    run(repo, "git", "checkout", "-q", "--", ".")
    run(repo, "dvc", "checkout", "-q", "--with-deps", STAGE)


def lock(folder: Path) -> dict[str, Any]:
    return YAML(typ="safe", pure=True).load((folder / "dvc.lock").read_text())["stages"]


def hashes(folder: Path, prefix: str = "data/") -> dict[str, str]:
    """{out: its hash in dvc.lock}."""
    return {o["path"]: o["md5"] for s in lock(folder).values() for o in s["outs"] if o["path"].startswith(prefix)}


def test_a_second_repro_does_nothing_and_status_is_clean(repo: Path) -> None:
    assert "up to date" in run(repo, "dvc", "status", STAGE).stdout
    before = os.times()
    done = run(repo, "dvc", "repro", STAGE)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < 30  # seconds of a processor; 5 where no other tests run beside it
    assert "Running stage" not in done.stdout


def test_data_stages_give_the_same_hashes_with_other_workers_and_under_another_hash_seed(repo: Path) -> None:
    """Two threads; processes, which take longer to start, are in tests/stages/test_runners.py."""
    before = hashes(repo)
    options = "--direct_running_mode=multi_threading --direct_num_workers=2"
    stages = ["download@text", "documents@text", "shards", "vocab", "tfrecords@phase1"]
    done = run(repo, "dvc", "repro", "-f", "-s", *stages, BERT_BEAM_OPTIONS=options, PYTHONHASHSEED="1")
    assert ran(done) == stages
    assert hashes(repo) == before
    entries = run(repo, "git", "diff", "--stat", "--", "dvc.lock", "code", "metrics")
    assert entries.stdout == "", "the whole entries are the same on every machine and at every time"
    go_back(repo)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, (file, old)
    file.write_text(text.replace(old, new))


def comment(repo: Path) -> None:
    """A comment, a docstring and a new layout, in what every stage, or the training stage, runs."""
    edit(repo / "bert/pipeline/files.py", "import hashlib\n", "import hashlib  # SHA-256\n")
    edit(repo / "bert/training/step.py", '"""One optimizer step', '"""A step of the optimizer')
    layout = "totals: Sums = {}\n", "totals: Sums = {\n        }\n"
    edit(repo / "bert/training/step.py", *layout)


def test_a_comment_a_docstring_and_a_new_layout_rerun_the_stage_code_alone(repo: Path) -> None:
    comment(repo)
    assert ran(run(repo, "dvc", "repro", STAGE)) == ["code"]
    assert run(repo, "git", "diff", "--stat", "--", "code").stdout == ""
    go_back(repo)
    comment(repo)
    assert ran(run(repo, "dvc", "exp", "run", "--temp", "-n", "commented", STAGE)) == ["code"]
    go_back(repo)


def test_a_changed_constant_reruns_the_stages_that_use_it_and_what_follows(repo: Path) -> None:
    before = hashes(repo)
    edit(repo / "bert/shards/placement.py", CONSTANT, CHANGED)
    alone = run(repo, "dvc", "repro", "-f", "-s", "shards", check=False)
    assert alone.returncode != 0, "dvc.lock would say that the old code made it"
    assert "code/shards.json is of other code than this; changed since: bert/shards/placement.py" in alone.stderr
    assert "next: dvc repro code" in alone.stderr
    run(repo, "dvc", "checkout", "-q", "shards")
    assert ran(run(repo, "dvc", "repro", "tfrecords@phase1")) == ["code", "shards", "vocab", "tfrecords@phase1"]
    assert ran(run(repo, "dvc", "repro", "--dry", STAGE)) == [STAGE]
    diff = run(repo, "git", "diff", "-U0", "--", "code").stdout
    assert set(re.findall(r"^\+\+\+ b/code/(\w+)\.json", diff, re.M)) == {"shards"}
    assert len(re.findall(r'^\+  "bert/shards/placement.py"', diff, re.M)) == 1
    assert hashes(repo)["data/shards/train"] != before["data/shards/train"]
    edit(repo / "bert/shards/placement.py", CHANGED, CONSTANT)
    back = run(repo, "dvc", "repro", STAGE)
    assert ran(back) == ["code"], "the others come from the cache"
    assert hashes(repo) == before
    go_back(repo)


def test_after_kill_9_and_a_comment_repro_goes_on_and_ends_with_the_same_weights(repo: Path) -> None:
    uninterrupted = hashes(repo)["data/models/phase1"]
    fast = {"BERT_SAVE_SECONDS": "0"}
    with subprocess.Popen(
        ["dvc", "repro", "-f", "-s", STAGE], cwd=repo, env=environment(**fast), stdout=subprocess.DEVNULL
    ) as dvc:
        os.kill(_trainer_behind(repo, 12), signal.SIGKILL)
        assert dvc.wait(SECONDS) != 0
    assert not (repo / "data/models/phase1").exists(), "nothing half-written is published"
    comment(repo)
    # A real change, of what no result depends on.
    edit(repo / "bert/watch/progress.py", "SECONDS_BETWEEN_LINES = 5.0\n", "SECONDS_BETWEEN_LINES = 0.5\n")
    # -f: the cache knows the result of the first run; here it must be trained.
    done = run(repo, "dvc", "repro", "-f", "-s", "code", STAGE)
    assert "going on from step" in done.stderr
    assert hashes(repo)["data/models/phase1"] == uninterrupted
    record = json.loads((repo / f"metrics/provenance/{STAGE}.json").read_text())
    assert record["resumed_from_step"] >= 12
    curves = run(repo, "git", "diff", "--stat", "--", "metrics/curves")
    assert curves.stdout == "", "the curves of a resumed run have the same points"
    go_back(repo)


def _trainer_behind(repo: Path, step: int) -> int:
    """The process that trains, once it has saved after that step or a later one: only the newest are kept."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for mark in (repo / ".scratch").glob(f"{STAGE}-*/checkpoints/step-*.json"):
            with suppress(FileNotFoundError):  # that of a run before this one, which is being removed
                for process in re.findall(r"process (\d+)", (mark.parents[1] / "lock").read_text()):
                    if int(mark.stem[5:]) >= step and Path(f"/proc/{process}").exists():
                        return int(process)
        time.sleep(0.005)
    raise AssertionError(f"no checkpoint from step {step} on came")


def test_a_second_trainer_or_repro_is_told_who_holds_the_lock_and_a_killed_one_loses_nothing(repo: Path) -> None:
    uninterrupted = hashes(repo)["data/models/phase1"]
    again = ["dvc", "repro", "-f", "-s", STAGE]
    with subprocess.Popen(
        again, cwd=repo, env=environment(BERT_SAVE_SECONDS="0"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as dvc:
        trainer = _trainer_behind(repo, 3)
        os.kill(trainer, signal.SIGSTOP)  # or it might be done before the others have asked
        command = re.sub(r"\s+", " ", lock(repo)[STAGE]["cmd"]).split(" ")
        alone = run(repo, *command, check=False, DVC_ROOT=str(repo), DVC_STAGE=STAGE)
        second = run(repo, *again, check=False)
        dvc.kill()
    third = run(repo, *again, check=False)
    os.kill(trainer, signal.SIGCONT)
    assert alone.returncode == 1 and f"process {trainer}" in alone.stderr
    assert second.returncode != 0 and f"(PID {dvc.pid})" in second.stderr, "dvc itself names the other dvc"
    assert third.returncode != 0 and f"is in use by process {trainer} on" in third.stderr
    assert "it goes on although the dvc that started it may be gone" in third.stderr
    until = time.monotonic() + SECONDS
    while Path(f"/proc/{trainer}").exists() and time.monotonic() < until:
        time.sleep(0.05)
    done = run(repo, *again)
    assert "going on from step" not in done.stderr, "the result was there, and only had to be published"
    assert hashes(repo)["data/models/phase1"] == uninterrupted
    go_back(repo)


def test_an_experiment_at_another_precision_reruns_training_only_and_is_comparable(repo: Path) -> None:
    before = hashes(repo)
    live = repo / "dvclive" / STAGE
    with subprocess.Popen(
        ["dvc", "exp", "run", "-n", "at-bf16", "-S", "precision=bf16", STAGE],
        cwd=repo,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as dvc:
        until = time.monotonic() + SECONDS
        while not (live / "metrics.json").exists():
            assert time.monotonic() < until and dvc.poll() is None, dvc.communicate()
            time.sleep(0.005)
        assert not (repo / "data/models/phase1").exists(), "the figures are there while the stage still trains"
        out, _ = dvc.communicate(timeout=SECONDS)
        assert dvc.returncode == 0
    assert re.findall(RUNNING, out) == [STAGE]
    drawn = json.loads(
        run(repo, "dvc", "plots", "show", "--json", "-x", "step", f"dvclive/{STAGE}/plots/metrics").stdout
    )
    tables = {re.sub(r".*/metrics/", "", name): table for name, table in drawn["data"].items()}
    assert len(tables["train/loss.tsv"][0]["content"]["data"]["values"]) == 40
    assert len(tables["held_out/mlm_loss.tsv"][0]["content"]["data"]["values"]) == 4
    (ref,) = run(repo, "git", "for-each-ref", "--format=%(refname)", "refs/exps/*/*/at-bf16").stdout.split()
    committed = run(repo, "git", "ls-tree", "-r", "--name-only", ref).stdout.splitlines()
    assert f"metrics/curves/{STAGE}_held_out.tsv" in committed
    assert not [name for name in committed if name.startswith("dvclive")], "live figures are no part of an experiment"
    assert "dvclive" not in run(repo, "git", "status", "--porcelain").stdout
    diff = json.loads(run(repo, "dvc", "metrics", "diff", "--all", "--json", "HEAD", "at-bf16").stdout)
    figures = diff[f"metrics/{STAGE}.json"]
    for name in ("mlm_loss", "mlm_accuracy", "nsp_accuracy", "sequences_per_second"):
        assert {"old", "new"} <= figures[name].keys()
    assert figures["precision"] == {"old": "fp32", "new": "bf16"}
    # Back again by the parameter alone: DVC's run cache knows the result, metrics and curve included.
    run(repo, "git", "checkout", "-q", "--", "params.yaml")
    back = run(repo, "dvc", "repro", STAGE)
    assert "Running stage" not in back.stdout
    assert f"Stage '{STAGE}' is cached" in back.stdout
    assert hashes(repo) == before
    # By git and DVC, from the experiment's workspace: nothing is even looked up.
    again = run(repo, "dvc", "exp", "run", "-S", "precision=bf16", STAGE)
    assert "Running stage" not in again.stdout
    assert hashes(repo) != before
    go_back(repo)
    assert "Running stage" not in run(repo, "dvc", "repro", STAGE).stdout
    assert run(repo, "git", "status", "--porcelain", "--untracked-files=no").stdout == ""


def test_an_import_reruns_phase_1_only_where_it_starts_from_it(repo: Path) -> None:
    given = repo / "theirs"
    given.mkdir()
    config = CONFIG.model_copy(update={"vocab_size": len(VOCABULARY), "max_position_embeddings": 32})
    vocab = given / "vocab.txt"
    vocab.write_text("\n".join(VOCABULARY) + "\n")
    model = Model(config, random_weights(pretraining_shapes(config), seed=1), vocab)
    write_hugging_face(given, exported(model, "make it anew"))
    yaml = YAML()
    params = yaml.load((repo / "params.yaml").read_text())
    params["import_checkpoint"]["source"] = [{"url": "theirs"}]
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)
    before = hashes(repo)["data/models/phase1"]
    assert ran(run(repo, "dvc", "repro", "import_checkpoint", STAGE)) == ["import_checkpoint"]
    params["pretrain"]["init"] = "imported"
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)
    assert ran(run(repo, "dvc", "repro", STAGE)) == [STAGE]
    assert json.loads((repo / "data/models/phase1/bert_config.json").read_text())["hidden_size"] == config.hidden_size
    params["pretrain"]["init"] = "none"
    with open(repo / "params.yaml", "w") as f:
        yaml.dump(params, f)
    assert ran(run(repo, "dvc", "repro", STAGE)) == [], "the run with random weights is known"
    assert hashes(repo)["data/models/phase1"] == before
    shutil.rmtree(given)
    shutil.rmtree(repo / "data/models/imported")
    go_back(repo)


def test_a_colleagues_clone_pulls_and_has_nothing_to_do(repo: Path, tmp_path: Path) -> None:
    run(repo, "dvc", "remote", "add", "-d", "-f", "team", str(tmp_path / "remote"))
    run(repo, "dvc", "push")
    run(repo, "git", "commit", "-qam", "remote")
    clone = tmp_path / "clone"
    run(tmp_path, "git", "clone", "-q", str(repo), str(clone))
    run(clone, "dvc", "pull", "-q", "--with-deps", STAGE)
    done = run(clone, "dvc", "repro", STAGE)
    assert "Running stage" not in done.stdout
    assert hashes(clone) == hashes(repo)
