"""Maps along an axis: output element i is input element `index[i]`, whatever the other axes do.

Padding by reflection and enlarging by the nearest neighbour are such maps, one for each of the last
axes. The gradient of a map adds each output's gradient to the input element that it came from.
An index is a tuple of ints, so that what is known about it is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .. import either

Array = Any
Index = tuple[int, ...]


def pick(array: Array, indices: Sequence[Index]) -> Array:
    """The map: `indices` belong to the last axes of `array`, in their order."""
    for axis, index in zip(range(-len(indices), 0), indices, strict=True):
        if index != tuple(range(array.shape[axis])):
            array = np.take(array, np.asarray(_as_array(index), like=array), axis)
    return array


def add_back(grad: Array, indices: Sequence[Index], sizes: Sequence[int]) -> Array:
    """Its gradient: zeros of the `sizes` before the map, to which `grad` is added by index."""
    for axis, index, size in zip(range(-len(indices), 0), indices, sizes, strict=True):
        if index != tuple(range(size)):
            grad = _added(grad, axis, index, size)
    return grad


def _added(grad: Array, axis: int, index: Index, size: int) -> Array:
    """A sum for each index: one vectorised addition for the first time that indices occur, one for
    the second, and so on."""
    shape = list(grad.shape)
    shape[axis] = size
    out = either.zeros(shape, grad)
    target, source = np.moveaxis(out, axis, 0), np.moveaxis(grad, axis, 0)
    for places, positions in occurrences(index):
        target[either.on(places, grad)] += source[either.on(positions, grad)]
    return out


@lru_cache(maxsize=512)
def occurrences(index: Index) -> tuple[tuple[Any, Any], ...]:
    """For the first, second, ... occurrence of each value: the values, and where they stand."""
    seen: dict[int, int] = {}
    rounds: list[tuple[list[int], list[int]]] = []
    for position, place in enumerate(index):
        nth = seen[place] = seen.get(place, -1) + 1
        if nth == len(rounds):
            rounds.append(([], []))
        rounds[nth][0].append(place)
        rounds[nth][1].append(position)
    return tuple((_as_slice(places), _as_slice(positions)) for places, positions in rounds)


def _as_slice(numbers: list[int]) -> Any:
    """Equally spaced rising numbers as a slice, which is indexed without a copy; else an array."""
    first, last = numbers[0], numbers[-1]
    step = numbers[1] - first if len(numbers) > 1 else 1
    if step > 0 and numbers == list(range(first, last + 1, step)):
        return slice(first, last + 1, step)
    return np.array(numbers)


@lru_cache(maxsize=512)
def _as_array(index: Index) -> Array:
    return np.array(index, np.intp)
