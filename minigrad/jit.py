"""TorchScript, which does not exist here: programs run as they are written.

The decorators that only annotate leave a function as it is; what would make a script of one is
refused.
"""

from __future__ import annotations

from typing import Any, NoReturn

_REFUSED = (
    "jit.%s is not supported: minigrad runs Python as it is and makes no TorchScript. Call the "
    "function or module itself; save parameters by `save(model.state_dict(), path)`."
)


def script(obj: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: there is no TorchScript."""
    raise NotImplementedError(_REFUSED % "script")


def trace(func: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: there is no TorchScript."""
    raise NotImplementedError(_REFUSED % "trace")


def load(*args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: there is no TorchScript."""
    raise NotImplementedError(_REFUSED % "load")


def save(*args: Any, **kwargs: Any) -> NoReturn:
    """NotImplementedError: there is no TorchScript."""
    raise NotImplementedError(_REFUSED % "save")


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself: `@ignore` or `@ignore(drop=True)`."""
    return drop if callable(drop) else ignore


def unused(fn: Any) -> Any:
    """The function itself."""
    return fn


def export(fn: Any) -> Any:
    """The function itself."""
    return fn


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False
