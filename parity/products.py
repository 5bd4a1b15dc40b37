"""The size of the terms that a matrix product sums.

A product's rounding error is proportional to the sum of its terms' magnitudes, |a| @ |b|, not to
the sum itself: where terms cancel, two correct libraries that add in different orders differ by
many ULPs of the small result, and by a fraction of one ULP of |a| @ |b|. `compare.py` measures
products on that scale; here it is computed, for the forward result and for the gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .record import Arrays, Side

_PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "mv", "dot", "bmm"})


class Operands(NamedTuple):
    """Magnitudes of what was multiplied: left (..., n, k), right (..., k, m), and an addend."""

    left: Any
    right: Any
    addend: Any = None


def product_terms(
    side: Side, name: str, args: Any, kwargs: Any
) -> tuple[Arrays, Operands | None]:
    """The terms' magnitudes of a product's result, and its operands; nothing for other calls."""
    if name not in _PRODUCTS and name not in ("linear", "addmm"):
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
    return (np.asarray(terms if operands.addend is None else terms + operands.addend),), operands


def gradient_terms(side: Side, operands: Operands, grad_inputs: Any, grad_outputs: Any) -> Arrays:
    """The terms' magnitudes of a product's gradients: |grad| @ |right|^T and |left|^T @ |grad|.

    Which input a gradient belongs to is told by its shape; where two fit, the larger counts.
    """
    if grad_outputs[0] is None:
        return ()
    left, right, addend = operands
    grad = np.abs(side.values(grad_outputs[0]))
    matrix_left = left.reshape(-1, left.shape[-1])  # a row at least
    matrix_right = right if right.ndim > 1 else right[:, None]
    matrix_grad = grad.reshape(-1, matrix_right.shape[-1])
    if right.ndim > 2:  # a batch of products
        candidates = [grad @ right.swapaxes(-1, -2), left.swapaxes(-1, -2) @ grad]
    else:
        candidates = [
            (matrix_grad @ matrix_right.T).reshape(left.shape),
            (matrix_left.T @ matrix_grad).reshape(right.shape),
        ]
    if addend is not None:
        candidates.append(matrix_grad.sum(axis=0))
    return tuple(_fitting(gradient, candidates) for gradient in grad_inputs)


def _fitting(gradient: Any, candidates: list[Any]) -> Any:
    if gradient is None:
        return None
    fits = [size for size in candidates if size.shape == tuple(gradient.shape)]
    return np.maximum.reduce(fits) if fits else None
