"""A weight as length times direction: w = g * v / |v|, one length g for each slice along a dimension.

Source: Salimans and Kingma (2016), Weight Normalization. The norm is over all dimensions but `dim`;
g has the shape of w with 1 for all of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.row import op

Array = Any
Tensor = Any


def _others(ndim: int, dim: int) -> tuple[int, ...]:
    return tuple(d for d in range(ndim) if d != dim)


def _along(v: Array, dim: int) -> Array:
    """The norm of `v` over all dimensions but `dim`."""
    return np.sqrt(np.sum(v * v, axis=_others(v.ndim, dim), keepdims=True, dtype=v.dtype))


def _projected(grad: Any, v: Any, dim: int, xp: Any) -> Any:
    return xp.sum_dim(grad * v, _others(len(v.shape), dim), True)


def _norms(v: Any, dim: int, xp: Any) -> Any:
    return xp.sum_dim(v * v, _others(len(v.shape), dim), True) ** 0.5


def _v_formula(grad: Any, v: Any, g: Any, dim: int, xp: Any) -> Any:
    norms = _norms(v, dim, xp)
    return g / norms * (grad - v * (_projected(grad, v, dim, xp) / (norms * norms)))


def _g_formula(grad: Any, v: Any, dim: int, xp: Any) -> Any:
    return _projected(grad, v, dim, xp) / _norms(v, dim, xp)


@op("WeightNormInterfaceBackward0", v=_v_formula, g=_g_formula)
def weight_norm(v: Array, g: Array, dim: int = 0) -> Array:
    """g * v / |v|, where the norm leaves out dimension `dim`."""
    return v * (g / _along(v, dim))
