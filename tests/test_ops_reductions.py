"""Scans, order statistics, norms, softmax and counts beside PyTorch."""

from __future__ import annotations

import importlib
import pickle
import warnings

import numpy as np
import on_device
import pytest
import torch
from oracle import check_gradient, integers, reals, same

import minigrad

softmax_rows = importlib.import_module("minigrad.ops.softmax")  # `ops.softmax` is the function

X, Y = reals(3, 4), reals(3, 4, seed=1)
CUBE = reals(2, 3, 4)
TIES = integers(4, 6, low=0, high=3).astype(np.float64)
HOLES = np.where(TIES == 1, np.nan, reals(4, 6))

SOFTMAX = [
    "x.softmax(0)", "x.softmax(-1)", "torch.softmax(x, 1)", "x.log_softmax(0)",
    "torch.log_softmax(x, dim=-1)", "x.logsumexp(0)", "x.logsumexp((0, 1))",
    "torch.logsumexp(x, 1, keepdim=True)", "torch.nn.functional.softmax(x, dim=1)",
    "torch.nn.functional.log_softmax(x, 0)", "torch.nn.functional.softmin(x, 1)",
    "x.softmax(0, dtype=torch.float64)", "x[0, 0].softmax(0)", "x[0, 0].logsumexp(0)",
    "torch.softmax(x * 300, 1)", "torch.log_softmax(x * 300, 1)", "(x * 300).logsumexp(1)",
]  # fmt: skip
SCANS = [
    "x.cumsum(0)", "x.cumsum(-1)", "torch.cumsum(x, 1, dtype=torch.float64)", "x.cumprod(0)",
    "x.cumprod(1)", "x.cummax(0)", "x.cummin(1)", "torch.cummax(x, 0).indices",
    "x.logcumsumexp(1)", "x.diff()", "x.diff(dim=0)", "x.diff(n=2)",
    "x.diff(prepend=y, append=x)", "x.diff(n=0)", "x.diff(n=9)", "(x * 1).cumsum_(0)",
    "(x * 1).cumprod_(1)", "x[0, 0].cumsum(0)", "x[0, 0].cumprod(0)", "x[0, 0].cummax(0)",
    "torch.cumulative_trapezoid(x)",
]  # fmt: skip
ORDER = [
    "x.sort()", "x.sort(0)", "x.sort(descending=True)", "torch.sort(x, dim=0, descending=True)",
    "torch.sort(x, stable=True)", "torch.sort(x, stable=True, descending=True).values",
    "x.argsort()", "x.argsort(0, descending=True)", "torch.argsort(x, stable=True)", "x.msort()",
    "x.topk(2)", "x.topk(3, dim=0)", "torch.topk(x, 2, largest=False)", "x.topk(0)",
    "x.kthvalue(2)", "x.kthvalue(1, 0, keepdim=True)", "x.median()", "x.median(0)",
    "x.median(dim=1, keepdim=True)", "x.nanmedian()", "x.nanmedian(0)", "x.mode()", "x.mode(0, True)",
    "x.sort().values.sum()", "x.topk(2)[0]", "x.topk(2).indices", "x[0, 0].sort()",
    "x[0, 0].topk(1)", "x[0, 0].median(0)", "x[0, 0].kthvalue(1)",
]  # fmt: skip
QUANTILES = [
    "x.quantile(0.3)", "x.quantile(0.3, 0)", "x.quantile(0.5, 1, keepdim=True)",
    "torch.quantile(x, torch.tensor([0.1, 0.6], dtype=x.dtype), dim=0)",
    "x.quantile(torch.tensor([0.0, 1.0], dtype=x.dtype))", "x.quantile(0.4, interpolation='lower')",
    "x.quantile(0.4, interpolation='higher')", "x.quantile(0.4, 0, interpolation='midpoint')",
    "x.quantile(0.4, 0, interpolation='nearest')", "x.nanquantile(0.3, 1)", "x.nanquantile(0.5)",
]  # fmt: skip
MOMENTS = [
    "torch.var_mean(x)", "torch.var_mean(x, 0)", "torch.std_mean(x, dim=1, correction=0)",
    "torch.std_mean(x, 1, False, True)", "torch.var_mean(x, (0, 1), keepdim=True)",
    "torch.std_mean(x, unbiased=False)", "torch.var_mean(x, 0)[1]", "x.nansum()", "x.nansum(0)",
    "x.nanmean(1, keepdim=True)", "x.nanmean()", "torch.aminmax(x)", "x.aminmax(dim=0)",
    "x.aminmax(dim=1, keepdim=True).max", "x.count_nonzero()", "x.count_nonzero(0)",
    "torch.count_nonzero(x, (0, 1))", "(x > 0).any((0, 1))", "(x > 0).all((0, 1), True)",
]  # fmt: skip
NORMS = [
    "x.norm()", "x.norm(1)", "x.norm(2, 0)", "torch.norm(x, dim=1, keepdim=True)", "x.norm('fro')",
    "x.norm(3)", "x.norm(0.5)", "x.norm(float('inf'))", "x.norm(-float('inf'), 1)", "x.norm(0)",
    "torch.norm(x, p=2, dim=(0, 1))", "x.norm(2.5, dim=0)", "x.norm(dtype=torch.float64)",
    "x[0, 0].norm()",
]  # fmt: skip
DIFFERENTIABLE = SOFTMAX + SCANS + ORDER + QUANTILES + MOMENTS + NORMS


