"""Convolutions and transposed convolutions as modules, for signals, images and volumes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ... import ops
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
]  # fmt: skip

_PADDING_MODES = {"zeros", "reflect", "replicate", "circular"}


class _ConvNd(Module):
    """What all six share: sizes, parameters, initial values and text.

    `weight` has shape (out_channels, in_channels / groups, *kernel_size), in a transposed
    convolution (in_channels, out_channels / groups, *kernel_size); `bias` (out_channels,) or is
    None. Both start uniform on [-b, b) with b = 1 / sqrt(elements that make one output).
    """

    dims: ClassVar[int]
    transposed = False
    padding: str | tuple[int, ...]
    bias: Parameter | None
    weight: Parameter

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
        dilation: Any, output_padding: Any, groups: int, bias: bool, padding_mode: str,
        device: Any, dtype: Any,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = self._sizes(kernel_size), self._sizes(stride)
        self.padding = padding if isinstance(padding, str) else self._sizes(padding)
        self.dilation, self.output_padding = self._sizes(dilation), self._sizes(output_padding)
        self.padding_mode = padding_mode
        self._check()
        self._reversed_padding_repeated_twice = self._padding_of_input()
        self.weight = Parameter(ops.empty(self._weight_shape(), device=device, dtype=dtype))
        values = ops.empty(out_channels, device=device, dtype=dtype) if bias else None
        self.register_parameter("bias", None if values is None else Parameter(values))
        self.reset_parameters()

    def _sizes(self, value: Any) -> tuple[int, ...]:
        """A number for each dimension, from one for all."""
        return tuple(value) if isinstance(value, Iterable) else (value,) * self.dims

    def _check(self) -> None:
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        if self.in_channels % self.groups:
            raise ValueError("in_channels must be divisible by groups")
        if self.out_channels % self.groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of "
                    f"{ {'same', 'valid'} }"
                )
            if self.padding == "same" and set(self.stride) != {1}:
                raise ValueError("padding='same' is not supported for strided convolutions")
        if self.padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {_PADDING_MODES}, but got "
                f"padding_mode='{self.padding_mode}'"
            )

    def _padding_of_input(self) -> Sequence[int]:
        """What `F.pad` takes, for the padding modes other than zeros: two numbers for each
        dimension, the last dimension first."""
        if self.padding == "valid":
            return [0, 0] * self.dims
        if self.padding == "same":
            totals = [d * (k - 1) for k, d in zip(self.kernel_size, self.dilation, strict=True)]
            return [n for total in reversed(totals) for n in (total // 2, total - total // 2)]
        return tuple(n for n in reversed(self.padding) for _ in range(2))  # type: ignore[misc]

    def _weight_shape(self) -> tuple[int, ...]:
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        return outer, inner // self.groups, *self.kernel_size

    def reset_parameters(self) -> None:
        """Draws new initial values, first the weight's, then the bias's."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # as in Linear
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        ]
        zeros, ones = (0,) * self.dims, (1,) * self.dims
        if self.padding != zeros:
            parts.append(f"padding={self.padding}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != zeros:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)


class _Conv(_ConvNd):
    """The constructor and the call of `Conv1d`, `Conv2d` and `Conv3d`."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, 0, groups, bias,
            padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = 0
        sizes = self.stride, padding, self.dilation, self.groups
        return self._convolve(input, weight, bias, *sizes)

    def _convolve(self, *args: Any) -> Tensor:
        raise NotImplementedError


class Conv1d(_Conv):
    """A convolution of signals: (batch, in_channels, length) or (in_channels, length) to
    out_channels of them; see `functional.conv1d`. `padding_mode` says what stands around the
    input: "zeros", "reflect", "replicate" or "circular"."""

    dims = 1

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv1d(*args)


class Conv2d(_Conv):
    """A convolution of images: (batch, in_channels, height, width) or without the batch; see
    `Conv1d`. Each of the sizes is a number or a pair of numbers."""

    dims = 2

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv2d(*args)


class Conv3d(_Conv):
    """A convolution of volumes: (batch, in_channels, depth, height, width); see `Conv1d`."""

    dims = 3

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv3d(*args)


class _ConvTransposeNd(_ConvNd):
    """The constructor and the call of `ConvTranspose1d`, `ConvTranspose2d`, `ConvTranspose3d`."""

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros", device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, output_padding,
            groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """`output_size` (with or without batch and channels) is in place of `output_padding`;
        ValueError if no output has this size."""
        more = self.output_padding if output_size is None else self._missing(input, output_size)
        sizes = self.stride, self.padding, more, self.groups, self.dilation
        return self._convolve(input, self.weight, self.bias, *sizes)

    def _missing(self, input: Tensor, output_size: Sequence[int]) -> list[int]:
        """How much larger than the smallest possible output this size is."""
        first = 2 if input.dim() == self.dims + 2 else 1
        wanted = output_size
        if len(wanted) == first + self.dims:
            wanted = wanted[first:]
        if len(wanted) != self.dims:
            raise ValueError(
                f"ConvTranspose{self.dims}D: for {input.dim()}D input, output_size must have "
                f"{self.dims} or {first + self.dims} elements (got {len(wanted)})"
            )
        padding: Any = self.padding
        geometry = self.stride, padding, self.dilation, self.kernel_size
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(input.shape[first:], *geometry, strict=True)
        ]
        most = [n + s - 1 for n, s in zip(least, self.stride, strict=True)]
        if any(n < low or n > high for n, low, high in zip(wanted, least, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to "
                f"{most} (for an input of {input.size()[2:]})"
            )
        return [n - low for n, low in zip(wanted, least, strict=True)]

    def _convolve(self, *args: Any) -> Tensor:
        raise NotImplementedError


class ConvTranspose1d(_ConvTransposeNd):
    """The transposed convolution of signals: the map that `Conv1d` with these sizes takes its
    gradient back with; see `functional.conv_transpose1d`."""

    dims = 1

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose1d(*args)


class ConvTranspose2d(_ConvTransposeNd):
    """The transposed convolution of images; see `ConvTranspose1d`."""

    dims = 2

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose2d(*args)


class ConvTranspose3d(_ConvTransposeNd):
    """The transposed convolution of volumes; see `ConvTranspose1d`."""

    dims = 3

    def _convolve(self, *args: Any) -> Tensor:
        return F.conv_transpose3d(*args)
