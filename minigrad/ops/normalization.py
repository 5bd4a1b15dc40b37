"""Layer and group normalisation, and the backward pass that batch normalisation has in common.

Each is a row of its own, for the graph's sake, on the kernels of `standardization.py`. The
backward pass yields the gradients of input, weight and bias together, from sums that they share,
and is a row itself (`NativeBatchNormBackwardBackward0` and its like), with this derivative: for
J = d(normalised)/d(input), which is symmetric, and v, u, t what arrives for the gradients of input,
weight and bias,

    of grad:   weight * J v + u * normalised + t
    of weight: sum(grad * J v)
    of input:  J (grad * u) - r * (r * normalised * covariance(v, g) + mean(g * normalised) J v
                                   + mean(v * normalised) J g)     with g = grad * weight

where covariance(v, g) is the mean of v g less what the means of v, g and of their products with the
normalised input explain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd.node import refresh, wrap
from ..autograd.row import op
from ..dtypes import scalar_name
from ..promotion import check_tensors, floats_only
from .standardization import (
    Layout,
    channels_backward,
    computed,
    fitted,
    rows_backward,
    rows_of,
    standardize_rows,
)

Array = Any
Tensor = Any
Parameters = list[Any]  # input, weight, bias; None where one is missing


# --- the backward pass and its derivative --------------------------------------------------------


def normalization_backward_array(
    kind: str, grad: Array, input: Array, weight: Array | None, mean: Array, rstd: Array,
    layout: Layout, eps: float | None, needs: Sequence[bool],
) -> list[Array | None]:  # fmt: skip
    """The gradients of input, weight and bias; None for those that are not needed.

    kind: whose backward pass it is, which only the graph shows.
    eps: None if the statistics were given, and so do not depend on the input."""
    g, x = computed(grad).reshape(layout.view), computed(input).reshape(layout.view)
    w = fitted(weight, layout.weight, x)
    if layout.by_rows:
        places = layout.statistics
        out = rows_backward(g, x, w, mean.reshape(places), rstd.reshape(places), needs[0])
    else:
        out = channels_backward(g, x, w, mean, rstd, eps is None, needs[0])
    of_input = (
        None if out[0] is None else out[0].reshape(input.shape).astype(input.dtype, copy=False)
    )
    dtype = input.dtype if weight is None else weight.dtype
    return [of_input, *(p.reshape(layout.parameter).astype(dtype) for p in out[1:])]


def _second_derivative(
    grads: Any, tensors: Any, mean: Any, rstd: Any, layout: Layout, eps: float | None, xp: Any
) -> list[Any]:
    """What the head of this file says, made of ops, so that it can be differentiated again."""
    grad, input, weight = tensors
    v, u, t = grads
    count, shape = layout.terms, tuple(input.shape)

    def seen(value: Any, as_shape: Any = layout.view) -> Any:
        return None if value is None else xp.reshape(value, as_shape)

    def average(value: Any) -> Any:
        return xp.sum_dim(value, layout.dims, True) / count

    x, g0, v, w = seen(input), seen(grad), seen(v), seen(weight, layout.weight)
    u, t = seen(u, layout.weight), seen(t, layout.weight)
    if eps is None:
        center, r = x - seen(mean, layout.statistics), seen(rstd, layout.statistics)
    else:
        center = x - average(x)
        r = xp.rsqrt(average(center * center) + eps)
    normal = center * r

    def slope(value: Any) -> Any:
        """J: what the standardised input does when the input changes by `value`."""
        if eps is None:
            return r * value
        return r * (value - average(value) - normal * average(value * normal))

    g = g0 if w is None else g0 * w
    of_grad = of_input = of_weight = None
    if v is not None:
        of_v = slope(v)
        of_grad = of_v if w is None else of_v * w
        of_weight = (
            None if w is None else seen(xp.sum_to_size(g0 * of_v, layout.weight), weight.shape)
        )
        if eps is not None:
            along_v, along_g = average(v * normal), average(g * normal)
            rest = average(v * g) - average(v) * average(g) - along_v * along_g
            of_input = -r * (r * normal * rest + along_g * of_v + along_v * slope(g))
    if u is not None:
        of_grad = _plus(of_grad, u * normal)
        of_input = _plus(of_input, slope(g0 * u))
    if t is not None:
        of_grad = _plus(of_grad, t)
    of_grad = None if of_grad is None else xp.reshape(xp.expand(of_grad, layout.view), shape)
    return [of_grad, seen(of_input, shape), of_weight]


def _plus(a: Any, b: Any) -> Any:
    return b if a is None else a + b


def _backward_row(name: str) -> Any:
    @op(
        name,
        tensors=lambda grads, tensors, mean, rstd, layout, eps, xp: _second_derivative(
            grads, tensors, mean, rstd, layout, eps, xp
        ),
    )
    def backward(
        tensors: list[Array], mean: Array, rstd: Array, layout: Layout, eps: float | None
    ) -> tuple[Any, ...]:
        grad, input, weight = tensors
        needs = (True, True, True)
        return tuple(
            normalization_backward_array("", grad, input, weight, mean, rstd, layout, eps, needs)
        )

    return backward


_BACKWARD = {
    "batch": _backward_row("NativeBatchNormBackwardBackward0"),
    "layer": _backward_row("NativeLayerNormBackwardBackward0"),
    "group": _backward_row("NativeGroupNormBackwardBackward0"),
}


def normalization_backward(
    kind: str, grad: Tensor, input: Tensor, weight: Tensor | None, mean: Tensor, rstd: Tensor,
    layout: Layout, eps: float | None, needs: Sequence[bool],
) -> list[Tensor | None]:  # fmt: skip
    """`normalization_backward_array` as a row: on Tensors, and recorded."""
    out = _BACKWARD[kind]([grad, input, weight], mean, rstd, layout, eps)
    return [g if need else None for g, need in zip(out, needs, strict=True)]


def gathered(input: Tensor, weight: Tensor | None, bias: Tensor | None) -> Parameters:
    """What a row of this family is given to differentiate by."""
    given = [input, weight, bias]
    refresh(*(t for t in given if t is not None))
    return given


# --- layer and group normalisation ---------------------------------------------------------------


def alone(out: Tensor) -> Tensor:
    """A result without its statistics: for them no gradient comes, and hooks do not hear of them."""
    if out._edge is not None:
        node = out._edge[0]
        node.outputs = node.outputs[:1]
    return out


def statistic(value: Tensor, input: Array) -> Tensor:
    """A mean or deviation as it is handed out: no part of the graph, in the input's dtype."""
    return wrap(value._array.astype(input.dtype, copy=False))


