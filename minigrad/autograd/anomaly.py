"""Anomaly mode: pay for bookkeeping, and be told the source lines behind an error.

With `set_detect_anomaly(True)` each node remembers where it was made and each in-place change
where it happened, so that the error about a changed value can show both lines; and a backward
formula that returns nan is reported at once.

A tape (`minigrad.tape`) wants to hear of the same events. `enabled` is the one flag that the hot paths
ask: it is set while either of the two is on.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dtypes import scalar_name
from ..warn import warn

if TYPE_CHECKING:
    from traceback import FrameSummary

enabled = False  # anomaly mode is on, or a tape is recording
mode = False  # anomaly mode is on
check_nan = True
tape: Any = None  # the recorder (`tape/recorder.py`) that listens now

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PURE = os.path.dirname(os.path.dirname(os.path.abspath(np.__file__))) + os.sep
_STANDARD = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
LIBRARIES = (PACKAGE, _PURE, _STANDARD, "<frozen ")  # not the user's own code

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
        self._previous = globals()["mode"], globals()["check_nan"]
        _set(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        _set(*self._previous)


class detect_anomaly(set_detect_anomaly):
    """Anomaly mode for a `with` block."""

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__(True, check_nan)
        warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should "
            "only be enabled for debugging."
        )


def _set(wanted: bool, nan: bool) -> None:
    global enabled, mode, check_nan
    mode, check_nan = wanted, nan
    enabled = mode or tape is not None


def set_tape(recorder: Any) -> None:
    """Let `recorder` hear of every event; None ends that."""
    global enabled, tape
    tape = recorder
    enabled = mode or tape is not None


def is_anomaly_enabled() -> bool:
    return mode


def is_anomaly_check_nan_enabled() -> bool:
    return check_nan


def here() -> FrameSummary:
    """The innermost line of the user's own code (its text is read from the file when asked for)."""
    from traceback import FrameSummary  # most programs never ask, and need not load it

    frame: Any = sys._getframe(1)
    found = frame
    while frame is not None:
        if not frame.f_code.co_filename.startswith(LIBRARIES):
            found = frame
            break
        frame = frame.f_back
    code = found.f_code
    return FrameSummary(code.co_filename, found.f_lineno, code.co_name, lookup_line=False)


def note(
    node: Any,
    row: Any = None,
    args: Sequence[Any] = (),
    results: Sequence[Any] = (),
    is_written: bool = True,
) -> None:
    """Remember where `node` was made, by which call of an op."""
    node.metadata["made_at"] = here()
    if tape is not None:
        tape.on_op(node, row, args, results, is_written)


def note_unrecorded(row: Any, args: Sequence[Any], results: Sequence[Any]) -> None:
    """Tell the tape of a call that is no part of the graph."""
    if tape is not None:
        tape.on_op(None, row, args, results, True)


def note_alias(source: Any, alias: Any, how: str) -> None:
    """Tell the tape of a Tensor that shares the memory of `source`, outside of the graph."""
    if tape is not None:
        tape.on_alias(source, alias, how)


def note_created(tensor: Any) -> None:
    """Tell the tape of a Tensor that was made from values."""
    if tape is not None:
        tape.on_created(tensor)


def note_grad(tensor: Any) -> None:
    """Tell the tape that `.grad` of a Tensor was set from outside."""
    if tape is not None:
        tape.on_grad_set([tensor])


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
    saved = node.metadata.get("made_at")
    changes = [site for at, site in value._version_counter[1:] if at > version]
    parts = [("saved for the backward pass", saved)] + [("changed in place", c) for c in changes]
    return "".join(
        f"\nThe value was {what} here:\n  {site.filename}:{site.lineno}: {site.line}"
        for what, site in parts
        if site is not None
    )


def check(node: Any, gradients: Any) -> None:
    """Raise if a formula of `node` returned nan."""
    if not (mode and check_nan):
        return
    for index, gradient in enumerate(gradients):
        array = getattr(gradient, "_array", gradient)
        if gradient is not None and bool(np.isnan(array).any()):
            made = node.metadata.get("made_at")
            where = (
                f"\nThe node was made here:\n  {made.filename}:{made.lineno}: {made.line}"
                if made
                else ""
            )
            raise RuntimeError(
                f"Function '{node.name()}' returned nan values in its {index}th output.{where}"
            )
