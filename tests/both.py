"""Run one small program with PyTorch and with minigrad, and compare all that it observed.

    @on_both
    def test_product(torch, log):
        x = torch.tensor(2.0, requires_grad=True)
        (x * x).backward()
        log(x.grad)

`torch` is the library, `log(...)` notes values: Tensors become their dtype, shape, elements,
`requires_grad` and the name of `grad_fn`; nodes become their names. `log.error(f)` notes what
calling `f` raises, `log.graph(t)` the graph behind `t`. What the program raises itself, and the
warnings that it causes, are noted too. Both notebooks must be equal (floats: to rounding).
"""

import inspect
import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import on_device
import torch as pytorch

import minigrad

Program = Callable[..., None]


class Log:
    """What a program has observed so far, in a form that two libraries can agree on."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.notes: list[Any] = []

    def __call__(self, *values: Any) -> None:
        self.notes.append(tuple(self.plain(v) for v in values))

    def error(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Note the type and the text of the error that a call raises (or what it returns)."""
        try:
            self("no error", call(*args, **kwargs))
        except Exception as error:
            self(error)

    def graph(self, tensor: Any) -> None:
        """Note every node behind `tensor` and its edges, depth first; once seen, by number."""
        numbers: dict[Any, int] = {}
        pending = [tensor.grad_fn]
        while pending:
            node = pending.pop()
            if node is None or node in numbers:
                self("node", None if node is None else numbers[node])
                continue
            numbers[node] = len(numbers)
            edges = node.next_functions
            self("node", numbers[node], node.name(), [nr for _, nr in edges])
            pending += [n for n, _ in reversed(edges)]

    def plain(self, value: Any) -> Any:
        if isinstance(value, self.library.Tensor):
            kind = str(value.dtype).rpartition(".")[2]
            node = None if value.grad_fn is None else value.grad_fn.name()
            return "tensor", kind, tuple(value.shape), value.tolist(), value.requires_grad, node
        if isinstance(value, np.ndarray):
            return "array", str(value.dtype), value.shape, value.tolist()
        if isinstance(value, (tuple, list)):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return kind, *(self.plain(v) for v in value)
        if isinstance(value, BaseException):
            return "raised", type(value).__name__, neutral(str(value))
        if isinstance(value, str):
            return neutral(value)
        if isinstance(value, type):
            return "class", value.__name__
        if hasattr(value, "next_functions"):
            return "node", value.name()
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if isinstance(value, self.library.dtype):
            return neutral(str(value))
        raise TypeError(f"log a plain value, not {type(value)}")


def neutral(text: str) -> str:
    """A text without what may differ: the library's name, addresses, places in C++ sources."""
    text = on_device.neutral(text)
    text = re.sub(r"minigrad(?=\.)|(?<=')minigrad(?=')", "torch", text)
    text = re.sub(r" ?\(Triggered internally at [^)]*\)", "", text)
    text = text.partition("\nException raised from")[0]
    return re.sub(r"0x[0-9a-f]+", "0x..", text)


def observe(program: Program, library: Any, **arguments: Any) -> list[Any]:
    """Run `program` with `library` as its `torch`; return its notes."""
    log = Log(library)
    library.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            program(library, log, **arguments)
        except Exception as error:
            log("the program ended", error)
        finally:
            library.set_grad_enabled(True)
    # NumPy warns of PyTorch's old interface to it, and of infinities: minigrad filters these.
    ours = [w for w in caught if w.category not in (DeprecationWarning, RuntimeWarning)]
    log.notes += [("warning", w.category.__name__, neutral(str(w.message))) for w in ours]
    return log.notes


def agree(a: Any, b: Any) -> bool:
    """Equal, floats to within a few units of float32's last place."""
    if isinstance(a, float) and isinstance(b, float):
        return (
            a == b
            or (math.isnan(a) and math.isnan(b))
            or math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-7)
        )
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return type(a) is type(b) and len(a) == len(b) and all(map(agree, a, b))
    return type(a) is type(b) and bool(a == b)


def compare(program: Program, **arguments: Any) -> None:
    """Fail at the first note in which the two libraries part."""
    pytorch.set_warn_always(True)
    want, got = observe(program, pytorch, **arguments), observe(program, minigrad, **arguments)
    assert want, "the program noted nothing"
    for index, (a, b) in enumerate(zip(want, got, strict=False)):
        assert agree(a, b), f"note {index}\n  PyTorch:  {a}\n  minigrad: {b}"
    assert len(want) == len(got), f"notes: PyTorch {want[len(got) :]}, minigrad {got[len(want) :]}"


def on_both(program: Program) -> Callable[..., None]:
    """Make a test of a program: run it with both libraries and compare what it noted."""

    def test(**arguments: Any) -> None:
        compare(program, **arguments)

    for name in ("__name__", "__doc__", "__module__", "__qualname__"):
        setattr(test, name, getattr(program, name))
    parameters = list(inspect.signature(program).parameters.values())[2:]
    test.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    )
    if hasattr(program, "pytestmark"):
        test.pytestmark = program.pytestmark  # type: ignore[attr-defined]
    return test
