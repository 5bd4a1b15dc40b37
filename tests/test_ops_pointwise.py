"""Pointwise ops beside PyTorch: values, gradients of two orders, graphs, edge values."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import check_gradient, reals, same

X, Y = reals(2, 3), reals(2, 3, seed=1)
POSITIVE = np.abs(X) + 0.5

ARITHMETIC = [
    "x + y", "x - y", "x * y", "x / y", "-x", "x + 2", "2 + x", "x - 2.5", "2 - x", "1.5 - x",
    "x * 3", "3 * x", "x / 4", "4 / x", "True + x", "x + x", "x * x", "x - x", "x / x",
    "x.add(y, alpha=2)", "x.add(2, alpha=3)", "x.sub(y, alpha=0.5)", "torch.rsub(x, y)",
    "torch.rsub(x, 2)", "x.multiply(y)", "x.divide(y)", "x.true_divide(y)", "x.subtract(y)",
    "x.negative()", "torch.add(x, y)", "torch.add(x, 1)", "torch.mul(x, y)", "torch.div(x, y)",
    "torch.neg(x)", "+x", "x.reciprocal()", "torch.div(x, y, rounding_mode='trunc')",
    "x.div(y, rounding_mode='floor')", "x // y", "x % y", "x // 0.5", "x % 0.5", "2 // x", "2 % x",
    "x.remainder(y)", "x.floor_divide(y)", "torch.remainder(2, x)", "(x + y) * (x - y) / (x * y)",
    "sum([x, y])",
]  # fmt: skip
POWERS = [
    "x ** 2", "x ** 3", "x ** 1", "x ** 0", "x ** 4", "x ** -1", "x ** -2", "x.pow(2)",
    "torch.pow(x, 2.0)", "x ** 5", "x.square()", "torch.square(x)", "x ** True",
]  # fmt: skip
OF_POSITIVE = [
    "x ** y", "x ** 0.5", "x ** -0.5", "x ** 2.5", "2 ** y", "torch.pow(2.5, y)", "x.sqrt()",
    "x.log()", "torch.sqrt(x)", "torch.log(x)", "0 ** x", "1 ** y", "x.pow(y)",
    "x ** torch.tensor(2.0)",
]  # fmt: skip
FUNCTIONS = [
    "x.exp()", "torch.exp(x)", "x.abs()", "abs(x)", "x.absolute()", "x.sigmoid()",
    "torch.sigmoid(x)", "x.tanh()", "torch.tanh(x)", "x.relu()", "torch.relu(x)",
    "torch.nn.functional.relu(x)", "x.sin()", "x.cos()", "x.sign()", "x.floor()", "x.ceil()",
]  # fmt: skip
CHOICES = [
    "x.clamp(-0.5, 0.5)", "x.clamp(min=0)", "x.clamp(max=0)", "x.clamp(min=0.0, max=1)",
    "x.clip(0, 1)", "torch.clamp(x, y, y + 1)", "x.clamp(min=y)", "x.clamp(max=y)",
    "x.clamp(y, y - 1)", "x.clamp_min(0)", "torch.clamp_min(x, 0.1)", "x.clamp(1, -1)",
    "torch.maximum(x, y)", "torch.minimum(x, y)", "x.maximum(y)", "torch.max(x, y)",
    "torch.min(x, y)", "torch.where(x > 0, x, y)", "torch.where(x > 0, x, 0.0)",
    "torch.where(x > 0, 1, x)", "x.where(x > 0, y)", "x.clamp(min=torch.tensor(0.0))",
    "torch.where(x[:, :1] > 0, x, y[0])",
]  # fmt: skip
DIFFERENTIABLE = ARITHMETIC + POWERS + FUNCTIONS + CHOICES
NO_SLOPE = ("//", "%", "remainder", "rounding_mode", "floor", "ceil", "sign()")


@pytest.mark.parametrize("program", DIFFERENTIABLE)
def test_ops_on_doubles(program: str) -> None:
    same(program, ulps=2, x=X, y=Y)


@pytest.mark.parametrize("program", OF_POSITIVE)
def test_ops_on_positive_doubles(program: str) -> None:
    same(program, ulps=2, x=POSITIVE, y=Y)


@pytest.mark.parametrize(
    "program", [p for p in DIFFERENTIABLE if not any(n in p for n in NO_SLOPE)]
)
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, x=X, y=Y)


@pytest.mark.parametrize("program", OF_POSITIVE)
def test_gradient_is_the_slope_for_positive_numbers(program: str) -> None:
    check_gradient(program, x=POSITIVE, y=Y)


EXACT = [
    p
    for p in DIFFERENTIABLE
    if not any(f in p for f in ("exp", "sigmoid", "tanh", "sin", "cos", "** -", "** 4", "** 5"))
]


@pytest.mark.parametrize("program", EXACT)
def test_arithmetic_on_floats_is_bit_equal(program: str) -> None:
    same(
        program,
        ulps=0,
        order=1,
        x=reals(5, 7, dtype=np.float32),
        y=reals(5, 7, dtype=np.float32, seed=1),
    )


@pytest.mark.parametrize("program", FUNCTIONS + POWERS)
def test_functions_of_floats(program: str) -> None:
    same(program, ulps=4, order=1, x=reals(5, 7, dtype=np.float32))


@pytest.mark.parametrize(
    "program", ["x + y", "x * y", "x / 3", "x.exp()", "x.sigmoid()", "x ** 2", "x.relu()", "2 - x"]
)
def test_half_precision(program: str) -> None:
    same(
        program,
        ulps=1,
        order=1,
        grad_ulps=1,
        x=reals(5, 7, dtype=np.float16),
        y=reals(5, 7, dtype=np.float16, seed=1),
    )


BROADCAST = [
    "x + y", "x - y", "x * y", "x / y", "torch.maximum(x, y)", "torch.where(x > y, x, y)",
    "x.clamp(min=y)",
]  # fmt: skip
SHAPES = [
    ((2, 3), (3,)),
    ((2, 3), ()),
    ((), (2, 3)),
    ((2, 1), (1, 3)),
    ((4, 1, 2), (3, 1)),
    ((0, 3), (3,)),
    ((1,), (0,)),
]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("program", BROADCAST)
def test_broadcasting(program: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    same(program, x=reals(*shapes[0]), y=reals(*shapes[1], seed=1))


LAYOUTS = [
    "x.t() + y.t()", "x.t() * 2", "(x.t() * y.t()).exp()", "x.t().exp()", "x[:, ::2] + y[:, ::2]",
    "x[:, 1] * y[:, 2]", "x.expand(2, 2, 3) * y", "x.t().clone().sin()", "x[1:].relu()", "-x.t()",
    "x.t() ** 2",
]  # fmt: skip


@pytest.mark.parametrize("program", LAYOUTS)
def test_other_layouts_than_row_major(program: str) -> None:
    same(program, ulps=2, x=X, y=Y)


EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.0, -2.5, 1e300, 1e-320, -3.0])
PAIRS = [a.ravel() for a in np.meshgrid(EDGES, EDGES)]
UNARY = FUNCTIONS + POWERS + [
    "x.sqrt()", "x.log()", "x.reciprocal()", "1 / x", "-x", "x ** 0.5", "x ** -0.5", "x ** 2.5",
    "2 ** x", "0 ** x", "(-2) ** x", "x.clamp(-1, 1)", "x.clamp(min=0)", "x.clamp(max=0)",
    "torch.isin(torch.tensor([1.0, 1, 2, 3, 3]), torch.tensor([1.0, 3, 3, 7]))",
    "torch.isin(torch.arange(12.0) // 3, torch.arange(40.0) // 2 * 2)",
    "torch.isin(torch.tensor([5.0, 5, 1]), torch.tensor([2.0, 2, 1]), assume_unique=False, invert=True)",
    "x.isnan()", "x.isinf()", "x.isfinite()", "x.clamp(float('nan'), 1)",
    "x.clamp(0, float('inf'))", "x.logical_not()", "x.logit()", "x.logit(0.1)",
]  # fmt: skip
BINARY = [
    "x + y", "x - y", "x * y", "x / y", "torch.maximum(x, y)", "torch.minimum(x, y)", "x ** y",
    "x // y", "x == y", "x != y", "x < y", "x <= y", "x > y", "x >= y", "x.clamp(min=y)",
    "x.clamp(max=y)", "x.clamp(y, y + 1)", "torch.isclose(x, y)",
    "torch.isclose(x, y, equal_nan=True)", "x.div(y, rounding_mode='trunc')",
]  # fmt: skip


@pytest.mark.parametrize("program", UNARY)
def test_edge_values(program: str) -> None:
    same(program, ulps=2, order=1, x=EDGES)


@pytest.mark.parametrize("program", BINARY)
def test_edge_values_of_pairs(program: str) -> None:
    same(program, ulps=2, order=1, x=PAIRS[0], y=PAIRS[1])


def test_remainder_of_edge_values() -> None:
    keep = np.abs(PAIRS[1]) != 1e-320  # the vector unit's remainder by a subnormal is nan
    same("x % y", order=0, x=PAIRS[0][keep], y=PAIRS[1][keep])


TIES = [
    "torch.maximum(x, y)", "torch.minimum(x, y)", "x.clamp(min=y)", "x.clamp(max=y)",
    "x.clamp(y, y)", "x.clamp(1, 2)", "x.abs()", "x.relu()", "torch.max(x, y)", "x.clamp(2, 1)",
    "x.clamp(y, y - 1)", "x.sign()", "x.clamp_min(1)",
]  # fmt: skip


@pytest.mark.parametrize("program", TIES)
def test_gradient_at_kinks(program: str) -> None:
    same(program, x=np.array([0.0, 1.0, 2.0, -1.0, 1.0]), y=np.array([0.0, 1.0, 1.0, -1.0, 2.0]))


ZERO_BASE = [
    "x ** 0", "x ** 1", "x ** 2", "x ** 3", "x ** 0.5", "x ** y", "0 ** y",
    "x ** torch.tensor(0.0)", "x ** torch.tensor(2.0)",
]  # fmt: skip


@pytest.mark.parametrize("program", ZERO_BASE)
def test_powers_of_zero_and_negative_numbers(program: str) -> None:
    same(
        program,
        x=np.array([0.0, 0.0, 0.0, -2.0, -2.0, -2.0]),
        y=np.array([0.0, 1.0, 2.0, 2.0, 3.0, -1.0]),
    )


@pytest.mark.parametrize("size", [1, 2, 5, 8, 17, 64, 65])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=lambda d: d.__name__)
def test_relu_keeps_the_sign_of_zero(size: int, dtype: type) -> None:
    """Sizes on both sides of those of vector registers, which have rules of their own for zeros."""
    values = np.resize(np.array([-0.0, 0.0, -1.0, np.nan, np.inf, -np.inf], dtype), size)
    same("(x.relu(), torch.signbit(x.relu())[x == x])", order=0, x=values)


EMPTY = [
    "x + 1", "x * x", "x.exp()", "x.relu()", "torch.maximum(x, x)", "x == x", "x ** 2",
    "x.clamp(0, 1)", "torch.where(x > 0, x, x)",
]  # fmt: skip


@pytest.mark.parametrize("program", EMPTY)
@pytest.mark.parametrize("shape", [(0,), (2, 0), (0, 3)], ids=str)
def test_empty_tensors(program: str, shape: tuple[int, ...]) -> None:
    same(program, x=reals(*shape))


LOGIC = [
    "a & b", "a | b", "a ^ b", "~a", "a.logical_and(b)", "a.logical_or(b)", "a.logical_not()",
    "a == b", "a < b", "a & 3", "a | True", "torch.bitwise_and(a, b)", "torch.logical_not(a)",
    "1 & a", "torch.equal(a, b)", "torch.equal(a, a)", "torch.allclose(a * 1.0, b * 1.0)", "a + b",
    "a * b", "a // 2", "a % 3", "-(a + 1)", "a.abs()", "a.sign()", "a ** 2", "a.floor()", "a.exp()",
    "a / b", "a.relu()", "a.clamp(0, 1)", "torch.maximum(a, b)", "a.isnan()", "a ** b.abs()",
]  # fmt: skip


@pytest.mark.parametrize("program", LOGIC)
@pytest.mark.parametrize(
    "dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64], ids=lambda d: d.__name__
)
def test_whole_numbers_and_bools(program: str, dtype: type) -> None:
    a, b = np.array([0, 1, 2, 3, 5]), np.array([1, 1, 3, 2, 4])
    same(program, ulps=2, a=a.astype(dtype), b=b.astype(dtype))


MISTAKES = [
    "torch.ones(3) + torch.ones(2)", "torch.ones(3, 2) * torch.ones(3)",
    "torch.ones(2, 3, 4) - torch.ones(3, 3)", "torch.ones(2) + 'a'", "torch.ones(2) + None",
    "torch.ones(2) * [1, 2]", "torch.ones(2) - 'a'", "torch.ones(2) / None", "torch.ones(2) ** 'a'",
    "'a' + torch.ones(2)", "torch.ones(2) < 'a'", "torch.ones(2) >= None", "torch.exp(1.0)",
    "torch.exp(np.ones(2))", "torch.log([1.0])", "torch.relu(1)", "torch.add(1.0, 2.0)",
    "torch.mul('a', torch.ones(2))", "-torch.tensor([True])",
    "torch.tensor([True]) - torch.tensor([True])", "torch.tensor([True]) - True",
    "1 - torch.tensor([True])", "torch.ones(2) - True", "torch.tensor([True]) - torch.ones(1)",
    "torch.arange(3) ** -1", "torch.ones(2).clamp()", "torch.arange(3) // 0", "torch.arange(3) % 0",
    "torch.ones(2) & torch.ones(2)", "~torch.ones(2)", "torch.ones(2) | 1",
    "torch.maximum(torch.ones(2), 1)",
    "torch.where(torch.ones(2) > 0, torch.ones(3), torch.ones(2))",
    "torch.allclose(torch.ones(2), torch.ones(2).double())",
    "torch.equal(torch.ones(2), torch.ones(2).double())",
    "torch.ones(2).div(2, rounding_mode='up')", "torch.isclose(torch.ones(2), torch.arange(2))",
    "torch.ones(2).add('a')", "torch.ones(2).add()", "torch.arange(3) / 0",
    "torch.where([True], torch.ones(1), torch.ones(1))", "torch.ones(2) == 'a'",
    "torch.ones(2) == None", "torch.ones(2) != None", "torch.ones(2).eq(None)",
    "torch.ones(3) == torch.ones(2)",
    "torch.where(torch.tensor([1.0]), torch.ones(1), torch.ones(1))",
    "torch.ones(2, 2).add(torch.ones(3), alpha=2)", "torch.arange(3).add(1, alpha=1.5)",
    "torch.tensor([True]).add(torch.tensor([True]), alpha=2)", "torch.sqrt(None)",
    "torch.ones(2) @ 2", "torch.allclose(torch.ones(2), torch.ones(3))",
    "torch.tensor([True]).relu()", "torch.tensor([True]).abs()", "torch.tensor([True]).clamp(0, 1)",
    "torch.tensor([True]).sign()", "torch.tensor([True]).floor()",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


STEPS = [
    "x.relu()", "x.clamp(-1, 1)", "x.clamp(min=0)", "x.clamp(max=0)", "x.clamp(y, y + 1)",
    "torch.maximum(x, y)", "torch.minimum(x, y)", "torch.fmax(x, y)", "torch.fmin(x, y)",
    "torch.where(x > 0, x, y)", "x.abs()",
]  # fmt: skip


@pytest.mark.parametrize("program", STEPS)
@pytest.mark.parametrize("incoming", [np.inf, -np.inf, np.nan, -1.0])
def test_what_was_not_chosen_gets_zero_whatever_came_in(program: str, incoming: float) -> None:
    """0 * inf is nan, and 0 * -1 is -0.0."""
    values = np.array([-2.0, -0.5, 0.0, 0.5, 2.0], np.float32)
    same(
        f"{program}.backward(torch.full((5,), float('{incoming}'))); "
        "[(v.grad, torch.signbit(v.grad)) for v in (x, y) if v.grad is not None]",
        order=0, x=values, y=values[::-1].copy(),
    )  # fmt: skip
