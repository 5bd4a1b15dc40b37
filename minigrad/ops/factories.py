"""Factories: tensors of a given shape, filled by a rule. The random ones are in `sampling.py`.

Each takes `dtype`, `device`, `requires_grad`, `layout`, `pin_memory` and `out` by keyword
(`creation.Options`); those named `..._like` take `memory_format` instead of `out`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from .. import dtypes
from ..autograd import node as graph
from ..promotion import NUMBERS, check_tensors
from .conversion import cast, number_as
from .creation import LikeOptions, Options, dtype_of, made
from .dims import size_of
from .summation import empty_as

Array = Any
Tensor = Any


def shape_of(name: str, size: Any) -> tuple[int, ...]:
    """The sizes that a factory was given; TypeError or RuntimeError if they are none."""
    try:
        shape = size_of(size)
    except TypeError:
        given = size[0] if isinstance(size[0], (list, tuple)) else size
        place = next(i for i, s in enumerate(given) if not hasattr(s, "__index__"))
        bad = type(given[place]).__name__
        if place:
            raise TypeError(
                f"{name}(): argument 'size' failed to unpack the object at pos {place + 1} with "
                f'error "type must be tuple of ints,but got {bad}"'
            ) from None
        position = 2 if name == "randint" else 1
        raise TypeError(
            f"{name}(): argument 'size' (position {position}) must be tuple of ints, not {bad}"
        ) from None
    for s in shape:
        if s < 0:
            if name == "zeros":
                raise RuntimeError("zeros: Dimension size must be non-negative.")
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {s}: {list(shape)}"
            )
    return shape


def _sizes(name: str, args: Any, size: Any) -> tuple[int, ...]:
    """The shape, from `f(2, 3)`, `f((2, 3))` or `f(size=(2, 3))`."""
    if not args and size is None:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    return shape_of(name, args if size is None else (size,))


def zeros(*args: Any, size: Any = None, **options: Unpack[Options]) -> Tensor:
    """Zeros of shape `size`."""
    dtype = dtype_of("zeros", options)
    return made("zeros", np.zeros(_sizes("zeros", args, size), dtype), options)


def ones(*args: Any, size: Any = None, **options: Unpack[Options]) -> Tensor:
    """Ones of shape `size`."""
    dtype = dtype_of("ones", options)
    return made("ones", np.ones(_sizes("ones", args, size), dtype), options)


def empty(*args: Any, size: Any = None, **options: Any) -> Tensor:
    """A tensor of shape `size` whose values are not set (here they are zeros)."""
    dtype = dtype_of("empty", options)
    return made("empty", np.zeros(_sizes("empty", args, size), dtype), options)


def full(size: Any, fill_value: Any, **options: Unpack[Options]) -> Tensor:
    """A tensor of shape `size` filled with a number, whose kind decides the dtype."""
    value = _number("full", "fill_value", 2, fill_value)
    dtype = dtype_of("full", options, dtypes.number_dtype(value))
    return made("full", np.full(shape_of("full", (size,)), number_as(value, dtype)), options)


def _number(name: str, argument: str, position: int, value: Any) -> Any:
    """A Python number, also from a Tensor of one element."""
    if isinstance(value, graph.Tensor):
        return value.item()
    if isinstance(value, complex):
        raise TypeError(dtypes.NO_COMPLEX)
    if not isinstance(value, NUMBERS):
        kind = type(value).__name__
        raise TypeError(
            f"{name}(): argument '{argument}' (position {position}) must be Number, not {kind}"
        )
    return value.item() if isinstance(value, np.generic) else value


def scalar_tensor(s: Any, **options: Unpack[Options]) -> Tensor:
    """A 0-d tensor; unlike `tensor(s)` always of the default dtype, or of `dtype`."""
    dtype = dtype_of("scalar_tensor", options)
    value = np.asarray(_number("scalar_tensor", "s", 1, s))
    return made("scalar_tensor", cast(value, dtype), options)


def zeros_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """Zeros in the shape and dtype of `input`."""
    check_tensors("zeros_like", input=input)
    dtype = dtype_of("zeros_like", options, input._array.dtype)
    return made("zeros_like", _filled_like(input._array, 0, dtype), options)


def ones_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """Ones in the shape and dtype of `input`."""
    check_tensors("ones_like", input=input)
    dtype = dtype_of("ones_like", options, input._array.dtype)
    return made("ones_like", _filled_like(input._array, 1, dtype), options)


def empty_like(input: Tensor, **options: Unpack[LikeOptions]) -> Tensor:
    """A tensor in the shape and dtype of `input` whose values are not set (here they are zeros)."""
    check_tensors("empty_like", input=input)
    dtype = dtype_of("empty_like", options, input._array.dtype)
    return made("empty_like", _filled_like(input._array, 0, dtype), options)


def full_like(input: Tensor, fill_value: Any, **options: Unpack[LikeOptions]) -> Tensor:
    """A tensor in the shape and dtype of `input`, filled with a number."""
    check_tensors("full_like", input=input)
    dtype = dtype_of("full_like", options, input._array.dtype)
    value = number_as(_number("full_like", "fill_value", 2, fill_value), dtype)
    return made("full_like", _filled_like(input._array, value[()], dtype), options)


def _filled_like(array: Array, value: Any, dtype: Any) -> Array:
    out = empty_as(array, dtype)
    out.fill(value)
    return out


def empty_strided(size: Sequence[int], stride: Sequence[int], **options: Unpack[Options]) -> Tensor:
    """A tensor whose element (i, j, ...) lies i * stride[0] + j * stride[1] + ... from the first."""
    dtype = dtype_of("empty_strided", options)
    if len(size) != len(stride):
        raise RuntimeError(
            f"dimensionality of sizes ({len(size)}) must match dimensionality of strides "
            f"({len(stride)})"
        )
    if min(stride, default=0) < 0:
        raise RuntimeError(
            f"Storage size calculation overflowed with sizes={list(size)} and "
            f"strides={list(stride)}"
        )
    shape = shape_of("empty_strided", (tuple(size),))
    last = sum((n - 1) * s for n, s in zip(shape, stride, strict=True)) if 0 not in shape else -1
    steps = [s * dtype.itemsize for s in stride]
    return made("empty_strided", np.ndarray(shape, dtype, np.zeros(last + 1, dtype), 0, steps)
                if last >= 0 else np.zeros(shape, dtype), options)  # fmt: skip


def empty_permuted(
    size: Sequence[int], physical_layout: Sequence[int], **options: Unpack[Options]
) -> Tensor:
    """A tensor of shape `size` whose dimensions lie in memory in the order `physical_layout`."""
    dtype = dtype_of("empty_permuted", options)
    if len(size) != len(physical_layout):
        raise RuntimeError(
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
        )
    for position, dim in enumerate(physical_layout):
        if not 0 <= dim < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got "
                f"{dim} at index {position}).  NB: negative dims not currently supported; file an "
                "issue if you want it."
            )
    if len(set(physical_layout)) != len(size):
        raise RuntimeError("Duplicate dim not allowed")
    memory = np.zeros([size[d] for d in physical_layout], dtype)
    return made("empty_permuted", memory.transpose(np.argsort(physical_layout)), options)


def eye(n: int, m: int | None = None, **options: Unpack[Options]) -> Tensor:
    """The (n, m) matrix with ones on its diagonal and zeros elsewhere."""
    dtype = dtype_of("eye", options)
    for name, size in (("n", n), ("m", m)):
        if size is not None and size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    return made("eye", np.eye(n, m, dtype=dtype), options)


def arange(start: Any = None, end: Any = None, step: Any = 1, **options: Unpack[Options]) -> Tensor:
    """start, start + step, ... below `end`; int64 if all three are whole numbers."""
    start, end = (0, start) if end is None else (0 if start is None else start, end)
    start, end, step = (_number("arange", "end", 1, v) for v in (start, end, step))
    whole = all(isinstance(v, int) for v in (start, end, step))
    dtype = dtype_of("arange", options, dtypes.INT64 if whole else None)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {float(start):g} -> {float(end):g}")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if dtype.kind in "iu":  # PyTorch computes in the dtype of the result
        start, end, step = int(start), int(end), int(step)
        if not step:
            raise ValueError("step must be nonzero")
    count = math.ceil((end - start) / step)
    wide = np.int64 if dtype.kind in "iu" and isinstance(step, int) else np.float64
    values = wide(start) + np.arange(count, dtype=wide) * wide(step)
    return made("arange", values.astype(dtype), options)


def range_(start: Any = 0, end: Any = None, step: Any = 1, **options: Unpack[Options]) -> Tensor:
    """start, start + step, ... up to and with `end`, in the default dtype: PyTorch's old `range`."""
    start, end = (0, start) if end is None else (start, end)
    dtype = dtype_of("range", options)
    count = math.floor((end - start) / step) + 1
    return made("range", (start + np.arange(count) * np.float64(step)).astype(dtype), options)