@pytest.mark.parametrize("program", DIFFERENTIABLE)
def test_on_doubles(program: str) -> None:
    same(program, ulps=8, grad_ulps=32, x=X, y=Y)


@pytest.mark.parametrize("program", [p for p in DIFFERENTIABLE if "300" not in p])
def test_on_singles(program: str) -> None:
    same(program, ulps=8, grad_ulps=64, order=1, x=X.astype(np.float32), y=Y.astype(np.float32))


@pytest.mark.parametrize("program", ["x.softmax(1)", "x.logsumexp((0, 2))", "x.cumsum(1)",
    "x.sort(1)", "x.topk(2, 1)", "x.quantile(0.3, 1)", "x.cummax(1)", "x.norm(2, (0, 2))",
    "x.softmax(0)", "x.median(1)", "x.unique(dim=1)", "x.diff(dim=1)", "x.mode(1)",
    "torch.var_mean(x, (0, 2))", "torch.trapezoid(x, dim=1)", "x.logcumsumexp(1)"])  # fmt: skip
def test_in_three_dimensions(program: str) -> None:
    same(program, ulps=8, grad_ulps=64, order=2 if "unique" not in program else 0, x=CUBE)


@pytest.mark.parametrize("program", ["x.sort()", "x.sort(0, True)", "x.cummax(1)", "x.cummin(0)",
    "x.aminmax()", "x.aminmax(dim=1)", "x.median()", "x.mode(1)", "x.cumprod(1)", "x.norm(0)",
    "x.norm()", "x.norm(1)", "torch.norm(x[:, :0], dim=1)", "(x * 0).norm()", "(x * 0).norm(3)",
    "x.norm(float('inf'))", "x.unique()", "x.unique_consecutive(dim=0)", "x.cumprod(0)"])  # fmt: skip
def test_ties_and_zeros(program: str) -> None:
    same(program, grad_ulps=32, ulps=4, order=0 if "unique" in program else 2, x=TIES)


@pytest.mark.parametrize("program", ["x.sort()", "x.sort(descending=True)", "x.cummax(1)",
    "x.nansum(1)", "x.nanmean(0)", "x.nanmedian(1)", "x.median(1)", "x.median()",
    "x.quantile(0.5, 1)", "x.nanquantile(0.3, 1)", "x.cummin(0)", "x.nanmean()", "x.norm()",
    "x.kthvalue(2).values", "torch.softmax(x, 1)", "x.logsumexp(1)", "x.cumsum(1)"])  # fmt: skip
