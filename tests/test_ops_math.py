"""The mathematical functions, the activations and `out=` beside PyTorch and `math`."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from oracle import check_gradient, reals, same

import minigrad
from minigrad.ops.error_function import erf_array, erfc_array, erfinv_array

X, Y = reals(2, 3), reals(2, 3, seed=1)
F = "torch.nn.functional."

ANYWHERE = [
    "x.exp2()", "x.expm1()", "x.tan()", "x.atan()", "torch.arctan(x)", "x.atan2(y)", "x.sinh()",
    "x.cosh()", "x.asinh()", "x.erf()", "x.erfc()", "x.deg2rad()", "x.rad2deg()", "x.sinc()",
    "x.frac()", "x.copysign(y)", "x.copysign(-1)", "x.nan_to_num()", "x.clamp_max(0)",
    "x.clamp_max(y)", "x.clamp_min(y)", "x.fmod(0.3)", "torch.fmax(x, y)", "torch.fmin(x, y)",
    "torch.hypot(x, y)", "torch.logaddexp(x, y * 2)", "torch.logaddexp2(x, y * 2)", "torch.lerp(x, y, 0.3)",
    "torch.lerp(x, y, 0.8)", "torch.lerp(x, y, x * y)", "torch.addcmul(x, y, x, value=2)",
    "torch.addcdiv(x, y, x, value=0.5)", "torch.special.expit(x)", "torch.xlogy(x, y * y)",
    "torch.xlogy(x, 2.0)", "torch.xlogy(2, y * y)", "torch.float_power(x, 2)",
]  # fmt: skip
INSIDE = [
    "x.asin()", "x.acos()", "x.atanh()", "x.erfinv()", "x.log1p()", "torch.arcsin(x)",
    "torch.special.erfinv(x)",
]  # fmt: skip
POSITIVE = ["x.log2()", "x.log10()", "x.rsqrt()", "x.logit()", "x.logit(0.3)", "(x + 1).acosh()"]
ACTIVATIONS = [F + call for call in (
    "softplus(x)", "softplus(x, 2, 1)", "logsigmoid(x)", "silu(x)", "mish(x)", "gelu(x)",
    "gelu(x, approximate='tanh')", "elu(x)", "elu(x, 0.5)", "selu(x)", "celu(x, 2.0)",
    "leaky_relu(x)", "hardtanh(x, -0.5, 0.5)", "relu6(x)", "hardswish(x)", "softsign(x)",
    "tanhshrink(x)", "hardshrink(x)", "softshrink(x)", "threshold(x, 0.1, 5)",
)]  # fmt: skip
STEPS = ["x.round()", "x.round(decimals=1)", "x.round(decimals=-1)", "x.trunc()", "x.fix()",
         "x.sgn()", "x.signbit()", "torch.special.round(x)", "x.fmod(y)"]  # fmt: skip
IN_PLACE = [
    "exp2_", "expm1_", "tan_", "atan_", "sinh_", "cosh_", "asinh_", "erf_", "erfc_", "deg2rad_",
    "rad2deg_", "sinc_", "frac_", "round_", "trunc_", "sgn_", "square_", "nan_to_num_", "arctan_",
]  # fmt: skip


def close(program: str, **inputs: np.ndarray) -> None:
    same(program, ulps=8, grad_ulps=32, **inputs)


@pytest.mark.parametrize("program", ANYWHERE + STEPS)
def test_functions(program: str) -> None:
    close(program, x=X, y=Y)


@pytest.mark.parametrize("program", INSIDE)
def test_functions_inside_the_unit_interval(program: str) -> None:
    close(program, x=np.tanh(X) * 0.9)


@pytest.mark.parametrize("program", POSITIVE)
def test_functions_of_positive_numbers(program: str) -> None:
    close(program, x=1 / (1 + np.exp(X)))


@pytest.mark.parametrize("program", ACTIVATIONS)
def test_activations(program: str) -> None:
    cancels = "gelu" in program or "tanhshrink" in program  # 1 - tanh and the like
    same(program, ulps=512 if cancels else 8, grad_ulps=32, x=X)


@pytest.mark.parametrize("program", ANYWHERE[:-1] + ACTIVATIONS)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, x=X, y=Y)


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place(name: str) -> None:
    close(f"z = x * 1; z.{name}(); z * 2", x=X)


WHOLE = ["a.erf()", "a.round()", "a.trunc()", "a.fmod(2)", "a << 1", "a >> 1", "1 << a", "torch.sgn(a)",
         "a.bitwise_left_shift(2)", "a.frac()", "torch.logit(a)", "a.expm1()"]  # fmt: skip


@pytest.mark.parametrize("program", WHOLE)
def test_whole_numbers(program: str) -> None:
    same(program, ulps=4, a=np.array([0, 1, 2, 5]))


def test_error_functions_against_math() -> None:
    x = np.concatenate([np.linspace(-6, 6, 4001), np.linspace(6, 26, 500)])
    for ours, exact in ((erf_array, math.erf), (erfc_array, math.erfc)):
        expected = np.array([exact(v) for v in x])
        apart = np.abs(ours(x) - expected) / np.spacing(np.abs(expected))
        assert apart.max() <= 8


def test_erfinv_undoes_erf_and_erfc() -> None:
    y = erfinv_array(np.linspace(-0.99, 0.99, 999))
    np.testing.assert_allclose([math.erf(v) for v in y], np.linspace(-0.99, 0.99, 999), rtol=1e-15)
    tails = 2.0 ** -np.arange(2, 53)
    z = erfinv_array(1 - tails)
    expected = np.abs(np.array([math.erfc(v) for v in z]) / tails - 1)
    assert (expected <= 4e-16 * (2 * z * z + 4)).all()  # what a last digit of z amounts to


OUT = [
    "o = torch.empty(0); r = torch.exp(c, out=o); (r is o, o)",
    "o = torch.empty(2, 3); (torch.add(c, 1, alpha=2, out=o), o._version)",
    "o = torch.empty(2, 3, dtype=torch.float64); torch.mul(c, c, out=o)",
    "o = torch.ones(3, 3); torch.exp(c[0], out=o[1]); o", "torch.eq(c, c, out=torch.empty(0))",
    "torch.exp(c, out=torch.empty(2, 3, dtype=torch.int64))", "torch.exp(c, out=1)",
    "torch.exp(c, out=torch.empty(2, 3, requires_grad=True))", "torch.hypot(c, c, out=c)",
    "torch.exp(c.clone().requires_grad_(), out=torch.empty(2, 3))", "torch.exp(c, out=(c,))",
    "torch.exp(c, out=torch.ones(1).expand(2, 3))", "torch.exp(c, out=torch.ones(7))",
    "torch.exp(c, out=None)", "torch.lerp(c, c, 0.5, out=torch.empty(0))",
]  # fmt: skip


@pytest.mark.parametrize("program", OUT)
def test_out(program: str) -> None:
    same(program, ulps=4, c=X.astype(np.float32))


def test_another_shape_of_out_is_a_warning() -> None:
    texts = []
    for library in (torch, minigrad):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            library.exp(library.ones(3), out=library.ones(2))
        texts.append(str(caught[0].message).partition(" (Triggered")[0])
    assert texts[0] == texts[1]


MISTAKES = ["torch.erf(1.0)", "torch.hypot(c, 2)", "torch.atan2(c, 1)", "torch.fmod(2, c)",
            "torch.heaviside(c, c.long())", "torch.addcdiv(c.long(), c.long(), c.long())",
            "torch.bitwise_left_shift(c, 1)", "torch.lerp(c, c.double(), 0.5)",
            "torch.nn.functional.gelu(c, approximate='x')", "torch.fmod(c.long(), 0)",
            "torch.nn.functional.hardtanh(c, 1, -1)", "torch.nn.functional.silu(c.long())",
            "torch.gt(2, c)", "torch.logical_and(c, 2)", "torch.clamp_max(2, c)"]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program, c=X.astype(np.float32))
