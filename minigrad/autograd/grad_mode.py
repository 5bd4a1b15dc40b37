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

_recording: ContextVar[bool] = ContextVar("minigrad_recording", default=True)
_inference: ContextVar[bool] = ContextVar("minigrad_inference_mode", default=False)
_in_inference: ContextVar[bool] = ContextVar("minigrad_grad_mode_in_inference", default=False)
is_recording = _recording.get  # grad mode is on, and inference mode is not
is_inference_mode_enabled = _inference.get
F = TypeVar("F", bound=Callable[..., Any])


def is_grad_enabled() -> bool:
    """Whether grad mode is on. In inference mode it may be, though nothing is recorded."""
    return _in_inference.get() if _inference.get() else _recording.get()


def set_mode(grad: bool, inference: bool | None = None) -> None:
    """Set the grad mode of this thread (and whether it is in inference mode)."""
    if inference is None:
        inference = _inference.get()
    else:
        _inference.set(inference)
    if inference:
        _in_inference.set(grad)
    _recording.set(grad and not inference)


class _Mode:
    """Sets the modes on entry, restores what was there on exit; may be nested and reused."""

    mode = False

    def __init__(self) -> None:
        self._previous: list[tuple[bool, bool]] = []

    def __enter__(self) -> Any:
        self._previous.append((is_grad_enabled(), _inference.get()))
        set_mode(self.mode)

    def __exit__(self, *exc: object) -> None:
        set_mode(*self._previous.pop())

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
            generator = function(*args, **kwargs)
            resume: Callable[[], Any] = functools.partial(next, generator)
            while True:
                try:
                    with self.clone():
                        item = resume()
                except StopIteration as stop:
                    return stop.value
                try:
                    resume = functools.partial(generator.send, (yield item))
                except GeneratorExit:
                    with self.clone():
                        generator.close()
                    raise
                except BaseException as error:
                    resume = functools.partial(generator.throw, error)

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
        self._before_call = is_grad_enabled()
        set_mode(mode)

    def __enter__(self) -> None:
        self._previous.append((self._before_call, _inference.get()))
        set_mode(self.mode)

    def clone(self) -> _Mode:
        return set_grad_enabled(self.mode)

    def __call__(self, function: F) -> F:
        set_mode(self._before_call)
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

    def __enter__(self) -> None:
        self._previous.append((is_grad_enabled(), _inference.get()))
        set_mode(not self.inference, self.inference)

    def clone(self) -> _Mode:
        return inference_mode(self.inference)