def test_with_nan(program: str) -> None:
    same(program, ulps=8, order=1, grad_ulps=32, x=HOLES)


COUNTS = [
    "a.unique()", "torch.unique(a, return_inverse=True)", "torch.unique(b, True, True, True)",
    "torch.unique(b, dim=0, return_counts=True)", "a.unique_consecutive()",
    "torch.unique_consecutive(b, True, True)", "torch.unique_consecutive(b, dim=1)",
    "torch.bincount(a)", "a.bincount(minlength=9)", "torch.bincount(a, a * 0.5)", "a.cumsum(0)",
    "a.cumprod(0)", "a.sort()", "a.mode()", "a.median()", "a.count_nonzero()", "a.diff()",
    "(a > 1).diff()", "(a > 1).cumsum(0)", "a.cumsum(0, dtype=torch.float32)", "a.nansum()",
    "torch.histc(a * 1.5, 4)", "torch.histc(a * 1.0, bins=5, min=0, max=2)", "a.logsumexp(0)",
    "torch.searchsorted(a.sort()[0], a)", "torch.searchsorted(a.sort()[0], 1, right=True)",
    "torch.searchsorted(b.sort()[0], b, side='right', out_int32=True)",
    "torch.bucketize(b, a.unique())", "torch.bucketize(2.5, a.unique(), right=True)",
    "torch.searchsorted(a, a, sorter=a.argsort())", "a.to(torch.uint8).all(0)", "a.aminmax()",
    "a.argsort(descending=True, stable=True)", "a.softmax(0, dtype=torch.float64)",
]  # fmt: skip


@pytest.mark.parametrize("program", COUNTS)
def test_whole_numbers(program: str) -> None:
    same(program, ulps=4, a=integers(9, low=0), b=integers(3, 5, low=0, high=3))


MISTAKES = [
    "torch.ones(3).topk(4)", "torch.ones(3).kthvalue(0)", "torch.ones(3).sort(1)",
    "torch.ones(0).median(0)", "torch.arange(3).softmax(0)", "torch.arange(3).log_softmax(0)",
    "torch.ones(2, 2).softmax(2)", "torch.ones(3).quantile(1.5)", "torch.arange(3).quantile(0.5)",
    "torch.ones(3).quantile(0.5, interpolation='x')", "torch.ones(0).quantile(0.5)",
    "torch.ones(3).quantile(torch.tensor([0.1]).double())", "torch.tensor(1.0).diff()",
    "torch.ones(3).diff(n=-1)", "torch.bincount(torch.tensor([-1]))", "torch.bincount(torch.ones(2))",
    "torch.bincount(torch.ones(2, 2).long())", "torch.histc(torch.ones(3), 0)",
    "torch.histc(torch.ones(3), 3, 2, 1)", "torch.arange(3).norm()", "torch.ones(2).cumsum(1)",
    "torch.searchsorted(torch.ones(2, 2), torch.ones(3, 2))", "torch.cumsum([1.0], 0)",
    "torch.bucketize(torch.ones(2), torch.ones(2, 2))", "torch.ones(2).norm('x')",
    "torch.searchsorted(torch.ones(2), torch.ones(2), side='x')", "torch.ones(0).aminmax()",
    "torch.bincount(torch.arange(3), torch.ones(2))", "torch.ones(0, 2).mode(0)",
    "torch.tensor([True]).median()", "torch.arange(3).nanmean()", "torch.arange(3).var_mean()",
    "torch.var_mean(torch.arange(3))", "torch.ones(2, requires_grad=True).cumsum_(0)",
    "torch.arange(3).cumsum_(0, dtype=torch.float32)", "torch.ones(0).norm(float('inf'))",
]  # fmt: skip


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(program)


@pytest.mark.parametrize("program", ["x.softmax(1)", "x.log_softmax(0)", "x.cumprod(1)",
    "x.logcumsumexp(0)", "x.quantile(0.3, 1)", "torch.std_mean(x, 0)", "x.norm(3)", "x.sort(0)",
    "x.logsumexp(1)", "x.median(1)", "x.cummax(0)", "torch.aminmax(x)"])  # fmt: skip
