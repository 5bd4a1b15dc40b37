"""Products over chosen dimensions: inner, tensor, Kronecker and cross products."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import promotion
from ..autograd.out import into
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import no_bools
from .arithmetic import mul
from .dims import wrap_dim
from .linalg import _dot, dot, mm
from .numpy_names import numpy_names
from .reduction import sum as sum_
from .shape import _unsafe_view, flatten, permute, reshape, view

Array = Any
Tensor = Any


# --- inner products ------------------------------------------------------------------------------

_vdot = op(
    "VdotBackward0",
    input=lambda grad, tensor: grad * tensor,
    tensor=lambda grad, input: grad * input,
)(_dot.forward)


def vdot(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """`dot`; the two differ for complex numbers only."""
    if out is not None:
        return into(out, vdot, input, other, exact=True)
    dot(*[getattr(t, "detach", lambda t=t: t)() for t in (input, other)])  # its checks
    return _vdot(input, other)


def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The sums of products over the last dimension: (..., n) and (*, n) give (..., *)."""
    if out is not None:
        return into(out, inner, input, other)
    promotion.check_tensors("inner", input=input, other=other)
    a, b = input._array, other._array
    if not a.ndim or not b.ndim:
        return mul(input, other)
    if a.shape[-1] != b.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(a.shape)} and {list(b.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def tensordot(a: Tensor, b: Tensor, dims: Any = 2, *, out: Any = None) -> Tensor:
    """The sums of products over pairs of dimensions.

    dims: how many of the last dimensions of `a` meet the first ones of `b`, or two lists of
        dimensions. The result has the other dimensions of `a`, then those of `b`.
    """
    if out is not None:
        return into(out, tensordot, a, b, dims, exact=True)
    promotion.check_tensors("tensordot", a=a, b=b)
    first, second = _contracted(a._array, b._array, dims)
    return _contract(a, b, first, second)


def _contracted(a: Array, b: Array, dims: Any) -> tuple[list[int], list[int]]:
    dims = dims.tolist() if hasattr(dims, "_array") else dims
    if isinstance(dims, (tuple, list)) and len(dims) == 2 and not isinstance(dims[0], int):
        return list(dims[0]), list(dims[1])
    if isinstance(dims, (tuple, list)):
        dims = dims[0]
    count = operator.index(dims)
    if count < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={count}")
    if count > min(a.ndim, b.ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={count}")
    return list(range(-count, 0)), list(range(count))


def _contract(a: Tensor, b: Tensor, first: Sequence[int], second: Sequence[int]) -> Tensor:
    if len(first) != len(second):
        raise RuntimeError("both dimension lists should have same length")
    if a._array.dtype is not b._array.dtype:
        raise RuntimeError("both inputs should have same dtype")
    dims_a = [wrap_dim(d, a._array.ndim) for d in first]
    dims_b = [wrap_dim(d, b._array.ndim) for d in second]
    for i, (at, bt) in enumerate(zip(dims_a, dims_b, strict=True)):
        n, m = a._array.shape[at], b._array.shape[bt]
        if m == 1:
            a = sum_(a, at, True, dtype=a.dtype)
        elif n == 1:
            b = sum_(b, bt, True, dtype=b.dtype)
        elif n != m:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {n} in dim {first[i]} "
                f"and second has size {m} in dim {second[i]}"
            )
    return _as_matrices(a, b, dims_a, dims_b)


def _as_matrices(a: Tensor, b: Tensor, dims_a: list[int], dims_b: list[int]) -> Tensor:
    free_a, free_b = _others(a, dims_a), _others(b, dims_b)
    sizes = [a._array.shape[d] for d in free_a], [b._array.shape[d] for d in free_b]
    inner_size = math.prod(a._array.shape[d] for d in dims_a)
    left, right = permute(a, (*free_a, *dims_a)), permute(b, (*dims_b, *free_b))
    if math.prod(sizes[0]) == math.prod(sizes[1]) == 1 and a._array.dtype != bool:
        return view(dot(flatten(left), flatten(right)), (*sizes[0], *sizes[1]))
    left = reshape(left, (math.prod(sizes[0]), inner_size))
    right = reshape(right, (inner_size, math.prod(sizes[1])))
    return reshape(mm(left, right), (*sizes[0], *sizes[1]))


def _others(tensor: Tensor, dims: list[int]) -> list[int]:
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return [d for d in range(tensor._array.ndim) if d not in dims]


def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The Kronecker product: every element of `input` times the whole of `other`."""
    if out is not None:
        return into(out, kron, input, other)
    promotion.check_tensors("kron", input=input, other=other)
    a, b = input._array.shape, other._array.shape
    ndim = max(len(a), len(b))
    a, b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    left = _unsafe_view(input, tuple(s for n in a for s in (n, 1)))
    right = _unsafe_view(other, tuple(s for n in b for s in (1, n)))
    return _unsafe_view(mul(left, right), tuple(n * m for n, m in zip(a, b, strict=True)))


# --- cross products ------------------------------------------------------------------------------


@op(
    "LinalgCrossBackward0",
    input=lambda grad, other, dim, xp: xp.cross_product(other, grad, dim),
    other=lambda grad, input, dim, xp: xp.cross_product(grad, input, dim),
)
def cross_product(input: Array, other: Array, dim: int) -> Array:
    """The cross products of the 3-vectors along `dim`."""
    a, b = (
        np.moveaxis(t, dim, 0) for t in np.broadcast_arrays(*promotion.promoted((input, other)))
    )
    no_bools("cross", a, b)
    parts = [a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3] for i in range(3)]
    return np.stack(parts, dim)


def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1, out: Any = None) -> Tensor:
    """The cross product of vectors of three numbers along `dim`; other dimensions broadcast."""
    if out is not None:
        return into(out, linalg_cross, input, other, dim=dim, exact=True)
    promotion.check_tensors("linalg_cross", input=input, other=other)
    a, b = input._array, other._array
    if a.ndim != b.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    at = wrap_dim(dim, a.ndim)
    sizes = [t.shape[at] if t.ndim else 1 for t in (a, b)]
    if sizes != [3, 3]:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. "
            f"Got {sizes[0]} and {sizes[1]}"
        )
    try:
        np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise promotion.broadcast_error((a, b)) from None
    if a.dtype != b.dtype:
        names = scalar_name(a.dtype), scalar_name(b.dtype)
        raise RuntimeError(f"expected scalar type {names[0]} but found {names[1]}")
    return cross_product(input, other, at)


@numpy_names
def cross(input: Tensor, other: Tensor, dim: int | None = None, *, out: Any = None) -> Tensor:
    """`linalg.cross`, by default along the first dimension of size 3."""
    if out is not None:
        return into(out, cross, input, other, dim, exact=True)
    promotion.check_tensors("cross", input=input, other=other)
    if dim is None:
        if 3 not in input._array.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input._array.shape.index(3)
    return linalg_cross(input, other, dim=dim)
