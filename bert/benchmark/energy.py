"""Energy that the processors have taken, where the machine tells it: counters of joules, read before and after.

CPU: the packages' counters of Linux's powercap (RAPL), without memory and the rest of the machine; all that runs on the
packages is in them. Newer kernels let root alone read them: who may not has no figure, which is no error.
GPU: NVML's counter of the one GPU that this process computes on. Written by NVIDIA's documentation, and never run on a
GPU.
"""

from __future__ import annotations

import ctypes
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")

ReadJoules = Callable[[], float | None]
"""Joules since the first call; None where they cannot be read."""


class Packages:
    """The CPU packages of this machine. Their counters wrap around after some minutes: read them more often."""

    def __init__(self, powercap: Path = POWERCAP) -> None:
        # Other zones are parts of a package, such as core and dram, or the whole machine, psys.
        zones = sorted(powercap.glob("intel-rapl:*"))
        self._zones = [zone for zone in zones if _text(zone / "name").startswith("package")]
        self._ranges = {zone: _number(zone / "max_energy_range_uj") or 0 for zone in self._zones}
        self._last: dict[Path, int] = {}
        self._microjoules = 0

    def __call__(self) -> float | None:
        """See ReadJoules; of all packages together."""
        for zone in self._zones:
            now = _number(zone / "energy_uj")
            if now is None:
                return None
            passed = now - self._last.get(zone, now)
            self._microjoules += passed if passed >= 0 else passed + self._ranges[zone]
            self._last[zone] = now
        return self._microjoules / 1e6 if self._zones else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdecimal() else None


class Gpu:
    """One GPU by NVML's total since the driver was loaded (Volta and later)."""

    def __init__(self, index: int, environment: Mapping[str, str] = os.environ) -> None:
        """index: its number among those that CUDA shows this process."""
        self._nvml: Any = None
        self._handle = ctypes.c_void_p()
        self._first: int | None = None
        visible = [entry.strip() for entry in environment.get("CUDA_VISIBLE_DEVICES", "").split(",") if entry.strip()]
        name = visible[index] if index < len(visible) else str(index)
        try:
            nvml: Any = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        if nvml.nvmlInit_v2():
            return
        found = (
            nvml.nvmlDeviceGetHandleByIndex_v2(int(name), ctypes.byref(self._handle))
            if name.isdecimal()
            else nvml.nvmlDeviceGetHandleByUUID(name.encode(), ctypes.byref(self._handle))
        )
        if not found:  # NVML_SUCCESS is 0
            self._nvml = nvml

    def __call__(self) -> float | None:
        """See ReadJoules."""
        total = ctypes.c_ulonglong()  # millijoules
        if self._nvml is None or self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle, ctypes.byref(total)):
            return None
        self._first = total.value if self._first is None else self._first
        return (total.value - self._first) / 1e3


@dataclass
class Meter:
    """Joules and seconds between its `start` and its last reading.

    Attributes:
        readers: {processor: its counter}
        seconds_between: readings that come sooner after the last one are left out
    """

    readers: Mapping[str, ReadJoules]
    seconds_between: float = 1.0
    clock: Callable[[], float] = time.perf_counter
    joules: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    _began: float = 0.0
    _before: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        """Leave what was taken so far out."""
        self._began = self.clock()
        self._before = self._read()

    def read(self, *, now: bool = False) -> None:
        """To be called often. now: also right after another reading, for the last one."""
        seconds = self.clock() - self._began
        if now or seconds - self.seconds >= self.seconds_between:
            self.joules = {name: value - self._before.get(name, 0.0) for name, value in self._read().items()}
            self.seconds = seconds

    def _read(self) -> dict[str, float]:
        return {name: joules for name, read in self.readers.items() if (joules := read()) is not None}


def meter(gpu: int | None) -> Meter:
    """Of this process's processors. gpu: see Gpu; None where it computes on CPUs."""
    return Meter({"cpu": Packages()} | ({"gpu": Gpu(gpu)} if gpu is not None else {}))


def host() -> str:
    """What tells the hosts of ranks apart: the packages of one are counted once."""
    return socket.gethostname()


def energy_metrics(of_ranks: list[tuple[str, dict[str, float], float]], sequences: int) -> dict[str, Any]:
    """`energy_joules_per_sequence` and `average_watts` by processor, where all ranks have read it; {} where none has.

    of_ranks: (host, joules, seconds) of each. sequences: of all ranks, in that time.
    """
    seconds = max(seconds for _, _, seconds in of_ranks)
    joules: dict[str, float] = {}
    if all("cpu" in read for _, read, _ in of_ranks):
        joules["cpu"] = sum({name: read["cpu"] for name, read, _ in of_ranks}.values())
    if all("gpu" in read for _, read, _ in of_ranks):
        joules["gpu"] = sum(read["gpu"] for _, read, _ in of_ranks)
    if not joules or seconds <= 0:
        return {}
    return {
        "energy_joules_per_sequence": {name: round(value / sequences, 6) for name, value in joules.items()},
        "average_watts": {name: round(value / seconds, 2) for name, value in joules.items()},
    }
