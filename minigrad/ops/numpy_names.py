"""NumPy's names of arguments, which PyTorch understands too: `x.sum(axis=0, keepdims=True)`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])

TORCH_NAMES = {"axis": "dim", "keepdims": "keepdim"}


def numpy_names(function: F) -> F:
    """A function that takes `axis` for `dim`, and `keepdims` for `keepdim` if it has that."""
    code = cast(Any, function).__code__
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    known = {theirs: ours for theirs, ours in TORCH_NAMES.items() if ours in own}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            return function(*args)
        return function(*args, **{known.get(name, name): v for name, v in kwargs.items()})

    return cast(F, call)
