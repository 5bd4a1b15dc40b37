"""Anomaly mode: pay for bookkeeping, and be told the source lines behind an error.

With `set_detect_anomaly(True)` each node remembers where it was made and each in-place change
where it happened, so that the error about a changed value can show both lines; and a backward
formula that returns nan is reported at once.
"""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import numpy as np

from ..dtypes import scalar_name

enabled = False
check_nan = True

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)
INFERENCE = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference "
    "mode in computation tracked by autograd. To work around this, you can make a clone to get a "
    "normal tensor and use it in autograd, or use `torch.no_grad()` instead of "
    "`torch.inference_mode()`."
)
_HINT = (
    " Hint: enable anomaly detection to find the operation that failed to compute its gradient, "
    "with torch.autograd.set_detect_anomaly(True, check_nan=False)."
)


class set_detect_anomaly:
    """Switch anomaly mode on or off; with `with`, for a block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = enabled, globals()["check_nan"]
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _set(*self._previous)


class detect_anomaly(set_detect_anomaly):
    """Anomaly mode for a `with` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging.",
            stacklevel=2,
        )


def _set(mode: bool, nan: bool) -> None:
    global enabled, check_nan
    enabled, check_nan = mode, nan


def is_anomaly_enabled() -> bool:
    return enabled


def is_anomaly_check_nan_enabled() -> bool:
    return check_nan


def here() -> traceback.FrameSummary:
    """The innermost line of the user's own code."""
    stack = traceback.extract_stack()
    package = __name__.partition(".")[0]
    for frame in reversed(stack):
        if f"/{package}/" not in frame.filename.replace("\\", "/"):
            return frame
    return stack[0]


def note(node: Any) -> None:
    """Remember where `node` was made."""
    node.__dict__["_made_at"] = here()


def modified(value: Any, version: int, node: Any) -> str:
    """The error text for a saved value that an in-place operation has changed since."""
    if value._view is not None:
        value._refresh_view()
    producer = value._edge or (
        None if value._saved_output_nr is None else (node, value._saved_output_nr)
    )
    kind, shape = scalar_name(value._array.dtype), list(value._array.shape)
    of = f", which is output {producer[1]} of {op_name(producer[0])}," if producer else ""
    text = (
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{kind}Tensor {shape}]{of} is at version {value._version_counter[0]}; "
        f"expected version {version} instead."
    )
    return text + (_lines(value, version, node) if enabled else _HINT)


def op_name(node: Any) -> str:
    name: str = node.name()
    return name.rpartition("Backward")[0] or name


def _lines(value: Any, version: int, node: Any) -> str:
    saved = node.__dict__.get("_made_at")
    changes = [site for at, site in value._version_counter[1:] if at > version]
    parts = [("saved for the backward pass", saved)] + [("changed in place", c) for c in changes]
    return "".join(
        f"\nThe value was {what} here:\n  {site.filename}:{site.lineno}: {site.line}"
        for what, site in parts
        if site is not None
    )


def check(node: Any, gradients: Any) -> None:
    """Raise if a formula of `node` returned nan."""
    if not check_nan:
        return
    for index, gradient in enumerate(gradients):
        array = getattr(gradient, "_array", gradient)
        if gradient is not None and bool(np.isnan(array).any()):
            made = node.__dict__.get("_made_at")
            where = (
                f"\nThe node was made here:\n  {made.filename}:{made.lineno}: {made.line}"
                if made
                else ""
            )
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {index}th output.{where}"
            )
