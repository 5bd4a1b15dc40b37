"""Parametrisations: a parameter that is a function of another one, computed at each reading.

`register_parametrization(layer, "weight", Symmetric())` moves the parameter to
`layer.parametrizations.weight.original` and makes `layer.weight` a property: reading it gives
`Symmetric()(original)`, assigning to it sets the original by `right_inverse`. For that the module
gets a class of its own, derived from the one that it had.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from ...autograd.grad_mode import no_grad
from ...tensor import Tensor
from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization",
    "remove_parametrizations", "type_before_parametrizations",
]  # fmt: skip

M = TypeVar("M", bound=Module)


class _Cache:
    """What properties gave since the outermost `cached()` was entered."""

    depth = 0
    values: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Within it, each parametrised tensor is computed once: for weights that are used repeatedly."""
    _Cache.depth += 1
    try:
        yield
    finally:
        _Cache.depth -= 1
        if not _Cache.depth:
            _Cache.values.clear()


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, the first one innermost, and what they start from:
    `original`, or `original0`, `original1`, ... if the first one takes several tensors."""

    original: Tensor
    unsafe: bool

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        with no_grad():
            start = self._inverted(original)
        if not isinstance(start, (Tensor, Sequence)):
            raise ValueError(
                "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got "
                + type(start).__name__
            )
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if isinstance(start, Tensor) else len(start)
        if isinstance(start, Tensor):
            self._keep(original, start)
        else:
            self._keep_several(original, start)
        if not unsafe:
            _check_unchanged(self(), shape, dtype)

    def _inverted(self, value: Any) -> Any:
        """What the parametrisations make `value` of, as far as they can tell."""
        for module in reversed(list(self)):
            inverse: Any = getattr(module, "right_inverse", None)
            if inverse is not None:
                try:
                    value = inverse(value)
                except NotImplementedError:
                    continue
        return value

    def _keep(self, original: Tensor, start: Tensor) -> None:
        if original.dtype != start.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {start.dtype}"
            )
        original.data = start
        _enter(self, "original", original)

    def _keep_several(self, original: Tensor, starts: Sequence[Any]) -> None:
        for i, start in enumerate(starts):
            if not isinstance(start, Tensor):
                raise ValueError(
                    "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). "
                    f"Got element {i} of the sequence with type {type(start).__name__}."
                )
            kept = Parameter(start) if isinstance(original, Parameter) else start
            _enter(self, f"original{i}", kept.requires_grad_(original.requires_grad))

    def right_inverse(self, value: Tensor) -> None:
        """Sets the original such that the parametrised tensor becomes `value`, if the parametrisations
        tell how; RuntimeError if one does not."""
        with no_grad():
            found: Any = value
            for module in reversed(list(self)):
                inverse: Any = getattr(module, "right_inverse", None)
                if inverse is None:
                    raise RuntimeError(
                        f"parametrization {type(module).__name__} does not implement right_inverse."
                    )
                found = inverse(found)
            self._assign(found)

    def _assign(self, found: Any) -> None:
        if self.is_tensor:
            if not isinstance(found, Tensor):
                raise ValueError(
                    f"`right_inverse` should return a tensor. Got {type(found).__name__}"
                )
            if found.dtype != self.original.dtype:
                raise ValueError(
                    f"The tensor returned by `right_inverse` has dtype {found.dtype} while `original` has "
                    f"dtype {self.original.dtype}"
                )
            self.original.data = found
            return
        if not isinstance(found, Sequence):
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors. Got {type(found).__name__}."
            )
        if len(found) != self.ntensors:
            raise ValueError(
                f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a "
                f"sequence of length {len(found)}."
            )
        for i, tensor in enumerate(found):
            getattr(self, f"original{i}").data = tensor

    def forward(self) -> Tensor:
        first, *rest = self
        names = ["original"] if self.is_tensor else [f"original{i}" for i in range(self.ntensors)]
        value: Tensor = first(*[getattr(self, name) for name in names])
        for module in rest:
            value = module(value)
        return value


def register_parametrization(
    module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> M:
    """Makes the parameter or buffer `tensor_name` a function of an original; returns the module.

    `parametrization` is a module that maps a tensor to one of the same shape and dtype (with
    `unsafe`, of others); its method `right_inverse`, if it has one, is called for the original. A
    second one is applied to the result of the first. ValueError if there is no such tensor.
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        if not unsafe:
            _check_another(getattr(module, tensor_name), parametrization, tensor_name)
        present = _parametrizations(module)[tensor_name]
        present.append(parametrization)
        present.unsafe |= unsafe
        return module
    if tensor_name not in module._parameters and tensor_name not in module._buffers:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with "
            f"name '{tensor_name}'"
        )
    parametrizations = ParametrizationList(
        [parametrization], getattr(module, tensor_name), unsafe=unsafe
    )
    delattr(module, tensor_name)
    if not is_parametrized(module):
        _give_own_class(module)
        module.parametrizations = ModuleDict()
    setattr(type(module), tensor_name, _property(tensor_name))
    _parametrizations(module)[tensor_name] = parametrizations
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether this tensor of the module, or any, is parametrised."""
    present = getattr(module, "parametrizations", None)
    if not isinstance(present, ModuleDict):
        return False
    return len(present) > 0 if tensor_name is None else tensor_name in present


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Makes the tensor an ordinary parameter or buffer again, with the value that it has, or with
    the original's (`leave_parametrized=False`, not if there are several originals)."""
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = _parametrizations(module)[tensor_name]
    if parametrizations.is_tensor:
        tensor = parametrizations.original
        if leave_parametrized:
            with no_grad():
                tensor.data = getattr(module, tensor_name)
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        tensor = Parameter(value) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms "
            "of a sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del _parametrizations(module)[tensor_name]
    _enter(module, tensor_name, tensor)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class that the module had before its first parametrisation."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def _parametrizations(module: Any) -> Any:
    return module.parametrizations


