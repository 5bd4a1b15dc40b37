"""Bringing the operands of a pointwise op to one dtype, and the errors of operands that do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from . import dtypes, gpu
from .autograd import node as graph
from .dtypes import BOOL, DIMENSIONED, NUMBER, SCALAR_TENSOR, NumpyDtype, default_dtype, scalar_name

Array = Any
NUMBERS = (bool, int, float, np.number, np.bool_)
PLAIN_NUMBERS = frozenset((int, float))


def promoted(arrays: Sequence[Array], to_float: bool = False) -> list[Array]:
    """The arrays in their common dtype; 0-d arrays count less than those with dimensions."""
    first = arrays[0].dtype
    if [a.dtype for a in arrays].count(first) == len(arrays) and (
        first.kind == "f" or not to_float
    ):
        return list(arrays)
    common = dtypes.combine(*[(a.dtype, DIMENSIONED if a.ndim else SCALAR_TENSOR) for a in arrays])
    if to_float and common.kind != "f":
        common = default_dtype()
    return [a if a.dtype is common else a.astype(common) for a in arrays]


def operands(
    forward: Callable[..., Any], args: Sequence[Any], to_float: bool, needed: Sequence[str] = ()
) -> Sequence[Any]:
    """The arguments as Tensors; a Python number becomes a 0-d one in the dtype of the result.

    `needed`: which of two arguments, `input` and `other`, must be Tensors already."""
    first, second = args[0], args[-1]
    if type(second) in PLAIN_NUMBERS and len(args) == 2 and isinstance(first, graph.Tensor):
        if first._array.dtype.kind == "f" and not needed:  # the common case: no rule to be asked
            return first, number_like(second, first._array)
    if needed:
        check_tensors(
            forward.__name__.strip("_"), **{n: first if n == "input" else second for n in needed}
        )
    tensors = [a for a in args if isinstance(a, graph.Tensor)]
    if not tensors and not any(isinstance(a, np.ndarray) for a in args):
        if not all(isinstance(a, NUMBERS) for a in args):
            raise not_a_tensor(forward.__name__.strip("_"), "input", 1, args[0])
    ranked = [(t._array.dtype, DIMENSIONED if t._array.ndim else SCALAR_TENSOR) for t in tensors]
    common = None
    result = []
    for a in args:
        if isinstance(a, graph.Tensor):
            result.append(a)
        elif isinstance(a, NUMBERS):
            if common is None:
                numbers = [(dtypes.number_dtype(n), NUMBER) for n in args if isinstance(n, NUMBERS)]
                common = dtypes.combine(*ranked, *numbers)
                if to_float and common.kind != "f":
                    common = default_dtype()
            result.append(number_tensor(a, common, _on_gpu(tensors)))
        elif isinstance(a, np.ndarray):
            result.append(graph.wrap(a))
        else:
            raise UnsupportedOperand(
                forward.__name__.strip("_"), a, "input" if a is args[0] else "other"
            )
    return result


class UnsupportedOperand(TypeError):
    """An operand that is neither a Tensor nor a number; operators turn it into NotImplemented."""

    def __init__(self, name: str, value: Any, argument: str) -> None:
        super().__init__(
            f"{name}(): argument '{argument}' (position 1) must be Tensor, not {type(value).__name__}"
        )


def _on_gpu(tensors: Sequence[Any]) -> Array:
    """The first array that is on a GPU, if there is one."""
    for t in tensors:
        if type(t._array) is not np.ndarray:
            return t._array
    return None


def number_like(value: Any, array: Array) -> Any:
    """A 0-d Tensor for a number, in the dtype and on the device of `array`."""
    if type(array) is np.ndarray and value:
        return _kept_number(value, array.dtype)
    return number_tensor(value, array.dtype, array)


def number_tensor(value: Any, dtype: NumpyDtype, like: Array = None) -> Any:
    """A 0-d Tensor for a number, on the device of `like`: kept for later calls, since `x + array`
    beats `x + number`."""
    if not (like is None or isinstance(like, (np.ndarray, np.generic))):
        return graph.wrap(gpu.number(value, dtype, like))
    if value:
        return _kept_number(value, dtype)
    return graph.wrap(np.asarray(value, dtype))  # 0.0 and -0.0 are equal keys, but not equal


@lru_cache(maxsize=512)
def _kept_number(value: Any, dtype: NumpyDtype) -> Any:
    if dtype.kind in "iu" and isinstance(value, int):
        return graph.wrap(np.asarray(value).astype(dtype))  # out of range wraps, as in C++
    with np.errstate(over="ignore"):
        return graph.wrap(np.asarray(value, dtype))


def not_a_tensor(name: str, argument: str, position: int, value: Any) -> TypeError:
    kind = type(value)
    what = "numpy.ndarray" if kind is np.ndarray else kind.__name__
    return TypeError(
        f"{name}(): argument '{argument}' (position {position}) must be Tensor, not {what}"
    )


def check_tensors(name: str, **arguments: Any) -> None:
    """TypeError unless each of the arguments, given by name and in order, is a Tensor."""
    for position, (argument, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, graph.Tensor):
            raise not_a_tensor(name, argument, position, value)


def broadcast_error(arrays: Sequence[Array]) -> RuntimeError:
    """PyTorch's sentence for shapes that do not broadcast: the last dimension that differs."""
    shape = arrays[0].shape
    for array in arrays[1:]:
        other = array.shape
        for i in range(1, min(len(shape), len(other)) + 1):
            if shape[-i] != other[-i] and 1 not in (shape[-i], other[-i]):
                at = max(len(shape), len(other)) - i
                return RuntimeError(
                    f"The size of tensor a ({shape[-i]}) must match the size of tensor b "
                    f"({other[-i]}) at non-singleton dimension {at}"
                )
        shape = np.broadcast_shapes(shape, other)
    raise AssertionError(f"these shapes do broadcast: {[a.shape for a in arrays]}")


def count(shape: Sequence[int]) -> int:
    return math.prod(shape)


# --- dtypes for which PyTorch has no kernel --------------------------------------------------------


def floats_only(kernel: str, array: Array) -> None:
    """NotImplementedError for an op that PyTorch does not have for integers and bools."""
    if array.dtype.kind != "f":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(array.dtype)}'")


def no_bools(kernel: str, *arrays: Array) -> None:
    """NotImplementedError for an op that PyTorch does not have for bools. (Without elements its
    kernels are not asked for.)"""
    if arrays[0].dtype is BOOL and all(array.size for array in arrays):
        raise NotImplementedError(f"\"{kernel}\" not implemented for 'Bool'")


def whole_only(kernel: str, array: Array) -> None:
    """NotImplementedError for an op that PyTorch has for integers alone."""
    if array.dtype.kind not in "iu":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{scalar_name(array.dtype)}'")
