"""Automatic differentiation: the graph, and the walk through it.

Read `node.py` (what an operation leaves behind) and `engine.py` (what `loss.backward()` does with
it). Then `grad_mode.py`, `inplace.py` (views and in-place changes), `function.py` (operations of
the user's own), `hooks.py`, `anomaly.py`. The public functions are in `interface.py`. On top of them
`functional.py` has Jacobians and Hessians, `forward_ad.py` the forward mode, `gradcheck.py` the
comparison with finite differences, and `graph.py` hooks on what is saved.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING

from . import graph
from .anomaly import detect_anomaly, set_detect_anomaly
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .gradcheck import gradcheck, gradgradcheck
from .interface import backward, grad
from .variable import Variable

__all__ = [
    "Variable",
    "Function", "backward", "detect_anomaly", "enable_grad", "forward_ad", "functional", "grad",
    "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad", "set_detect_anomaly",
    "set_grad_enabled",
]  # fmt: skip

if _TYPE_CHECKING:
    from . import forward_ad, functional


def __getattr__(name: str) -> object:
    """What few programs need is imported when they ask for it."""
    if name in ("forward_ad", "functional"):
        return _import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "forward_ad", "functional"})
