"""A product of two inputs and a weight that is linear in each of the three."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import either, promotion
from ..autograd.row import op
from ..dtypes import SCALAR_NAMES, from_numpy
from .shape import view

Array = Any
Tensor = Any


def _pairs(input1: Any, input2: Any, xp: Any) -> Any:
    """The products of each element of a row with each of the other's: (N, I), (N, J) to (N, IJ)."""
    products = xp.unsqueeze(input1, 2) * xp.unsqueeze(input2, 1)
    return xp.reshape(products, (products.shape[0], products.shape[1] * products.shape[2]))


def _flat(weight: Any, xp: Any) -> Any:
    """(O, I, J) as (O, IJ)."""
    return xp.reshape(weight, (weight.shape[0], weight.shape[1] * weight.shape[2]))


def _grad_of_pairs(grad: Any, weight: Any, xp: Any) -> Any:
    """(N, O), (O, I, J) to (N, I, J)."""
    return xp.reshape(xp.mm(grad, _flat(weight, xp)), (grad.shape[0], *weight.shape[1:]))


@op(
    "TrilinearBackward0",
    input1=lambda grad, weight, input2, xp: xp.sum_dim(
        _grad_of_pairs(grad, weight, xp) * xp.unsqueeze(input2, 1), (2,), False
    ),
    weight=lambda grad, input1, input2, weight_shape, xp: xp.reshape(
        xp.mm(xp.t(grad), _pairs(input1, input2, xp)), tuple(weight_shape)
    ),
    input2=lambda grad, input1, weight, xp: xp.sum_dim(
        _grad_of_pairs(grad, weight, xp) * xp.unsqueeze(input1, 2), (1,), False
    ),
)
def _trilinear(input1: Array, weight: Array, input2: Array) -> Array:
    """(N, I), (O, I, J), (N, J) to (N, O)."""
    pairs = input1[:, :, None] * input2[:, None, :]
    flat = (
        weight.reshape(len(weight), -1)
        if weight.size
        else either.zeros((len(weight), 0), weight, np.float64)
    )
    return pairs.reshape(len(pairs), weight[0].size).dot(flat.T)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`input1 @ weight[k] @ input2 + bias[k]` for each k: (..., I), (..., J), weight (O, I, J) and
    bias (O) give (..., O).

    Raises:
        RuntimeError: sizes or dtypes do not fit.
        TypeError: an argument is not a Tensor.
    """
    promotion.check_tensors("bilinear", input1=input1, input2=input2, weight=weight)
    a, b, w = input1._array, input2._array, weight._array
    _check(a, b, w, bias)
    promotion.no_bools("bmm", a, b, w)
    rows = view(input1, -1, a.shape[-1]), view(input2, -1, b.shape[-1])
    out = view(_trilinear(rows[0], weight, rows[1]), (*a.shape[:-1], w.shape[0]))
    return out if bias is None else out + bias


def _check(a: Array, b: Array, w: Array, bias: Tensor | None) -> None:
    if a.ndim != b.ndim:
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {a.ndim} and {b.ndim}")
    for dim, (n, m) in enumerate(zip(a.shape[:-1], b.shape[:-1], strict=True)):
        if n != m:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {dim}: got {n} and {m}"
            )
    if w.ndim < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-w.ndim}, {w.ndim - 1}], "
            f"but got {w.ndim})"
        )
    for number, (array, size) in enumerate(((a, w.shape[1]), (b, w.shape[2])), 1):
        if array.shape[-1] != size:
            raise RuntimeError(
                f"bilinear(): input{number} size does not match weight size: got "
                f"{array.shape[-1]} but expected {size}"
            )
    if bias is not None and bias._array.shape != (w.shape[0],):
        raise RuntimeError(
            "bilinear(): bias size does not match weight size: got "
            f"{bias._array.shape[0]} but expected {w.shape[0]}"
        )
    if not a.dtype is b.dtype is w.dtype:
        names = [SCALAR_NAMES[from_numpy(x.dtype)].lower() for x in (a, b, w)]
        raise RuntimeError(
            "All tensors must have the same dtype, got input1: {}, input2: {}, weight: {}".format(
                *names
            )
        )