def _enter(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _give_own_class(module: Any) -> None:
    cls = type(module)
    methods = {"__getstate__": _refuse_pickling, "__deepcopy__": _deepcopy}
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), methods)


def _refuse_pickling(module: Any) -> Any:
    raise RuntimeError(
        "Serialization of parametrized modules is only supported through state_dict(). See:\n"
        "https://pytorch.org/tutorials/beginner/saving_loading_models.html#saving-loading-a-general-checkpoint-"
        "for-inference-and-or-resuming-training"
    )


def _deepcopy(module: Any, memo: dict[int, Any]) -> Any:
    """Both share the class, and with it the properties."""
    replica = memo[id(module)] = object.__new__(type(module))
    replica.__setstate__(copy.deepcopy(module.__dict__, memo))
    return replica


def _property(name: str) -> property:
    def get(module: Any) -> Tensor:
        if not _Cache.depth:
            return module.parametrizations[name]()  # type: ignore[no-any-return]
        key = id(module), name
        if key not in _Cache.values:
            _Cache.values[key] = module.parametrizations[name]()
        return _Cache.values[key]

    def set_original(module: Any, value: Tensor) -> None:
        module.parametrizations[name].right_inverse(value)

    return property(get, set_original)


# --- checks --------------------------------------------------------------------------------------


def _check_unchanged(value: Any, shape: Any, dtype: Any) -> None:
    _check_is_tensor(value)
    for what, before, after in (("dtype", dtype, value.dtype), ("shape", shape, value.shape)):
        if before != after:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag "
                f"is enabled.\nunparametrized {what}: {before}\nparametrized {what}: {after}"
            )


def _check_another(before: Tensor, parametrization: Any, name: str) -> None:
    """That one more parametrisation, and its `right_inverse`, keep dtype and shape."""
    after = parametrization(before)
    _check_is_tensor(after)
    for what in ("dtype", "shape"):
        if getattr(before, what) != getattr(after, what):
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless the `unsafe` "
                f"flag is enabled.\nmodule.{name}.{what}: {getattr(before, what)}\n"
                f"parametrization(module.{name}).{what}: {getattr(after, what)}"
            )
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(after)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(
            f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}"
        )
    for what in ("dtype", "shape"):
        if getattr(before, what) != getattr(back, what):
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {what} as "
                f"module.{name}, unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: "
                f"{getattr(before, what)}\nreturned {what}: {getattr(back, what)}"
            )


def _check_is_tensor(value: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
