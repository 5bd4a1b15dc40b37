"""Automatic differentiation: the graph, and the walk through it.

Read `node.py` (what an operation leaves behind) and `engine.py` (what `loss.backward()` does with
it). Then `grad_mode.py`, `inplace.py` (views and in-place changes), `function.py` (operations of
the user's own), `hooks.py`, `anomaly.py`. The public functions are in `interface.py`. On top of them
`functional.py` has Jacobians and Hessians.
"""

from . import functional
from .anomaly import detect_anomaly, set_detect_anomaly
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .interface import backward, grad

__all__ = [
    "Function", "backward", "detect_anomaly", "enable_grad", "functional", "grad", "inference_mode", "no_grad",
    "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip
