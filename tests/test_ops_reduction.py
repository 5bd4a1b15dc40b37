"""Sums, means, products, extremes and moments beside PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from oracle import check_gradient, integers, reals, same

X = reals(3, 4, 3)
SUMS = [
    "x.sum()", "torch.sum(x)", "x.mean()", "torch.mean(x)", "x.prod()", "torch.prod(x)", "x.var()",
    "x.std()", "x.var(unbiased=False)", "x.var(False)", "x.std(correction=0)",
    "torch.var(x, correction=2)",
]  # fmt: skip
DIMS = ["0", "1", "-1", "0, True", "2, keepdim=True", "dim=1, keepdim=False"]
SEVERAL = [
    "(0, 1)", "(0, 2), True", "[1, -1]", "(0, 1, 2)", "()", "dim=(0, 2), keepdim=True",
    "None, True",
]  # fmt: skip
ALONG = [
    f"x.{f}({d})"
    for f in ("sum", "mean", "prod", "max", "min", "amax", "amin", "var", "std")
    for d in DIMS
    if f not in ("var", "std") or ", True" not in d
]
OVER = [f"x.{f}({d})" for f in ("sum", "mean", "amax", "amin") for d in SEVERAL] + [
    f"x.{f}(dim={d})" for f in ("var", "std") for d in ("(0, 1)", "None", "[0, 2], keepdim=True")
]
EXTREMES = [
    "x.max()", "x.min()", "torch.max(x)", "torch.max(x, 1)", "torch.max(x, dim=1, keepdim=True)",
    "x.max(1).values", "x.min(2).indices", "x.max(0)[0] + 1", "torch.amax(x, 1)", "torch.amin(x)",
    "x.amax()", "x.argmax()", "x.argmin(1)", "x.argmax(2, True)", "x.argmin(keepdim=True)",
    "x.argmax(dim=0, keepdim=True)", "torch.argmax(x, -1)",
]  # fmt: skip
TRUTH = [
    "(x > 0).all()", "(x > 0).any(1)", "x.all()", "x.any(dim=2, keepdim=True)", "(x > 9).any()",
    "(x > 0).sum()", "(x > 0).sum(1)", "(x > 0).all(0)", "torch.all(x > 0)", "(x > 0).all((0, 1))",
    "torch.any(x > 0, 1)",
]  # fmt: skip
OPTIONS = [
    "x.sum(dtype=torch.float32)", "x.mean(dtype=torch.float32)", "x.sum(0, dtype=torch.float64)",
    "x.prod(dtype=torch.float64)", "x.sum(1).sum()", "x.mean(0).mean(1)", "(x - x.mean(0)).var(1)",
    "x.std(1) / x.mean(1)", "x.transpose(0, 2).sum(1)", "x.transpose(0, 2).amax(1)",
    "x.transpose(0, 2).prod(1)", "x.transpose(0, 2).var(1)", "x.transpose(0, 2).max(1)",
    "x.sum(None, True)", "x.transpose(0, 1).mean((0, 2))", "x[:, ::2].prod(1)",
    "x.expand(2, 3, 4, 3).sum(0)",
]  # fmt: skip


@pytest.mark.parametrize("program", SUMS + ALONG + OVER + EXTREMES + TRUTH + OPTIONS)
def test_reductions(program: str) -> None:
    same(program, ulps=4, grad_ulps=64, x=X)


@pytest.mark.parametrize("program", SUMS + ALONG + OVER + EXTREMES[:6])
def test_gradient_is_the_slope(program: str) -> None:
    check_gradient(program, x=X)


@pytest.mark.parametrize(
    "program", SUMS[:4] + [p for p in ALONG + OVER if ".sum" in p or ".mean" in p] + EXTREMES
)
@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 37, 8), (64, 2, 33)], ids=str)
def test_sums_of_floats_are_bit_equal(program: str, shape: tuple[int, ...]) -> None:
    same(program, order=1, x=reals(*shape, dtype=np.float32))


SCALAR = [
    "x.sum()", "x.sum(0)", "x.sum(-1, True)", "x.mean(0)", "x.prod(0)", "x.max(0)", "x.min()",
    "x.amax(0)", "x.var()", "x.std(0)", "x.argmax(0)", "x.argmin()", "x.var(correction=0)",
    "x.all()", "x.any(0)", "x.prod()", "x.max()", "x.amin()", "x.max(0, True)",
]  # fmt: skip
EMPTY = [
    "x.sum()", "x.sum(0)", "x.sum(1)", "x.mean()", "x.mean(0)", "x.mean(1)", "x.prod()",
    "x.prod(0)", "x.prod(1)", "x.max(1)", "x.amax(1)", "x.var()", "x.var(0)", "x.std(1)",
    "x.argmax(1)", "x.all()", "x.any(0)", "x.max()", "x.min(0)", "x.amax()", "x.argmax()",
    "x.argmin(0)", "x.amin(0)", "x.amax((0, 1))",
]  # fmt: skip


@pytest.mark.parametrize("program", SCALAR)
def test_zero_dimensions(program: str) -> None:
    same(program, ulps=1, order=1, x=reals())


@pytest.mark.parametrize("program", EMPTY)
@pytest.mark.parametrize("shape", [(0, 3), (2, 0)], ids=str)
def test_empty(program: str, shape: tuple[int, ...]) -> None:
    same(program, order=1, x=reals(*shape))


ONE_COLUMN = [
    "x.var(0)", "x.std(0)", "x.var()", "x.std()", "x.var(correction=0)", "x.std(1, unbiased=False)",
]  # fmt: skip


@pytest.mark.parametrize("program", ONE_COLUMN)
def test_moments_of_single_numbers_and_of_equal_ones(program: str) -> None:
    same(program, order=1, x=np.array([[2.0, 2.0]]))
    same(program, order=1, x=np.array([[3.0]]))


ZEROS = [np.array([[1.0, 2.0, 3.0], [0.0, 2.0, 3.0], [0.0, 2.0, 0.0], [-1.0, -0.0, 4.0]])]
PRODUCTS = [
    "x.prod()", "x.prod(0)", "x.prod(1)", "x.prod(1, True)", "x[1].prod()", "x[2].prod()",
    "x[0].prod()",
]  # fmt: skip


@pytest.mark.parametrize("program", PRODUCTS)
def test_products_with_zeros(program: str) -> None:
    same(program, x=ZEROS[0])
    check_gradient(program, x=ZEROS[0])


TIED = np.array(
    [
        [1.0, 3.0, 3.0, 2.0],
        [3.0, 0.0, -0.0, 3.0],
        [np.nan, 1.0, np.nan, 9.0],
        [np.inf, -np.inf, np.inf, 0.0],
    ]
)
TIES = [
    "x.max()", "x.min()", "x.amax()", "x.amin()", "x.max(1)", "x.min(1)", "x.amax(1)", "x.amin(1)",
    "x.amax((0, 1))", "x.argmax()", "x.argmin(1)", "x.argmax(0)", "x[:2].max()", "x[:2].amax(1)",
    "x[:2].min(0)", "x[:2].max(1, True)", "x[:2].amax()", "x[:2].amin(0)", "x.sum(1)", "x.mean()",
    "x.prod(1)", "x.var(1)", "x.std(1)",
]  # fmt: skip


@pytest.mark.parametrize("program", TIES)
def test_ties_and_edge_values(program: str) -> None:
    same(program, ulps=1, order=1, x=TIED)


WHOLE = [
    "a.sum()", "a.sum(0)", "a.prod()", "a.prod(1)", "a.max()", "a.min(0)", "a.amax(1)",
    "a.argmax()", "a.argmin(0)", "a.all()", "a.any(1)", "a.mean()", "a.var()", "a.std(0)",
    "a.sum(dtype=torch.float32)", "a.mean(dtype=torch.float64)", "a.sum(dtype=torch.int32)",
    "a.prod(0, dtype=torch.float32)", "a.sum(1, True)", "a.mean(0, dtype=torch.float32)",
    "a.sum(dtype=torch.bool)",
]  # fmt: skip


@pytest.mark.parametrize("program", WHOLE)
@pytest.mark.parametrize(
    "dtype", [np.bool_, np.uint8, np.int8, np.int32, np.int64], ids=lambda d: d.__name__
)
def test_whole_numbers(program: str, dtype: type) -> None:
    same(program, a=np.array([[0, 1, 2], [3, 3, 100]]).astype(dtype))


@pytest.mark.parametrize(
    "program",
    [
        "x.sum()",
        "x.sum(0)",
        "x.mean()",
        "x.mean(1)",
        "x.max()",
        "x.max(0)",
        "x.prod(0)",
        "x.amax(1)",
    ],
)
def test_half_precision(program: str) -> None:
    same(program, ulps=1, order=1, grad_ulps=1, x=reals(5, 7, dtype=np.float16))


MISTAKES = [
    "torch.ones(3).sum(1)", "torch.ones(3).sum(-2)", "torch.ones(2, 3).sum((0, 0))",
    "torch.ones(2, 3).sum((0, -2))", "torch.arange(3).mean()", "torch.tensor([True]).mean()",
    "torch.ones(0).max()", "torch.ones(0).min()", "torch.ones(0).argmax()",
    "torch.ones(0, 2).max(0)", "torch.ones(0).amax()", "torch.ones(3).max(1)",
    "torch.ones(3).argmax(1)", "torch.ones(3).prod(1)", "torch.ones(3).var(1)",
    "torch.arange(3).var()", "torch.arange(3).std()", "torch.ones(3).mean(2)",
    "torch.tensor(1.0).sum(1)", "torch.ones(3).amax(1)", "torch.ones(2, 2).amax((0, 0))",
    "torch.sum(1)", "torch.sum([1.0])", "torch.mean('a')", "torch.max(1)", "torch.ones(3).sum('a')",
    "torch.ones(3).sum(1.0)", "torch.ones(3).all(1)", "torch.ones(0).argmin()", "torch.argmax(2.0)",
    "torch.ones(2, 2).mean((0, 0))", "torch.ones(2).max(torch.ones(3))",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


def test_indices_of_extremes_are_integers_with_the_first_of_equals() -> None:
    same(
        "x.max(1).indices, x.min(0).indices, x.argmax(1)",
        x=integers(4, 5, low=0, high=3).astype(np.float64),
    )


RESULTS = [
    "type(torch.ones(2, 2).max(0)).__name__", "torch.ones(2, 2).max(0)._fields",
    "str(torch.tensor([1.0, 3.0]).max(0))", "str(torch.tensor([1.0, 3.0]).min(0))",
    "len(torch.ones(2).max(0))",
]  # fmt: skip


@pytest.mark.parametrize("program", [r for r in RESULTS if "_fields" not in r])
def test_named_results(program: str) -> None:
    same(program)
