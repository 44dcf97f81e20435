"""Tests for benchmarks/gpu_prediction.py, on a compiled program written out by hand: XLA compiles nothing here."""

from __future__ import annotations

import pytest

from benchmarks.gpu_prediction import FLOPS_PER_SECOND, Kernel, kernels, seconds

DIMENSIONS = (
    '"gemm_backend_config":{"epilogue":"%s","dot_dimension_numbers":{"lhs_contracting_dimensions":["%d"],'
    '"rhs_contracting_dimensions":["%d"],"lhs_batch_dimensions":[%s],"rhs_batch_dimensions":[%s]}}'
)
PROGRAM = f"""HloModule step, is_scheduled=true

%add_them (a: bf16[4,8], b: f32[8]) -> f32[4,8] {{
  %a = bf16[4,8]{{1,0}} parameter(0)
  ROOT %sum = f32[4,8]{{1,0}} convert(%a)
}}

%slice_product (p: bf16[3,2,4,8]) -> (bf16[2,4,4], s8[1024]) {{
  %p = bf16[3,2,4,8]{{3,2,1,0}} parameter(0)
  %q = bf16[2,4,8]{{2,1,0}} slice(%p), slice={{[0:1], [0:2], [0:4], [0:8]}}
  ROOT %c = (bf16[2,4,4]{{2,1,0}}, s8[1024]{{0}}) custom-call(%q, %q), custom_call_target="__cublas$lt$matmul", \
backend_config={{{DIMENSIONS % ("DEFAULT", 2, 2, '"0"', '"0"')}}}
}}

ENTRY %main (x: bf16[4,8], w: bf16[8,16], b: bf16[16], qkv: bf16[3,2,4,8], h: bf16[2,3,4,8]) -> f32[4,8] {{
  %x = bf16[4,8]{{1,0}} parameter(0)
  %w = bf16[8,16]{{1,0}} parameter(1)
  %b = bf16[16]{{0}} parameter(2)
  %qkv = bf16[3,2,4,8]{{3,2,1,0}} parameter(3)
  %h = bf16[2,3,4,8]{{3,2,1,0}} parameter(4)
  %y = (bf16[4,16]{{1,0}}, s8[4096]{{0}}) custom-call(%x, %w, %b), custom_call_target="__cublas$lt$matmul", \
backend_config={{{DIMENSIONS % ("BIAS", 1, 0, "", "")}}}
  %y.1 = bf16[4,16]{{1,0}} get-tuple-element(%y), index=0
  %s = (bf16[2,4,4]{{2,1,0}}, s8[1024]{{0}}) fusion(%qkv), kind=kCustom, calls=%slice_product
  %flash = (bf16[2,3,4,8]{{3,2,1,0}}, f32[2,3,4]{{2,1,0}}, u8[0]{{0}}) custom-call(%h, %h, %h), \
custom_call_target="__cudnn$fmhaSoftmax"
  ROOT %f = f32[4,8]{{1,0}} fusion(%x, %b), kind=kLoop, calls=%add_them
}}
"""


def test_bytes_and_flops_of_each_kernel() -> None:
    product, sliced, attention, loop = kernels(PROGRAM)
    assert product == Kernel("product BIAS", 2 * (4 * 8 + 8 * 16 + 16 + 4 * 16), 2 * 4 * 8 * 16)
    # Of the three in %qkv it reads one, as both operands; its workspace is no traffic.
    assert sliced == Kernel("product DEFAULT", 2 * (2 * 2 * 4 * 8 + 2 * 4 * 4), 2 * 2 * 4 * 4 * 8)
    assert attention == Kernel("attention", 2 * 4 * (2 * 3 * 4 * 8) + 4 * (2 * 3 * 4), 2 * 2 * (2 * 3) * 4 * 4 * 8)
    assert loop == Kernel("fusion", 2 * 4 * 8 + 2 * 16 + 4 * 4 * 8, 0)


@pytest.mark.parametrize(
    "memory, flops, bound", [(3_050_000, 7e8, 1e-6), (3_050_000, 1.4e9, 2e-6), (3_050_000, 0, 1e-6)]
)
def test_a_kernel_takes_the_longer_of_its_bytes_and_its_flops(memory: int, flops: float, bound: float) -> None:
    assert seconds(Kernel("product", memory, int(flops)), FLOPS_PER_SECOND["bf16"]) == pytest.approx(bound)
