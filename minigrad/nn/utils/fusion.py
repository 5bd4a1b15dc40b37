"""A layer and the batch normalisation behind it as one layer, which computes the same in eval mode.

Batch normalisation multiplies each channel by s = weight / sqrt(var + eps) and adds
bias - mean * s: so does a layer whose weight and bias are multiplied by s beforehand.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

from ... import ops
from ...tensor import Tensor
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights",
]  # fmt: skip

M = TypeVar("M", bound=Module)


def fuse_conv_bn_eval(conv: M, bn: Module, transpose: bool = False) -> M:
    """A copy of the convolution `conv` that also does what `bn` does behind it.

    `transpose`: for a transposed convolution. AssertionError in training mode, or if `bn` has no
    running statistics.
    """
    fused: Any = _copied(conv, bn)
    mean, variance, eps, weight, bias = _statistics(bn)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, mean, variance, eps, weight, bias, transpose
    )
    return fused  # type: ignore[no-any-return]


def fuse_conv_bn_weights(
    conv_w: Tensor, conv_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor | None, bn_b: Tensor | None, transpose: bool = False,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of the one layer."""
    bias = ops.zeros_like(bn_rm) if conv_b is None else conv_b
    scale = ops.rsqrt(bn_rv + bn_eps)
    weight = ops.ones_like(bn_rm) if bn_w is None else bn_w
    shift = ops.zeros_like(bn_rm) if bn_b is None else bn_b
    channels = (1, -1) if transpose else (-1, 1)
    shape = (*channels, *[1] * (conv_w.dim() - 2))
    return _parameters(
        conv_w, conv_w * (weight * scale).reshape(shape),
        bias, (bias - bn_rm) * scale * weight + shift,
    )  # fmt: skip


def fuse_linear_bn_eval(linear: M, bn: Module) -> M:
    """A copy of the layer `linear` that also does what `bn` does behind it.

    AssertionError in training mode, if `bn` has no running statistics, or another size.
    """
    fused: Any = _copied(linear, bn)
    outputs, features = fused.out_features, bn.num_features
    if features not in (outputs, 1):
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1, got "
            f"linear.out_features={outputs} and bn.num_features={features}"
        )
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *_statistics(bn))
    return fused  # type: ignore[no-any-return]


def fuse_linear_bn_weights(
    linear_w: Tensor, linear_b: Tensor | None, bn_rm: Tensor, bn_rv: Tensor, bn_eps: float,
    bn_w: Tensor, bn_b: Tensor,
) -> tuple[Parameter, Parameter]:  # fmt: skip
    """Weight and bias of the one layer."""
    bias = ops.zeros_like(bn_rm) if linear_b is None else linear_b
    scale = bn_w * ops.rsqrt(bn_rv + bn_eps)
    return _parameters(
        linear_w, linear_w * scale.unsqueeze(-1), bias, (bias - bn_rm) * scale + bn_b
    )


def _copied(layer: M, bn: Module) -> M:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    return copy.deepcopy(layer)


def _statistics(bn: Any) -> tuple[Any, Any, Any, Any, Any]:
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias


def _parameters(
    weight: Tensor, new_weight: Tensor, bias: Tensor, new_bias: Tensor
) -> tuple[Parameter, Parameter]:
    """The new values as parameters, with the old ones' dtype and `requires_grad`."""
    return (
        Parameter(new_weight.detach().to(weight.dtype), weight.requires_grad),
        Parameter(new_bias.detach().to(bias.dtype), bias.requires_grad),
    )
