"""Norms and powers of matrices, and distances between the rows of two of them."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.node import wrap
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import broadcast_error
from .dims import wrap_dim
from .extremes import amax, amin
from .factorizations import linalg_svdvals
from .inplace import copy_
from .linalg import matmul
from .linalg_checks import check_float, check_square
from .norms import linalg_vector_norm
from .reduction import sum as sum_
from .shape import clone, expand, permute, reshape, unsqueeze, view
from .solving import linalg_inv

Array = Any
Tensor = Any

# --- norms ---------------------------------------------------------------------------------------


def linalg_matrix_norm(
    A: Tensor,
    ord: Any = "fro",
    dim: tuple[int, int] = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """A norm of the matrices in two dimensions.

    ord: "fro": the root of the sum of squares; "nuc": the sum of the singular values; 2 and -2: the
        largest and the smallest of them; 1, -1: the largest and smallest column sum of absolute
        values; inf, -inf: of row sums.
    """
    if out is not None:
        return into(out, linalg_matrix_norm, A, ord, dim, keepdim, dtype=dtype, exact=True)
    name = "linalg.matrix_norm"
    promotion.check_tensors("linalg_matrix_norm", A=A)
    if isinstance(dim, int):
        raise TypeError(
            "linalg_matrix_norm() received an invalid combination of arguments - dim must be a "
            "tuple of two dimensions"
        )
    if A._array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    A = A if dtype is None else A.to(dtype)
    if A._array.dtype.kind != "f":
        check_float(name, A._array)
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    rows, columns = (wrap_dim(d, A._array.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    return _norm(A, ord, rows, columns, keepdim)


def _norm(A: Tensor, ord: Any, rows: int, columns: int, keepdim: bool) -> Tensor:
    size = abs(ord) if isinstance(ord, (int, float)) else ord
    if ord == "fro":
        return linalg_vector_norm(A, 2, (rows, columns), keepdim)
    if size not in (1, 2, math.inf, "nuc"):
        order = ord if isinstance(ord, str) else f"{ord:g}"
        raise RuntimeError(f"linalg.matrix_norm: Order {order} not supported.")
    extreme = amax if ord in (1, 2, math.inf) else amin
    if size in (2, "nuc"):
        return _of_singular_values(A, rows, columns, keepdim, sum_ if size == "nuc" else extreme)
    summed, rest = (rows, columns) if size == 1 else (columns, rows)
    rest -= summed < rest and not keepdim
    return extreme(linalg_vector_norm(A, 1, [summed], keepdim), rest, keepdim)


def _of_singular_values(A: Tensor, rows: int, columns: int, keepdim: bool, total: Any) -> Tensor:
    batch = [d for d in range(A._array.ndim) if d not in (rows, columns)]
    values = linalg_svdvals(permute(A, [*batch, rows, columns]))
    total = total if values._array.shape[-1] else sum_
    out = total(values, -1, keepdim)
    if not keepdim:
        return out
    order = [*batch, rows, columns]
    return permute(unsqueeze(out, -1), [order.index(d) for d in range(len(order))])


# --- powers --------------------------------------------------------------------------------------


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th power of square matrices, by squaring; for negative n, of their inverse."""
    if not isinstance(n, (int, np.integer)):
        kind = type(n).__name__
        raise TypeError(f"matrix_power(): argument 'n' (position 2) must be int, not {kind}")
    array = check_square("linalg.matrix_power", input, floats=False)
    count = operator.index(n)
    if count == 0:
        n = array.shape[-1]
        identity = wrap(either.eye(n, n, array.dtype, array))
        return copy_(clone(input), expand(identity, array.shape))
    if count < 0:
        input, count = linalg_inv(input), -count
        if count == 1:
            return input
    return clone(input) if count == 1 else _power(input, count)


def linalg_matrix_power(A: Tensor, n: int, *, out: Any = None) -> Tensor:
    """`matrix_power`."""
    if out is not None:
        return into(out, linalg_matrix_power, A, n)
    return matrix_power(A, n)


def _power(square: Tensor, count: int) -> Tensor:
    if count == 3:
        return matmul(matmul(square, square), square)
    out = None
    while True:
        if count % 2:
            out = square if out is None else matmul(out, square)
        count //= 2
        if not count:
            return out
        square = matmul(square, square)


# --- distances -----------------------------------------------------------------------------------


