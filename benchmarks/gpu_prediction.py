"""What a program of benchmarks/gpu_export.py costs on a GPU that is not there: its kernels' bytes and FLOPs.

    python -m benchmarks.gpu_prediction programs            # beside jax, jax-cuda12-plugin[with-cuda] and numpy

JAX's XLA compiles for the H100 without one (no kernel is tuned by trials then). Of the compiled program each kernel
reads its operands and writes its results once; a matrix product or a cuDNN attention besides does its FLOPs. The time
predicted is the sum over the kernels of the longer of the two, at the rates below. It leaves out starts of kernels and
whatever keeps one from its bound, so it is what no program can beat, and its use is to compare two programs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

H100 = """
gpu_device_info {
  cuda_compute_capability { major: 9 }
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  threads_per_warp: 32 threads_per_block_limit: 1024 threads_per_core_limit: 2048
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  shared_memory_per_block: 49152 shared_memory_per_core: 233472 shared_memory_per_block_optin: 232448
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  memory_bandwidth: 3352320000000 l2_cache_size: 52428800 device_memory_size: 84942979072
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""
"""The card as XLA describes it: its memory's bytes a second are 0.91 of the 3.35 TB/s below in long copies."""
BYTES_PER_SECOND = 3.05e12
FLOPS_PER_SECOND = {"bf16": 7.0e14, "fp16": 7.0e14, "tf32": 4.0e14, "fp32": 5.0e13}
"""Of one large product, as benchmarks/gpu_step.py measured them on an H100 (bf16), and in proportion to them."""
OPTIONS = {"xla_gpu_autotune_level": 0, "xla_gpu_enable_triton_gemm": False, "xla_gpu_enable_command_buffer": ""}

SIZES = {"pred": 1, "s8": 1, "u8": 1, "bf16": 2, "f16": 2, "f32": 4, "s32": 4, "u32": 4, "s64": 8, "u64": 8, "f64": 8}
ARRAY = re.compile(r"\b([a-z]+\d*)\[([\d,]*)\]")
LINE = re.compile(r"^\s+(?:ROOT )?%([\w.-]+) = (.*?) ([\w-]+)\((.*?)\)(?:, (.*))?$")
NO_KERNELS = {"parameter", "constant", "get-tuple-element", "tuple", "bitcast", "after-all", "iota", "partition-id"}


@dataclass(frozen=True)
class Kernel:
    """kind: fusion, product, attention, ...; memory: bytes read and written; flops: of products alone."""

    kind: str
    memory: int
    flops: int


def seconds(kernel: Kernel, peak: float) -> float:
    """That it takes at the least, with a `peak` in FLOP/s."""
    return max(kernel.memory / BYTES_PER_SECOND, kernel.flops / peak)


def _arrays(shape: str) -> list[tuple[str, tuple[int, ...]]]:
    """ "(bf16[2,3]{1,0}, s8[4]{0})" -> [("bf16", (2, 3)), ("s8", (4,))]."""
    return [(kind, tuple(int(n) for n in size.split(",") if n)) for kind, size in ARRAY.findall(shape)]


def _bytes(shape: str) -> int:
    return sum(SIZES.get(kind, 0) * math.prod(size) for kind, size in _arrays(shape))


def _product_flops(shapes: list[str], rest: str) -> int:
    """Of operands A and B: 2 m n k, a batch times."""
    sizes = [_arrays(shape)[0][1] for shape in shapes[:2]]
    contracted = re.search(r'"lhs_contracting_dimensions":\[([^\]]*)\]', rest)
    batched = re.search(r'"rhs_batch_dimensions":\[([^\]]*)\]', rest)
    inner = re.search(r'"rhs_contracting_dimensions":\[([^\]]*)\]', rest)
    if not (contracted and batched and inner):
        raise ValueError(f"a product without its dimensions: {rest[:200]}")
    of_b = {int(n) for part in (batched[1], inner[1]) for n in re.findall(r"\d+", part)}
    return 2 * math.prod(sizes[0]) * math.prod(n for at, n in enumerate(sizes[1]) if at not in of_b)


def _attention_flops(shapes: list[str], target: str) -> int:
    """Of (B, S, N, D) or (B, N, S, D) queries: 2 products forward, 5 backward, of 2 B N S S D each."""
    size = _arrays(shapes[0])[0][1]
    batch, *middle, width = size
    heads, length = min(middle), max(middle)
    return (5 if "Backward" in target else 2) * 2 * batch * heads * length * length * width


def _computations(compiled: str) -> dict[str, list[str]]:
    """{name: its lines}, that of the entry "ENTRY"."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in compiled.splitlines():
        if head := re.match(r"(ENTRY |)%([\w.-]+) \(.*\{$", line):
            lines = found.setdefault(head[1].strip() or head[2], [])
        else:
            lines.append(line)
    return found


def kernels(compiled: str, of: str = "ENTRY") -> Iterator[Kernel]:
    """Of a compiled program's text: the instructions of its entry that run."""
    computations = _computations(compiled)

    def of_computation(name: str) -> Iterator[Kernel]:
        shapes: dict[str, str] = {}
        for line in computations[name]:
            if (found := LINE.match(line)) is None:
                continue
            own, shape, operation, operands, rest = *found.groups()[:4], found[5] or ""
            shapes[own] = shape
            called = re.search(r"calls=%([\w.-]+)", rest)
            if operation == "fusion" and called and any(" custom-call(" in x for x in computations[called[1]]):
                yield from (
                    x for x in of_computation(called[1]) if x.flops
                )  # a product of slices, which it reads alone
            elif operation not in NO_KERNELS:
                inputs = [shapes[n] for n in re.findall(r"%([\w.-]+)", operands) if n in shapes]
                yield _kernel(operation, shape, inputs, rest)

    yield from of_computation(of)


def _kernel(operation: str, shape: str, inputs: list[str], rest: str) -> Kernel:
    memory = sum(map(_bytes, inputs)) + _bytes(shape)
    target = (re.search(r'custom_call_target="([^"]+)"', rest) or [""] * 2)[1]
    if target:  # not its workspace
        memory -= sum(math.prod(size) for kind, size in _arrays(shape) if kind in ("s8", "u8"))
    if "cublas" in target:
        epilogue = (re.search(r'"epilogue":"(\w+)"', rest) or ["", "DEFAULT"])[1]
        return Kernel(f"product {epilogue}", memory, _product_flops(inputs, rest))
    if "fmha" in target:
        return Kernel("attention", memory, _attention_flops(inputs, target))
    return Kernel(target or operation, memory, 0)


def compile_for(device: str, text: str) -> str:
    """The program's text after XLA has compiled it for a device that is described and not there."""
    import jax
    from jax._src import compiler, xla_bridge
    from jax._src.interpreters import mlir
    from jax._src.lib import xla_client
    from jax._src.lib.mlir import ir
    from jax.experimental import topologies

    jax.config.update("jax_enable_x64", True)
    xla_bridge.backends()
    target: Any = topologies.get_topology_desc(
        platform="cuda", topology_name="", topology="1x1x1", target_config=device
    )
    backend = target.devices[0].client
    options = compiler.get_compile_options(num_replicas=1, num_partitions=1, env_options_overrides=OPTIONS)
    with mlir.make_ir_context():
        devices = xla_client.DeviceList(tuple(target.devices))
        found = compiler.backend_compile_and_load(backend, ir.Module.parse(text), devices, options, [])
    return str(found.hlo_modules()[0].to_string())


def predict(folder: Path, name: str) -> dict[str, Any]:
    """The figures of one program, {name: value}, bytes in GB, FLOPs in units of 10^12, times in ms."""
    facts = json.loads((folder / f"{name}.json").read_text())
    text = gzip.decompress((folder / f"{name}.mlir.gz").read_bytes()).decode()
    text = text.replace("mhlo.copy %", "stablehlo.optimization_barrier %")  # as in gpu_step.Program
    compiled = compile_for(H100, text)
    (folder / f"{name}.hlo.gz").write_bytes(gzip.compress(compiled.encode(), mtime=0))
    found = list(kernels(compiled))
    peak = FLOPS_PER_SECOND[facts.get("precision", "fp32")]
    kinds = dict.fromkeys(x.kind for x in found)
    by_kind = {kind: sum(seconds(x, peak) for x in found if x.kind == kind) for kind in kinds}
    whole = sum(by_kind.values())
    return {
        "kernels": len(found),
        "gb": round(sum(x.memory for x in found) / 1e9, 2),
        "tflop": round(sum(x.flops for x in found) / 1e12, 3),
        "bound_ms": round(1000 * whole, 2),
        "sequences_per_second_bound": round(facts["rows"] / whole, 1) if "rows" in facts else None,
        "counts": dict(Counter(x.kind for x in found)),
        "bound_ms_by_kind": {k: round(1000 * v, 2) for k, v in by_kind.items()},
    }


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path, help="what gpu_export left")
    p.add_argument("--only", nargs="+", metavar="NAME", help="programs: large-64x128-bf16-plain.gradient")
    p.add_argument("--out", type=Path, help="where to write the figures as JSON")
    args = p.parse_args(argv)
    os.environ |= {"JAX_PLATFORMS": "cuda,cpu", "JAX_SKIP_CUDA_CONSTRAINTS_CHECK": "1"}
    results = {}
    for name in args.only or sorted(x.name.removesuffix(".json") for x in args.folder.glob("*.*.json")):
        results[name] = predict(args.folder, name)
        print(name, json.dumps(results[name]), flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
