"""bert/benchmark/energy.py, on a powercap tree as Linux has it (Documentation/power/powercap/powercap.rst)."""

from __future__ import annotations

import ctypes
from pathlib import Path

import pytest

from bert.benchmark.energy import Gpu, Meter, Packages, energy_metrics

RANGE = 1_000_000  # of a counter; real ones wrap around at 262143328850 and the like


def zone(root: Path, path: str, name: str, microjoules: int) -> Path:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{RANGE}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    return folder / "energy_uj"


@pytest.fixture
def counters(tmp_path: Path) -> tuple[Path, Path]:
    """The counters of two packages. What counts a part of one, or all of the machine, would be counted twice."""
    zone(tmp_path, "intel-rapl:0:0", "core", 123)
    zone(tmp_path, "intel-rapl:2", "psys", 456)
    (tmp_path / "intel-rapl").mkdir()
    return (
        zone(tmp_path, "intel-rapl:0", "package-0", 100_000),
        zone(tmp_path, "intel-rapl:1", "package-1", 900_000),
    )


def test_packages_are_added_up_and_wrap_around(tmp_path: Path, counters: tuple[Path, Path]) -> None:
    packages = Packages(tmp_path)
    assert packages() == 0
    counters[0].write_text("300000")
    assert packages() == pytest.approx(0.2)
    counters[1].write_text("50000")  # 900,000 -> 1,000,000, that is 0 -> 50,000
    assert packages() == pytest.approx(0.35)
    counters[1].write_text("950000")
    assert packages() == pytest.approx(1.25)
    for other in ("intel-rapl:0:0", "intel-rapl:2"):
        (tmp_path / other / "energy_uj").write_text("999999")
    assert packages() == pytest.approx(1.25)


def test_who_may_not_read_the_counters_has_no_figure(tmp_path: Path, counters: tuple[Path, Path]) -> None:
    counters[1].unlink()
    assert Packages(tmp_path)() is None
    assert Packages(tmp_path / "none")() is None
    meter = Meter({"cpu": Packages(tmp_path)})
    meter.start()
    meter.read(now=True)
    assert meter.joules == {}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_meter_counts_from_its_start_and_reads_no_more_often_than_it_must() -> None:
    total, reads, clock = [5.0], [0], Clock()

    def counter() -> float:
        reads[0] += 1
        return total[0]

    meter = Meter({"cpu": counter}, seconds_between=1.0, clock=clock)
    meter.start()
    total[0] = 7.0
    clock.now += 0.5
    meter.read()
    assert reads == [1]
    clock.now += 0.5
    meter.read()
    assert (meter.joules, meter.seconds, reads) == ({"cpu": 2.0}, 1.0, [2])
    total[0], clock.now = 11.0, clock.now + 0.25
    meter.read(now=True)
    assert (meter.joules, meter.seconds) == ({"cpu": 6.0}, 1.25)


def test_a_host_is_counted_once_and_each_rank_has_its_gpu() -> None:
    of_ranks = [("a", {"cpu": 100.0, "gpu": 200.0}, 4.0), ("a", {"cpu": 101.0, "gpu": 300.0}, 4.0)]
    assert energy_metrics(of_ranks, 50) == {
        "energy_joules_per_sequence": {"cpu": 2.02, "gpu": 10.0},
        "average_watts": {"cpu": 25.25, "gpu": 125.0},
    }
    other = ("b", {"cpu": 99.0}, 5.0)
    assert energy_metrics([*of_ranks, other], 100) == {
        "energy_joules_per_sequence": {"cpu": 2.0},
        "average_watts": {"cpu": 40.0},
    }
    assert energy_metrics([("a", {}, 1.0)], 1) == {}


def test_without_nvml_there_is_no_figure() -> None:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        assert Gpu(0)() is None
    else:
        pytest.skip("NVML is here")
