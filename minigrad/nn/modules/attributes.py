"""How a module sorts what is assigned to it: parameters, buffers, child modules, and the rest.

`self.weight = Parameter(...)` enters the parameter into `_parameters`, `self.layer = Linear(...)`
the module into `_modules`; a tensor goes to `_buffers` if a buffer of that name was registered
before. Everything else is an ordinary attribute. The names, the checks and the errors are
PyTorch's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ...tensor import Tensor
from ...utils.hooks import RemovableHandle, add_hook
from ...utils.tensors import typename
from ..parameter import Buffer, Parameter
from .registry import Registry

__all__ = [
    "AttributeHolder", "register_module_buffer_registration_hook",
    "register_module_module_registration_hook", "register_module_parameter_registration_hook",
]  # fmt: skip

_REGISTRIES = ("_parameters", "_buffers", "_modules")

Hook = Callable[..., Any]
Hooks = OrderedDict[int, Hook]
_parameter_hooks: Hooks = OrderedDict()
_buffer_hooks: Hooks = OrderedDict()
_module_hooks: Hooks = OrderedDict()


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, param)` when any module gets a parameter; it may return another."""
    return add_hook(_parameter_hooks, hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, buffer)` when any module gets a buffer; it may return another."""
    return add_hook(_buffer_hooks, hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, name, submodule)` when any module gets a child; it may return another."""
    return add_hook(_module_hooks, hook)


def _seen_by(hooks: Hooks, holder: Any, name: str, value: Any) -> Any:
    for hook in hooks.values():
        changed = hook(holder, name, value)
        value = value if changed is None else changed
    return value


class AttributeHolder:
    """The first of the three parts of `Module`: what it holds."""

    training: bool
    _parameters: Registry[Parameter | None]
    _buffers: Registry[Tensor | None]
    _modules: Registry[Any]
    _non_persistent_buffers_set: set[str]

    def _make_registries(self) -> None:
        attributes = self.__dict__
        attributes["training"] = True
        attributes["_parameters"] = Registry(self)
        attributes["_buffers"] = Registry(self)
        attributes["_modules"] = Registry(self)
        attributes["_non_persistent_buffers_set"] = set()

    # -- the attribute protocol ------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        parameters = self.__dict__.get("_parameters")
        if isinstance(value, Parameter):
            if parameters is None:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            if name not in parameters:
                self._forget(name)
            self.register_parameter(name, value)
        elif parameters is not None and name in parameters:
            if value is not None:
                raise TypeError(_refusal(value, "parameter", name, "torch.nn.Parameter or None"))
            self.register_parameter(name, None)
        elif isinstance(value, AttributeHolder) or name in self.__dict__.get("_modules", ()):
            self._assign_module(name, value)
        elif name in self.__dict__.get("_buffers", ()) or isinstance(value, Buffer):
            self._assign_buffer(name, value)
        elif name in _REGISTRIES:  # `module._modules = {...}`: a registry again, with its mirror
            for old in list(self.__dict__.get(name, ())):
                self.__dict__.pop(old, None)
            self.__dict__[name] = Registry(self, value)
        else:
            super().__setattr__(name, value)

    def _assign_module(self, name: str, value: Any) -> None:
        if "_modules" not in self.__dict__:
            raise AttributeError("cannot assign module before Module.__init__() call")
        if value is not None and not isinstance(value, AttributeHolder):
            raise TypeError(_refusal(value, "child module", name, "torch.nn.Module or None"))
        if name not in self._modules:
            self._forget(name)
        self._modules[name] = _seen_by(_module_hooks, self, name, value)

    def _assign_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            allowed = "torch.nn.Buffer, torch.Tensor or None"
            raise TypeError(_refusal(value, "buffer", name, allowed))
        persistent = name not in self.__dict__.get("_non_persistent_buffers_set", ())
        if isinstance(value, Buffer):
            persistent = value.persistent
        self.register_buffer(name, value, persistent)

    def _forget(self, name: str) -> None:
        """Takes `name` out of everything that this module holds."""
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry:
                del registry[name]
        self._non_persistent_buffers_set.discard(name)
        self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        """Asked only for what is not in `__dict__`: usually a mistake."""
        for registry in _REGISTRIES:
            held = self.__dict__.get(registry)
            if held is not None and name in held:
                return held[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __delattr__(self, name: str) -> None:
        for registry in (self._parameters, self._buffers, self._modules):
            if name in registry:
                del registry[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Ends copying and unpickling, which bring registries as plain dicts."""
        self.__dict__.update(state)
        for registry in _REGISTRIES:
            self.__dict__[registry] = Registry(self, state[registry])

    # -- registration by name --------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Enters a parameter, or None to keep its place; raises as an assignment does."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                f"created explicitly. To express '{name}' as a function of another Tensor, "
                "compute the value in the forward() method."
            )
        self._parameters[name] = _seen_by(_parameter_hooks, self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Enters a tensor that is moved and saved with the module but not trained.

        With `persistent=False` it is left out of `state_dict`.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        self._buffers[name] = _seen_by(_buffer_hooks, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Any) -> None:
        """Enters a child module, or None."""
        if module is not None and not isinstance(module, AttributeHolder):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = _seen_by(_module_hooks, self, name, module)

    def register_module(self, name: str, module: Any) -> None:
        """Another name of `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: Any, registry: Registry[Any]) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # -- access by dotted name -------------------------------------------------------------------

    def get_submodule(self, target: str) -> Any:
        """The module at a dotted name such as `"layers.0"`; `""` is this one itself."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = _held(module, name)
            if not isinstance(module, AttributeHolder):
                raise AttributeError("`" + name + "` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Puts a module at a dotted name; with `strict` there must be one already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, AttributeHolder):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        present = strict or hasattr(parent, name)
        if present and not isinstance(_held(parent, name), AttributeHolder):
            raise AttributeError("`" + name + "` is not an nn.Module")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted name; AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        param = _held(self.get_submodule(path), name)
        if not isinstance(param, Parameter):
            raise AttributeError("`" + name + "` is not an nn.Parameter")
        return param

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted name; AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer: Tensor = _held(module, name)
        if name not in module._buffers:
            raise AttributeError("`" + name + "` is not a buffer")
        return buffer


def _held(module: Any, name: str) -> Any:
    if not hasattr(module, name):
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
    return getattr(module, name)


def _refusal(value: Any, kind: str, name: str, expected: str) -> str:
    return f"cannot assign '{typename(value)}' as {kind} '{name}' ({expected} expected)"
