"""What constructors refuse: each number that a module, an optimizer or a scheduler takes, in turn
at and around the bounds that such numbers have. What is made, or the exception, is PyTorch's.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from oracle import LIBRARIES, Raised, without_library
from test_bent_calls import numbers
from test_nn_arguments import MODULES

WHOLE, REAL = ("-1", "0", "1", "2", "3"), ("-1.0", "-0.0", "0.0", "0.5", "1.0", "1.5", "2.0")
MORE = {  # beside those of `test_nn_arguments.py`
    "RNN": "4, 3", "LSTM": "4, 3, 2, proj_size=2", "GRU": "4, 3, 2", "Transformer": "4, 2, 1, 1, 4",
    "TransformerEncoder": "nn.TransformerEncoderLayer(4, 2, 3, batch_first=True), 1",
    "TransformerDecoder": "nn.TransformerDecoderLayer(4, 2, 3), 1", "PixelShuffle": "2",
    "PixelUnshuffle": "2", "ChannelShuffle": "2", "ZeroPad2d": "2",
    "AdaptiveAvgPool2d": "3", "MaxUnpool2d": "2", "Unflatten": "1, (2, 2)",
}  # fmt: skip
GIVEN = {name: given for name, (given, _) in MODULES.items()} | MORE
OPTIMIZERS = [
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "LBFGS", "NAdam", "RAdam",
    "RMSprop", "Rprop", "SGD",
]  # fmt: skip
PAIRS = {  # two numbers in one argument
    "betas": ("(-0.1, 0.5)", "(0.0, 0.5)", "(1.0, 0.5)", "(0.5, -0.1)", "(0.5, 0.0)", "(0.5, 1.0)"),
    "etas": ("(0.0, 1.2)", "(0.5, 1.0)", "(1.0, 1.2)", "(0.5, 1.1)", "(-0.1, 1.2)"),
    "step_sizes": ("(0.0, 1.0)", "(2.0, 1.0)"),
}
SCHEDULERS = {
    "StepLR": "2", "MultiStepLR": "[1, 3]", "ConstantLR": "", "LinearLR": "", "ExponentialLR": "0.5",
    "PolynomialLR": "", "CosineAnnealingLR": "3", "CosineAnnealingWarmRestarts": "2",
    "ReduceLROnPlateau": "", "CyclicLR": "0.1, 0.2, cycle_momentum=False", "OneCycleLR": "0.2, 4",
}  # fmt: skip


def others(default: Any, name: str) -> tuple[str, ...]:
    """Other values of an argument, by the kind of its default."""
    if name in PAIRS:
        return PAIRS[name]
    if isinstance(default, bool) or name in ("device", "dtype", "last_epoch"):
        return ()
    return REAL if isinstance(default, float) else WHOLE if isinstance(default, int) else ()


def constructors(kind: Any, path: str, first: str, given: str) -> Iterator[str]:
    """Calls with another number in place of each one that is given, and of each default."""
    for line in (given, *(line for _, line in numbers(given))):
        yield f"{path}({', '.join(filter(None, (first, line)))})"
    for p in inspect.signature(kind).parameters.values():
        for value in others(p.default, p.name):
            yield f"{path}({', '.join(filter(None, (first, given, f'{p.name}={value}')))})"


def made(library: Any, call: str) -> Any:
    """What shows of the object, or what was raised."""
    optimizer = library.optim.SGD([library.nn.Parameter(library.zeros(2))], 1.0)
    scope = {"torch": library, "nn": library.nn, "p": library.nn.Parameter(library.zeros(2))}
    library.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = eval(call, scope | {"optimizer": optimizer})
            if "lr_scheduler" in call:
                return rates(optimizer, result)
    except Exception as error:
        return Raised(error)
    return without_library(repr(result))


def rates(optimizer: Any, scheduler: Any) -> list[Any]:
    """The learning rates of six epochs; a metric that gets worse."""
    found = []
    for epoch in range(6):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        plateau = type(scheduler).__name__ == "ReduceLROnPlateau"
        scheduler.step(*[float(epoch)] if plateau else [])
    return found


def assert_same(call: str) -> None:
    theirs, ours = (made(library, call) for library in LIBRARIES)
    if isinstance(theirs, Raised) or isinstance(ours, Raised):
        assert isinstance(theirs, Raised), f"{call}: {ours.kind}: {ours.text}"
        assert isinstance(ours, Raised), f"{call}: {theirs.kind}: {theirs.text}"
        assert (ours.kind, ours.text) == (theirs.kind, theirs.text.partition("\nExc")[0]), call
    elif isinstance(theirs, list):
        assert ours == pytest.approx(theirs, rel=1e-12, abs=1e-15), call
    else:
        assert ours == theirs, call


@pytest.mark.parametrize("name", GIVEN)
def test_modules(name: str) -> None:
    for call in constructors(getattr(torch.nn, name), f"nn.{name}", "", GIVEN[name]):
        assert_same(call)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str) -> None:
    for call in constructors(getattr(torch.optim, name), f"torch.optim.{name}", "[p]", ""):
        assert_same(call)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers(name: str) -> None:
    kind, path = getattr(torch.optim.lr_scheduler, name), f"torch.optim.lr_scheduler.{name}"
    for call in constructors(kind, path, "optimizer", SCHEDULERS[name]):
        assert_same(call)
