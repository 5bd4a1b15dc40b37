"""Saving and loading a module: `state_dict` gives its tensors under dotted names such as
`"layer.weight"`, `load_state_dict` copies such tensors back and reports what did not fit.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from ...autograd.grad_mode import no_grad
from ...tensor import Tensor
from ...utils.hooks import RemovableHandle, add_hook
from ...warn import warn
from ..parameter import Parameter, is_lazy
from .attributes import AttributeHolder

__all__ = ["Stateful"]

_EXTRA_STATE = "_extra_state"
Hooks = OrderedDict[int, Callable[..., Any]]


class _IncompatibleKeys(NamedTuple):
    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys}, "
            f"unexpected_keys={self.unexpected_keys})"
        )


class Stateful(AttributeHolder):
    """The second of the three parts of `Module`: its state as a dictionary."""

    _version = 1
    _state_dict_pre_hooks: Hooks
    _state_dict_hooks: Hooks
    _state_dict_hooks_that_replace: OrderedDict[int, bool]
    _load_state_dict_pre_hooks: Hooks
    _load_state_dict_post_hooks: Hooks

    def _make_state_dict_hooks(self) -> None:
        attributes = self.__dict__
        attributes["_state_dict_pre_hooks"] = OrderedDict()
        attributes["_state_dict_hooks"] = OrderedDict()
        attributes["_state_dict_hooks_that_replace"] = OrderedDict()
        attributes["_load_state_dict_pre_hooks"] = OrderedDict()
        attributes["_load_state_dict_post_hooks"] = OrderedDict()

    # -- saving ----------------------------------------------------------------------------------

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Parameters and persistent buffers of this module and its children, by dotted name.

        The tensors share memory with the module's; they are detached unless `keep_vars`. An
        `OrderedDict` with the modules' versions in `_metadata` is returned, or `destination`.
        """
        if args:
            warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.state_dict for details.",
                FutureWarning,
            )
            given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
            return self.state_dict(
                **{"destination": destination, "prefix": prefix, "keep_vars": keep_vars} | given
            )
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=prefix + name + ".", keep_vars=keep_vars
                )
        for number, hook in self._state_dict_hooks.items():
            changed = hook(self, destination, prefix, metadata)
            if changed is not None:
                if number not in self._state_dict_hooks_that_replace:
                    raise RuntimeError("state_dict post-hook must return None")
                destination = changed
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Enters this module's own tensors; a subclass with another format overrides it."""
        for name, tensor in self._saved_tensors().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _saved_tensors(self) -> dict[str, Tensor]:
        own: dict[str, Tensor | None] = {**self._parameters}
        own |= {
            name: buffer for name, buffer in self._buffers.items()
            if name not in self._non_persistent_buffers_set
        }  # fmt: skip
        return {name: tensor for name, tensor in own.items() if tensor is not None}

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(Stateful, method)

    def get_extra_state(self) -> Any:
        """A subclass that has more to save than tensors returns it here."""
        raise RuntimeError("get_extra_state is only called on modules that define it")

    def set_extra_state(self, state: Any) -> None:
        """A subclass takes back here what its `get_extra_state` gave."""
        raise RuntimeError("set_extra_state is only called on modules that define it")

    # -- loading ---------------------------------------------------------------------------------

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies the tensors of `state_dict` into this module and its children.

        With `strict`, names must be the same on both sides. With `assign`, the tensors become the
        module's own instead of being copied. Returns the names that were missing and those that
        nobody wanted. Raises RuntimeError with a line for each thing that did not fit, TypeError
        if `state_dict` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        copy: Any = OrderedDict(state_dict)  # hooks may change it
        if metadata is not None:
            copy._metadata = metadata
        keys = _IncompatibleKeys([], [])
        errors: list[str] = []
        self._load(copy, "", metadata or {}, assign, keys, errors)
        if strict:
            errors = _key_errors(keys) + errors
        if errors:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(self).__name__}:\n\t"
                + "\n\t".join(errors)
            )
        return keys

    def _load(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        metadata: Mapping[str, Any],
        assign: bool,
        keys: _IncompatibleKeys,
        errors: list[str],
    ) -> None:
        local_metadata = dict(metadata.get(prefix[:-1], {}))
        if assign:
            local_metadata["assign_to_params_buffers"] = True
        self._load_from_state_dict(
            state_dict, prefix, local_metadata, True, keys.missing_keys, keys.unexpected_keys,
            errors,
        )  # fmt: skip
        for name, child in self._modules.items():
            if child is not None:
                start = prefix + name + "."
                part = {key: v for key, v in state_dict.items() if key.startswith(start)}
                child._load(part, start, metadata, assign, keys, errors)
        for hook in self._load_state_dict_post_hooks.values():
            if hook(self, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                    "expected to return new values, if incompatible_keys need to be modified, "
                    "it should be done inplace."
                )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module's own tensors; a subclass that reads older formats overrides it."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                error_msgs,
            )  # fmt: skip
        assign = local_metadata.get("assign_to_params_buffers", False)
        own = self._saved_tensors()
        for name, tensor in own.items():
            key = prefix + name
            if key in state_dict:
                error_msgs += self._load_tensor(name, tensor, key, state_dict[key], assign)
            elif strict:
                missing_keys.append(key)
        self._load_extra_state(state_dict, prefix + _EXTRA_STATE, missing_keys, unexpected_keys)
        for key in state_dict:
            first, dot, _ = key[len(prefix) :].partition(".")
            held = self._modules if dot else {*own, _EXTRA_STATE}
            if strict and key.startswith(prefix) and first not in held:
                unexpected_keys.append(key)

    def _load_tensor(
        self, name: str, tensor: Tensor, key: str, saved: Any, assign: bool
    ) -> list[str]:
        """Loads one tensor; returns the error line, if there is one."""
        if not isinstance(saved, Tensor):
            return [
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
                f"object from checkpoint but received {type(saved)}"
            ]
        if is_lazy(tensor):
            pass  # the shape is not known yet, and need not be
        elif tensor.dim() == 0 and tuple(saved.shape) == (1,):  # as very old checkpoints have it
            saved = saved[0]
        elif saved.shape != tensor.shape:
            return [
                f"size mismatch for {key}: copying a param with shape {saved.shape} from "
                f"checkpoint, the shape in current model is {tensor.shape}."
            ]
        try:
            with no_grad():
                if assign:
                    setattr(self, name, _as_kind_of(tensor, saved))
                else:
                    tensor.copy_(saved)
        except Exception as error:
            return [
                f'While copying the parameter named "{key}", whose dimensions in the model are '
                f"{tensor.size()} and whose dimensions in the checkpoint are {saved.size()}, an "
                f"exception occurred : {error.args}."
            ]
        return []

    def _load_extra_state(
        self, state_dict: dict[str, Any], key: str, missing: list[str], unexpected: list[str]
    ) -> None:
        if not self._has_extra_state("set_extra_state"):
            if key in state_dict:
                unexpected.append(key)
        elif key in state_dict:
            self.set_extra_state(state_dict[key])
        else:
            missing.append(key)

    # -- hooks -----------------------------------------------------------------------------------

    def register_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls `hook(module, prefix, keep_vars)` before the module's tensors are collected."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, local_metadata)` after; it may change them."""
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As above, but the hook may return another dict; what libraries call in PyTorch."""
        return add_hook(self._state_dict_hooks, hook, self._state_dict_hooks_that_replace)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., None], with_module: bool = False
    ) -> RemovableHandle:
        """As below, but the hook is not given the module unless asked for."""
        called = hook if with_module else partial(_without_module, hook)
        return add_hook(self._load_state_dict_pre_hooks, called)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, local_metadata, strict, missing_keys,
        unexpected_keys, error_msgs)` before the module's tensors are loaded."""
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., None]) -> RemovableHandle:
        """Calls `hook(module, incompatible_keys)` after; it may change the two lists in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)


def _without_module(hook: Callable[..., None], module: Any, *args: Any) -> None:
    hook(*args)


def _as_kind_of(tensor: Tensor, saved: Tensor) -> Tensor:
    """`saved` as a parameter if `tensor` is one, with the same `requires_grad`."""
    if not isinstance(tensor, Parameter):
        return saved
    if isinstance(saved, Parameter):
        return saved.requires_grad_(tensor.requires_grad)
    return Parameter(saved, tensor.requires_grad)


def _key_errors(keys: _IncompatibleKeys) -> list[str]:
    named = {"Missing": keys.missing_keys, "Unexpected": keys.unexpected_keys}
    return [
        f"{kind} key(s) in state_dict: " + ", ".join(f'"{name}"' for name in names) + ". "
        for kind, names in named.items() if names
    ]  # fmt: skip
