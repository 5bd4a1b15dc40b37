"""`out=`: a result written into a Tensor that the caller brings along.

A function `f` of the public interface takes a keyword `out` and begins with

    if out is not None:
        return into(out, f, input, other, alpha=alpha)

which costs a common call one comparison. `into` calls `f` again, without `out` and with nothing
recorded, and puts the result where it belongs; so no row knows of `out`. The rows that
`@pointwise` makes have the keyword already. A function with several results takes a tuple of
Tensors, and PyTorch's dtype rule decides between two kinds of function:

- elementwise ones and sums (the default): the result is cast, as an in-place op would;
- others (`exact=True`: `mm`, `sort`, `cat` ...): `out` must have the result's dtype already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import either
from ..dtypes import SCALAR_NAMES, castable, from_numpy, scalar_name
from ..warn import warn
from . import node as graph
from .grad_mode import is_recording, no_grad


def into(
    out: Any, function: Callable[..., Any], /, *args: Any, exact: bool = False, **kwargs: Any
) -> Any:
    """`function(*args, **kwargs)` written into `out`, which is returned.

    `out` gets the result's shape; if it had elements and another shape, with a warning.

    Raises:
        TypeError: `out` is not a Tensor (or not a tuple of as many as there are results).
        RuntimeError: an argument requires grad, or the result's dtype cannot be cast.
    """
    name = function.__name__.strip("_")
    outs = out if isinstance(out, (tuple, list)) else (out,)
    _check(name, out, args, kwargs)
    with no_grad():
        results = function(*args, **kwargs)
    several = isinstance(results, tuple)
    if several != isinstance(out, (tuple, list)):
        raise _wrong_type(name, out, "tuple of Tensors" if several else "Tensor")
    for target, result in zip(outs, results if several else (results,), strict=True):
        write_result(target, result._array, exact)
    return results._make(outs) if hasattr(results, "_make") else tuple(outs) if several else out


def _check(name: str, out: Any, args: Any, kwargs: Any) -> None:
    outs = out if isinstance(out, (tuple, list)) else (out,)
    if not all(isinstance(t, graph.Tensor) for t in outs):
        raise _wrong_type(name, out, "Tensor")
    given = [*outs, *kwargs.values()]
    for arg in args:
        given += arg if isinstance(arg, (tuple, list)) else [arg]
    if is_recording() and any(isinstance(t, graph.Tensor) and t._requires_grad for t in given):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, "
            "but one of the arguments requires grad."
        )


def _wrong_type(name: str, out: Any, wanted: str) -> TypeError:
    return TypeError(f"{name}(): argument 'out' must be {wanted}, not {type(out).__name__}")


def write_result(out: Any, array: Any, exact: bool = False) -> None:
    """Give `out` the shape of `array`, and its elements."""
    from .inplace import OVERLAP, begin_write  # not above: it is built on rows, which come here

    dtype = out._array.dtype
    if exact and dtype != array.dtype:
        raise RuntimeError(
            f"Expected out tensor to have dtype {_cpp_name(array.dtype)}, but got "
            f"{_cpp_name(dtype)} instead"
        )
    if not castable(array.dtype, dtype):
        raise RuntimeError(
            f"result type {scalar_name(array.dtype)} can't be cast to the desired output type "
            f"{scalar_name(dtype)}"
        )
    begin_write(out)
    target = out._array
    if target.size and 0 in [s for s, n in zip(target.strides, target.shape, strict=True) if n > 1]:
        raise RuntimeError(OVERLAP)
    if target.shape != array.shape:
        _resize(out, array.shape)
        target = out._array
    np.copyto(target, array, casting="unsafe")
    out._bump_version()


def _resize(out: Any, shape: tuple[int, ...]) -> None:
    """As `resize_` does: in the same memory if it is contiguous there and fits, else elsewhere."""
    array = out._array
    if array.size:
        warn(
            f"An output with one or more elements was resized since it had shape "
            f"{list(array.shape)}, which does not match the required output shape {list(shape)}. "
            "This behavior is deprecated, and in a future PyTorch release outputs will not be "
            "resized unless they have zero elements. You can explicitly reuse an out tensor t by "
            "resizing it, inplace, to zero elements with t.resize_(0)."
        )
    size = math.prod(shape)
    if size <= array.size and array.flags.c_contiguous:
        out._array = array.reshape(-1)[:size].reshape(shape)
    else:
        out._array = either.empty(shape, array)


def _cpp_name(dtype: Any) -> str:
    """C++'s name of an element type, which this message uses."""
    names = {
        "Half": "c10::Half",
        "Long": "long int",
        "Byte": "unsigned char",
        "Char": "signed char",
    }
    name = SCALAR_NAMES[from_numpy(dtype)]
    return names.get(name, name.lower())
