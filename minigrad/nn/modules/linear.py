"""Layers that are one product with a weight, or do nothing."""

from __future__ import annotations

import math
from typing import Any

from ... import ops
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear"]


class Identity(Module):
    """Returns its input; takes any arguments, so that it can stand in for another layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Any) -> Any:
        return input


class Linear(Module):
    """input @ weight.T + bias: shape (..., in_features) to (..., out_features).

    `weight` has shape (out_features, in_features), `bias` (out_features,) or is None. Both start
    uniform on [-b, b) with b = 1 / sqrt(in_features).
    """

    bias: Parameter | None
    weight: Parameter

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(ops.empty((out_features, in_features), device=device, dtype=dtype))
        values = ops.empty(out_features, device=device, dtype=dtype)
        self.register_parameter("bias", Parameter(values) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values, first the weight's, then the bias's."""
        # With this slope the bound of He et al., sqrt(6 / ((1 + a**2) * fan_in)), is the same b.
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        return ops.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Bilinear(Module):
    """input1 @ weight[k] @ input2 + bias[k] for each k: shapes (..., in1_features) and
    (..., in2_features) to (..., out_features).

    `weight` has shape (out_features, in1_features, in2_features), `bias` (out_features,) or is
    None. Both start uniform on [-b, b) with b = 1 / sqrt(in1_features).
    """

    bias: Parameter | None
    weight: Parameter

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(ops.empty(shape, device=device, dtype=dtype))
        if not in1_features:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        values = ops.empty(out_features, device=device, dtype=dtype)
        self.register_parameter("bias", Parameter(values) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values, first the weight's, then the bias's."""
        bound = 1 / math.sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` that takes `in_features` from its first input."""

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)  # no parameters to draw values for
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        """`in_features` is the size of the input's last dimension."""
        if not self.has_uninitialized_params():
            if self.in_features == 0:
                self.in_features = self.weight.shape[-1]
            return
        self.in_features = input.shape[-1]
        for parameter, shape in (
            (self.weight, (self.out_features, self.in_features)),
            (self.bias, (self.out_features,)),
        ):
            if isinstance(parameter, UninitializedParameter):
                parameter.materialize(shape)
        self.reset_parameters()
