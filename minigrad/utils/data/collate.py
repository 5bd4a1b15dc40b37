"""From a list of samples to one batch.

`default_collate` stacks what can be stacked (tensors, arrays, numbers) along a new first
dimension, keeps strings as they are, and goes into mappings, named tuples and sequences: a list
of (x, y) pairs becomes [batch of x, batch of y]. `default_convert` only turns arrays into tensors,
for a loader that does not batch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...dtypes import float64
from ...tensor import Tensor

__all__ = ["collate", "default_collate", "default_collate_fn_map", "default_convert"]

CollateMap = Mapping[Any, Callable[..., Any]]

_NOT_COLLATABLE = (
    "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"
)


def default_collate(batch: Sequence[Any]) -> Any:
    """One batch from samples of the same structure, with a new first dimension in every tensor.

    Tensors are stacked, arrays and numbers become tensors (Python floats float64, ints int64),
    str and bytes stay a list, mappings and sequences are collated entry by entry (a tuple gives a
    list, a named tuple its own type). Raises TypeError for anything else, RuntimeError if the
    samples' lengths differ.
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Like `default_collate`, with a table of functions for the types of the samples.

    A function of the table is called as `f(batch, collate_fn_map=...)`; an exact type is looked
    for first, then the first entry of which the sample is an instance.
    """
    element = batch[0]
    function = _function_for(element, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)

    def merge(samples: Sequence[Any]) -> Any:
        return collate(samples, collate_fn_map=collate_fn_map)

    if isinstance(element, Mapping):
        return _like_mapping(element, {key: merge([s[key] for s in batch]) for key in element})
    if isinstance(element, tuple) and hasattr(element, "_fields"):
        return type(element)(*(merge(column) for column in zip(*batch, strict=False)))
    if isinstance(element, Sequence):
        if any(len(sample) != len(element) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        return _like_sequence(element, [merge(column) for column in zip(*batch, strict=True)])
    raise TypeError(_NOT_COLLATABLE.format(type(element)))


def default_convert(data: Any) -> Any:
    """`data` with each NumPy array or number in it turned into a tensor, all else unchanged."""
    if isinstance(data, Tensor):
        return data
    if isinstance(data, (np.ndarray, np.generic)):
        return data if _is_text_or_object(data) else ops.as_tensor(data)
    if isinstance(data, Mapping):
        return _like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(entry) for entry in data))
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(entry) for entry in data])
    return data


def _function_for(element: Any, table: CollateMap) -> Callable[..., Any] | None:
    if type(element) in table:
        return table[type(element)]
    return next((f for kind, f in table.items() if isinstance(element, kind)), None)


def _is_text_or_object(data: np.ndarray[Any, Any] | np.generic) -> bool:
    return data.dtype.kind in "SUO"


def _like_mapping(example: Mapping[Any, Any], entries: dict[Any, Any]) -> Any:
    """The entries in a mapping of the example's type, or a dict where that cannot be made."""
    try:
        if isinstance(example, MutableMapping):  # a copy keeps the type's other properties
            clone = copy.copy(example)
            clone.update(entries)
            return clone
        return type(example)(entries)  # type: ignore[call-arg]
    except TypeError:
        return entries


def _like_sequence(example: Sequence[Any], entries: list[Any]) -> Any:
    """The entries in a sequence of the example's type, or a list; a tuple gives a list."""
    if isinstance(example, tuple):
        return entries
    try:
        if isinstance(example, MutableSequence):
            clone = copy.copy(example)
            for i, entry in enumerate(entries):
                clone[i] = entry
            return clone
        return type(example)(entries)  # type: ignore[call-arg]
    except TypeError:  # such as range
        return entries


def _collate_tensors(batch: Sequence[Tensor], *, collate_fn_map: CollateMap) -> Tensor:
    return ops.stack(batch, 0)


def _collate_arrays(batch: Sequence[Any], *, collate_fn_map: CollateMap) -> Any:
    if _is_text_or_object(batch[0]):
        raise TypeError(_NOT_COLLATABLE.format(batch[0].dtype))
    return collate([ops.as_tensor(array) for array in batch], collate_fn_map=collate_fn_map)


def _collate_scalars(batch: Sequence[Any], *, collate_fn_map: CollateMap) -> Tensor:
    return ops.as_tensor(batch)


def _collate_floats(batch: Sequence[float], *, collate_fn_map: CollateMap) -> Tensor:
    return ops.tensor(batch, dtype=float64)


def _collate_ints(batch: Sequence[int], *, collate_fn_map: CollateMap) -> Tensor:
    return ops.tensor(batch)


def _collate_text(batch: Sequence[Any], *, collate_fn_map: CollateMap) -> Sequence[Any]:
    return batch


default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: _collate_tensors,
    np.ndarray: _collate_arrays,
    (np.bool_, np.number, np.object_): _collate_scalars,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_text,
    bytes: _collate_text,
}
"""What `default_collate` does with each type; a user may add rows."""