def check_dtypes(input: Array, *others: Tensor | None) -> None:
    """Parameters have the input's dtype; those of a float16 input may be float32."""
    dtypes = [t._array.dtype for t in others if t is not None]
    if not dtypes:
        return
    if dtypes[0] == input.dtype:
        for dtype in dtypes:
            if dtype != input.dtype:
                names = scalar_name(input.dtype), scalar_name(dtype)
                raise RuntimeError(f"expected scalar type {names[0]} but found {names[1]}")
    elif any(dtype != np.float32 for dtype in dtypes):
        raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
    elif input.dtype != np.float16:
        raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def _by_rows(tensors: Parameters, layout: Layout, eps: float) -> tuple[Array, Array, Array]:
    input, weight, bias = tensors
    x = computed(input).reshape(layout.view)
    w, b = (fitted(p, layout.weight, x) for p in (weight, bias))
    out, mean, rstd = standardize_rows(x, w, b, eps)
    return out.reshape(input.shape).astype(input.dtype, copy=False), mean, rstd


@op(
    "NativeLayerNormBackward0",
    fused=True,
    tensors=lambda grad, input, weight, result1, result2, layout, eps, needs, xp: (
        xp.normalization_backward(
            "layer", grad, input, weight, result1, result2, layout, eps, needs
        )
    ),
)
def _layer_norm(
    tensors: Parameters, input: Array, weight: Any, layout: Layout, eps: float
) -> tuple[Array, Array, Array]:
    return _by_rows(tensors, layout, eps)


def _group_formula(
    grads: Any, input: Any, weight: Any, result1: Any, result2: Any, layout: Layout, eps: float,
    needs: Sequence[bool], xp: Any,
) -> list[Any]:  # fmt: skip
    """In PyTorch the means and 1 / deviations of this one are differentiable."""
    grad, of_mean, of_rstd = grads
    out: list[Any] = [None, None, None]
    if grad is not None:
        out = xp.normalization_backward(
            "group", grad, input, weight, result1, result2, layout, eps, needs
        )
    if needs[0] and (of_mean is not None or of_rstd is not None):
        extra = _statistics_gradient(of_mean, of_rstd, input, layout, eps, xp)
        out = [_plus(out[0], extra), *out[1:]]
    return out


