"""Activation functions: what `nn.functional` applies between layers, beyond `relu` and `tanh`.

Each is a row, and its derivative is a row of its own, as in PyTorch, so that the graph of a
gradient has PyTorch's names. `_slope` makes the second row of two formulas: the slope, and the
curvature (the slope's slope). Where a slope jumps, it is PyTorch's side that is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import node as graph
from ..autograd.inplace import write
from ..autograd.out import into
from ..autograd.row import Op, Row, op
from ..promotion import floats_only
from .error_function import erf_array

Array = Any
Tensor = Any
Options = tuple[Any, ...]
Curve = Callable[[Any, Any, Any], Any]  # of the input, the options, and xp
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805  # Klambauer et al., 2017
GELU_INNER, GELU_CUBIC = math.sqrt(2 / math.pi), 0.044715  # Hendrycks and Gimpel, 2016


def _slope(name: str, slope: Curve, curvature: Curve | None = None) -> Op:
    """The row `grad_output * slope(input)`; without a `curvature`, the slope is made of steps."""

    def by_input(grad: Any, grad_output: Any, input: Any, options: Options, xp: Any) -> Any:
        if curvature is None:
            return xp.zeros_like(grad)
        return grad * grad_output * curvature(input, options, xp)

    @op(
        name,
        fused=True,
        grad_output=lambda grad, input, options, xp: grad * slope(input, options, xp),
        input=by_input,
    )
    def backward(grad_output: Array, input: Array, options: Options) -> Array:
        return grad_output * slope(input, options, graph.array_ops)

    return backward


def _through(slope: Op, xp: Any, grad: Any, input: Any, *options: Any) -> Any:
    """A slope's row on arrays, or on Tensors when the backward pass is recorded."""
    return (slope if xp is graph.tensor_ops else slope.forward)(grad, input, options)


def _in_place(op: Op, name: str | None = None) -> Callable[..., Any]:
    """The in-place form of an op whose other arguments are numbers; PyTorch has a `name` of its
    own for some, whose formula starts from the result."""
    row = op.row
    if name is not None:
        row = Row(name, op.forward, {"input": row.formulas[0][0]})

    def write_result(input: Tensor, *numbers: Any) -> Tensor:
        return write(row, (input, *numbers), op.forward(input._array, *numbers))

    return write_result


# --- smooth steps --------------------------------------------------------------------------------


def _soft_step(input: Any, options: Options, xp: Any) -> Any:
    beta, threshold = options
    scaled = input * beta
    return xp.where(scaled > threshold, 1.0, xp.sigmoid(scaled))


def _soft_bend(input: Any, options: Options, xp: Any) -> Any:
    beta, threshold = options
    scaled = input * beta
    step = xp.sigmoid(scaled)
    return xp.where(scaled >= threshold, 0.0, step * (1 - step) * beta)


softplus_slope = _slope("SoftplusBackwardBackward0", _soft_step, _soft_bend)


@op(
    "SoftplusBackward0",
    fused=True,
    input=lambda grad, input, beta, threshold, xp: _through(
        softplus_slope, xp, grad, input, beta, threshold
    ),
)
def _softplus(input: Array, beta: float, threshold: float) -> Array:
    floats_only("softplus_cpu", input)
    scaled = input * beta
    return np.where(scaled > threshold, input, np.logaddexp(scaled, scaled.dtype.type(0)) / beta)


def softplus(input: Tensor, beta: float = 1, threshold: float = 20, *, out: Any = None) -> Tensor:
    """`log(1 + exp(beta * input)) / beta`; just `input` where `beta * input` is over `threshold`."""
    if out is not None:
        return into(out, softplus, input, beta, threshold, exact=True)
    return _softplus(input, beta, threshold)


logsigmoid_slope = _slope(
    "LogSigmoidBackwardBackward0",
    lambda input, options, xp: xp.sigmoid(-input),
    lambda input, options, xp: -xp.sigmoid(input) * xp.sigmoid(-input),
)


@op(
    "LogSigmoidBackward0",
    fused=True,
    input=lambda grad, input, xp: _through(logsigmoid_slope, xp, grad, input),
)
def _logsigmoid(input: Array) -> Array:
    floats_only("log_sigmoid_cpu", input)
    return np.minimum(input, 0) - np.log1p(np.exp(-np.abs(input)))


def logsigmoid(input: Tensor, *, out: Any = None) -> Tensor:
    """`log(sigmoid(input))`, without underflow."""
    if out is not None:
        return into(out, logsigmoid, input, exact=True)
    return _logsigmoid(input)


def _silu_gradient(grad: Any, input: Any, xp: Any) -> Any:
    step = xp.sigmoid(input)
    return grad * step * (input * (1 - step) + 1)


@op("SiluBackward0", fused=True, input=_silu_gradient)
def silu(input: Array) -> Array:
    """`input * sigmoid(input)`, also called swish."""
    floats_only("silu_cpu", input)
    return input / (1 + np.exp(-input))


def _mish_gradient(grad: Any, input: Any, xp: Any) -> Any:
    gate = xp.tanh(xp.softplus(input))
    return grad * (gate + input * xp.sigmoid(input) * (1 - gate * gate))


