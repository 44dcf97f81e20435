"""Figures that NVIDIA published for BERT for TensorFlow 1 (20.06 container, DGX systems), none measured here.

Kept are those that our stages can repeat as the same work: the same model, lengths, batch and arithmetic. Times to
train and final losses are not: they depend on the corpus. The page's own contradictions are left out or noted.
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "NVIDIA's page of BERT for TensorFlow 1, container 20.06"
A100 = "NVIDIA A100 40GB"
V100 = "NVIDIA V100 32GB (DGX-1)"
V100_16 = "NVIDIA V100 16GB (DGX-1)"


@dataclass(frozen=True)
class Score:
    """Scores of a fine-tuned model in per cent, by our metric names."""

    precision: str
    figures: dict[str, float]
    hardware: str
    source: str = SOURCE


@dataclass(frozen=True)
class Speed:
    """Throughput, and for inference the latencies in ms: mean, 90, 95, 99 %."""

    hardware: str
    sequences_per_second: float
    latency_ms: tuple[float, ...] = ()


# The test of "same data": the size of the development set. SQuAD v1.1: 10,570 questions; MRPC: 408 pairs.
# SQuAD: mean of five seeds. The page's other table has the same two numbers with the precisions swapped.
# MRPC: mean of ten seeds; the page's text calls the accuracy F1, its best-of-ten table has a value not among the ten.
SCORES = {
    ("squad", "large", 10570): (
        Score("fp16, mean of 5 seeds", {"f1": 91.41}, f"8 x {A100}"),
        Score("tf32, mean of 5 seeds", {"f1": 91.52}, f"8 x {A100}"),
    ),
    ("glue/mrpc", "large", 408): (
        Score("fp16, mean of 10 seeds", {"accuracy": 86.00}, f"8 x {A100}"),
        Score("tf32, mean of 10 seeds", {"accuracy": 86.72}, f"8 x {A100}"),
    ),
}

# Of each of the seeds whose means these are: (score, {precision: its values}).
SEEDS: dict[tuple[str, str, int], tuple[str, dict[str, tuple[float, ...]]]] = {
    ("squad", "large", 10570): (
        "f1",
        {"fp16": (91.61, 91.04, 91.59, 91.32, 91.52), "tf32": (91.50, 91.49, 91.64, 91.29, 91.67)},
    ),
    ("glue/mrpc", "large", 408): (
        "accuracy",
        {
            "fp16": (84.31, 85.78, 86.76, 87.01, 86.27, 86.27, 85.54, 86.52, 86.27, 85.29),
            "tf32": (87.01, 86.27, 87.99, 86.27, 86.03, 87.01, 86.27, 86.52, 87.75, 86.03),
        },
    ),
}

# (sequence length, micro-batch of a device, global batch, devices, precision), BERT-large: sequences a second, steady
# state. Where several cards did the same work it is the A100's.
PRETRAINING = {
    (128, 64, 65536, 1, "fp16"): Speed(f"1 x {A100}", 356.845),
    (128, 64, 65536, 1, "tf32"): Speed(f"1 x {A100}", 238.10),
    (128, 64, 65536, 8, "fp16"): Speed(f"8 x {A100}", 2871.89),
    (128, 64, 65536, 8, "tf32"): Speed(f"8 x {A100}", 1889.71),
    (512, 16, 32768, 1, "fp16"): Speed(f"1 x {A100}", 70.856),
    (512, 8, 32768, 1, "tf32"): Speed(f"1 x {A100}", 39.96),
    (512, 16, 32768, 8, "fp16"): Speed(f"8 x {A100}", 572.112),
    (512, 8, 32768, 8, "tf32"): Speed(f"8 x {A100}", 316.51),
    (128, 32, 65536, 1, "fp32"): Speed(f"1 x {V100}", 46.78),
    (128, 32, 65536, 8, "fp32"): Speed(f"8 x {V100}", 357.00),
    (512, 8, 32768, 1, "fp16"): Speed(f"1 x {V100}", 31.23),
    (512, 8, 32768, 1, "fp32"): Speed(f"1 x {V100}", 10.67),
    (512, 8, 32768, 8, "fp16"): Speed(f"8 x {V100}", 255.64),
    (512, 8, 32768, 8, "fp32"): Speed(f"8 x {V100}", 81.42),
    (128, 16, 65536, 1, "fp16"): Speed(f"1 x {V100_16}", 134.34),
    (128, 8, 65536, 1, "fp32"): Speed(f"1 x {V100_16}", 39.43),
    (128, 16, 65536, 8, "fp16"): Speed(f"8 x {V100_16}", 1001.39),
    (128, 8, 65536, 8, "fp32"): Speed(f"8 x {V100_16}", 285.79),
    (512, 4, 32768, 1, "fp16"): Speed(f"1 x {V100_16}", 28.72),
    (512, 2, 32768, 1, "fp32"): Speed(f"1 x {V100_16}", 9.80),
    (512, 4, 32768, 8, "fp16"): Speed(f"8 x {V100_16}", 190.65),
    (512, 2, 32768, 8, "fp32"): Speed(f"8 x {V100_16}", 69.53),
}

# (sequence length, batch a device, devices, precision), BERT-large fine-tuned on SQuAD v1.1.
SQUAD_TRAINING = {
    (384, 32, 1, "fp16"): Speed(f"1 x {A100}", 102.26),
    (384, 16, 1, "tf32"): Speed(f"1 x {A100}", 61.364),
    (384, 32, 8, "fp16"): Speed(f"8 x {A100}", 767.071),
    (384, 16, 8, "tf32"): Speed(f"8 x {A100}", 440.47),
    (384, 24, 1, "fp16"): Speed(f"1 x {V100}", 51.02),
    (384, 10, 1, "fp32"): Speed(f"1 x {V100}", 10.42),
    (384, 24, 8, "fp16"): Speed(f"8 x {V100}", 314.6),
    (384, 10, 8, "fp32"): Speed(f"8 x {V100}", 79.37),
    (384, 4, 1, "fp16"): Speed(f"1 x {V100_16}", 29.74),
    (384, 2, 1, "fp32"): Speed(f"1 x {V100_16}", 7.36),
}

# One A100 40GB, SQuAD v1.1. The mean latency includes compilation, the throughput is of the fastest 99 % of batches.
# model, sequence length, batch, precision; sequences/s; latency in ms: mean, 90, 95, 99 %
_INFERENCE_A100 = """
base 128 1 fp16 231.37 6.43 4.57 4.68 4.93
base 128 2 fp16 454.54 6.77 4.66 4.77 4.96
base 128 4 fp16 842.34 8.8 4.91 4.98 5.39
base 128 8 fp16 1216.43 10.39 6.77 6.86 7.28
base 128 1 tf32 223.38 6.94 4.73 4.86 5.04
base 128 2 tf32 447.57 7.2 4.68 4.82 5.07
base 128 4 tf32 838.89 9.16 4.88 4.93 5.38
base 128 8 tf32 1201.05 10.81 6.88 6.99 7.21
base 128 1 fp32 152.92 9.13 6.76 6.91 7.06
base 128 2 fp32 297.42 9.51 6.93 7.07 7.21
base 128 4 fp32 448.57 11.81 9.12 9.25 9.68
base 128 8 fp32 539.94 17.49 15 15.1 15.79
base 384 1 fp16 210.59 9.03 4.83 4.86 5.06
base 384 2 fp16 290.91 14.88 7.09 7.19 7.72
base 384 4 fp16 407.13 18.04 9.93 10.05 10.74
base 384 8 fp16 478.67 26.06 16.92 17.19 17.76
base 384 1 tf32 206.46 9.74 4.93 4.98 5.25
base 384 2 tf32 287 15.57 7.18 7.27 7.87
base 384 4 tf32 396.59 18.94 10.3 10.41 11.04
base 384 8 tf32 479.04 26.81 16.88 17.25 17.74
base 384 1 fp32 115.19 13.69 8.89 8.98 9.27
base 384 2 fp32 154.66 18.49 13.06 13.14 13.89
base 384 4 fp32 174.28 28.75 23.11 23.24 24
base 384 8 fp32 191.97 48.05 41.85 42.25 42.8
large 128 1 fp16 127.75 11.18 8.14 8.25 8.53
large 128 2 fp16 219.49 12.76 9.4 9.54 9.89
large 128 4 fp16 315.83 19.01 12.87 12.98 13.37
large 128 8 fp16 495.75 22.21 16.33 16.45 16.79
large 128 1 tf32 133.24 10.86 7.77 7.87 8.23
large 128 2 tf32 218.13 12.86 9.44 9.56 9.85
large 128 4 tf32 316.25 18.98 12.91 13.01 13.57
large 128 8 tf32 495.21 22.25 16.4 16.51 17.23
large 128 1 fp32 50.43 23.83 20.11 20.2 20.56
large 128 2 fp32 94.47 25.53 21.36 21.49 21.78
large 128 4 fp32 141.52 32.51 28.44 28.57 28.99
large 128 8 fp32 166.37 52.07 48.3 48.43 49.46
large 384 1 fp16 96.65 17.46 10.52 10.6 11
large 384 2 fp16 126.07 29.43 16.09 16.22 16.78
large 384 4 fp16 165.21 38.39 24.41 24.61 25.38
large 384 8 fp16 182.13 61.04 44.32 44.61 45.23
large 384 1 tf32 95.43 17.5 10.72 10.83 11.49
large 384 2 tf32 125.99 29.47 16.06 16.15 16.67
large 384 4 tf32 164.28 38.77 24.6 24.83 25.59
large 384 8 tf32 182.46 61 44.2 44.46 45.15
large 384 1 fp32 44.42 30.54 22.67 22.74 23.46
large 384 2 fp32 50.29 48.74 39.95 40.06 40.59
large 384 4 fp32 55.58 81.55 72.31 72.6 73.7
large 384 8 fp32 58.38 147.63 137.43 137.82 138.3
"""


def _inference() -> dict[tuple[str, int, int, str], Speed]:
    table = {}
    for line in _INFERENCE_A100.strip().splitlines():
        model, length, batch, precision, *figures = line.split()
        throughput, *latencies = map(float, figures)
        table[model, int(length), int(batch), precision] = Speed(f"1 x {A100}", throughput, tuple(latencies))
    return table


INFERENCE = _inference()  # (model, sequence length, batch, precision)


def scores(key: str, model: str, count: object) -> tuple[Score, ...]:
    """The published scores of the same task, model and development set."""
    return SCORES.get((key, model, count), ()) if isinstance(count, int) else ()


def seeds(key: str, model: str, count: object) -> tuple[str, dict[str, tuple[float, ...]]] | None:
    """The score that was published of each seed, and {precision: its values}, of the same work as `scores`."""
    return SEEDS.get((key, model, count)) if isinstance(count, int) else None


def pretraining(
    model: str, sequence_length: int, micro_batch: int, global_batch: int, ranks: int, precision: str
) -> Speed | None:
    """The published pretraining throughput of the same work; micro_batch: rows of a rank at a time."""
    work = (sequence_length, micro_batch, global_batch, ranks, precision)
    return PRETRAINING.get(work) if model == "large" else None


def squad_training(model: str, sequence_length: int, batch_size: int, ranks: int, precision: str) -> Speed | None:
    """The published fine-tuning throughput of the same work."""
    return SQUAD_TRAINING.get((sequence_length, batch_size, ranks, precision)) if model == "large" else None


def inference(model: str, sequence_length: int, batch_size: int, precision: str) -> Speed | None:
    """The published inference figures of the same work, on one device."""
    return INFERENCE.get((model, sequence_length, batch_size, precision))


def _trainings(
    task: str, model: str, sequence_length: int, batch_size: int, global_batch: int
) -> dict[tuple[int, str], Speed]:
    """{(devices, precision): the published training throughput} of these batches; of SQuAD nothing is accumulated."""
    if model != "large":
        return {}
    if task == "pretrain":
        batches = (sequence_length, batch_size, global_batch)
        return {key[3:]: speed for key, speed in PRETRAINING.items() if key[:3] == batches}
    return {key[2:]: speed for key, speed in SQUAD_TRAINING.items() if key[:2] == (sequence_length, batch_size)}


def trainings(
    task: str, model: str, sequence_length: int, batch_size: int, global_batch: int, ranks: int
) -> dict[str, dict[str, Speed]]:
    """{hardware: {precision: the published training throughput}} of the same work in any precision.

    task: pretrain, where the global batch counts as well; or squad. batch_size: of a rank and micro-batch
    """
    found = _trainings(task, model, sequence_length, batch_size, global_batch)
    return _by_hardware({precision: speed for (devices, precision), speed in found.items() if devices == ranks})


def inferences(model: str, sequence_length: int, batch_size: int) -> dict[str, dict[str, Speed]]:
    """{hardware: {precision: the published inference figures}} of the same work in any precision, on one device."""
    work = (model, sequence_length, batch_size)
    return _by_hardware({key[3]: speed for key, speed in INFERENCE.items() if key[:3] == work})


def weak_scaling(
    task: str, model: str, sequence_length: int, batch_size: int, global_batch: int, precision: str
) -> dict[str, dict[int, Speed]]:
    """{card: {devices: the published throughput}} of the same work on one device and on several of the same kind."""
    found: dict[str, dict[int, Speed]] = {}
    for (devices, arithmetic), speed in _trainings(task, model, sequence_length, batch_size, global_batch).items():
        if arithmetic == precision:
            found.setdefault(speed.hardware.partition(" x ")[2], {})[devices] = speed
    return {card: dict(sorted(of.items())) for card, of in found.items() if len(of) > 1}


def _by_hardware(speeds: dict[str, Speed]) -> dict[str, dict[str, Speed]]:
    found: dict[str, dict[str, Speed]] = {}
    for precision, speed in speeds.items():
        found.setdefault(speed.hardware, {})[precision] = speed
    return found
