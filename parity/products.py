"""The unit of rounding in a matrix product: what its terms are, and how many.

A product's rounding error is proportional to the sum of its terms' magnitudes, |a| @ |b|, not to
the sum itself. `compare.py` says why products are measured in units of that; here the units are
computed, for the forward result and, by the same rule, for the gradients.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .record import Arrays, Side

_PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "mv", "dot", "bmm", "linear", "addmm"})


class Operands(NamedTuple):
    """Magnitudes of what was multiplied: left (..., n, k), right (..., k, m), and an addend."""

    left: Any
    right: Any
    addend: Any = None


def product_units(side: Side, name: str, args: Any, kwargs: Any) -> tuple[Arrays, Operands | None]:
    """The units of a product's result, and its operands; nothing for other calls."""
    if name not in _PRODUCTS:
        return (), None
    tensors = [value for value in (*args, *kwargs.values()) if hasattr(value, "grad_fn")]
    sizes = [np.abs(side.values(tensor)) for tensor in tensors]
    if name == "linear":
        operands = Operands(sizes[0], sizes[1].T, *sizes[2:])
    elif name == "addmm":
        operands = Operands(sizes[1], sizes[2], sizes[0])
    else:
        operands = Operands(*(sizes[::-1] if name == "rmatmul" else sizes))
    terms = operands.left @ operands.right
    count = operands.left.shape[-1]
    if operands.addend is not None:
        terms, count = terms + operands.addend, count + 1
    return (_unit(terms, count),), operands


def gradient_units(side: Side, operands: Operands, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The units of a product's gradients: of |grad| @ |right|^T and |left|^T @ |grad|.

    Which input a gradient belongs to is told by its shape; where two fit, the larger counts.
    """
    if grad_outputs[0] is None:
        return ()
    left, right, addend = operands
    grad = np.abs(side.values(grad_outputs[0]))
    if right.ndim > 2:  # a batch of products
        candidates = [
            _unit(grad @ right.swapaxes(-1, -2), grad.shape[-1]),
            _unit(left.swapaxes(-1, -2) @ grad, grad.shape[-2]),
        ]
    else:
        rows = left.reshape(-1, left.shape[-1])  # (n, k): vectors count as one row or column
        columns = right if right.ndim > 1 else right[:, None]  # (k, m)
        matrix = grad.reshape(-1, columns.shape[-1])  # (n, m)
        candidates = [
            _unit((matrix @ columns.T).reshape(left.shape), matrix.shape[1]),
            _unit((rows.T @ matrix).reshape(right.shape), matrix.shape[0]),
        ]
        if addend is not None:
            candidates.append(_unit(matrix.sum(axis=0), matrix.shape[0]))
    return tuple(_fitting(gradient, candidates) for gradient in grad_inputs)


def _unit(terms: Any, count: int) -> Any:
    """One ULP of the terms' sum, times sqrt(count); float64, of the result's shape."""
    return np.spacing(np.asarray(terms)).astype(np.float64) * math.sqrt(max(count, 1))


def _fitting(gradient: Any, candidates: list[Any]) -> Any:
    if gradient is None:
        return None
    fits = [units for units in candidates if units.shape == tuple(gradient.shape)]
    return np.maximum.reduce(fits) if fits else None
