"""The public face of the engine: `backward` and `grad`, and the checks on what they are given.

What is differentiated, and with respect to what, is a Tensor or its place in the graph, a
`GradientEdge`.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from .. import either, gpu
from ..warn import warn
from . import node as graph
from .engine import run_backward
from .node import Edge, gradient_edge, place, refresh

Tensor = Any
Tensors = Any  # a Tensor or a sequence of them
is_partial: ContextVar[bool] = ContextVar("minigrad_partial_pass", default=False)


class GradientEdge(NamedTuple):
    """The place in the graph where the gradient of one Tensor arrives."""

    node: Any
    output_nr: int
    ownership_token: Any = None


def backward(
    tensors: Tensors,
    grad_tensors: Tensors = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Tensors = None,
    inputs: Tensors = None,
) -> None:
    """Add the gradients of `tensors` to `.grad` of the leaves that they depend on.

    `grad_tensors`: one per tensor, of its shape; None for tensors of one element (ones).
    `inputs`: accumulate into these Tensors only. Raises RuntimeError for a tensor that needs no
    gradient, a shape mismatch, or a graph whose saved values were freed."""
    roots = sequence(tensors)
    if inputs is not None and not len(sequence(inputs)):
        raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    gradients = initial_gradients(roots, sequence(grad_tensors, len(roots)), create_graph)
    if create_graph:
        warn(CYCLE, UserWarning)
    keep = create_graph if retain_graph is None else retain_graph
    edges = [t._edge or root_edge(i, t) for i, t in enumerate(roots)]
    if inputs is None:
        run_backward(edges, gradients, keep, create_graph)
        return
    targets = sequence(inputs)
    wanted = [
        _wanted_edge(t, "can't retain_grad on Tensor that has requires_grad=False") for t in targets
    ]
    for tensor in targets:
        tensor.retain_grad()  # a tensor that is asked for once keeps its later gradients too
    run_partially(edges, gradients, keep, create_graph, wanted)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensors = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the sum of `outputs` with respect to `inputs`, without touching `.grad`.

    An input that the outputs do not depend on is an error, unless `allow_unused` (None is
    returned for it) or `materialize_grads` (zeros)."""
    if is_grads_batched:
        raise NotImplementedError(
            "is_grads_batched: call grad once per row of grad_outputs instead"
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    roots, targets = sequence(outputs), sequence(inputs)
    if not targets:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    gradients = initial_gradients(roots, sequence(grad_outputs, len(roots)), create_graph)
    keep = create_graph if retain_graph is None else retain_graph
    wanted = [_wanted_edge(t) for t in targets]
    edges = [root_edge(i, t) for i, t in enumerate(roots)]
    arrived = run_partially(edges, gradients, keep, create_graph, wanted, into_leaves=False)
    found = []
    for index, (tensor, edge) in enumerate(zip(targets, wanted, strict=True)):
        gradient = arrived.get(edge)
        if gradient is None and materialize_grads:
            if "stands_for" in tensor.__dict__:
                raise RuntimeError(
                    "materialize_grads cannot be used when the given input is a GradientEdge"
                )
            gradient = graph.wrap(np.zeros_like(tensor._array))
            gradient._requires_grad = create_graph
        elif gradient is None and not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {index} appears to not have been used in the graph. Set "
                "allow_unused=True if this is the desired behavior."
            )
        bare = gradient is None or isinstance(gradient, graph.Tensor)
        found.append(gradient if bare else graph.wrap(gradient))
    return tuple(found)


def run_partially(*args: Any, **kwargs: Any) -> dict[Edge, Any]:
    """A pass that leaves out nodes; what runs inside it can ask `is_partial`."""
    token = is_partial.set(True)
    try:
        return run_backward(*args, **kwargs)
    finally:
        is_partial.reset(token)


def sequence(tensors: Tensors, count: int = 0) -> list[Tensor]:
    """One Tensor, several, or None (meaning `count` times None) as a list."""
    if tensors is None:
        return [None] * count
    if isinstance(tensors, graph.Tensor):
        return [tensors]
    several = not isinstance(tensors, GradientEdge)
    return [
        _at(t) if isinstance(t, GradientEdge) else t for t in (tensors if several else [tensors])
    ]


def _at(edge: GradientEdge) -> Tensor:
    """A Tensor that stands for the one whose place in the graph is given, without its values."""
    if hasattr(edge.node, "variable"):
        return edge.node.variable
    shape, dtype = place((edge.node, edge.output_nr))
    memory = gpu.index_of(_leaf_behind(edge.node)._array)
    tensor = graph.wrap(np.broadcast_to(gpu.placed(np.zeros((), dtype), memory), shape))
    tensor._edge, tensor._requires_grad = (edge.node, edge.output_nr), True
    tensor.__dict__["stands_for"] = edge
    return tensor


def _leaf_behind(node: Any) -> Tensor:
    """A leaf to which the gradient of a node's output goes."""
    while isinstance(node, graph.Node):
        node = next(edge[0] for edge in node.edges if edge is not None)
    return node


def initial_gradients(roots: list[Tensor], given: list[Tensor], recorded: bool) -> list[Any]:
    """The gradients to start from, one per root: those given, or ones for single elements."""
    if len(given) < len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(given)} gradients")
    return [_initial_gradient(i, root, given[i], recorded) for i, root in enumerate(roots)]


def _initial_gradient(index: int, root: Tensor, gradient: Any, recorded: bool) -> Any:
    if root._view is not None:
        root._refresh_view()
    array = root._array
    if gradient is None:
        if root._requires_grad and array.size != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        gradient = either.full(array.shape, 1, array.dtype, array)
        return graph.wrap(gradient) if recorded else gradient
    if not isinstance(gradient, graph.Tensor):
        raise TypeError(
            f"gradients can be either Tensors or None, but got {type(gradient).__name__}"
        )
    if gradient._array.shape != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{index}] has a shape of {_size(gradient)} and output[{index}] "
            f"has a shape of {_size(root)}."
        )
    return gradient if recorded else gradient._array


def _size(tensor: Tensor) -> str:
    return f"torch.Size({list(tensor._array.shape)})"


def root_edge(index: int, tensor: Tensor) -> Edge:
    edge = gradient_edge(tensor)
    if edge is None:
        raise RuntimeError(
            f"element {index} of tensors does not require grad and does not have a grad_fn"
        )
    return edge


def _wanted_edge(
    tensor: Tensor, error: str = "One of the differentiated Tensors does not require grad"
) -> Edge:
    refresh(tensor)
    if not tensor._requires_grad:
        raise RuntimeError(error)
    return gradient_edge(tensor) or (tensor, None)  # no gradient comes to a view made in `no_grad`


CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
    "gradient which can cause a memory leak. We recommend using autograd.grad when creating the graph to "
    "avoid this. If you have to use this function, make sure to reset the .grad fields of your parameters "
    "to None after use to break the cycle and avoid the leak."
)


def one_hot(tensor: Tensor, position: int) -> Tensor:
    """Zeros like `tensor`, but for a one at `position`, counted in row-major order."""
    row = graph.tensor_ops.zeros_like(tensor)
    row._array[np.unravel_index(position, row._array.shape)] = 1
    return row
