"""Proof for a refactoring: does this working tree compute, bit for bit, what another commit computes?

    make same BASE=<commit>

In a clone of each, side by side: the data stages on the embedded sample, fifty steps of each kind of training (with
dropout), predictions and the exports; phase 1 once more, stopped and resumed, and once on two ranks. A line for each
result; exit status 1 where one differs. At the end, which `dvc commit` is honest: it records that the code has changed
and the results have not.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[1]
STEPS, STOPPED_AFTER = 50, 20
PARAMS: dict[str, Any] = {
    "pretrain.dropout": 0.1,
    "finetune.dropout": 0.1,
    "pretrain.phase1.steps": STEPS,
    "pretrain.phase1.warmup_steps": 5,
    "pretrain.phase1.eval_every": 25,
    "pretrain.phase2.steps": STEPS,
    "pretrain.phase2.warmup_steps": 5,
    "pretrain.phase2.eval_every": 25,
    "squad.epochs": 1,
    "squad.limit_train": 700,
    "squad.limit_dev": 300,
    "glue.mrpc.epochs": 0.1,
    "stability.seeds": [1],
    "stability.squad_seeds": [1],
    "stability.pretrain_seeds": [1],
}
DATA = ("download", "documents", "shards", "cloze", "glue_data", "vocab", "tfrecords")
PRETRAINING = ("pretrain_phase1", "pretrain_phase2", "stability_phase1", "stability_phase2")
FINETUNING = ("squad", "squad_control", "glue", "glue_control", "stability_squad", "stability_glue")
# Each behind those that it may start from.
EXPORTS = ("export", "export_glue")
TARGETS = (*DATA, "no_weights", "import_checkpoint", *PRETRAINING, "random_weights", *FINETUNING, *EXPORTS)
SPEEDS = ("benchmark_training", "benchmark_inference")
# Of metrics: what is measured and not computed, and the size of a SavedModel, which holds the names of its operations.
MEASURED = re.compile(r"_per_second|_per_step|_share|peak_|^bytes$")
RESUMED, RANKS = "pretrain_phase1, stopped and resumed", "pretrain_phase1, two ranks"
SECONDS = 1800

Results = dict[tuple[str, str], str]
"""{(stage, what): hash}"""


def commit_of_here() -> str:
    """The working tree with its changes as a commit that no branch has; HEAD where there are none."""
    return git("stash", "create") or git("rev-parse", "HEAD")


def git(*arguments: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def clone(commit: str, folder: Path) -> None:
    """A repository at that commit, with the parameters of the comparison."""
    git("clone", "--quiet", "--shared", "--no-checkout", str(ROOT), str(folder))
    git("checkout", "--quiet", "--detach", commit, cwd=folder)
    (folder / "dvc.lock").unlink(missing_ok=True)  # what it has in the end, this run has made
    yaml = YAML()
    params = yaml.load(folder / "params.yaml")
    for name, value in PARAMS.items():
        *sections, last = name.split(".")
        node = params
        for section in sections:
            node = node.get(section, {})
        if last in node:  # a parameter that one of the two does not have has its default there
            node[last] = value
    with open(folder / "params.yaml", "w", encoding="utf-8") as f:
        yaml.dump(params, f)


class Side:
    """One of the two clones at work."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BERT_", "DVC_"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = kept | {"PATH": path, "DVC_NO_ANALYTICS": "true"}

    def dvc(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["dvc", *arguments],
            cwd=self.folder,
            env=self.environment | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def repro(self, *arguments: str, **settings: str) -> None:
        with self.dvc("repro", *arguments, **settings) as process:
            said, _ = process.communicate(timeout=SECONDS)
            if process.returncode:
                raise SystemExit(f"{said}\n{self.name}: dvc repro {' '.join(arguments)} failed")

    def stages(self) -> list[str]:
        """Those of the targets that dvc.yaml has, with the items of a matrix together."""
        has = YAML(typ="safe").load(self.folder / "dvc.yaml")["stages"]
        return [name for name in TARGETS if name in has]

    def run(self) -> Results:
        """Everything, one after the other."""
        self.say("data, training, predictions")
        self.repro(*self.stages())
        results = {key: value for key, value in self.of_lock()}
        self.say("a training that is stopped and resumed")
        self.stop_and_resume()
        results |= self.of_phase1(RESUMED)
        if shutil.which("horovodrun", path=self.environment["PATH"]):
            self.say("a training on two ranks")
            self.repro("-f", "-s", "pretrain_phase1", BERT_RANKS="2")
            results |= self.of_phase1(RANKS)
        return results

    def stop_and_resume(self) -> None:
        """SIGTERM to the trainer in the middle, then the same command again."""
        again = ("repro", "-f", "-s", "pretrain_phase1")
        for finished in (self.folder / ".scratch").glob("pretrain_phase1-*"):  # its checkpoints are not of this run
            shutil.rmtree(finished)
        with self.dvc(*again, BERT_SAVE_SECONDS="0") as process:
            until = time.monotonic() + SECONDS
            while not (found := self.checkpoints()):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"{process.communicate()[0]}\n{self.name}: no checkpoint to resume from came")
                time.sleep(0.02)
            lock = (found[0].parents[1] / "lock").read_text(encoding="utf-8")
            os.kill(int(re.findall(r"process (\d+)", lock)[0]), signal.SIGTERM)
            said, _ = process.communicate(timeout=SECONDS)
        if not process.returncode:
            raise SystemExit(f"{said}\n{self.name}: the training was not stopped: it ended before the signal")
        self.repro(*again[1:])

    def checkpoints(self) -> list[Path]:
        found = (self.folder / ".scratch").glob("pretrain_phase1-*/checkpoints/step-*.json")
        return [path for path in found if int(path.stem.removeprefix("step-")) >= STOPPED_AFTER]

    def of_lock(self) -> Iterator[tuple[tuple[str, str], str]]:
        """The outs that stand in dvc.lock: data by its hash, metrics by what of them is computed."""
        stages = YAML(typ="safe").load(self.folder / "dvc.lock")["stages"]
        for stage, entry in stages.items():
            if stage.partition("@")[0] not in TARGETS:
                continue
            for out in entry.get("outs", []):
                path = out["path"]
                if path.startswith("metrics/provenance") or path.startswith("data/export"):
                    continue
                yield (stage, path), computed(self.folder / path) if path.endswith(".json") else out["md5"]

    def of_phase1(self, name: str) -> Results:
        return {(name, what): value for (stage, what), value in self.of_lock() if stage == "pretrain_phase1"}

    def say(self, what: str) -> None:
        print(f"{self.name}: {what}", file=sys.stderr, flush=True)


