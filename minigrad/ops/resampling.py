"""Images (and signals, and volumes) brought to another size: what `F.interpolate` computes.

All modes work axis by axis. "nearest" copies elements; "linear" and "cubic" weigh two or four
neighbours of the place in the input to which the centre of an output element corresponds. Which
neighbours, and with what weights, depends on sizes alone and is kept. The gradient sends each
output's gradient back to the neighbours with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..autograd.row import Op, op
from ..dtypes import FLOAT16
from .axis_maps import Index, add_back, pick

Array = Any
Tensor = Any
A = -0.75  # of the cubic convolution, as in PyTorch; Keys (1981) has -0.5


class Axis(NamedTuple):
    """One resized dimension."""

    mode: str  # "nearest", "nearest-exact", "linear" or "cubic"
    size: int
    out: int
    scale: float | None = None  # the factor that the user gave; by default out / size
    align_corners: bool = False  # the outermost elements' centres stay where they are


Taps = tuple[tuple[Index, Array], ...]  # for each tap the neighbours, and their weights


def _step(axis: Axis, dtype: Any) -> Any:
    """How far apart neighbouring outputs are in the input."""
    if axis.align_corners:
        return dtype.type(axis.size - 1) / dtype.type(axis.out - 1) if axis.out > 1 else 0
    if axis.scale is not None and axis.scale > 0:
        return dtype.type(1.0 / axis.scale)
    return dtype.type(axis.size) / dtype.type(axis.out)


@lru_cache(maxsize=256)
def nearest_index(axis: Axis) -> Index:
    single, size = np.dtype(np.float32), axis.size
    places = np.arange(axis.out, dtype=single)
    if axis.mode == "nearest-exact":
        places = (places + single.type(0.5)) * _step(axis, single)
    elif axis.out == 2 * size:
        places = places // 2
    elif axis.out != size:
        places = places * _step(axis, single)
    return tuple(np.minimum(np.floor(places).astype(np.int64), size - 1).tolist())


@lru_cache(maxsize=256)
def weighted_taps(axis: Axis, dtype: Any) -> Taps:
    """The neighbours and weights of "linear" and "cubic", computed in the dtype of the input."""
    half = dtype.type(0.5)
    i = np.arange(axis.out, dtype=dtype)
    step = _step(axis, dtype)
    places = i * step if axis.align_corners else (i + half) * step - half
    if axis.mode == "linear":
        return _linear(places if axis.size != axis.out else i, axis.size)
    return _cubic(places, axis.size)


def _linear(places: Array, size: int) -> Taps:
    places = np.maximum(places, 0)
    first = np.minimum(places.astype(np.int64), size - 1)
    second = np.minimum(first + 1, size - 1)
    weight = np.clip(places - first.astype(places.dtype), 0, 1)
    return (tuple(first.tolist()), 1 - weight), (tuple(second.tolist()), weight)


def _cubic(places: Array, size: int) -> Taps:
    floor = np.floor(places)
    t, start = places - floor, floor.astype(np.int64)
    weights = [_far(t + 1), _near(t), _near(1 - t), _far((1 - t) + 1)]
    return tuple(
        (tuple(np.clip(start + k - 1, 0, size - 1).tolist()), w) for k, w in enumerate(weights)
    )


def _near(x: Array) -> Array:
    """The cubic convolution's weight at a distance `x` below 1."""
    return ((A + 2) * x - (A + 3)) * x * x + 1


def _far(x: Array) -> Array:
    """And at a distance between 1 and 2."""
    return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A


def _shaped(weights: Array, dim: int) -> Array:
    return weights.reshape((-1,) + (1,) * (-dim - 1))


def resample_array(input: Array, axes: tuple[Axis, ...]) -> Array:
    if axes[0].mode.startswith("nearest"):
        out = pick(input, [nearest_index(axis) for axis in axes])
        return out.copy("C") if out is input else out
    wide = input.astype(np.float32) if input.dtype is FLOAT16 else input
    for dim in range(-1, -len(axes) - 1, -1):
        taps = weighted_taps(axes[dim], wide.dtype)
        terms = [
            _shaped(np.asarray(w, like=wide), dim)
            * np.take(wide, np.asarray(index, like=wide), dim)
            for index, w in taps
        ]
        wide = terms[0]
        for term in terms[1:]:
            wide = wide + term
    return wide.astype(input.dtype, copy=False)


def resample_backward_array(grad: Array, axes: tuple[Axis, ...]) -> Array:
    sizes = [axis.size for axis in axes]
    if axes[0].mode.startswith("nearest"):
        return add_back(grad, [nearest_index(axis) for axis in axes], sizes)
    wide = grad.astype(np.float32) if grad.dtype is FLOAT16 else grad
    for dim in range(-len(axes), 0):
        wide = _weighted_back(wide, axes[dim], dim)
    return wide.astype(grad.dtype, copy=False)


def _weighted_back(grad: Array, axis: Axis, dim: int) -> Array:
    """Along one axis: the gradient times each tap's weights, added to the tap's neighbours."""
    moved = np.moveaxis(grad, dim, -1)
    parts = [
        add_back(moved * np.asarray(w, like=grad), [index], [axis.size])
        for index, w in weighted_taps(axis, grad.dtype)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return np.moveaxis(total, -1, dim)


def _resampling_rows(name: str) -> tuple[Op, Op]:
    """The rows of one mode: forward, and its gradient."""
    forward = op(name + "Backward0", input=lambda grad, axes, xp: xp.resample_backward(grad, axes))(
        resample_array
    )
    backward = op(name + "BackwardBackward0", grad=lambda grad, axes, xp: xp.resample(grad, axes))(
        resample_backward_array
    )
    return forward, backward


ROWS = {
    ("nearest", 1): _resampling_rows("UpsampleNearest1D"),
    ("nearest", 2): _resampling_rows("UpsampleNearest2D"),
    ("nearest", 3): _resampling_rows("UpsampleNearest3D"),
    ("nearest-exact", 1): _resampling_rows("UpsampleNearestExact1D"),
    ("nearest-exact", 2): _resampling_rows("UpsampleNearestExact2D"),
    ("nearest-exact", 3): _resampling_rows("UpsampleNearestExact3D"),
    ("linear", 1): _resampling_rows("UpsampleLinear1D"),
    ("linear", 2): _resampling_rows("UpsampleBilinear2D"),
    ("linear", 3): _resampling_rows("UpsampleTrilinear3D"),
    ("cubic", 2): _resampling_rows("UpsampleBicubic2D"),
}


def resample(input: Tensor, axes: Sequence[Axis]) -> Tensor:
    """`input` with its last dimensions at the sizes that `axes` say."""
    return ROWS[axes[0].mode, len(axes)][0](input, tuple(axes))


def resample_backward(grad: Tensor, axes: Sequence[Axis]) -> Tensor:
    """The gradient of `resample` as an op."""
    return ROWS[axes[0].mode, len(axes)][1](grad, tuple(axes))
