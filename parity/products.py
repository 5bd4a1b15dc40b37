"""The unit of rounding in a matrix product: what its terms are, and how many.

A product's rounding error is proportional to the sum of its terms' magnitudes, |a| @ |b|, not to
the sum itself. `compare.py` says why products are measured in units of that; here the units are
computed, for the forward result and, by the same rule, for the gradients.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .record import Arrays, Side

PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "mv", "dot", "bmm", "linear", "addmm"})


SAVED = {  # the names under which the nodes of products keep their operands
    "MmBackward0": ("_saved_self", "_saved_mat2"),
    "AddmmBackward0": ("_saved_mat1", "_saved_mat2"),
    "AddmvBackward0": ("_saved_mat", "_saved_vec"),
    "MvBackward0": ("_saved_self", "_saved_vec"),
    "BmmBackward0": ("_saved_self", "_saved_mat2"),
}


def product_units(side: Side, name: str, args: Any, kwargs: Any) -> Arrays:
    """The units of a product's result."""
    tensors = [value for value in (*args, *kwargs.values()) if hasattr(value, "grad_fn")]
    sizes = [np.abs(side.values(tensor)) for tensor in tensors]
    if name == "linear":
        left, right, *addend = sizes[0], sizes[1].T, *sizes[2:]
    elif name == "addmm":
        left, right, *addend = sizes[1], sizes[2], sizes[0]
    else:
        left, right, *addend = sizes[::-1] if name == "rmatmul" else sizes
    terms = left @ right
    return (unit(sum(addend, terms), left.shape[-1] + len(addend)),)


def gradient_units(side: Side, node: Any, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The units of a product's gradients: of |grad| @ |right|^T and |left|^T @ |grad|.

    A node has saved the operand of which a gradient is made. Which input a gradient belongs to is
    told by its shape; where two fit, the larger counts.
    """
    grad = np.abs(side.values(grad_outputs[0]))
    left, right = (magnitudes(side, node, name) for name in SAVED[node.name()])
    candidates = []
    if right is not None:
        columns = right[:, None] if right.ndim == 1 else right  # (..., k, m)
        rows = grad[:, None] if right.ndim == 1 else grad  # (..., n, m)
        candidates.append(unit(rows @ columns.swapaxes(-1, -2), rows.shape[-1]))
    if left is not None:
        candidates.append(unit(left.swapaxes(-1, -2) @ grad, left.shape[-2]))
    if node.name().startswith("Addm"):
        candidates.append(unit(grad.sum(axis=0), grad.shape[0]))
    return tuple(_fitting(gradient, candidates) for gradient in grad_inputs)


def magnitudes(side: Side, node: Any, name: str) -> Any:
    """What a node has saved under a name; None if it did not need it."""
    try:
        value = getattr(node, name)
    except AttributeError:
        return None
    return None if value is None else np.abs(side.values(value))


def unit(terms: Any, count: int = 1) -> Any:
    """One ULP of the terms' sum, times sqrt(count); float64, of the result's shape."""
    return np.spacing(np.asarray(terms)).astype(np.float64) * math.sqrt(max(count, 1))


def _fitting(gradient: Any, candidates: list[Any]) -> Any:
    if gradient is None:
        return None
    fits = [units for units in candidates if units.shape == tuple(gradient.shape)]
    return np.maximum.reduce(fits) if fits else None
