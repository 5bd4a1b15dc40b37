"""What all optimizers have in common.

An optimizer holds parameters in groups, each a dict `{"params": [...], "lr": ..., ...}`; what a
group does not say is taken from `defaults`. What a rule remembers about a parameter (its momentum,
say) lies in `state[parameter]`. A subclass writes `step`, which runs between the hooks that users
have registered, and with gradients switched off in what it calls, save in the closure.
"""

from __future__ import annotations

import functools
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

from ..autograd import anomaly
from ..tensor import Tensor
from ..utils.hooks import RemovableHandle, add_hook
from ..utils.tensors import typename, zero_gradient
from ..warn import warn

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
    "required",
]

Hooks = OrderedDict[int, Callable[..., Any]]
Group = dict[str, Any]
StateDict = dict[str, Any]

_global_pre_hooks: Hooks = OrderedDict()
_global_post_hooks: Hooks = OrderedDict()


class _Required:
    """Default of an option that every group has to give itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` before each step of every optimizer."""
    return add_hook(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` after each step of every optimizer."""
    return add_hook(_global_post_hooks, hook)


def _between_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` between the hooks of its optimizer and those of all; just `step` if there are none."""

    @functools.wraps(step)
    def run(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if anomaly.tape is not None and anomaly.tape.stepping is not self:
            return anomaly.tape.on_step(self, lambda: run(self, *args, **kwargs))
        if not (
            self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks
            or _global_pre_hooks or _global_post_hooks
        ):  # fmt: skip
            return step(self, *args, **kwargs)
        arguments: tuple[Any, ...] = (self, *args)
        for hook in (*_global_pre_hooks.values(), *self._optimizer_step_pre_hooks.values()):
            changed = hook(self, arguments, kwargs)
            if changed is not None:
                arguments, kwargs = _checked_pair(step, changed)
        result = step(*arguments, **kwargs)
        for hook in (*self._optimizer_step_post_hooks.values(), *_global_post_hooks.values()):
            hook(self, arguments, kwargs)
        return result

    return run


def _checked_pair(step: Callable[..., Any], changed: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(changed, tuple) and len(changed) == 2:
        return changed
    raise RuntimeError(
        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}."
    )


class Optimizer:
    """Base class of all optimizers.

    Args:
        params: tensors, pairs (name, tensor), or groups, in an order that stays the same.
        defaults: options for groups that do not give them.

    Raises:
        TypeError: if `params` is one tensor or holds something else than tensors.
        ValueError: if it is empty, has a tensor that is no leaf, or one in two groups.
    """

    state: defaultdict[Any, Any]
    param_groups: list[Group]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _between_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        self._make_hooks()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or "
                f"dicts, but got {typename(params)}"
            )
        self.state = defaultdict(dict)
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._optimizer_step_pre_hooks: Hooks = OrderedDict()
        self._optimizer_step_post_hooks: Hooks = OrderedDict()
        self._optimizer_state_dict_pre_hooks: Hooks = OrderedDict()
        self._optimizer_state_dict_post_hooks: Hooks = OrderedDict()
        self._optimizer_load_state_dict_pre_hooks: Hooks = OrderedDict()
        self._optimizer_load_state_dict_post_hooks: Hooks = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults, "state": self.state, "param_groups": self.param_groups,
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_optimizer_step_pre_hooks" not in self.__dict__:  # hooks are not saved
            self._make_hooks()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            for key in sorted(group):
                if key != "params":
                    text += f"    {key}: {group[key]}\n"
        return text + ")"

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Changes the parameters once; `closure` recomputes the loss and returns it."""
        raise NotImplementedError

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes every parameter's gradient, or with `set_to_none=False` fills it with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p._grad = None
                elif p._grad is not None:
                    zero_gradient(p._grad)
        if anomaly.tape is not None:
            anomaly.tape.on_grad_set([p for group in self.param_groups for p in group["params"]])

    # -- groups ----------------------------------------------------------------------------------

    def add_param_group(self, param_group: Group) -> None:
        """Adds a group; `param_group["params"]` is a tensor, or a list of tensors or pairs."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        param_group.update(_names_and_tensors(param_group["params"]))
        for param in param_group["params"]:
            self._check_param(param)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    "parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            param_group.setdefault(name, default)
        self._check_group(param_group)
        self.param_groups.append(param_group)

    def _check_param(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(
                "optimizer can only optimize Tensors, but one of the params is " + typename(param)
            )
        if not (self.defaults.get("differentiable") or param.is_leaf or param.retains_grad):
            raise ValueError("can't optimize a non-leaf Tensor")

    def _check_group(self, param_group: Group) -> None:
        params = set(param_group["params"])
        if len(params) != len(param_group["params"]):
            warn(
                "optimizer contains a parameter group with duplicate parameters; "
                "in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information"
            )
        named = "param_names" in param_group
        for group in self.param_groups:
            if ("param_names" in group) != named:
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param "
                    f"group {'with' if named else 'without'} names to the optimizer"
                )
        if not params.isdisjoint(chain.from_iterable(g["params"] for g in self.param_groups)):
            raise ValueError("some parameters appear in more than one parameter group")

    # -- hooks -----------------------------------------------------------------------------------

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step; it may return new ones."""
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer)` before `state_dict` collects."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` after; it may return another state dict."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` before loading; it may return another one."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer)` after loading."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend=prepend)

    # -- saving and loading ----------------------------------------------------------------------

    def state_dict(self) -> StateDict:
        """`{"state": {number: {...}}, "param_groups": [...]}`: parameters become numbers, counted
        through all groups; the tensors of the state are not copied."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        for i, p in enumerate(chain.from_iterable(g["params"] for g in self.param_groups)):
            numbers.setdefault(id(p), i)
        result: StateDict = {
            "state": {
                (numbers[id(key)] if isinstance(key, Tensor) else key): value
                for key, value in self.state.items()
            },
            "param_groups": [
                {k: v for k, v in group.items() if k != "params"}
                | {"params": [numbers[id(p)] for p in group["params"]]}
                for group in self.param_groups
            ],
        }
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Takes over what `state_dict` returned, with floating-point state cast to its parameter.

        Raises ValueError if the number of groups, or of parameters in one, is another.
        """
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved = deepcopy(state_dict["param_groups"])
        _check_sizes(self.param_groups, saved)
        parameters = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in parameters:
                state[parameters[key]] = _cast(value, parameters[key])
            else:
                state[key] = value
        for group, new in zip(self.param_groups, saved, strict=True):
            new["params"] = group["params"]
            if "param_names" in group:
                new.setdefault("param_names", group["param_names"])
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)


def _names_and_tensors(params: Any) -> Group:
    """The list of tensors, and the list of their names if the tensors came in pairs."""
    if isinstance(params, Tensor):
        return {"params": [params]}
    if isinstance(params, set):
        raise TypeError(
            "optimizer parameters need to be organized in ordered collections, but "
            "the ordering of tensors in sets will change between runs. Please use a list instead."
        )
    entries = list(params)
    names = [entry[0] for entry in entries if isinstance(entry, tuple)]
    tensors = [entry[1] if isinstance(entry, tuple) else entry for entry in entries]
    if not names:
        return {"params": tensors}
    if len(names) != len(tensors):
        raise ValueError(
            "all optimizer params should be with/without names. Some param names are missing"
        )
    return {"params": tensors, "param_names": names}


def _check_sizes(groups: list[Group], saved: list[Group]) -> None:
    if len(groups) != len(saved):
        raise ValueError("loaded state dict has a different number of parameter groups")
    if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, saved, strict=True)):
        raise ValueError(
            "loaded state dict contains a parameter group "
            "that doesn't match the size of optimizer's group"
        )


def _cast(value: Any, param: Tensor, key: Any = None) -> Any:
    """A copy of the state's structure, its tensors cast to the parameter's dtype; `step`, which
    counts, keeps its own."""
    if isinstance(value, Tensor):
        return value.to(param.dtype) if param.is_floating_point() and key != "step" else value
    if isinstance(value, dict):
        return {k: _cast(v, param, k) for k, v in value.items()}
    if isinstance(value, Iterable):
        return type(value)(_cast(v, param) for v in value)  # type: ignore[call-arg]
    return value
