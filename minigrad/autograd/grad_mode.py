"""Grad mode: whether operations are recorded in the graph.

The mode belongs to the thread (and to the asyncio task) that set it, so it is a context variable.
Each class here works as a context manager and as a decorator, as in PyTorch.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

_mode: ContextVar[bool] = ContextVar("minigrad_grad_mode", default=True)
_inference: ContextVar[bool] = ContextVar("minigrad_inference_mode", default=False)
is_grad_enabled = _mode.get
set_mode = _mode.set
is_inference_mode_enabled = _inference.get
F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """Sets the grad mode on entry, restores what was there on exit; may be nested and reused."""

    mode = False

    def __init__(self) -> None:
        self._previous: list[bool] = []

    def __enter__(self) -> Any:
        self._previous.append(_mode.get())
        _mode.set(self.mode)

    def __exit__(self, *exc: object) -> None:
        _mode.set(self._previous.pop())

    def clone(self) -> _Mode:
        return type(self)()

    def __call__(self, function: F) -> F:
        """Run `function` (or each step of a generator function) in this mode."""
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def in_mode(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return in_mode  # type: ignore[return-value]

    def _wrap_generator(self, function: Any) -> Any:
        @functools.wraps(function)
        def in_mode(*args: Any, **kwargs: Any) -> Iterator[Any]:
            # The caller's own mode is back whenever the generator waits at a yield.
            generator, value = function(*args, **kwargs), None
            while True:
                with self.clone():
                    try:
                        item = generator.send(value)
                    except StopIteration as stop:
                        return stop.value
                value = yield item

        return in_mode


class _BareDecorator(_Mode):
    """Allows `@no_grad` without parentheses, beside `@no_grad()` and `with no_grad():`."""

    def __new__(cls, function: Any = None) -> Any:
        mode = super().__new__(cls)
        if function is None:
            return mode
        mode.__init__()  # type: ignore[misc]
        return mode(function)


class no_grad(_BareDecorator):
    """Operations inside are not recorded: their results have `requires_grad=False`."""


class enable_grad(_BareDecorator):
    """Operations inside are recorded, also within `no_grad`."""

    mode = True


class set_grad_enabled(_Mode):
    """Sets the mode at once when called as a function; restores it when used with `with`."""

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.mode = mode
        self._before_call = _mode.get()
        _mode.set(mode)

    def __enter__(self) -> None:
        self._previous.append(self._before_call)
        _mode.set(self.mode)

    def clone(self) -> _Mode:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        _mode.set(self._before_call)
        return super().__call__(function)


class inference_mode(_Mode):
    """Like `no_grad`, and for good: tensors made inside may never join a graph later."""

    def __new__(cls, mode: Any = True) -> Any:
        instance = super().__new__(cls)
        if not callable(mode):
            return instance
        instance.__init__(True)  # type: ignore[misc]
        return instance(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.inference = mode
        self._previous_inference: list[bool] = []

    def __enter__(self) -> None:
        self._previous.append(_mode.get())
        self._previous_inference.append(_inference.get())
        _mode.set(_mode.get() and not self.inference)
        _inference.set(self.inference)

    def __exit__(self, *exc: object) -> None:
        _mode.set(self._previous.pop())
        _inference.set(self._previous_inference.pop())

    def clone(self) -> _Mode:
        return inference_mode(self.inference)
