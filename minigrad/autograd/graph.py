"""The graph from outside: its nodes and edges by type, and hooks on what it saves.

`saved_tensors_hooks` lets a program decide what is kept of a value that the backward pass will
need: on disk, as fewer bits, or nothing at all (`utils/checkpoint.py` computes it again).
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from . import node as graph
from .accumulate import AccumulateGrad, accumulator
from .grad_mode import enable_grad
from .interface import GradientEdge
from .multi_grad_hook import register_multi_grad_hook
from .node import gradient_edge, refresh

if TYPE_CHECKING:
    from ..tape import Recording

Tensor = Any
Pack = Callable[[Tensor], Any]
Unpack = Callable[[Any], Tensor]

__all__ = [
    "GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks",
    "get_gradient_edge", "html_tensors", "increment_version", "record", "register_multi_grad_hook",
    "save_on_cpu", "saved_tensors_hooks",
]  # fmt: skip


class Node(abc.ABC):
    """A step of the backward pass; `isinstance(t.grad_fn, Node)` holds for every `grad_fn`."""

    @abc.abstractmethod
    def name(self) -> str:
        """PyTorch's name of the operation's gradient."""

    @property
    @abc.abstractmethod
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each input: the node that its gradient goes to, and to which output of that."""

    @property
    @abc.abstractmethod
    def metadata(self) -> dict[Any, Any]:
        """A dictionary for the user's own notes."""

    @abc.abstractmethod
    def register_hook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_inputs, grad_outputs)` after this node ran."""

    @abc.abstractmethod
    def register_prehook(self, fn: Callable[..., Any]) -> Any:
        """Call `fn(grad_outputs)` before this node runs."""


Node.register(graph.Node)
Node.register(AccumulateGrad)


def get_gradient_edge(tensor: Tensor) -> GradientEdge:
    """Where the gradient of `tensor` arrives; `autograd.grad` and `backward` take it in its place.

    Raises RuntimeError if the Tensor requires no gradient."""
    refresh(tensor)
    edge = gradient_edge(tensor)
    if edge is None:
        raise RuntimeError(
            "It is not possible to get the gradient edge for a Tensor that does not require gradients"
        )
    node, output_nr = edge
    return (
        GradientEdge(accumulator(node), 0) if output_nr is None else GradientEdge(node, output_nr)
    )


def record() -> Recording:
    """Record what happens in a `with` block: `with record() as tape`. See `minigrad.tape`.

    PyTorch has no such thing. Raises RuntimeError if another tape is recording."""
    from ..tape import Recording  # what only a recording needs is imported by the first one

    return Recording()


def html_tensors(mode: bool = True) -> None:
    """Show Tensors in notebooks as HTML (with `False`: as text again). See `notebook.py`.

    PyTorch has no such thing."""
    from ..tape.notebook import html_tensors

    html_tensors(mode)


def increment_version(tensor: Any) -> None:
    """Note that the values of a Tensor (or of several) were changed behind autograd's back."""
    for changed in [tensor] if isinstance(tensor, graph.Tensor) else tensor:
        changed._bump_version()


# --- hooks on saved values -----------------------------------------------------------------------

_hooks: ContextVar[tuple[tuple[Pack, Unpack], ...]] = ContextVar("minigrad_saved_hooks", default=())
_forbidden: ContextVar[str | None] = ContextVar("minigrad_saved_hooks_forbidden", default=None)
_mutable: ContextVar[bool] = ContextVar("minigrad_saved_mutable", default=False)
_active = 0  # blocks that are open now, in all threads


class saved_tensors_hooks:
    """While the `with` block runs, `pack_hook(tensor)` is stored instead of a saved Tensor.

    The backward pass (or whoever reads the saved value) gets `unpack_hook(packed)`, a Tensor with
    the same values. Of nested blocks the innermost counts. The pack hook must not change its
    argument in place."""

    def __init__(self, pack_hook: Pack, unpack_hook: Unpack) -> None:
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self) -> None:
        global _active
        message = _forbidden.get()
        if message is not None:
            raise RuntimeError(message)
        _hooks.set((*_hooks.get(), (self.pack_hook, self.unpack_hook)))
        _active += 1
        graph.packing = _pack_saved

    def __exit__(self, *exc: object) -> None:
        global _active
        _hooks.set(_hooks.get()[:-1])
        _active -= 1
        if not _active:
            graph.packing = None


class save_on_cpu(saved_tensors_hooks):
    """Keep saved values in the computer's memory, as copies, until they are needed."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        def unpack(tensor: Tensor) -> Tensor:
            return tensor

        super().__init__(lambda tensor: tensor.detach().clone(), unpack)


class KeptCopies:
    """What `allow_mutation_on_saved_tensors` keeps; `clear` drops it, and with it the graph's values."""

    def __init__(self) -> None:
        self._copies: dict[object, Tensor] = {}

    def clear(self) -> None:
        """Forget all values that were saved so far."""
        self._copies.clear()

    def _pack(self, tensor: Tensor) -> object:
        ticket = object()  # the node holds this, so the values go with the block, not the graph
        self._copies[ticket] = tensor.detach().clone()
        return ticket

    def _unpack(self, ticket: object) -> Tensor:
        assert ticket in self._copies, OUTSIDE
        return self._copies[ticket]


@contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[KeptCopies]:
    """In this block Tensors may be changed in place after an op saved them for the backward pass.

    The backward pass has to run inside the block too, and sees the values as they were saved. They
    are copied when they are saved (PyTorch copies them when they are changed: the same numbers,
    less memory). Raises RuntimeError if such a block is open already."""
    if _mutable.get():
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    token, kept = _mutable.set(True), KeptCopies()
    try:
        with saved_tensors_hooks(kept._pack, kept._unpack):
            yield kept
    finally:
        kept.clear()
        _mutable.reset(token)


@contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """Setting hooks on saved values raises RuntimeError with this message while the block runs."""
    if _hooks.get():
        raise RuntimeError(error_message)
    token = _forbidden.set(error_message)
    try:
        yield
    finally:
        _forbidden.reset(token)


def _pack_saved(node: Any) -> None:
    """Hand each saved Tensor of a new node to the innermost hooks."""
    if _hooks.get():
        pack, unpack = _hooks.get()[-1]
        node.saved = [
            (value, version)
            if version is None or _is_constant(value)
            else (_Packed(node, value, pack, unpack), 0)
            for value, version in node.saved
        ]


def _is_constant(value: Tensor) -> bool:
    """A Python number is a 0-d Tensor by now; as in PyTorch, hooks do not see it."""
    return not value._array.ndim and not value._requires_grad and value._saved_output_nr is None


class _Packed:
    """Stands for a saved Tensor in its node: it has what a node asks of a saved value."""

    __slots__ = ("_version_counter", "edge", "original", "output_nr", "packed", "unpack")

    def __init__(self, node: Any, value: Tensor, pack: Pack, unpack: Unpack) -> None:
        self.output_nr = value._saved_output_nr
        tensor = node._placed(value)
        before = tensor._version
        self.edge = None if self.output_nr is not None else gradient_edge(tensor)
        with disable_hooks():
            self.packed, self.unpack = pack(tensor), unpack
        if tensor._version != before:
            raise RuntimeError(CHANGED)
        self.original = tensor if tensor._requires_grad and tensor._edge is None else None
        self._version_counter = [0]

    @property
    def _array(self) -> Any:
        return self.tensor()._array

    def tensor(self) -> Tensor:
        tensor = self.unpack(self.packed)
        if not isinstance(tensor, graph.Tensor):
            raise TypeError(
                "Output of saved tensor unpack_hook expected to be a Tensor but got result of type "
                f"{type(tensor).__name__}"
            )
        return tensor

    def placed(self, node: Any) -> Tensor:
        """The unpacked values at the place in the graph that the saved Tensor had."""
        tensor = self.tensor()
        if tensor is self.original:
            return tensor
        alias = tensor._alias()
        edge = self.edge if self.output_nr is None else (node, self.output_nr)
        if edge is not None and edge[1] is None:  # a leaf: the gradient goes on to it
            with enable_grad():
                edge = edge[0].view_as(edge[0])._edge
        alias._edge, alias._requires_grad = edge, edge is not None
        return alias


@contextmanager
def disable_hooks() -> Iterator[None]:
    """What a hook itself computes is saved as usual."""
    token = _hooks.set(())
    try:
        yield
    finally:
        _hooks.reset(token)


CHANGED = (
    "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook "
    "cannot be modified by in-place operations as this can lead to unexpected side-effects. Please open "
    "an issue if you need to perform in-place operations on the input to a pack hook."
)
OUTSIDE = (
    "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context"
    "in which the graph was originally recorded."
)