@op(
    "CdistBackward0",
    x1=lambda grad, x1, x2, p, result, xp: xp.cdist_backward(grad, x1, x2, p, result),
    x2=lambda grad, x1, x2, p, result, xp: xp.cdist_backward(grad.mT, x2, x1, p, result.mT),
)
def _cdist(x1: Array, x2: Array, p: float) -> Array:
    gaps = np.abs(x1[..., :, None, :] - x2[..., None, :, :])
    if p == 0:
        return np.count_nonzero(gaps, axis=-1).astype(x1.dtype)
    if p == math.inf:
        return either.greatest(gaps, -1, 0)
    if p == 1:
        return gaps.sum(-1)
    return np.sqrt((gaps * gaps).sum(-1)) if p == 2 else (gaps**p).sum(-1) ** (1 / p)


def _no_derivative(grad: Any) -> Any:
    raise NotImplementedError("the derivative for '_cdist_backward' is not implemented.")


@op(
    "NotImplemented",
    grad=_no_derivative,
    x1=_no_derivative,
    x2=_no_derivative,
    dist=_no_derivative,
)
def cdist_backward(grad: Array, x1: Array, x2: Array, p: float, dist: Array) -> Array:
    """The gradient of the distances with respect to `x1`; at distance 0 it is 0."""
    if p == 0:
        return np.zeros_like(x1)
    gaps = x1[..., :, None, :] - x2[..., None, :, :]
    sign, size = np.sign(gaps), np.abs(gaps)
    if p == math.inf:
        slopes = sign * (size == dist[..., None])
    elif p == 1:
        slopes = sign
    else:
        far = np.where(dist == 0, 1, dist)[..., None]
        powers = size if p == 2 else np.where(size == 0, 0, size ** (p - 1))
        slopes = np.where(dist[..., None] == 0, 0, sign * powers / far ** (p - 1))
    return (grad[..., None] * slopes).sum(-2)


def _euclidean_gradient(grad: Any, a: Any, b: Any, result: Any, xp: Any) -> Any:
    """(a - b) / |a - b| for each pair, summed; pairs at distance 0 count for nothing."""
    ratio = xp.where(result == 0, 0.0, grad / result)
    return a * xp.unsqueeze(xp.sum_dim(ratio, (ratio.ndim - 1,), False), -1) - ratio @ b


@op(
    "EuclideanDistBackward0",
    x1=lambda grad, x1, x2, result, xp: _euclidean_gradient(grad, x1, x2, result, xp),
    x2=lambda grad, x1, x2, result, xp: _euclidean_gradient(grad.mT, x2, x1, result.mT, xp),
)
def _euclidean_dist(x1: Array, x2: Array) -> Array:
    """By |a|^2 + |b|^2 - 2 a.b: one matrix product, at the price of digits where a is near b."""
    squares = [(x * x).sum(-1)[..., None] for x in (x1, x2)]
    return np.sqrt(np.maximum(squares[0] + squares[1].mT - 2 * (x1 @ x2.mT), 0))


MODES = {
    "use_mm_for_euclid_dist_if_necessary": None,
    "use_mm_for_euclid_dist": True,
    "donot_use_mm_for_euclid_dist": False,
}


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str | None = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The p-norm distances between rows: (..., n, m) and (..., k, m) give (..., n, k).

    More than 25 rows have their Euclidean distances computed by a matrix product."""
    promotion.check_tensors("cdist", x1=x1, x2=x2)
    if compute_mode is not None and compute_mode not in MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    _check_rows(x1._array, x2._array, p)
    a, b = x1._array.shape, x2._array.shape
    try:
        batch = np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        raise broadcast_error([np.empty(a[:-2]), np.empty(b[:-2])]) from None
    by_product = MODES[compute_mode] if compute_mode else None
    many = max(a[-2], b[-2]) > 25 if by_product is None else by_product
    if p == 2 and many and a[-1] and a[-2] and b[-2] and 0 not in batch:
        flat = [_flattened(x, batch) for x in (x1, x2)]
        return view(_euclidean_dist(*flat), (*batch, a[-2], b[-2]))
    return _cdist(x1, x2, float(p))


def _flattened(x: Tensor, batch: tuple[int, ...]) -> Tensor:
    """The batch as one dimension; a plain matrix as it is."""
    shape = x._array.shape[-2:]
    if not batch:
        return x
    return reshape(expand(x, (*batch, *shape)), (math.prod(batch), *shape))


def _check_rows(a: Array, b: Array, p: float) -> None:
    for name, array in (("X1", a), ("X2", b)):
        if array.ndim < 2:
            raise RuntimeError(
                f"cdist only supports at least 2D tensors, {name} got: {array.ndim}D"
            )
    for name, array in (("X1", a), ("X2", b)):
        if array.dtype.kind != "f":
            kind = scalar_name(array.dtype)
            raise RuntimeError(f"cdist only supports floating-point dtypes, {name} got: {kind}")
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            f"X1 and X2 must have the same number of columns. X1: {a.shape[-1]} X2: {b.shape[-1]}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