def test_gradients_are_slopes(program: str) -> None:
    check_gradient(program, x=X)


@pytest.mark.parametrize("width", [3, 10, 16, 27, 65, 300])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_over_rows_of_any_width(width: int, dtype: type) -> None:
    rows = (4 * reals(50, width)).astype(dtype)
    for program in ("x.softmax(1)", "x.softmax(0)", "x.log_softmax(1)"):
        same(program, ulps=512 if "log" in program else 8, order=0, x=rows)


@pytest.mark.parametrize("width", [3, 10, 16, 27, 65, 300, 2000])
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_backward_is_rounded_once(name: str, width: int) -> None:
    """float16 is computed as float32: all but a few roundings are PyTorch's; the other dtypes are
    as exact as PyTorch's."""
    rows, grad = torch.from_numpy(reals(20, width)), torch.from_numpy(reals(20, width, seed=1))
    for dtype in (torch.float16, torch.float32, torch.float64):
        output, g = getattr(torch, name)(rows.to(dtype), 1), grad.to(dtype)
        theirs = getattr(torch, f"_{name}_backward_data")(g, output, 1, dtype).numpy()
        row = getattr(softmax_rows, f"{name}_backward")
        ours = row.forward(g.numpy(), output.numpy(), (1,))
        assert ours.dtype == theirs.dtype
        eps = np.finfo(ours.dtype).eps
        assert abs(ours - theirs).max() <= 4 * eps * abs(theirs).max()
        if dtype is torch.float16:
            assert np.mean(ours != theirs) < 0.01


def test_implicit_dimension_warns_where_it_is_called() -> None:
    for library in (torch, minigrad):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            library.nn.functional.softmax(library.ones(2, 2))
        assert "Implicit dimension choice for softmax" in str(caught[0].message)
    assert caught[0].filename == __file__  # minigrad's; PyTorch's place depends on its device mode


def test_named_tuples_print_and_unpack() -> None:
    values, indices = result = minigrad.tensor([3.0, 1.0]).sort()
    text = on_device.neutral(repr(result).replace("minigrad", "torch"))
    assert text == repr(torch.tensor([3.0, 1.0]).sort())
    assert isinstance(result, minigrad.return_types.sort)
    assert result.indices is indices
    assert result.values is values


def test_fields_of_all_named_tuples() -> None:
    for name, fields in minigrad.return_types.FIELDS.items():
        assert getattr(torch.return_types, name).__match_args__ == fields
        made = getattr(minigrad.return_types, name)
        result = made(*range(len(fields)))
        assert (made.__match_args__, pickle.loads(pickle.dumps(result))) == (fields, result)
        assert type(pickle.loads(pickle.dumps(result))) is made
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        minigrad.return_types.nothing


@pytest.mark.parametrize(
    "line",
    [
        "torch.ones(1).var()",
        "torch.ones(2, 1).std(1)",
        "torch.var(torch.ones(2, 1), 1)",
        "torch.ones(3).var(correction=3.5)",
        "torch.ones(3).var(correction=2.5)",
        "torch.ones(1).std(unbiased=False)",
        "torch.ones(0).std()",
        "torch.ones(2, 0).var(0)",
        "torch.var_mean(torch.ones(1))",
        "torch.std_mean(torch.ones(3, 1), dim=1)",
        "torch.std_mean(torch.ones(3, 1), axis=0)",
    ],
)
def test_variance_of_too_few_warns_where_it_is_called(line: str) -> None:
    heard = []
    for library in (torch, minigrad):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            eval(compile(line, "here.py", "eval"), {"torch": library})
        told = [w for w in caught if w.category is UserWarning]
        heard.append([(str(w.message).partition(" (Trig")[0], w.filename) for w in told])
    assert heard[0] == heard[1]
