"""Functions that ask something of a tensor: `numel(t)` is `t.numel()`."""

from __future__ import annotations

from typing import Any

from .promotion import check_tensors
from .tensor import Tensor


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is floating-point."""
    check_tensors("is_floating_point", input=input)
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the dtype is complex: never."""
    check_tensors("is_complex", input=input)
    return False


def is_conj(input: Tensor) -> bool:
    """Whether this is a view of conjugates: never."""
    check_tensors("is_conj", input=input)
    return False


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    check_tensors("is_signed", input=input)
    return input.is_signed()


def is_inference(input: Tensor) -> bool:
    """Whether the tensor was made in inference mode."""
    check_tensors("is_inference", input=input)
    return input.is_inference()


def is_nonzero(input: Tensor) -> bool:
    """Whether the only element is not zero; RuntimeError if there is not exactly one."""
    check_tensors("is_nonzero", input=input)
    return bool(input)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether the shapes are equal."""
    check_tensors("is_same_size", input=input, other=other)
    return input.is_same_size(other)


def get_device(input: Tensor) -> int:
    """The number of the GPU; -1 on the CPU."""
    check_tensors("get_device", input=input)
    return input.get_device()


def numel(input: Tensor) -> int:
    """The number of elements."""
    check_tensors("numel", input=input)
    return input.numel()


def typename(obj: Any) -> str:
    """`torch.FloatTensor` for a tensor, `int` for 3, `package.module.Class` for other objects."""
    if isinstance(obj, Tensor):
        return str(obj.type())
    kind = obj if isinstance(obj, type) else type(obj)
    if kind.__module__ in ("builtins", "__builtin__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"
