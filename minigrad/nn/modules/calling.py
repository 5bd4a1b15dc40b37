"""Calling a module: `forward` between the hooks that users have hung into it.

Hooks run before `forward` (they may change the arguments), after it (they may change the result),
and in the backward pass (`backward_hooks.py`); those of all modules run before a module's own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from ...utils.hooks import RemovableHandle, add_hook
from ...warn import warn
from .backward_hooks import BackwardHook, warn_if_incomplete, with_module
from .state_dict import Stateful

__all__ = [
    "CallableModule", "register_module_backward_hook", "register_module_forward_hook",
    "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]  # fmt: skip

Hook = Callable[..., Any]
Hooks = OrderedDict[int, Hook]
Flags = OrderedDict[int, bool]  # the numbers of the hooks that have some property
Arguments = tuple[tuple[Any, ...], dict[str, Any]]

_PER_MODULE = (
    "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks",
    "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_backward_pre_hooks",
    "_backward_hooks",
)  # fmt: skip


class _GlobalHooks:
    """The hooks of all modules, under the names that a module's own have."""

    def __init__(self) -> None:
        self.forward_pre: Hooks = OrderedDict()
        self.forward: Hooks = OrderedDict()
        self.with_kwargs: Flags = OrderedDict()
        self.always_called: Flags = OrderedDict()
        self.backward_pre: Hooks = OrderedDict()
        self.backward: Hooks = OrderedDict()
        self.is_full_backward: bool | None = None  # None until the first one is registered


_everywhere = _GlobalHooks()
_any_everywhere: Flags = OrderedDict()  # all their numbers: one look at each call of a module


