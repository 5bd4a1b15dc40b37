"""`Module`: the base class of everything with parameters.

A subclass creates parameters and child modules in `__init__` and computes in `forward`; calling
the module runs `forward`. The other parts of the class are what a module holds (`attributes.py`),
how it is saved (`state_dict.py`), and its call with the hooks around it (`calling.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

from ... import ops
from ...autograd.grad_mode import no_grad
from ...tensor import Tensor
from ...utils.tensors import zero_gradient
from ..parameter import Parameter
from .attributes import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .calling import (
    CallableModule,
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)

__all__ = [
    "Module", "indented", "register_module_backward_hook",
    "register_module_buffer_registration_hook", "register_module_forward_hook",
    "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip

M = TypeVar("M", bound="Module")


class Module(CallableModule):
    """Base class of all modules.

    `training` is True until `eval()` is called; layers such as dropout look at it.
    """

    call_super_init = False  # whether the class that follows in a multiple inheritance is made too
    dump_patches = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            _refuse_arguments(type(self), args, kwargs)
        self._make_registries()
        self._make_state_dict_hooks()
        self._make_call_hooks()
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # -- walking through what it holds -----------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(dotted name, module) for this module and all below it, each once by default."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) for each different child."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Each different child."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse else [(prefix, self)]
        )  # fmt: skip
        for path, module in modules:
            for name, member in module.__dict__[registry].items():
                if member is not None and member not in seen:
                    if remove_duplicate:
                        seen.add(member)
                    yield (f"{path}.{name}" if path else name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(dotted name, parameter) for this module and, with `recurse`, all below it."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once: what an optimizer is given."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(dotted name, buffer) for this module and, with `recurse`, all below it."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # -- changing all of it ----------------------------------------------------------------------

    def train(self: M, mode: bool = True) -> M:
        """Sets `training` here and in all children; ValueError if `mode` is no bool."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """The same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Sets `requires_grad` of all parameters, for instance to freeze a module."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Removes all gradients, or with `set_to_none=False` fills them with zeros."""
        for param in self.parameters():
            if set_to_none:
                param._grad = None
            elif param._grad is not None:
                zero_gradient(param._grad)

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Calls `fn` with every module, children before parents."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Replaces the values of parameters and gradients, and the buffers, by `fn` of them.

        A parameter stays the same object, so that optimizers that hold it see the new values.
        """
        for module in self.children() if recurse else ():
            module._apply(fn)
        for param in self._parameters.values():
            if param is not None:
                with no_grad():
                    param.data = fn(param)
                    if param._grad is not None:
                        param._grad.data = fn(param._grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """`to(device)`, `to(dtype)`, `to(tensor)`: moves all, casts what is floating-point.

        `memory_format=` arranges what has four dimensions. Raises TypeError if the dtype is no
        floating-point one.
        """
        layout = kwargs.pop("memory_format", None)
        example = ops.empty(0).to(*args, **kwargs)
        if not example.is_floating_point():
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={example.dtype}"
            )

        def convert(tensor: Tensor) -> Tensor:
            if tensor.is_floating_point() and (args or kwargs):
                tensor = tensor.to(*args, **kwargs)
            elif args or kwargs:  # keeps its dtype
                place = ops.empty(0, device=tensor.device).to(*args, **kwargs).device
                tensor = tensor.to(device=place)
            arranged = layout is not None and tensor.dim() in (4, 5)
            return tensor.to(memory_format=layout) if arranged else tensor

        return self._apply(convert)

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """Replaces all values by uninitialised ones on `device`."""
        return self._apply(lambda t: ops.empty_like(t, device=device), recurse=recurse)

    def cpu(self: M) -> M:
        """Moves all to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: M, device: Any = None) -> M:
        """Moves all to a GPU; AssertionError without one, if there is anything to move."""
        return self._apply(lambda t: t.cuda(device))

    def share_memory(self: M) -> M:
        """Refused, as `Tensor.share_memory_` is."""
        return self._apply(lambda t: t.share_memory_())

    def type(self: M, dst_type: Any) -> M:
        """Casts all parameters and buffers to a dtype."""
        return self._apply(lambda t: cast(Tensor, t.type(dst_type)))

    def float(self: M) -> M:
        """Casts what is floating-point to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self: M) -> M:
        """Casts what is floating-point to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self: M) -> M:
        """Casts what is floating-point to float16."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self: M) -> M:
        """Refused: NumPy has no such dtype."""
        raise NotImplementedError(
            "bfloat16() is not supported: NumPy has no such dtype; use half() or float()"
        )

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted for scripts that have it: as with `minigrad.compile`, the module stays as it is."""

    # -- printing --------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """What a subclass wants to see between its name's parentheses."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {indented(repr(m))}" for name, m in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({extra})"
        body = "".join(f"\n  {line}" for line in lines + children)
        return f"{self._get_name()}({body}" + ("\n)" if body else ")")


def _refuse_arguments(cls: type, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """What Python says when a function without parameters is given arguments."""
    if kwargs:
        raise TypeError(
            f"{cls.__name__}.__init__() got an unexpected keyword argument '{next(iter(kwargs))}'"
        )
    raise TypeError(
        f"{cls.__name__}.__init__() takes 1 positional argument but {len(args) + 1} were given"
    )


def indented(text: str) -> str:
    """All lines but the first moved in by two spaces."""
    return text.replace("\n", "\n  ")
