"""Max pooling: the largest element of each window, and where it lies.

Of equal elements the first counts (in row-major order), and a nan is larger than all. The search
goes axis by axis, the last axis first: that finds the same element as reading the window in order,
with fewer comparisons. Which element won is noted as a small integer, the number of the tap, and
becomes an index into the flattened plane at the end.

The gradient goes to the winners: `plane_scatter`, whose own gradient is `plane_gather`.
`max_unpool` is the same scattering as an op by itself.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import either
from ..autograd.grad_mode import is_recording
from ..autograd.node import refresh
from ..autograd.row import Op, op
from .windows import Axes, Plan, flat_places, on_axis, plan

Array = Any
Tensor = Any


def largest(input: Array, axes: Axes) -> Array:
    """The largest element of each window, without its place."""
    for dim, axis in zip(range(-1, -len(axes) - 1, -1), reversed(axes), strict=True):
        todo = plan(axis)
        best = input[on_axis(todo.first, dim, input)]
        for _, outputs, inputs in todo.rest:
            new = input[on_axis(inputs, dim, input)]
            if outputs is None:
                best = np.maximum(new, best)
            else:
                best, where = best.copy(), on_axis(outputs, dim, input)
                best[where] = np.maximum(new, best[where])
        input = best
    return either.contiguous(input) if todo.rest else input.copy()


def largest_and_where(input: Array, axes: Axes) -> tuple[Array, Array]:
    """The largest element of each window, and its place in the flattened input plane."""
    values, codes = _search(input, axes, np.greater)
    if values.dtype.kind == "f" and values.size:
        least = either.reduce(np.minimum, values)
        if not isinstance(values, np.ndarray) or least != least:  # nan is contagious
            values, codes = _search(input, axes, _greater_or_nan)
    return either.contiguous(values), _places(codes, axes)


def _places(codes: Array, axes: Axes) -> Array:
    """The place in the input plane of each output's tap."""
    table, base, offsets = flat_places(axes)
    if offsets is not None:
        offsets, base = np.asarray(offsets, like=codes), np.asarray(base, like=codes)
        return offsets.take(codes) + base.reshape(codes.shape[-len(axes) :])
    outputs = math.prod(a.out for a in axes)
    numbers = codes.reshape(math.prod(codes.shape[: -len(axes)]), outputs) * np.intp(outputs)
    table = np.asarray(table, like=codes)
    return table.reshape(-1).take(numbers + np.arange(outputs, like=codes)).reshape(codes.shape)


def _search(input: Array, axes: Axes, greater: Any) -> tuple[Array, Array]:
    """The largest elements, and the numbers of the taps at which they were found."""
    taps = [len(plan(axis).table) for axis in axes]
    kind = np.uint8 if math.prod(taps) <= 256 else np.int64
    values, codes = input, either.zeros((1,) * input.ndim, input, kind)
    for dim in range(-1, -len(axes) - 1, -1):
        step = math.prod(taps[len(axes) + dim + 1 :])  # how far taps of this axis are apart
        values, codes = _along(values, codes, plan(axes[dim]), dim, step, greater)
    if not values.flags.owndata:  # windows of one element: still the input
        values = values.copy()
    return values, codes if codes.shape == values.shape else codes + either.zeros(
        values.shape, values, kind
    )


def _along(
    values: Array, codes: Array, todo: Plan, dim: int, step: int, greater: Any
) -> tuple[Array, Array]:
    """One axis of the search: the best of the taps, which replaces the axis of the input.

    `codes` are the taps that won on the axes before, of size 1 where all are the same."""
    start = on_axis(todo.first, dim, values)
    spread = codes.shape[dim] == 1
    best, found = values[start], codes if spread else codes[start]
    if todo.clipped:
        numbers = np.asarray((todo.first_tap * step).astype(codes.dtype), like=codes)
        found = found + numbers.reshape((-1,) + (1,) * (-dim - 1))
    for tap, outputs, inputs in todo.rest:
        source = on_axis(inputs, dim, values)
        new, number = values[source], (codes if spread else codes[source]) + tap * step
        if outputs is None:
            found, best = _better(new, number, best, found, greater)
            continue
        if found.shape != best.shape or not found.flags.owndata:
            found = found + either.zeros(best.shape, codes)
        best, where = best.copy(), on_axis(outputs, dim, values)
        found[where], best[where] = _better(new, number, best[where], found[where], greater)
    return best, found


