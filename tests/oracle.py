"""One program, two libraries: run it with PyTorch and with minigrad, and compare all that shows.

A case is a line of source, such as `"(x * y).sum(0)"`, with statements before the last expression
if need be. It sees `torch` (one library or the other), `np`, and the tensors that `same` was given.
"""

from __future__ import annotations

import ast
import copy
import warnings
from typing import Any

import numpy as np
import on_device
import torch

import minigrad

LIBRARIES = (torch, minigrad)
FLOATS = {
    np.dtype(np.float16): np.int16,
    np.dtype(np.float32): np.int32,
    np.dtype(np.float64): np.int64,
}
np.seterr(all="ignore")


def same(program: str, ulps: int = 0, order: int = 2, grad_ulps: int = 4, **inputs: Any) -> None:
    """Assert that `program` gives the same in both libraries, and has the same gradients.

    inputs: arrays; floating-point ones become leaves that require a gradient, except those whose
        name begins with "c" (constants). What is no array is handed on as it is.
    ulps: how far values may be apart; grad_ulps: the same for gradients, of the largest of them.
    order: up to which order derivatives are compared, if the result requires one.
    """
    results, leaves = zip(*(_run(library, program, inputs) for library in LIBRARIES), strict=True)
    compare(*results, ulps, program)
    if order and not isinstance(results[0], Raised):
        sides = zip(LIBRARIES, results, leaves, strict=True)
        gradients = [_gradients(*side, order) for side in sides]
        compare(*gradients, grad_ulps, f"the gradients of {program}", norm=True)


class Raised:
    """An exception, or a warning and a result."""

    def __init__(self, error: BaseException) -> None:
        builtin = next(c for c in type(error).__mro__ if c.__module__ == "builtins")
        self.kind, self.text = builtin.__name__, without_library(str(error))


def _run(library: Any, program: str, inputs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    names = {name: _tensor(library, name, value) for name, value in inputs.items()}
    scope = {"torch": library, "np": np, **copy.copy(names)}
    *statements, last = ast.parse(program).body
    assert isinstance(last, ast.Expr)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(ast.Module(statements, []), program, "exec"), scope)
            result = eval(compile(ast.Expression(last.value), program, "eval"), scope)
    except Exception as error:
        result = Raised(error)
    return result, {n: t for n, t in names.items() if getattr(t, "requires_grad", False)}


def _tensor(library: Any, name: str, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    grad = value.dtype.kind == "f" and not name.startswith("c")
    return library.tensor(value, requires_grad=grad)


def _gradients(library: Any, result: Any, leaves: dict[str, Any], order: int) -> list[Any]:
    """Derivatives of a weighted sum of all results, then of a weighted sum of those, and so on."""
    found: list[Any] = []
    outputs = [t for t in flat(result) if isinstance(t, library.Tensor) and t.requires_grad]
    inputs = list(leaves.values())
    for level in range(order):
        outputs = [t for t in outputs if t is not None and t.requires_grad]
        if not outputs or not inputs:
            break
        weights = [_weights(library, t, level) for t in outputs]
        last = level == order - 1
        try:
            outputs = library.autograd.grad(
                outputs, inputs, weights, create_graph=not last, allow_unused=True
            )
        except (RuntimeError, NotImplementedError) as error:
            return [*found, Raised(error)]
        found.append([None if t is None else t.detach() for t in outputs])
    return found


def _weights(library: Any, like: Any, level: int) -> Any:
    """Different numbers for different elements, so that no mistake cancels out."""
    n = int(np.prod(like.shape))
    values = 1 + np.arange(n).reshape(tuple(like.shape)) % 7 / 4 + level
    return library.tensor(values.astype(str(like.dtype).rpartition(".")[2]))


def flat(value: Any) -> list[Any]:
    """The items of nested tuples and lists."""
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flat(item)]
    return [value]


# --- comparison ----------------------------------------------------------------------------------


def compare(expected: Any, actual: Any, ulps: int = 0, what: str = "", norm: bool = False) -> None:
    """Assert that a result of PyTorch's and one of ours are the same."""
    if isinstance(expected, Raised) or isinstance(actual, Raised):
        _compare_errors(expected, actual, what)
    elif isinstance(expected, torch.Tensor):
        assert isinstance(actual, minigrad.Tensor), f"{what}: {expected!r} / {actual!r}"
        for name, theirs in facts(expected, norm).items():
            ours = facts(actual, norm)[name]
            assert ours == theirs, f"{what}: {name} {ours} instead of {theirs}"
        _compare_values(expected.numpy(force=True), actual.numpy(force=True), ulps, what, norm)
    elif isinstance(expected, (tuple, list)):
        assert isinstance(actual, (tuple, list)), f"{what}: {actual!r} is no sequence"
        assert len(expected) == len(actual), (
            f"{what}: {len(actual)} items instead of {len(expected)}"
        )
        for one, other in zip(expected, actual, strict=True):
            compare(one, other, ulps, what, norm)
    elif isinstance(expected, float):
        assert isinstance(actual, float), f"{what}: {actual!r} instead of {expected!r}"
        _compare_values(np.asarray(expected), np.asarray(actual), ulps, what, norm)
    else:
        ours = without_library(str(actual))
        assert ours == str(expected), f"{what}: {ours} instead of {expected}"


def without_library(text: str) -> str:
    return on_device.neutral(text.replace("minigrad.", "torch."))