def _evenly(start: Any, end: Any, steps: int, kind: Any) -> Array:
    """`steps` numbers of the floating-point type `kind` at equal distances."""
    steps = operator.index(steps)
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    start, end = float(start), float(end)
    if steps == 1:
        return np.full(1, start, kind)
    step = (kind(end) - kind(start)) / kind(max(steps - 1, 1))
    wide, i = np.float64, np.arange(steps)  # PyTorch rounds once, after multiplying and adding
    rising = (wide(kind(start)) + wide(step) * i).astype(kind)
    falling = (wide(kind(end)) - wide(step) * (steps - 1 - i)).astype(kind)
    return np.where(i < steps // 2, rising, falling)


def linspace(start: Any, end: Any, steps: int, **options: Unpack[Options]) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, at equal distances."""
    dtype = dtype_of("linspace", options)
    start, end = _number("linspace", "start", 1, start), _number("linspace", "end", 2, end)
    if dtype.kind in "iu":  # PyTorch rounds the ends towards zero first
        start, end = int(start), int(end)
    values = _evenly(start, end, steps, dtype.type if dtype.kind == "f" else np.float32)
    return made("linspace", values.astype(dtype), options)


def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, **options: Unpack[Options]
) -> Tensor:
    """base ** exponent for `steps` exponents from `start` to `end`, both included."""
    dtype = dtype_of("logspace", options)
    start, end = _number("logspace", "start", 1, start), _number("logspace", "end", 2, end)
    if dtype.kind in "iu":  # PyTorch rounds the ends towards zero first
        start, end = int(start), int(end)
    kind = dtype.type if dtype.kind == "f" else np.float32
    exponents = _evenly(start, end, steps, kind).astype(np.float64)
    with np.errstate(all="ignore"):
        return made("logspace", cast(np.float64(base) ** exponents, dtype), options)


# --- methods: the dtype is that of the tensor ----------------------------------------------------


def _as(input: Tensor) -> dict[str, Any]:
    """The dtype and the device of a tensor, as options."""
    return {"dtype": input.dtype, "device": input.device if input.is_cuda else "cpu"}


def new_zeros(input: Tensor, *size: Any, **options: Any) -> Tensor:
    """Zeros of shape `size` in the dtype of `input`."""
    return zeros(*size, **(_as(input) | options))


def new_ones(input: Tensor, *size: Any, **options: Any) -> Tensor:
    """Ones of shape `size` in the dtype of `input`."""
    return ones(*size, **(_as(input) | options))


def new_empty(input: Tensor, *size: Any, **options: Any) -> Tensor:
    """A tensor of shape `size` in the dtype of `input` whose values are not set."""
    return empty(*size, **(_as(input) | options))


def new_full(input: Tensor, size: Any, fill_value: Any, **options: Any) -> Tensor:
    """A tensor of shape `size` in the dtype of `input`, filled with a number."""
    return full(size, fill_value, **(_as(input) | options))


def new_empty_strided(input: Tensor, size: Any, stride: Any, **options: Any) -> Tensor:
    """`empty_strided` in the dtype of `input`."""
    return empty_strided(size, stride, **(_as(input) | options))