def _better(new: Array, number: Any, old: Array, code: Array, greater: Any) -> tuple[Array, Array]:
    """The codes and the values of the larger ones."""
    better = greater(new, old).view(np.uint8)
    larger = np.maximum(new, old)  # of 0.0 and -0.0 the older
    return code + (number - code) * better, larger  # modulo 256 where it is negative


def _greater_or_nan(new: Array, old: Array) -> Array:
    return (new > old) | (new != new)


# --- between a plane and some of its elements ----------------------------------------------------


def plane_scatter_array(values: Array, index: Array, sizes: tuple[int, ...], adds: bool) -> Array:
    """Zeros of (..., *sizes) with `values` at `index`, which counts within the flattened plane.

    `adds`: values for the same place are added, one after the other."""
    dims = len(sizes)
    planes, plane = math.prod(values.shape[:-dims]), math.prod(sizes)
    out = either.zeros(planes * plane, values)
    where = (
        index.reshape(planes, math.prod(index.shape[-dims:]))
        + np.arange(planes, like=index)[:, None] * plane
    )
    if adds:
        either.at(np.add, out, where.reshape(-1), values.reshape(-1))
    else:
        out[where.reshape(-1)] = values.reshape(-1)
    return out.reshape(*values.shape[:-dims], *sizes)


def plane_gather(grad: Any, index: Any, dims: int, xp: Any) -> Any:
    """The elements of each plane (the last `dims` dimensions of `grad`) to which `index` points."""
    outer = tuple(grad.shape[:-dims])
    flat = xp.reshape(grad, (*outer, math.prod(grad.shape[-dims:])))
    places = xp.reshape(index, (*outer, math.prod(index.shape[-dims:])))
    return xp.reshape(xp.gather(flat, len(outer), places), tuple(index.shape))


# --- rows ----------------------------------------------------------------------------------------


def _backward_array(grad: Array, input: Array, index: Array, axes: Axes) -> Array:
    overlapping = not all(plan(axis).disjoint for axis in axes)
    return plane_scatter_array(grad, index, input.shape[-len(axes) :], overlapping)


def _pooling_rows(name: str) -> tuple[Op, Op]:
    """The rows of one kind of max pooling: forward, and its gradient, which has a gradient too."""
    forward = op(
        name + "Backward0",
        input=lambda grad, input, result1, axes, xp: xp.max_pool_backward(
            grad, input, result1, axes
        ),
    )(largest_and_where)
    backward = op(
        name + "BackwardBackward0",
        grad=lambda grad, index, axes, xp: plane_gather(grad, index, len(axes), xp),
        input=lambda grad, input_shape, xp: xp.zeros_shaped(input_shape, grad),
    )(_backward_array)
    return forward, backward


ROWS = {  # by the number of pooled dimensions, and whether the windows are adaptive
    (2, False): _pooling_rows("MaxPool2DWithIndices"),
    (3, False): _pooling_rows("MaxPool3DWithIndices"),
    (2, True): _pooling_rows("AdaptiveMaxPool2D"),
    (3, True): _pooling_rows("AdaptiveMaxPool3D"),
}


def _rows(axes: Axes) -> tuple[Op, Op]:
    return ROWS[len(axes), len(axes[0]) == 2]


def max_pool(input: Tensor, axes: Axes) -> tuple[Tensor, Tensor]:
    """The largest element of each window, and its index in the flattened plane (int64)."""
    return _rows(axes)[0](input, axes)  # type: ignore[no-any-return]


_largest = op("")(largest)  # without a gradient


def is_recorded(input: Tensor) -> bool:
    """Whether the gradient will want to know the places of the largest elements."""
    refresh(input)
    return bool(input._requires_grad and is_recording())


def max_pool_values(input: Tensor, axes: Axes) -> Tensor:
    """`max_pool` without the places, which are found only if the gradient needs them."""
    return max_pool(input, axes)[0] if is_recorded(input) else _largest(input, axes)  # type: ignore[no-any-return]


def max_pool_backward(grad: Tensor, input: Tensor, index: Tensor, axes: Axes) -> Tensor:
    """The gradient of `max_pool` as an op."""
    return _rows(axes)[1](grad, input, index, axes)


def _unpool(input: Array, index: Array, sizes: tuple[int, ...]) -> Array:
    return plane_scatter_array(input, index, sizes, adds=False)


def _unpool_formula(grad: Any, index: Any, sizes: tuple[int, ...], xp: Any) -> Any:
    return plane_gather(grad, index, len(sizes), xp)


max_unpool2d = op("MaxUnpool2DBackward0", input=_unpool_formula)(_unpool)
max_unpool3d = op("MaxUnpool3DBackward0", input=_unpool_formula)(_unpool)