def _statistics_gradient(
    of_mean: Any, of_rstd: Any, input: Any, layout: Layout, eps: float, xp: Any
) -> Any:
    """A mean changes by 1/n with each of its terms, r = 1 / deviation by -r**3 center / n."""
    n, places = layout.terms, layout.statistics
    x = xp.reshape(input, layout.view)
    out = None
    if of_mean is not None:
        out = xp.expand(xp.reshape(of_mean, places) / n, layout.view)
    if of_rstd is not None:
        center = x - xp.sum_dim(x, layout.dims, True) / n
        r = xp.rsqrt(xp.sum_dim(center * center, layout.dims, True) / n + eps)
        out = _plus(out, xp.reshape(of_rstd, places) * (r * r * r) * center * (-1 / n))
    return xp.reshape(out, tuple(input.shape))


@op("NativeGroupNormBackward0", fused=True, tensors=_group_formula)
def _group_norm(
    tensors: Parameters, input: Array, weight: Any, layout: Layout, eps: float
) -> tuple[Array, Array, Array]:
    out, mean, rstd = _by_rows(tensors, layout, eps)
    batch, groups = layout.view[:2]
    return out, mean.reshape(batch, groups), rstd.reshape(batch, groups)


def layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = 1e-5, cudnn_enable: bool = True,
) -> Tensor:  # fmt: skip
    """The last dimensions, of shape `normalized_shape`, brought to mean 0 and variance 1, times
    `weight`, plus `bias` (both of that shape). Ba, Kiros & Hinton 2016.

    Raises RuntimeError if shapes or dtypes do not fit."""
    return native_layer_norm(input, normalized_shape, weight, bias, eps)[0]


def native_layer_norm(
    input: Tensor, normalized_shape: Sequence[int], weight: Tensor | None, bias: Tensor | None,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`layer_norm`; the means and 1 / deviations, with dimensions of size 1 for those normalised."""
    check_tensors("layer_norm", input=input)
    array, shape = input._array, checked_shape("layer_norm", normalized_shape)
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter._array.shape != shape:
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(parameter._array.shape)} and normalized_shape = {list(shape)}"
            )
    check_trailing(array, shape, "[*, ")
    check_dtypes(array, weight, bias)
    floats_only("LayerNormKernelImpl", array)
    leading = array.shape[: array.ndim - len(shape)]
    layout = rows_of(math.prod(leading), 1, math.prod(shape), 1, shape)
    out, mean, rstd = _layer_norm(gathered(input, weight, bias), input, weight, layout, eps)
    places = leading + (1,) * len(shape)
    return alone(out), *(statistic(wrap(s._array.reshape(places)), array) for s in (mean, rstd))


def checked_shape(name: str, normalized_shape: Any) -> tuple[int, ...]:
    if not isinstance(normalized_shape, (tuple, list)):
        raise TypeError(
            f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not "
            f"{type(normalized_shape).__name__}"
        )
    if not normalized_shape:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one "
            "element, but got normalized_shape = []"
        )
    return tuple(normalized_shape)


def check_trailing(array: Array, shape: tuple[int, ...], start: str) -> None:
    if array.ndim < len(shape) or array.shape[array.ndim - len(shape) :] != shape:
        sizes = ", ".join(map(str, shape))
        raise RuntimeError(
            f"Given normalized_shape={list(shape)}, expected input with shape {start}{sizes}], but "
            f"got input of size{list(array.shape)}"
        )


def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = 1e-5, cudnn_enabled: bool = True,
) -> Tensor:  # fmt: skip
    """The channels of (B, C, ...) in `num_groups` groups; each group of each sample is brought to
    mean 0 and variance 1, times `weight` (C,), plus `bias` (C,). Wu & He 2018.

    Raises RuntimeError if the channels do not divide into the groups, or shapes or dtypes do not fit."""
    check_tensors("group_norm", input=input)
    array = input._array
    if array.ndim < 2:
        raise RuntimeError(
            f"Expected at least 2 dimensions for input tensor but received {array.ndim}"
        )
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    batch, channels, *rest = array.shape
    if channels % num_groups:
        raise RuntimeError(
            "Expected number of channels in input to be divisible by num_groups, but got input of "
            f"shape {list(array.shape)} and num_groups={num_groups}"
        )
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter._array.shape != (channels,):
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, "
                f"but got {name} of shape {list(parameter._array.shape)} and input of shape "
                f"{list(array.shape)}"
            )
    positions = math.prod(rest)
    return native_group_norm(input, weight, bias, batch, channels, positions, num_groups, eps)[0]


def native_group_norm(
    input: Tensor, weight: Tensor | None, bias: Tensor | None, N: int, C: int, HxW: int,
    group: int, eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """`group_norm`; the means and 1 / deviations, (N, group)."""
    array = input._array
    check_dtypes(array, weight, bias)
    floats_only("GroupNormKernelImpl", array)
    layout = rows_of(N, group, C // group, HxW, (C,))
    return _group_norm(gathered(input, weight, bias), input, weight, layout, eps)