@op("MishBackward0", fused=True, input=_mish_gradient)
def mish(input: Array) -> Array:
    """`input * tanh(softplus(input))`."""
    floats_only("mish_cpu", input)
    return input * np.tanh(np.logaddexp(input, input.dtype.type(0)))


def _gelu_slope(input: Any, options: Options, xp: Any) -> Any:
    if options[0] == "none":
        density = xp.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
        return (xp.erf(input * math.sqrt(0.5)) + 1) * 0.5 + input * density
    gate, inner = _gelu_gate(input, xp)
    return (gate + 1) * 0.5 + input * 0.5 * (1 - gate * gate) * inner


def _gelu_bend(input: Any, options: Options, xp: Any) -> Any:
    if options[0] == "none":
        density = xp.exp(input * input * -0.5) * (1 / math.sqrt(2 * math.pi))
        return density * (2 - input * input)
    gate, inner = _gelu_gate(input, xp)
    second = input * (6 * GELU_INNER * GELU_CUBIC)
    return (1 - gate * gate) * (inner + input * 0.5 * (second - gate * inner * inner * 2))


def _gelu_gate(input: Any, xp: Any) -> tuple[Any, Any]:
    """tanh of the inner polynomial, and the polynomial's slope."""
    square = input * input
    gate = xp.tanh(input * (square * GELU_CUBIC + 1) * GELU_INNER)
    return gate, (square * (3 * GELU_CUBIC) + 1) * GELU_INNER


gelu_slope = _slope("GeluBackwardBackward0", _gelu_slope, _gelu_bend)


@op(
    "GeluBackward0",
    fused=True,
    input=lambda grad, input, approximate, xp: _through(gelu_slope, xp, grad, input, approximate),
)
def _gelu(input: Array, approximate: str) -> Array:
    floats_only("GeluKernelImpl", input)
    if approximate == "none":
        return input * 0.5 * (1 + erf_array(input * math.sqrt(0.5)))
    wide = input.astype(np.float64)  # for inputs well below zero, 1 + tanh loses digits
    return (wide * 0.5 * (1 + _gelu_gate(wide, np)[0])).astype(input.dtype)


def gelu(input: Tensor, *, approximate: str = "none", out: Any = None) -> Tensor:
    """`input` times the normal distribution function of `input`; `approximate="tanh"` computes
    that by a hyperbolic tangent, as GPT-2 does."""
    if out is not None:
        return into(out, gelu, input, approximate=approximate, exact=True)
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return _gelu(input, approximate)


# --- exponential below zero ----------------------------------------------------------------------


def _elu_slope(input: Any, options: Options, xp: Any) -> Any:
    alpha, scale, input_scale = options
    below = xp.exp(xp.where(input > 0, 0.0, input) * input_scale) * (alpha * scale * input_scale)
    return xp.where(input <= 0, below, float(scale))  # nan counts as positive, as in PyTorch


def _elu_bend(input: Any, options: Options, xp: Any) -> Any:
    alpha, scale, input_scale = options
    below = xp.exp(xp.where(input > 0, 0.0, input) * input_scale)
    return xp.where(input < 0, below * (alpha * scale * input_scale * input_scale), 0.0)


elu_slope = _slope("EluBackwardBackward0", _elu_slope, _elu_bend)


def _elu_array(input: Array, alpha: float, scale: float, input_scale: float) -> Array:
    floats_only("elu_cpu", input)
    below = np.expm1(np.minimum(input, 0) * input_scale) * (alpha * scale)
    return np.where(input > 0, input * scale, below)


@op(
    "EluBackward0",
    fused=True,
    input=lambda grad, input, alpha, scale, xp: _through(
        elu_slope, xp, grad, input, alpha, scale, 1.0
    ),
)
def _elu(input: Array, alpha: float, scale: float) -> Array:
    return _elu_array(input, alpha, scale, 1.0)


@op(
    "CeluBackward0",
    fused=True,
    input=lambda grad, input, alpha, xp: _through(
        elu_slope, xp, grad, input, alpha, 1.0, 1 / alpha
    ),
)
def _celu(input: Array, alpha: float) -> Array:
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu_array(input, alpha, 1.0, 1 / alpha)


_elu_, _celu_ = _in_place(_elu, "EluBackward1"), _in_place(_celu, "CeluBackward1")


def elu(input: Tensor, alpha: float) -> Tensor:
    """`input`, and `alpha * (exp(input) - 1)` below zero."""
    return _elu(input, alpha, 1.0)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu` in place."""
    return _elu_(input, alpha, 1.0)  # type: ignore[no-any-return]


def selu(input: Tensor) -> Tensor:
    """`elu` with the two constants that keep mean 0 and variance 1."""
    return _elu(input, SELU_ALPHA, SELU_SCALE)


def selu_(input: Tensor) -> Tensor:
    """`selu` in place."""
    return _elu_(input, SELU_ALPHA, SELU_SCALE)  # type: ignore[no-any-return]


def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`input`, and `alpha * (exp(input / alpha) - 1)` below zero."""
    return _celu(input, alpha)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu` in place."""
    return _celu_(input, alpha)  # type: ignore[no-any-return]


silu_, mish_ = _in_place(silu), _in_place(mish)
