"""Functions that are no rows, such as `argmax`: a tape is told of their calls all the same.

What they compute has no gradient and no table would say more about them, so they are written as
plain functions on arrays.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from . import anomaly
from . import node as graph
from .row import Row

Function = TypeVar("Function", bound=Callable[..., Any])


def noted(function: Function) -> Function:
    """Tell a tape that records of each call. A call with `out=` tells of the write itself."""
    row = Row("", inspect.unwrap(function), {})

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if anomaly.enabled and kwargs.get("out") is None:
            results = result if isinstance(result, tuple) else (result,)
            tensors = [r for r in results if isinstance(r, graph.Tensor)]
            anomaly.note_unrecorded(row, args, tensors)
        return result

    return call  # type: ignore[return-value]