def _compare_errors(expected: Any, actual: Any, what: str) -> None:
    assert isinstance(actual, Raised), (
        f"{what}: no error, but {actual!r} instead of {expected.kind}: {expected.text}"
    )
    assert isinstance(expected, Raised), (
        f"{what}: {actual.kind}: {actual.text} instead of {expected!r}"
    )
    assert actual.kind == expected.kind, (
        f"{what}: {actual.kind}: {actual.text} / {expected.kind}: {expected.text}"
    )
    if "invalid combination" not in expected.text:  # a listing of C++ signatures
        assert actual.text == expected.text.partition("\nException raised from")[0], what


def facts(tensor: Any, is_gradient: bool = False) -> dict[str, Any]:
    """What shows of a tensor beside its values; of a gradient, shape and dtype matter."""
    basic = {"shape": tuple(tensor.shape), "dtype": str(tensor.dtype).rpartition(".")[2]}
    if is_gradient:
        return basic
    is_view = tensor._is_view()
    return basic | {
        "stride": stride(tensor), "requires_grad": tensor.requires_grad, "is_leaf": tensor.is_leaf,
        "is_view": is_view,
        "offset": tensor.storage_offset() if is_view and tensor.numel() else 0,
        "graph": graph(tensor.grad_fn), "output_nr": tensor.output_nr,
    }  # fmt: skip


def stride(tensor: Any) -> tuple[int, ...]:
    """The strides, which mean nothing for dimensions of size 1 and for empty tensors."""
    if 0 in tensor.shape:
        return ()
    return tuple(s for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n != 1)


def graph(node: Any) -> Any:
    """A node's name and what its `next_functions` lead to, as nested tuples."""
    if node is None:
        return None
    return node.name(), tuple((graph(child), number) for child, number in node.next_functions)


def _compare_values(expected: Any, actual: Any, ulps: int, what: str, norm: bool) -> None:
    message = f"{what}:\n{actual}\ninstead of\n{expected}"
    if on_device.chosen:
        ulps, norm = max(ulps, on_device.ULPS), True
    if expected.dtype.kind != "f" or not expected.size:
        assert np.array_equal(expected, actual), message
        return
    assert np.array_equal(np.isnan(expected), np.isnan(actual)), message
    if norm and ulps:
        finite = np.abs(expected[np.isfinite(expected)])
        unit = np.spacing(finite.max(initial=np.finfo(expected.dtype).tiny))
        apart = np.where(expected == actual, 0.0, np.abs(expected - actual) / unit)
        assert not np.nan_to_num(apart, nan=0.0, posinf=np.inf).max() > ulps, message
    else:
        assert ulps_apart(expected, actual) <= ulps, (
            f"{ulps_apart(expected, actual)} ULP apart: {message}"
        )


def ulps_apart(expected: Any, actual: Any) -> int:
    """The number of floats between two arrays' elements, where they are furthest apart; -0.0 is
    not 0.0: it is one step away."""
    kind = FLOATS[expected.dtype]
    steps = []
    for array in (expected, actual):
        bits = (
            np.where(np.isnan(array), 0.0, array).astype(expected.dtype).view(kind).astype(np.int64)
        )
        steps.append(np.where(bits < 0, np.iinfo(kind).min - bits - 1, bits).astype(object))
    return int(np.abs(steps[0] - steps[1]).max())


# --- finite differences --------------------------------------------------------------------------


def check_gradient(program: str, **inputs: Any) -> None:
    """Assert that minigrad's gradients are the slopes of secants, in float64."""
    result, leaves = _run(minigrad, program, inputs)
    assert not isinstance(result, Raised), result.text
    gradients = _gradients(minigrad, result, leaves, 1)[0]
    assert not isinstance(gradients, Raised), gradients.text
    used = {node.id for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Name)}
    for name, gradient in zip(leaves, gradients, strict=True):
        if name not in used:
            assert gradient is None, name
            continue
        places = list(np.ndindex(inputs[name].shape))
        if on_device.chosen:  # each takes two runs, slow ones on the stand-in
            places = places[:: 1 + len(places) // 16]
        slopes = [_slope(program, inputs, name, at) for at in places]
        ours = np.zeros(inputs[name].shape) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(
            [ours[at] for at in places], slopes, rtol=1e-5, atol=1e-7,
            err_msg=f"{program}, d/d{name}",
        )  # fmt: skip


def _slope(program: str, inputs: dict[str, Any], name: str, at: Any) -> float:
    ends = [
        _weighted(program, {**inputs, name: _moved(inputs[name], at, step)})
        for step in (1e-6, -1e-6)
    ]
    return (ends[0] - ends[1]) / 2e-6


def _moved(array: Any, at: Any, step: float) -> Any:
    moved = array.copy()
    moved[at] += step
    return moved


def _weighted(program: str, inputs: dict[str, Any]) -> float:
    result, _ = _run(minigrad, program, inputs)
    assert not isinstance(result, Raised), result.text
    outputs = [t for t in flat(result) if isinstance(t, minigrad.Tensor) and t.requires_grad]
    return sum(
        float((t.detach().numpy() * _weights(minigrad, t, 0).numpy()).sum()) for t in outputs
    )


def integers(*shape: int, dtype: Any = np.int64, low: int = -4, high: int = 5) -> Any:
    """Small whole numbers, the same in every run."""
    return np.random.default_rng(sum(shape) + 1).integers(low, high, shape).astype(dtype)


def reals(*shape: int, dtype: Any = np.float64, seed: int = 0) -> Any:
    """Normal numbers, the same in every run and different for each seed."""
    return np.random.default_rng(100 * seed + sum(shape)).standard_normal(shape).astype(dtype)
