"""NumPy's names of arguments, which PyTorch understands too: `x.sum(axis=0, keepdims=True)`.

A function takes them as `**names` and begins with

    if names:
        return renamed(sum, names, input=input, dim=dim, keepdim=keepdim)

which costs a call without them next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TORCH_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def renamed(function: Callable[..., Any], names: dict[str, Any], /, **arguments: Any) -> Any:
    """`function(**arguments)` with NumPy's `names` in the place of PyTorch's.

    TypeError for a name that is neither."""
    for name, value in names.items():
        torch_name = TORCH_NAMES.get(name)
        if torch_name not in arguments:
            called = function.__name__.strip("_")
            raise TypeError(f"{called}() got an unexpected keyword argument '{name}'")
        arguments[torch_name] = value
    return function(**arguments)