def computed(path: Path) -> str:
    """The figures of a metrics file that do not say how fast or how large something was."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: kept(inner) for name, inner in value.items() if not MEASURED.search(name)}
        return value

    return json.dumps(kept(json.loads(path.read_text(encoding="utf-8"))), sort_keys=True)


def report(base: Results, here: Results) -> list[str]:
    """Print a line for each result; the stages of which one differs."""
    different = []
    for stage, what in dict.fromkeys([*base, *here]):
        one, other = base.get((stage, what)), here.get((stage, what))
        verdict = "same" if one == other else "DIFFERS" if one and other else "only in base" if one else "only here"
        print(f"{verdict:8}  {stage}: {what}")
        if one != other:
            different.append(stage)
    # Against itself, too: a run that is resumed is an uninterrupted one.
    for (stage, what), value in here.items():
        if stage == RESUMED and value != here.get(("pretrain_phase1", what)):
            print(f"DIFFERS   {stage}: {what}, from the uninterrupted run")
            different.append(stage)
    return list(dict.fromkeys(different))


def conclude(compared: list[str], different: list[str]) -> None:
    """Say which `dvc commit` is honest: of the stages before the first one, in the pipeline's order, that differs.

    Those after it may have been compared on other inputs, or by metrics that are too coarse to show it.
    """
    touched = {stage.partition("@")[0].partition(",")[0] for stage in different}
    honest = list(takewhile(lambda name: name not in touched, [name for name in TARGETS if name in compared]))
    if honest:
        print(f"\nhonest, where their results lie in this workspace: dvc commit -f code {' '.join(honest)}")
    if touched:
        print(f"not: {' '.join(sorted(touched))}, and what comes after: their results move; dvc repro")
    print(f"never by comparison: {' '.join(SPEEDS)}: their result is a speed; dvc repro measures it anew")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", required=True, help="the commit whose results are right")
    parser.add_argument("--keep", type=Path, help="folder for both clones, which then stay")
    args = parser.parse_args(argv)
    commits = {"base": git("rev-parse", "--verify", f"{args.base}^{{commit}}"), "here": commit_of_here()}
    with tempfile.TemporaryDirectory(prefix="same-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, commit in commits.items():
            clone(commit, folder / name)
        with ThreadPoolExecutor(2) as pool:
            base, here = pool.map(lambda name: Side(name, folder / name).run(), commits)
    print(f"base {commits['base'][:10]}, here {commits['here'][:10]}")
    different = report(base, here)
    conclude(sorted({stage.partition("@")[0] for stage, _ in base}), different)
    print(f"\n{len(different)} of {len({stage for stage, _ in base})} stages differ")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
