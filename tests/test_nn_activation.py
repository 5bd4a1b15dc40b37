"""Activation functions and modules beside PyTorch: values, gradients, graphs, in-place forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from both import on_both
from oracle import check_gradient, reals, same

F = "torch.nn.functional."
X = reals(4, 6)
SLOPES = np.abs(reals(6, seed=2))

SPLIT = [
    "glu(x)", "glu(x, 0)", "glu(x, dim=-1)", "prelu(x, w)", "prelu(x, w[:1])", "prelu(x[0], w[:1])",
    "prelu(x[0, 0], w[:1])", "prelu(x.reshape(2, 6, 2), w)", "prelu(x, w[0])",
    "rrelu(x)", "rrelu(x, 0.1, 0.5)",
]  # fmt: skip
DRAWN = [
    "rrelu(x, training=True)", "rrelu(x, 0.2, 0.4, True)", "rrelu(x.T, training=True)",
    "rrelu(x[0, 0], training=True)", "rrelu(x * 1, training=True, inplace=True)",
    "rrelu_(x * 1, training=True)", "rrelu(x, 0.3, 0.3, True)",
]  # fmt: skip
GUMBEL = [
    "gumbel_softmax(x)", "gumbel_softmax(x, tau=0.5, dim=0)", "gumbel_softmax(x, hard=True)",
    "gumbel_softmax(x, 2.0, True, dim=0)",
]  # fmt: skip
IN_PLACE = [
    "relu_({})", "elu_({})", "elu_({}, 0.5)", "selu_({})", "celu_({}, 0.5)", "leaky_relu_({}, 0.2)",
    "hardtanh_({}, -0.3, 0.4)", "threshold_({}, 0.1, 0.7)", "rrelu_({})",
    "elu({}, inplace=True)", "selu({}, inplace=True)", "celu({}, inplace=True)",
    "leaky_relu({}, inplace=True)", "silu({}, inplace=True)", "mish({}, inplace=True)",
    "hardswish({}, inplace=True)", "hardsigmoid({}, inplace=True)", "relu6({}, inplace=True)",
    "threshold({}, 0.1, 0.7, inplace=True)", "rrelu({}, inplace=True)",
]  # fmt: skip
MISTAKES = [
    "glu(torch.ones(4, 5))", "glu(torch.ones(4, 4), 3)", "glu(torch.tensor(1.0))",
    "glu(torch.ones(4, 4).long())", "prelu(torch.ones(5), torch.ones(5))",
    "prelu(torch.ones(4, 5), torch.ones(4))", "prelu(torch.ones(4, 5), torch.ones(5, 1))",
    "prelu(torch.ones(4, 5), torch.ones(5).double())", "prelu(torch.tensor(1.0), torch.ones(2))",
    "prelu(torch.ones(4, 5).long(), torch.ones(5).long())", "rrelu(torch.ones(3), 0.5, 0.2)",
    "rrelu(torch.ones(3).long(), training=True)", "rrelu(torch.ones(3).half(), training=True)",
    "hardtanh(torch.ones(3), 2.0, 1.0)",
]  # fmt: skip
MODULES = [
    "ELU(0.5)", "ELU(inplace=True)", "CELU(0.5)", "SELU()", "SELU(inplace=True)", "GELU()",
    "GELU('tanh')", "SiLU()", "Mish()", "Softplus(2, 3)", "Softshrink(0.3)", "Softsign()",
    "Tanhshrink()", "Threshold(0.1, 0.5)", "Threshold(0.1, 0.5, True)", "GLU()", "GLU(0)",
    "Softmin(1)", "Softmax(0)", "LogSoftmax(1)", "Hardshrink(0.3)", "Hardsigmoid()",
    "Hardsigmoid(True)", "Hardtanh(-0.5, 0.25)", "Hardtanh(inplace=True)", "Hardswish()",
    "LeakyReLU(0.2)", "LeakyReLU(inplace=True)", "LogSigmoid()", "PReLU()", "PReLU(6, init=0.1)",
    "ReLU()", "ReLU(True)", "ReLU6()", "ReLU6(True)", "RReLU()", "RReLU(0.1, 0.2, True)",
    "Sigmoid()", "Tanh()",
]  # fmt: skip


@pytest.mark.parametrize("program", SPLIT)
def test_values_and_gradients(program: str) -> None:
    # the second derivative of PyTorch's prelu is one node for both inputs, here it is two
    same(F + program, ulps=4, grad_ulps=16, x=X, w=SLOPES)
    same(F + program, ulps=4, grad_ulps=16, order=1, x=X.astype(np.float32), w=np.float32(SLOPES))
    check_gradient(F + program, x=X, w=SLOPES)


@pytest.mark.parametrize("program", DRAWN + GUMBEL)
def test_the_same_numbers_are_drawn(program: str) -> None:
    for seed in range(3):
        x = reals(4, 6, seed=seed)
        text = f"torch.manual_seed({seed}); y = {F}{program}; y, torch.rand(2)"
        same(text.replace("; ", "\n"), x=x, ulps=256, grad_ulps=256)


@pytest.mark.parametrize("program", IN_PLACE)
def test_in_place(program: str) -> None:
    text = f"y = x * 1\nz = {F}{program.format('y')}\nz, z is y, y._version"
    same(text, x=X, ulps=4, grad_ulps=16)


@pytest.mark.parametrize("program", MISTAKES)
def test_mistakes(program: str) -> None:
    same(F + program)


def test_nan_and_zero_keep_to_their_side() -> None:
    edge = np.array([0.0, -0.0, np.nan, -1.0, np.inf, -np.inf])
    for program in ("rrelu(x)", "prelu(x, cw)", "rrelu(x, training=True)"):
        text = f"torch.manual_seed(0)\n{F}{program}"
        for dtype in (np.float32, np.float64):
            same(text, order=1, x=edge.astype(dtype), cw=np.array([0.3], dtype))


@pytest.mark.parametrize("module", MODULES)
def test_modules(module: str) -> None:
    text = f"m = torch.nn.{module}\ntorch.manual_seed(1)\nm(x * 1), repr(m), str(m.state_dict().keys())"
    ulps = 1024 if "Tanhshrink" in module else 64  # x - tanh(x) cancels
    same(text, x=X.astype(np.float32), ulps=ulps, grad_ulps=64, order=1)


@on_both
def test_softmax_without_a_dimension_and_older_names(torch: Any, log: Any) -> None:
    nn = torch.nn
    x = torch.tensor([[1.0, 2.0]])
    log(nn.Softmax()(x), nn.Softmin()(x), nn.LogSoftmax()(x))
    log.error(nn.Softmax2d(), x)
    log(nn.Softmax2d()(x.reshape(1, 2, 1)), repr(nn.Softmax2d()))
    log(repr(nn.Hardtanh(min_value=-2.0, max_value=3.0)))
    log.error(nn.Hardtanh, 1.0, 0.0)
    log(nn.functional.gumbel_softmax(x, eps=1e-9).shape[0])


@on_both
def test_top_level_names(torch: Any, log: Any) -> None:
    x = torch.tensor([-1.0, 2.0])
    log(torch.prelu(x, torch.tensor([0.5])), x.prelu(torch.tensor([0.5])), torch.rrelu(x))
    log(torch.rrelu_(x), x)


LIMITED = [
    "torch.relu(x)", "F.relu6(x)", "F.hardtanh(x, -0.5, 0.0)", "x.clamp(0.0, 1.0)", "x.clamp(-1, 0)",
    "x.clamp(min=0.0)", "x.clamp(max=0.0)", "torch.clamp_min(x, 0.0)", "torch.clamp_max(x, -0.0)",
    "x.clamp(2.0, 1.0)", "x.clone().relu_()", "x.clone().clamp_(min=0)",
]  # fmt: skip


@pytest.mark.parametrize("call", LIMITED)
@on_both
def test_a_zero_keeps_its_sign_at_a_limit(torch: Any, log: Any, call: str) -> None:
    """1 / x tells -0.0 from 0.0; 17 elements fill a vector register and leave some over."""
    inf, nan = float("inf"), float("nan")
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([-0.0, 0.0, nan, -nan, inf, -inf, 1.5, -1.5] * 2 + [-0.0], dtype=dtype)
        out = eval(call, {"torch": torch, "F": torch.nn.functional, "x": x})
        log(out, 1 / out)
