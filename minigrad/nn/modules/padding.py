"""Padding as modules: each calls `F.pad` with the numbers that it was made with.

A single number stands for that many elements at every end.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...tensor import Tensor
from .. import functional as F
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip

Padding = int | Sequence[int]


def _ends(padding: Padding, dims: int) -> tuple[int, ...]:
    """(left, right, top, bottom, ...) of what the user gave."""
    return tuple(padding) if isinstance(padding, Sequence) else (padding,) * (2 * dims)


class _Pad(Module):
    """What all have in common: the padding, and the mode of `F.pad`."""

    mode = ""
    dims = 0
    padding: tuple[int, ...]

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding = _ends(padding, self.dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding: Padding, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """`value` around the last dimension: (..., W) to (..., left + W + right)."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """`value` around the last two dimensions; padding is (left, right, top, bottom)."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """`value` around the last three dimensions; (left, right, top, bottom, front, back)."""

    dims = 3


class ZeroPad1d(ConstantPad1d):
    """Zeros around the last dimension."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Zeros around the last two dimensions."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Zeros around the last three dimensions."""

    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """The mirror image of the input, without its edge: (N, C, W) or (C, W)."""

    mode, dims = "reflect", 1


class ReflectionPad2d(_Pad):
    """The mirror image of the input, without its edge: (N, C, H, W) or (C, H, W)."""

    mode, dims = "reflect", 2


class ReflectionPad3d(_Pad):
    """The mirror image of the input, without its edge: (N, C, D, H, W) or (C, D, H, W)."""

    mode, dims = "reflect", 3


class ReplicationPad1d(_Pad):
    """The outermost elements repeated: (N, C, W) or (C, W)."""

    mode, dims = "replicate", 1


class ReplicationPad2d(_Pad):
    """The outermost elements repeated: (N, C, H, W) or (C, H, W)."""

    mode, dims = "replicate", 2


class ReplicationPad3d(_Pad):
    """The outermost elements repeated: (N, C, D, H, W) or (C, D, H, W)."""

    mode, dims = "replicate", 3


class _CircularPad(_Pad):
    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        low, high = self.dims + 1, self.dims + 2
        if input.dim() not in (low, high):
            raise ValueError(f"expected {low}D or {high}D input (got {input.dim()}D input)")
        return super().forward(input)


class CircularPad1d(_CircularPad):
    """The input as one period of an endless sequence: (N, C, W) or (C, W)."""

    dims = 1


class CircularPad2d(_CircularPad):
    """The input as one period of an endless tiling: (N, C, H, W) or (C, H, W)."""

    dims = 2


class CircularPad3d(_CircularPad):
    """The input as one period of an endless tiling: (N, C, D, H, W) or (C, D, H, W)."""

    dims = 3
