"""Histograms with weights, in one dimension and in several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import either, return_types
from ..autograd import node as graph
from ..autograd.node import wrap
from ..autograd.out import into
from ..dtypes import scalar_name
from ..promotion import check_tensors

Array = Any
Tensor = Any


def histogram(
    input: Tensor, bins: Any = 100, *, range: Any = None, weight: Any = None, density: bool = False,
    out: Any = None,
) -> Any:  # fmt: skip
    """(hist, bin_edges): how many elements (or how much weight) lie in each interval.

    bins: a number of equal intervals over `range` (low, high), by default from the smallest to the
        largest element; or a Tensor of edges. density: divided by all weight and by the widths."""
    if out is not None:
        return into(
            out, histogram, input, bins, range=range, weight=weight, density=density, exact=True
        )
    check_tensors("histogram", input=input)
    flat = input._array.reshape(-1, 1)
    edges = [_edges(flat[:, 0], bins, range, 0)]
    _check_weight(weight, input._array.shape)
    hist = _counted(flat, edges, None if weight is None else weight._array.reshape(-1), density)
    return return_types.histogram(wrap(hist), wrap(edges[0]))


def histogramdd(
    input: Tensor, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False
) -> Any:
    """(hist, bin_edges) of points (..., n) in n dimensions; `bins` is a number for all, or one for
    each dimension, or a list of Tensors of edges; `range` has 2 n numbers."""
    check_tensors("histogramdd", input=input)
    array = input._array
    if array.ndim < 2:
        raise RuntimeError(
            f"torch.histogramdd: input tensor should have at least 2 dimensions, but got {array.ndim}"
        )
    points = array.reshape(-1, array.shape[-1])
    n = points.shape[1]
    each = [bins] * n if isinstance(bins, int) else list(bins)
    if len(each) != n:
        raise RuntimeError(
            "torch.histogramdd: The size of bins must be equal to the innermost dimension of the input."
        )
    if range is not None and len(range) != 2 * n:
        raise RuntimeError(
            f"torch.histogramdd: for a {n}-dimensional histogram range should have {2 * n} elements, "
            f"but got {len(range)}"
        )
    ranges = [None if range is None else range[2 * i : 2 * i + 2] for i in np.arange(n)]
    edges = [_edges(points[:, i], each[i], ranges[i], i) for i in np.arange(n)]
    _check_weight(weight, array.shape[:-1])
    weights = None if weight is None else weight._array.reshape(-1)
    hist = wrap(_counted(points, edges, weights, density))
    given = [
        b if isinstance(b, graph.Tensor) else wrap(e) for b, e in zip(each, edges, strict=True)
    ]
    return return_types.histogramdd(hist, tuple(given))


def _check_weight(weight: Any, shape: tuple[int, ...]) -> None:
    if weight is not None and weight._array.shape != shape:
        raise RuntimeError(
            f"torch.histogramdd: if weight tensor is provided it should have the same shape as the "
            f"input tensor excluding its innermost dimension, but got input with shape {list(shape)} "
            f"and weight with shape {list(weight._array.shape)}"
        )


def _edges(values: Array, bins: Any, bounds: Any, dim: int) -> Array:
    """The bounds of the intervals along one dimension, in the dtype of the values."""
    if values.dtype.kind != "f":
        raise NotImplementedError(f"histogram is not implemented for '{scalar_name(values.dtype)}'")
    if isinstance(bins, graph.Tensor):
        return bins._array.copy()
    if bins <= 0:
        raise RuntimeError(
            f"torch.histogramdd(): bins must be > 0, but got {bins} for dimension {dim}"
        )
    low, high = bounds if bounds is not None else (
        (values.min().item(), values.max().item()) if values.size else (0.0, 1.0)
    )  # fmt: skip
    if not (np.isfinite(low) and np.isfinite(high)):
        raise RuntimeError(
            f"torch.histogramdd: dimension {dim}'s range [{low:g}, {high:g}] is not finite"
        )
    if low > high:
        raise RuntimeError("torch.histogramdd: min should not exceed max, but got "
                           f"min {low} max {high} for dimension {dim}")  # fmt: skip
    if low == high:
        low, high = low - 0.5, high + 0.5
    from .factories import _evenly

    return np.asarray(_evenly(low, high, bins + 1, values.dtype.type), like=values)


def _counted(points: Array, edges: Sequence[Array], weights: Array | None, density: bool) -> Array:
    shape = tuple(len(e) - 1 for e in edges)
    places = either.zeros(len(points), points, np.int64)
    inside = either.full(len(points), True, bool, points)
    for i, edge in enumerate(edges):
        values = points[:, i]
        at = np.searchsorted(edge, values, "right") - 1
        inside &= (values >= edge[0]) & (values <= edge[-1])
        at = np.clip(at, 0, len(edge) - 2)  # the last interval holds its end
        places = places * (len(edge) - 1) + at
    kept = None if weights is None else weights[inside]
    counts = np.bincount(places[inside], kept, int(np.prod(shape))).reshape(shape)
    hist = counts.astype(points.dtype)
    if density:
        hist = hist / hist.sum()
        for i, edge in enumerate(edges):
            hist = hist / np.diff(edge).reshape([-1 if d == i else 1 for d in range(len(edges))])
    return hist