# --- hooks for all modules -----------------------------------------------------------------------


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, args)` before the forward of every module."""
    return add_hook(_everywhere.forward_pre, hook, _any_everywhere)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls `hook(module, args, output)` after the forward of every module."""
    flags = [_any_everywhere, _everywhere.with_kwargs] if with_kwargs else [_any_everywhere]
    flags += [_everywhere.always_called] if always_call else []
    return add_hook(_everywhere.forward, hook, *flags)


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_output)` when the gradient of any module's output is there."""
    return add_hook(_everywhere.backward_pre, hook, _any_everywhere)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_input, grad_output)` when the gradients of any module are there."""
    _everywhere.is_full_backward = _checked_kind(
        _everywhere.is_full_backward, True, "as a global Module hook"
    )
    return add_hook(_everywhere.backward, hook, _any_everywhere)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The older kind: hangs on the last node of each module, which may not be all of it."""
    _everywhere.is_full_backward = _checked_kind(
        _everywhere.is_full_backward, False, "as a global Module hook"
    )
    return add_hook(_everywhere.backward, hook, _any_everywhere)


def _checked_kind(before: bool | None, full: bool, where: str) -> bool:
    if before is not None and before != full:
        raise RuntimeError(
            f"Cannot use both regular backward hooks and full backward hooks {where}. Please use only one of them."
        )
    return full


# --- one module's --------------------------------------------------------------------------------


def _missing_forward(self: Any, *input: Any) -> Any:
    """What the module computes. Every subclass defines it; callers call the module itself."""
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class CallableModule(Stateful):
    """The third of the parts of `Module`: its call, and the hooks around it."""

    _forward_pre_hooks: Hooks
    _forward_pre_hooks_with_kwargs: Flags
    _forward_hooks: Hooks
    _forward_hooks_with_kwargs: Flags
    _forward_hooks_always_called: Flags
    _backward_pre_hooks: Hooks
    _backward_hooks: Hooks
    _is_full_backward_hook: bool | None

    def _make_call_hooks(self) -> None:
        for name in _PER_MODULE:
            self.__dict__[name] = OrderedDict()
        self.__dict__["_is_full_backward_hook"] = None

    forward: Callable[..., Any] = _missing_forward

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks or self._forward_pre_hooks or self._backward_hooks
            or self._backward_pre_hooks or _any_everywhere
        ):  # fmt: skip
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """`forward` with hooks around it; if it fails, hooks with `always_call` still run."""
        called: set[int] = set()
        result = None
        try:
            full, pre, older = self._all_backward_hooks()
            args, kwargs = self._run_pre_hooks(args, kwargs)
            backward = BackwardHook(self, full, pre) if full or pre else None
            args = args if backward is None else backward.enter(args)
            result = self.forward(*args, **kwargs)
            for number, hook in [*_everywhere.forward.items(), *self._forward_hooks.items()]:
                called.add(number)
                changed = self._run_hook(number, hook, args, kwargs, result)
                result = result if changed is None else changed
            if backward is not None:
                _warn_of_other_results(result)
                result = backward.leave(result)
            if older:
                self._hang_on_last_node(older, args, result)
            return result
        except Exception:
            self._run_always_called(called, args, kwargs, result)
            raise

    # -- forward hooks ---------------------------------------------------------------------------

    def _run_pre_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        for number, hook in [*_everywhere.forward_pre.items(), *self._forward_pre_hooks.items()]:
            if number in self._forward_pre_hooks_with_kwargs:
                changed = hook(self, args, kwargs)
                if changed is not None:
                    if not isinstance(changed, tuple) or len(changed) != 2:
                        raise RuntimeError(
                            "forward pre-hook must return None or a tuple "
                            f"of (new_args, new_kwargs), but got {changed}."
                        )
                    args, kwargs = changed
            else:
                changed = hook(self, args)
                if changed is not None:
                    args = changed if isinstance(changed, tuple) else (changed,)
        return args, kwargs

    def _run_hook(self, number: int, hook: Hook, args: Any, kwargs: Any, result: Any) -> Any:
        if number in self._forward_hooks_with_kwargs or number in _everywhere.with_kwargs:
            return hook(self, args, kwargs, result)
        return hook(self, args, result)

    def _run_always_called(self, called: set[int], args: Any, kwargs: Any, result: Any) -> None:
        """After an error: the hooks that want to run nevertheless. Their own errors only warn."""
        for hooks, always, text in (
            (_everywhere.forward, _everywhere.always_called, "global module"),
            (self._forward_hooks, self._forward_hooks_always_called, "module"),
        ):
            for number, hook in hooks.items():
                if number not in always or number in called:
                    continue
                try:
                    changed = self._run_hook(number, hook, args, kwargs, result)
                    result = result if changed is None else changed
                except Exception as error:
                    warn(
                        f"{text} forward hook with ``always_call=True`` raised an exception "
                        f"that was silenced as another error was raised in forward: {error!s}"
                    )

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, args)` before `forward`; it may return other arguments.

        With `with_kwargs` it is called as `hook(module, args, kwargs)` and returns both or None.
        """
        flags = [self._forward_pre_hooks_with_kwargs] if with_kwargs else []
        return add_hook(self._forward_pre_hooks, hook, *flags, prepend=prepend)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:  # fmt: skip
        """Calls `hook(module, args, output)` after `forward`; it may return another output.

        With `with_kwargs` it is called as `hook(module, args, kwargs, output)`; with
        `always_call` also when `forward` has raised.
        """
        flags = [self._forward_hooks_with_kwargs] if with_kwargs else []
        flags += [self._forward_hooks_always_called] if always_call else []
        return add_hook(self._forward_hooks, hook, *flags, prepend=prepend)

    # -- backward hooks --------------------------------------------------------------------------

    def _all_backward_hooks(self) -> tuple[list[Hook], list[Hook], list[Hook]]:
        """The full ones, the pre-hooks, and those of the older kind."""
        kinds: dict[bool | None, list[Hook]] = {True: [], False: [], None: []}
        kinds[_everywhere.is_full_backward] += _everywhere.backward.values()
        kinds[self._is_full_backward_hook] += self._backward_hooks.values()
        pre = [*_everywhere.backward_pre.values(), *self._backward_pre_hooks.values()]
        return kinds[True], pre, kinds[False]

    def _hang_on_last_node(self, hooks: list[Hook], args: Any, result: Any) -> None:
        first = result
        while not isinstance(first, Tensor):
            if isinstance(first, dict):
                first = next(value for value in first.values() if isinstance(value, Tensor))
            else:
                first = first[0]
        if first.grad_fn is not None:
            for hook in hooks:
                first.grad_fn.register_hook(with_module(hook, self))
            warn_if_incomplete(args, result, first.grad_fn)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_output)` when the gradient of the module's output is there; what
        it returns, a tuple of as many, takes its place."""
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` when the gradient of the module's inputs is
        there; what it returns, a tuple of as many, takes the place of `grad_input`.

        Raises RuntimeError after `register_backward_hook`.
        """
        self._is_full_backward_hook = _checked_kind(
            self._is_full_backward_hook, True, "on a single Module"
        )
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The older kind of `register_full_backward_hook`: it hangs on the last node of the module,
        and sees the gradients of that node's inputs, which may not be the module's."""
        self._is_full_backward_hook = _checked_kind(
            self._is_full_backward_hook, False, "on a single Module"
        )
        return add_hook(self._backward_hooks, hook)


def _warn_of_other_results(result: Any) -> None:
    if not isinstance(result, (Tensor, tuple)):
        warn(
            "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
            f"but received {type(result)}"
        )
