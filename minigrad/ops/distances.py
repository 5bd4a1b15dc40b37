"""Distances of vectors, and the cosine of the angle between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.node import wrap
from ..autograd.row import op
from ..dtypes import default_dtype, scalar_name
from ..promotion import broadcast_error, check_tensors, promoted
from .arithmetic import _no_bools, div, mul, sub
from .conversion import to_dtype
from .dims import wrap_dim
from .norms import _norm_formula, _vector_norm
from .reduction import sum_dim
from .shape import clone, expand
from .with_number import plus

Array = Any
Tensor = Any


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`; the inputs broadcast."""
    check_tensors("cosine_similarity", x1=x1, x2=x2)
    arrays = promoted((x1._array, x2._array))
    if arrays[0].dtype.kind != "f":
        raise RuntimeError(
            "expected common dtype to be floating point, yet common dtype is "
            f"{scalar_name(arrays[0].dtype)}"
        )
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        raise broadcast_error(arrays) from None
    at = wrap_dim(dim, len(shape))
    if x1._array.shape != x2._array.shape:
        x1, x2 = expand(x1, shape), expand(x2, shape)
    return sum_dim(
        mul(*(_unit(t, arrays[0].dtype, at, eps) for t in (x1, x2))),
        (at,) if shape else (), False,
    )  # fmt: skip


def _unit(x: Tensor, dtype: Any, dim: int, eps: float) -> Tensor:
    """`x` divided by its length; `eps` instead of a smaller one, which counts as a constant."""
    x = x if x._array.dtype == dtype else to_dtype(x, dtype)
    length = clone(_vector_norm(x, 2.0, (dim,) if x._array.ndim else (), True, None))
    np.maximum(length._array, dtype.type(eps), out=length._array)
    return div(x, length)


_norm = op("NormBackward1", input=_norm_formula)(_vector_norm.forward)


def pairwise_distance(
    x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """The `p`-norm of x1 - x2 + eps along the last dimension; the inputs broadcast."""
    check_tensors("pairwise_distance", x1=x1, x2=x2)
    gaps = sub(x1, x2)
    if gaps._array.dtype.kind != "f":
        gaps = to_dtype(gaps, default_dtype())
    gaps = plus(gaps, eps)
    return _norm(gaps, float(p), (gaps._array.ndim - 1,), keepdim, None)


@op(
    "DistBackward0",
    input=lambda grad, input, other, p, result, xp: _dist_formula(
        grad, input, other, p, result, xp
    ),
    other=lambda grad, input, other, p, result, xp: (
        -_dist_formula(grad, input, other, p, result, xp)
    ),
)
def _dist(input: Array, other: Array, p: float) -> Array:
    gaps = input - other
    return _vector_norm.forward(gaps, p, tuple(range(gaps.ndim)), False, None)


def _slopes(grad: Any, gaps: Any, result: Any, p: float, dims: tuple[int, ...], xp: Any) -> Any:
    """What a change of the differences does to their norm: nothing, where that is their number."""
    found = _norm_formula(grad, gaps, result, p, dims, False, xp)
    return xp.zeros_like(gaps) if found is None else found


def _dist_formula(grad: Any, input: Any, other: Any, p: float, result: Any, xp: Any) -> Any:
    gaps = input - other
    return _slopes(grad, gaps, result, p, tuple(range(gaps.ndim)), xp)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The `p`-norm of all elements of input - other, which broadcast."""
    check_tensors("dist", input=input, other=other)
    _no_bools(input, other)
    dtype = promoted((input._array, other._array))[0].dtype
    if dtype.kind != "f":
        raise RuntimeError(
            "norm(): input dtype should be either floating point or complex. Got "
            f"{scalar_name(dtype)} instead."
        )
    one, two = (t if t._array.dtype.kind == "f" else to_dtype(t, dtype) for t in (input, other))
    try:
        return _dist(one, two, float(p))
    except ValueError:
        raise broadcast_error((input._array, other._array)) from None


def _pairs(count: int) -> tuple[Array, Array]:
    """(0, 1), (0, 2), ... (1, 2), ...: each pair of rows once."""
    return np.triu_indices(count, 1)


def _pdist_formula(
    grad: Any, input: Any, p: float, result: Any, first: Any, second: Any, xp: Any
) -> Any:
    gaps = xp.index_select(input, 0, first) - xp.index_select(input, 0, second)
    of_gaps = _slopes(grad, gaps, result, p, (1,), xp)
    zeros = xp.zeros_shaped(tuple(input.shape), grad)
    return xp.index_add(xp.index_add(zeros, 0, first, of_gaps), 0, second, -of_gaps)


@op("PdistBackward0", input=_pdist_formula)
def _pdist(input: Array, p: float, first: Array, second: Array) -> Array:
    return _vector_norm.forward(input[first] - input[second], p, (1,), False, None)


def pdist(input: Tensor, p: float = 2) -> Tensor:
    """The `p`-norms of the differences of all pairs of rows: (n, m) gives (n (n - 1) / 2,)."""
    check_tensors("pdist", input=input)
    array = input._array
    if array.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {array.ndim}D")
    if array.dtype.kind != "f":
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    first, second = (np.asarray(i, like=array) for i in _pairs(len(array)))
    return _pdist(input, float(p), wrap(first), wrap(second))
