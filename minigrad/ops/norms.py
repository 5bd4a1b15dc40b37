"""Norms of vectors and matrices: the root of the sum of powers, and its limits 0 and infinity."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either, ops
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from .dims import wrap_dim, wrap_dims
from .extremes import amax, amin
from .reduction import _array, _row_major, _spread
from .reduction import sum as total

Array = Any
Tensor = Any


def _norm_formula(
    grad: Any, input: Any, result: Any, ord: float, dims: Any, keepdim: bool, xp: Any
) -> Any:
    """d|x|_p / dx = sign(x) |x|^(p-1) / |x|_p^(p-1): for 2 x / |x|, for infinity shared by the
    largest elements. At a norm of zero, where there is none, it is 0."""
    shape = tuple(input.shape)
    grad = _spread(grad, shape, dims, keepdim, xp)
    norm = _spread(result, shape, dims, keepdim, xp)
    if ord == 0:
        return None  # a count does not change with its terms
    if ord == 1:
        return grad * xp.sign(input)
    if ord == 2:
        return grad * xp.where(norm == 0, 0.0, input / norm)
    size = xp.abs(input)
    if math.isinf(ord):
        mask = (size == norm) | ((size != size) & (norm != norm))
        return xp.sign(input) * (grad * (mask / xp.sum_dim(xp.as_float(mask, grad), dims, True)))
    zero = (size == 0) & (ord < 2) | (norm == 0)
    powers = xp.pow(xp.where(zero, 1.0, size / xp.where(norm == 0, 1.0, norm)), ord - 1)
    return xp.where(zero, 0.0, grad * xp.sign(input) * powers)


@op("LinalgVectorNormBackward0", fused=True, input=_norm_formula)
def _vector_norm(
    input: Array, ord: float, dims: tuple[int, ...], keepdim: bool, dtype: Any
) -> Array:
    sizes = np.abs(input.astype(np.float64))
    kept: dict[str, Any] = {"axis": dims, "keepdims": keepdim}
    if math.isinf(ord):
        if ord > 0 or not sizes.size:
            out = either.greatest(sizes, dims, 0.0, keepdim)
        else:
            out = either.reduce(np.minimum, sizes, dims, keepdim)
    elif ord == 0:
        out = np.add.reduce(sizes != 0, **kept, dtype=np.float64)
    elif ord == 2:
        out = np.sqrt(np.add.reduce(sizes * sizes, **kept))
    elif ord == 1:
        out = np.add.reduce(sizes, **kept)
    else:
        out = np.add.reduce(sizes**ord, **kept) ** (1.0 / ord)
    return _row_major(either.as_array(out).astype(input.dtype if dtype is None else dtype.numpy))


def linalg_vector_norm(
    x: Tensor,
    ord: Any = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """(sum of |x|^ord)^(1/ord) over all elements or over `dim`; `ord` may be 0 or infinite.

    dtype: that of the result, to which `x` is converted first. Integers are refused."""
    if out is not None:
        return into(out, linalg_vector_norm, x, ord, dim, keepdim, dtype=dtype)
    array = _array("linalg_vector_norm", x)
    if array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{_type_name(array)}"
        )
    if dtype is not None and not dtype.is_floating_point:
        raise RuntimeError(
            f"linalg.vector_norm: dtype should be floating point or complex, but got {scalar_name(dtype.numpy)}"
        )
    if dtype is not None and dtype.numpy.itemsize < array.dtype.itemsize:
        raise RuntimeError(
            f"linalg.vector_norm: the dtype of the input ({scalar_name(array.dtype)}) should be convertible "
            f"without narrowing to the specified dtype ({scalar_name(dtype.numpy)})"
        )
    dims = wrap_dims(dim, array.ndim)
    if math.isinf(ord) or ord < 0:
        _has_an_extreme(array, ord, dims)
    return _vector_norm(x, float(ord), dims, keepdim, dtype)


def _type_name(array: Array) -> str:
    return scalar_name(array.dtype)


def _has_an_extreme(array: Array, ord: float, dims: tuple[int, ...]) -> None:
    if array.ndim and 0 in [array.shape[d] for d in dims]:
        raise RuntimeError(
            f"linalg.vector_norm cannot compute the {float(ord):g} norm on an empty tensor because the "
            "operation does not have an identity"
        )


# --- matrices ------------------------------------------------------------------------------------


def linalg_norm(
    A: Tensor,
    ord: Any = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
    out: Any = None,
) -> Tensor:
    """The norm of vectors (one `dim`, or 1-d) or matrices (two), by `ord`; without it the 2-norm of
    all elements."""
    if out is not None:
        return into(out, linalg_norm, A, ord, dim, keepdim, dtype=dtype)
    array = _array("linalg_norm", A)
    dims = _given(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    if ord is None:
        return linalg_vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dims is None and array.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{array.ndim}D."
        )
    if len(dims) == 2 if dims is not None else array.ndim == 2:
        return _matrix_norm(A, ord, dims or (0, 1), keepdim, dtype)
    if isinstance(ord, str):
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
        )
    return linalg_vector_norm(A, ord, dim, keepdim, dtype=dtype)


def _given(dim: Any) -> tuple[int, ...] | None:
    return None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)


def _matrix_norm(A: Tensor, ord: Any, dims: Any, keepdim: bool, dtype: Any) -> Tensor:
    """`linalg.matrix_norm` over two dimensions."""
    row, column = (wrap_dim(d, A._array.ndim) for d in dims)
    if row == column:
        raise RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})"
        )
    if ord == "fro":
        return linalg_vector_norm(A, 2, (row, column), keepdim, dtype=dtype)
    if ord in ("nuc", 2, -2):
        return _spectral(A, ord, row, column, keepdim, dtype)
    if isinstance(ord, str) or ord not in (1, -1, math.inf, -math.inf):
        raise _unknown_order(ord)
    summed, compared = (column, row) if math.isinf(ord) else (row, column)
    if not keepdim and compared > summed:
        compared -= 1
    sums = linalg_vector_norm(A, 1, summed, keepdim, dtype=dtype)
    return _extreme_of(sums, ord, compared, keepdim)


def _extreme_of(values: Tensor, ord: float, dim: int, keepdim: bool) -> Tensor:
    """The largest for positive orders, else the smallest; the largest of nothing is 0."""
    if ord > 0 and not values._array.shape[dim]:
        return total(values, dim, keepdim)
    return (amax if ord > 0 else amin)(values, dim, keepdim)


def _unknown_order(ord: Any) -> RuntimeError:
    if isinstance(ord, str):
        return RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    return RuntimeError(f"linalg.matrix_norm: Order {float(ord):g} not supported.")


def _spectral(A: Tensor, ord: Any, row: int, column: int, keepdim: bool, dtype: Any) -> Tensor:
    """The norms made of singular values: their sum ("nuc"), the largest (2), the smallest (-2)."""
    if dtype is not None:
        A = ops.to_dtype(A, dtype.numpy)
    ndim = A._array.ndim
    others = [d for d in range(ndim) if d not in (row, column)]
    values = ops.linalg_svdvals(ops.permute(A, (*others, row, column)))
    if ord == "nuc":
        out = total(values, -1)
    else:
        out = _extreme_of(values, ord, -1, False)
    for d in sorted((row, column)) if keepdim else ():
        out = ops.unsqueeze(out, d)
    return out


def norm(
    input: Tensor, p: Any = "fro", dim: Any = None, keepdim: bool = False, out: Any = None,
    dtype: Any = None,
) -> Tensor:  # fmt: skip
    """The `p`-norm of all elements or over `dim`: "fro" (or None) is 2, "nuc" that of a matrix."""
    if out is not None:
        return into(out, norm, input, p, dim, keepdim, dtype=dtype)
    array = _array("norm", input)
    if p == "nuc":
        dims = (0, 1) if dim is None else tuple(dim)
        row, column = (wrap_dim(d, array.ndim) for d in dims)
        return _spectral(input, "nuc", row, column, keepdim, dtype)
    if isinstance(p, str) and p != "fro":
        raise _unknown_order(p)
    if dtype is None and array.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            f"{_type_name(array)}"
        )
    return linalg_vector_norm(input, 2 if p in ("fro", None) else p, dim, keepdim, dtype=dtype)
