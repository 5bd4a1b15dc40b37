"""Defaults: what an argument is when it is not given, compared with PyTorch's own declarations.

Functions in Python have signatures; those in C++ have schemas, which name every overload's
arguments. A default of minigrad's that is a number must be that of one of the overloads.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import torch

import minigrad

DECLARED_IN_C = {"": "", "Tensor": "", "linalg": "linalg_", "special": "special_", "ops": ""}
DECLARED_IN_PYTHON = [
    "", "autograd", "autograd.forward_ad", "autograd.functional", "autograd.graph", "func", "nn",
    "nn.functional", "nn.init", "nn.utils", "nn.utils.parametrizations", "nn.utils.rnn", "optim",
    "nn.utils.parametrize", "nn.modules.module", "optim.lr_scheduler", "optim.swa_utils",
    "utils.checkpoint", "utils.data",
]  # fmt: skip
OTHERS = {
    "gradient(spacing)": "None in PyTorch's schema, where 1 is filled in",
    "load(weights_only)": "None, which an environment variable turns into True or False",
}


def at(library: Any, path: str) -> Any:
    for name in filter(None, path.split(".")):
        library = getattr(library, name)
    return library


def numbers(function: Any) -> Iterator[tuple[str, Any]]:
    """The parameters whose defaults are numbers."""
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # in C, without a signature
        parameters = {}
    for p in parameters.values():
        if type(p.default) in (bool, int, float):
            yield p.name, p.default


def declared(operator: str) -> dict[str, list[Any]]:
    """The defaults of an operator's arguments, of all its overloads; (1, 1) counts as 1."""
    found: dict[str, list[Any]] = defaultdict(list)
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{operator}"):
        for argument in schema.arguments:
            if argument.has_default_value():
                value = argument.default_value
                found[argument.name] += set(value) if isinstance(value, list) else [value]
    return found


@pytest.mark.parametrize("space", DECLARED_IN_C)
def test_defaults_of_operators(space: str) -> None:
    compared, wrong = 0, []
    for name, function in inspect.getmembers(at(minigrad, space), inspect.isfunction):
        theirs = declared(DECLARED_IN_C[space] + name) if hasattr(at(torch, space), name) else {}
        for argument, default in numbers(function):
            if argument in theirs and f"{name}({argument})" not in OTHERS:
                compared += 1
                if default not in theirs[argument]:
                    wrong.append(f"{name}({argument}={default}) instead of {theirs[argument]}")
    assert not wrong
    assert compared or space == "special"


def callables(space: str) -> Iterator[tuple[str, Any, Any]]:
    """Functions, constructors and methods that both libraries have."""
    for name, ours in inspect.getmembers(at(minigrad, space), callable):
        theirs = getattr(at(torch, space), name, None)
        if (
            "max_pool" in name
        ):  # chosen by `return_indices` from two; one of these has all arguments
            theirs = getattr(at(torch, space), f"_{name}", theirs)
        if not name.startswith("_") and callable(theirs):
            yield name, ours, theirs
            for method, function in inspect.getmembers(ours, inspect.isroutine):
                if inspect.isclass(ours) and callable(getattr(theirs, method, None)):
                    yield f"{name}.{method}", function, getattr(theirs, method)


@pytest.mark.parametrize("space", DECLARED_IN_PYTHON)
def test_defaults_of_functions_in_python(space: str) -> None:
    wrong = []
    for name, ours, theirs in callables(space):
        try:
            given, wanted = dict(numbers(ours)), inspect.signature(theirs).parameters
        except ValueError:  # in C, without a signature
            continue
        for argument, default in given.items():
            if argument in wanted and f"{name}({argument})" not in OTHERS:
                if wanted[argument].default != default:
                    wrong.append(f"{name}({argument}={default}): {wanted[argument].default}")
    assert not wrong
