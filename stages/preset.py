"""Not a stage: print a preset of presets/*.yaml, parameters and machine settings.

python -m stages.preset --list                 their names
python -m stages.preset NAME                   its parameters, as -S flags
python -m stages.preset NAME --env             its machine settings, as variables
python -m stages.preset NAME --estimate        how long its benchmarks will take here, cell by cell

Of known hardware:

    env $(python -m stages.preset dgxa100_8gpu_fp16 --env) dvc exp run $(python -m stages.preset dgxa100_8gpu_fp16)

Of grids of benchmarks:

    python -m stages.preset laptop --estimate
    dvc exp run $(python -m stages.preset laptop) benchmark_training benchmark_inference

The latter too says how long it will take before it starts, on standard error.
"""

from __future__ import annotations

import copy
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from bert.benchmark.settings import BenchmarkInferenceSettings, BenchmarkTrainingSettings
from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.pipeline.job import parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.nearest import meant
from bert.pipeline.params import load
from bert.training.settings import ComputeSettings

FOLDER = ROOT / "presets"
KEYS = ("base", "params", "machine")
PEAK_TRIALS = 3
"""Whose best is taken for the machine's peak: others may be at work during one of them."""


@dataclass(frozen=True)
class Preset:
    """params: {dotted name in params.yaml: value}; machine: {environment variable: value}.

    Values are numbers, words, null, and lists of these without spaces, so that what a shell makes of `$(...)` is what
    stands here.
    """

    params: Mapping[str, Any]
    machine: Mapping[str, str]

    @property
    def sections_of_cells(self) -> set[str]:
        """The benchmarks whose cells it names: sections of params.yaml."""
        return {name.partition(".")[0] for name in self.params if name.endswith(".cells")}

    def flags(self) -> str:
        """As `-S` flags of dvc exp run."""
        return " ".join(f"-S {name}={_word(value)}" for name, value in self.params.items())

    def environment(self) -> str:
        """As assignments, to stand before a command."""
        return " ".join(f"{name}={value}" for name, value in self.machine.items())


def names(folder: Path = FOLDER) -> list[str]:
    """All presets."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_word, value))}]"
    return json.dumps(value).strip('"')


def _as_variable(value: Any) -> str:
    return ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def read_preset(name: str, params: Mapping[str, Any], folder: Path = FOLDER) -> Preset:
    """The preset `name`, with what its `base` holds and it does not say itself.

    Args:
        params: all of params.yaml, which has to know every parameter of the preset.

    Raises:
        StageError: no such preset, or one that says what nobody reads.
    """
    if name not in names(folder):
        near = meant(Path(name).stem, names(folder))
        raise StageError(f"there is no preset {name!r} in {folder}{near}", run="python -m stages.preset --list")
    path = folder / f"{name}.yaml"
    raw = load(path)
    if unknown := sorted(raw.keys() - set(KEYS)):
        raise StageError(f"{path}: {', '.join(unknown)}: expected {', '.join(KEYS)}", run=f"correct {path}")
    base = read_preset(raw["base"], params, folder) if "base" in raw else Preset({}, {})
    for key in raw.get("params", {}):
        node: Any = params
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise StageError(f"{path}: params.yaml has no parameter {key!r}", run=f"correct {path}")
            node = node[part]
    machine = {key: _as_variable(value) for key, value in raw.get("machine", {}).items()}
    return Preset({**base.params, **raw.get("params", {})}, {**base.machine, **machine})


def with_preset(params: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """All of params.yaml as `dvc exp run` would have it with the preset's flags."""
    changed = copy.deepcopy(dict(params))
    for name, value in preset.params.items():
        *sections, key = name.split(".")
        reduce(lambda node, section: node[section], sections, changed)[key] = value
    return changed


def estimate(preset: Preset, params: Mapping[str, Any], metrics: Path) -> Iterator[str]:
    """Lines that say how long the cells of the preset take here. metrics: folder of those that were measured.

    Raises:
        StageError: it has no cells, or cells that cannot be.
    """
    from bert.benchmark import estimate as planning

    sections = preset.sections_of_cells
    if not sections:
        raise StageError("this preset has no cells of a benchmark", run="python -m stages.preset --list")
    changed = with_preset(params, preset)
    machine = machine_settings({**preset.machine, **os.environ})
    plans: list[planning.Planned] = []
    if "benchmark_training" in sections:
        settings = BenchmarkTrainingSettings.model_validate(changed["benchmark_training"])
        plans += planning.planned_training(settings, machine.wanted_ranks)
    if "benchmark_inference" in sections:
        plans += planning.planned_inference(BenchmarkInferenceSettings.model_validate(changed["benchmark_inference"]))
    measured = {
        str(path.relative_to(metrics).with_suffix("")): read_json(path, f"dvc repro {stage}")
        for stage in sorted(sections)
        for path in sorted(metrics.glob(f"{stage}/*.json"))
    }
    compute = ComputeSettings.model_validate({name: changed[name] for name in ComputeSettings.model_fields})
    device, peak = _measured_peak(compute)
    # Ranks have a GPU each, and on a CPU they share it.
    devices = machine.wanted_ranks if device == "GPU" else 1
    yield f"{device}: {peak / 1e9:,.0f} GFLOP/s in one large matrix product, in {compute.precision}"
    if doubt := planning.doubt(peak, compute.precision, measured):
        yield doubt
    yield from planning.table(plans, peak * devices, measured)


def _measured_peak(compute: ComputeSettings) -> tuple[str, float]:
    """The kind of device, and the operations a second of a product in the precision wanted, the best of some trials."""
    import tensorflow as tf  # takes seconds, which the flags alone need not wait for

    from bert.benchmark.peak import matmul_peak
    from bert.model.config import BertConfig
    from bert.training.precision import set_precision

    precision = set_precision(compute, BertConfig.named("base", 1).hidden_size)
    device = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    return device, max(matmul_peak(precision.dtype) for _ in range(PEAK_TRIALS))


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("name", nargs="?", metavar="NAME", help="one of --list")
    p.add_argument("--list", action="store_true", help="print the names")
    p.add_argument("--env", action="store_true", help="print machine settings, if any, instead")
    p.add_argument("--estimate", action="store_true", help="print how long its benchmarks will take here instead")
    args = p.parse_args(argv)
    if args.list:
        print("\n".join(names()))
    elif args.name is None:
        p.error("give the name of a preset, or --list")
    else:
        params = load()
        preset = read_preset(args.name, params)
        if args.estimate:
            for line in estimate(preset, params, Path("metrics")):
                print(line, flush=True)
        elif args.env:
            if preset.machine:
                print(preset.environment())
        else:
            # In `dvc exp run $(...)` standard output is the shell's; who reads the other may still end it.
            if preset.sections_of_cells:
                for line in estimate(preset, params, Path("metrics")):
                    print(line, file=sys.stderr, flush=True)
            print(preset.flags())


if __name__ == "__main__":
    run(main)
