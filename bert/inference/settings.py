"""Params section `inference`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section

EngineName = Literal["tensorflow", "openvino"]


class InferenceSettings(Section):
    """What computes predictions, and the calls that `benchmark_inference` times.

    Attributes:
        engine: openvino, on CPUs and in fp32 or bf16 only, is the counterpart of the reference's TF-TRT (`use_trt`)
    """

    engine: EngineName


OPENVINO_HINTS = {"fp32": "f32", "bf16": "bf16"}
"""{precision: OpenVINO's name of it}, of those that it computes in on CPUs."""


def check_engine(engine: EngineName, precision: str) -> None:
    """Raises StageError where the engine is not installed, or does not compute in this precision."""
    if engine != "openvino":
        return
    if precision not in OPENVINO_HINTS:
        raise StageError(
            f"inference.engine is openvino, which computes in {' or '.join(OPENVINO_HINTS)}, but precision is "
            f"{precision}",
            run="dvc exp run -S inference.engine=tensorflow, or -S precision=bf16",
        )
    if find_spec("openvino") is None:
        raise StageError(
            "inference.engine is openvino, but the package openvino is not installed",
            run="pip install 'openvino>=2026.1', or set inference.engine to tensorflow in params.yaml",
        )
