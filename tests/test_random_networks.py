"""Random networks: layers that Hypothesis draws from `nn`, trained three steps on both libraries.

The parameters, what Dropout drops, losses, gradients and the parameters after training must be the
same. Layers are drawn one by one: each is chosen among those that take the shape at hand, and the
shape that it makes is known beforehand. Everything is computed in float64, so that the rounding of
sums, which may differ, stays far below what a mistake would show.

Some networks amplify rounding without a bound: behind a normalisation over one element every
gradient is zero but for rounding, and Adam steps as far along a gradient of 1e-17 as along one of
1. So PyTorch trains each network twice more, what its layers compute nudged: up the first time,
down the second. What these runs show to be undetermined may differ as far as they do, array
by array; all else is compared to six digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import given, note, settings
from hypothesis import strategies as st
from strategies import Program, Shape

import minigrad

Choice = tuple[str, Shape]  # the source of a layer, and the shape of its result without the batch

ACTIVATIONS = [
    "ReLU()", "Tanh()", "Sigmoid()", "GELU()", "SiLU()", "ELU()", "LeakyReLU(0.1)", "Softplus()",
    "Mish()", "SELU()", "Hardswish()", "Softsign()", "PReLU()", "Dropout(0.25)", "Identity()",
    "LogSigmoid()", "Tanhshrink()", "CELU()", "AlphaDropout(0.25)", "Hardtanh()",
]  # fmt: skip
OPTIMIZERS = [
    "SGD(model.parameters(), lr=0.1)",
    "SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)",
    "Adam(model.parameters(), lr=0.01)",
    "AdamW(model.parameters(), lr=0.01, amsgrad=True)",
    "RMSprop(model.parameters(), lr=0.01, momentum=0.5)",
    "Adagrad(model.parameters(), lr=0.05)",
    "Adadelta(model.parameters(), lr=0.5)",
    "NAdam(model.parameters(), lr=0.01)",
    "RAdam(model.parameters(), lr=0.01)",
    "Adamax(model.parameters(), lr=0.01)",
    "ASGD(model.parameters(), lr=0.01)",
]
LOSSES = [
    ("CrossEntropyLoss(label_smoothing=0.1)", "torch.randint(0, 3, ({n},))"),
    ("MSELoss()", "torch.randn({n}, 3).double()"),
    ("SmoothL1Loss()", "torch.randn({n}, 3).double()"),
    ("BCEWithLogitsLoss()", "torch.rand({n}, 3).double()"),
    ("MultiMarginLoss()", "torch.randint(0, 3, ({n},))"),
]
FIRST = [
    "class First(torch.nn.Module):  # the outputs of a recurrent layer, without its last state",
    "    def __init__(self, layer):",
    "        super().__init__()",
    "        self.layer = layer",
    "    def forward(self, input):",
    "        return self.layer(input)[0]",
]
TRAINING = [
    "losses = []",
    "for step in range(3):",
    "    optimizer.zero_grad()",
    "    loss = criterion(model(x), y)",
    "    loss.backward()",
    "    optimizer.step()",
    "    losses.append(loss.item())",
    "    print(loss)",
    "model.eval()",
    "result = model(x)",
]


def of_features(shape: Shape, width: int) -> list[Choice]:
    """Layers for a batch of vectors."""
    (n,) = shape
    choices = [
        (f"Linear({n}, {width})", (width,)),
        (f"Linear({n}, {width}, bias=False)", (width,)),
        (f"BatchNorm1d({n})", shape),
        (f"LayerNorm({n})", shape),
        (f"RMSNorm({n})", shape),
        ("Softmax(1)", shape),
        ("LogSoftmax(1)", shape),
    ]
    return choices + ([("GLU()", (n // 2,))] if n % 2 == 0 else [])


def of_sequences(shape: Shape, width: int) -> list[Choice]:
    """Layers for a batch of sequences of vectors."""
    length, n = shape
    wide = (length, width)
    recurrent = f"({n}, {width}, batch_first=True)"
    return [
        (f"Linear({n}, {width})", wide),
        (f"LayerNorm({n})", shape),
        (f"First(torch.nn.LSTM{recurrent})", wide),
        (f"First(torch.nn.GRU{recurrent})", wide),
        (f"First(torch.nn.RNN{recurrent})", wide),
        (f"First(torch.nn.RNN{recurrent[:-1]}, nonlinearity='relu'))", wide),
        (f"First(torch.nn.LSTM{recurrent[:-1]}, bidirectional=True))", (length, 2 * width)),
        (f"TransformerEncoderLayer({n}, 1, 4, dropout=0.1, batch_first=True)", shape),
        ("Flatten()", (length * n,)),
    ]


def of_signals(shape: Shape, width: int) -> list[Choice]:
    """Layers for a batch of signals with channels: shapes are (channels, length) after Unflatten."""
    channels, length = shape
    choices = [
        (f"Conv1d({channels}, {width}, 1)", (width, length)),
        (f"Conv1d({channels}, {width}, 3, padding=1)", (width, length)),
        (f"Conv1d({channels}, {channels}, 3, padding=1, groups={channels})", shape),
        (f"BatchNorm1d({channels})", shape),
        (f"GroupNorm(1, {channels})", shape),
        ("ConstantPad1d(1, 0.5)", (channels, length + 2)),
        ("Flatten()", (channels * length,)),
    ]
    if length > 1:
        half = (channels, length // 2)
        choices += [("MaxPool1d(2)", half), ("AvgPool1d(2)", half)]
        choices += [("ReflectionPad1d(1)", (channels, length + 2))]
    return choices


def of_images(shape: Shape, width: int) -> list[Choice]:
    """Layers for a batch of images, (channels, height, width)."""
    channels, high, wide = shape
    choices = [
        (f"Conv2d({channels}, {width}, 1)", (width, high, wide)),
        (f"Conv2d({channels}, {width}, 3, padding=1, bias=False)", (width, high, wide)),
        (f"Conv2d({channels}, {width}, 3, stride=2, padding=1)",
         (width, (high + 1) // 2, (wide + 1) // 2)),
        (f"ConvTranspose2d({channels}, {width}, 2)", (width, high + 1, wide + 1)),
        (f"BatchNorm2d({channels})", shape),
        (f"GroupNorm({channels}, {channels})", shape),
        ("Dropout2d(0.25)", shape),
        ("LocalResponseNorm(2)", shape),
        ("ZeroPad2d(1)", (channels, high + 2, wide + 2)),
        ("AdaptiveAvgPool2d(2)", (channels, 2, 2)),
        ("Flatten()", (channels * high * wide,)),
    ]  # fmt: skip
    if high * wide > 1:
        choices.append((f"InstanceNorm2d({channels}, affine=True)", shape))
    if min(high, wide) > 1:
        half = (channels, high // 2, wide // 2)
        choices += [("MaxPool2d(2)", half), ("AvgPool2d(2)", half)]
    if max(high, wide) < 5:
        choices.append(("Upsample(scale_factor=2)", (channels, 2 * high, 2 * wide)))
    return choices + ([("PixelShuffle(2)", (1, 2 * high, 2 * wide))] if channels == 4 else [])


STARTS = {
    "features": (of_features, "torch.randn({n}, {shape}).double()"),
    "sequences": (of_sequences, "torch.randn({n}, {shape}).double()"),
    "tokens": (of_sequences, "torch.randint(0, 5, ({n}, {length}))"),
    "signals": (of_signals, "torch.randn({n}, {shape}).double()"),
    "images": (of_images, "torch.randn({n}, {shape}).double()"),
}
DIMENSIONS = {"features": 1, "sequences": 2, "tokens": 2, "signals": 2, "images": 3}


@st.composite
def networks(draw: st.DrawFn) -> Program:
    """A program that makes a network, its data and an optimizer, and trains it."""
    start = draw(st.sampled_from(list(STARTS)))
    ndim = DIMENSIONS[start]
    shape: Shape = tuple(draw(st.lists(st.integers(1, 4), min_size=ndim, max_size=ndim)))
    batch = draw(st.integers(2, 4))
    choices, data = STARTS[start]
    data = data.format(n=batch, shape=", ".join(map(str, shape)), length=shape[0])
    layers = [f"Embedding(5, {shape[-1]})"] if start == "tokens" else []
    for _ in range(draw(st.integers(1, 5))):
        layer, shape = draw(_layers(choices if len(shape) == ndim else of_features, shape))
        layers.append(layer)
    if len(shape) > 1:
        layers.append("Flatten()")
        shape = (int(np.prod(shape)),)
    layers.append(f"Linear({shape[0]}, 3)")
    criterion, target = draw(st.sampled_from(LOSSES))
    return Program([
        *(FIRST if any("First" in layer for layer in layers) else []),
        f"torch.manual_seed({draw(st.integers(0, 2**32))})",
        f"x = {data}",
        f"y = {target.format(n=batch)}",
        "model = torch.nn.Sequential(",
        *(f"    {'' if layer.startswith('First') else 'torch.nn.'}{layer}," for layer in layers),
        ").double()",
        f"optimizer = torch.optim.{draw(st.sampled_from(OPTIMIZERS))}",
        f"criterion = torch.nn.{criterion}",
        *TRAINING,
    ])  # fmt: skip


@st.composite
def _layers(draw: st.DrawFn, choices: Any, shape: Shape) -> Choice:
    """One layer that takes `shape`: about every third one is a function of single elements."""
    if draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(ACTIVATIONS)), shape
    return draw(st.sampled_from(choices(shape, draw(st.integers(1, 4)))))


# The size of a nudge, as a part of the largest number around: well above the rounding of float64 in
# one layer, and far below what is compared.
NUDGE = 1e-11


@settings(max_examples=20 * settings.default.max_examples)
@given(program=networks())
def test_random_networks_learn_the_same(program: Program) -> None:
    note(str(program))
    theirs, ours = (program.run(library, print=_silent) for library in (torch, minigrad))
    np.testing.assert_array_equal(theirs["x"].numpy(), ours["x"].numpy())
    assert repr(ours["model"]) == repr(theirs["model"])
    expected, found = observed(theirs), observed(ours)
    assert list(found) == list(expected)
    nudged = [observed(_nudged(program, sign)) for sign in (1, -1)]
    for name, value in expected.items():
        doubt = max(_distance(value, other[name]) for other in nudged)
        assert_close(value, found[name], name, doubt if doubt > 1e-6 * _size(value) else 0.0)


def observed(scope: dict[str, Any]) -> dict[str, Any]:
    """Everything that a program has computed, as arrays; None where there is no gradient."""
    model = scope["model"]
    found = {"the losses": np.array(scope["losses"]), "the result": scope["result"].detach()}
    found |= model.state_dict()
    found |= {f"the gradient of {n}": p.grad for n, p in model.named_parameters()}
    return {n: None if v is None else np.asarray(v) for n, v in found.items()}


def _nudged(program: Program, sign: int) -> dict[str, Any]:
    """The program run by PyTorch with numbers that are not quite the same: what layers hand on in
    both directions, and the gradients of parameters. Each number is nudged the same way in every
    step: three steps in one direction are the farthest that noise can lead."""

    def nudge(tensor: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        sizes = [t.abs().max() for t in (tensor, *others) if t.is_floating_point() and t.numel()]
        signs = np.random.default_rng(0).choice([-1.0, 1.0], tuple(tensor.shape))
        return tensor + sign * NUDGE * max(sizes, default=0.0) * torch.from_numpy(np.asarray(signs))

    def nudge_result(layer: torch.nn.Module, inputs: Any, result: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            difference = nudge(result, *inputs) - result
        result = result + difference
        if result.requires_grad:
            result.register_hook(nudge)
        return result

    def nudge_gradients(model: torch.nn.Module) -> None:
        found = [p for p in model.parameters() if p.grad is not None]
        grads = [p.grad for p in found]
        for parameter in found:
            parameter.grad = nudge(parameter.grad, *grads)

    lines = list(program.lines)
    lines.insert(
        lines.index("losses = []"), "for layer in model: layer.register_forward_hook(nudge_result)"
    )
    lines.insert(lines.index("    loss.backward()") + 1, "    nudge_gradients(model)")
    names = {"nudge_result": nudge_result, "nudge_gradients": nudge_gradients}
    return program.run(torch, lines, print=_silent, **names)


def _distance(one: Any, other: Any) -> float:
    if one is None or other is None or not one.size:
        return 0.0
    return float(np.abs(one.astype(float) - other).max())


def _size(array: Any) -> float:
    return 0.0 if array is None else float(np.abs(array).max(initial=0.0))


def _silent(*_: Any) -> None:
    """In place of `print`, which is for those who run the program by hand."""


def assert_close(theirs: Any, ours: Any, what: str, doubt: float = 0.0) -> None:
    """Equal to six digits of the largest, or as close as `doubt` says that can be expected."""
    assert (theirs is None) == (ours is None), what
    if theirs is not None:
        limit = 1e-8 + 10 * doubt
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=limit, err_msg=what)
