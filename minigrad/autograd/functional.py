"""Derivatives of a function as a whole: Jacobians, Hessians, and their products with vectors.

`autograd.grad` differentiates values that were already computed. Here the argument is a function
of Tensors, which is called on copies of its inputs that are leaves of a graph of their own. Reverse
mode gives a row of the Jacobian J, or v^T J, per backward pass. A column, J v, comes from reverse
mode too: u -> u^T J is linear in u, so the gradient of (u^T J) v with respect to u is J v, for any
u. That is the double-backward trick, which `jvp` and `hvp` use.

In every function `inputs` is a Tensor or a tuple of them, and so may be what `func` returns.
`create_graph`: the results can be differentiated again. `strict`: a derivative that is zero because
an output does not depend on an input is an error instead of zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import node as graph
from .functional_checks import (
    GRAD_INPUTS,
    JACOBIAN,
    JVP_WITHOUT_V,
    NO_ENTRY,
    NO_HESSIAN_ENTRY,
    NO_INPUT,
    NO_JACOBIAN,
    OUTPUTS,
    STRATEGIES,
    VJP_WITHOUT_V,
    as_tuple,
    check_recorded,
    check_single,
    check_strategy,
    independent,
    single_output,
)
from .grad_mode import enable_grad, is_grad_enabled, set_grad_enabled
from .interface import grad, one_hot

Tensor = Any
Tensors = Any  # a Tensor or a tuple of them
Function = Callable[..., Tensors]


def vjp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """The outputs of `func` and v^T J: for each input the gradient of the outputs weighted by `v`.

    `v` has the shapes of the outputs, the product those of the inputs. `v` may be left out if the
    output is one Tensor of one element. Raises RuntimeError if `v` does not fit."""
    with enable_grad():
        several, leaves = _leaves(inputs, "vjp", create_graph)
        several_outputs, outputs = _call(func, leaves, "vjp", strict)
        if v is None:
            check_single(outputs, VJP_WITHOUT_V)
        else:
            v = _vector(v, outputs, several_outputs, "vjp", create_graph)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(outputs, leaves, v, create_graph)
        product = _filled(found, leaves, strict, create_graph, "jacobian", NO_INPUT)
    return _unpacked(outputs, several_outputs, create_graph), _unpacked(
        product, several, create_graph
    )


def jvp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensors, Tensors]:
    """The outputs of `func` and J v: the change of each output when the inputs move along `v`.

    `v` has the shapes of the inputs, the product those of the outputs. `v` may be left out if the
    input is one Tensor of one element."""
    with enable_grad():
        _, leaves, v = _leaves_and_vector(inputs, v, "jvp", create_graph, JVP_WITHOUT_V)
        several_outputs, outputs = _call(func, leaves, "jvp", strict)
        u = _zeros(outputs)
        transposed = gradients(outputs, leaves, u, create_graph=True)  # u^T J, to be differentiated
        check_recorded(transposed, GRAD_INPUTS, strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(transposed, u, v, create_graph)
        product = _filled(found, outputs, strict, create_graph, "jacobian", NO_ENTRY)
    return (
        _unpacked(outputs, several_outputs, create_graph),
        _unpacked(product, several_outputs, create_graph),
    )


def jacobian(
    func: Function, inputs: Tensors, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """All derivatives of `func`: per output and input a Tensor of shape (*output, *input).

    A tuple of outputs makes a tuple over outputs, a tuple of inputs one over inputs within it. One
    backward pass gives one row. `vectorize` and `strategy` are accepted and checked as in PyTorch;
    the rows are computed one by one and in reverse mode all the same."""
    check_strategy(create_graph, strict, vectorize, strategy)
    with enable_grad():
        several, leaves = _leaves(inputs, "jacobian", create_graph)
        several_outputs, outputs = _call(func, leaves, "jacobian", strict)
        rows = [_jacobian_of(i, out, leaves, create_graph, strict) for i, out in enumerate(outputs)]
        blocks = [_unpacked(row, several, create_graph) for row in rows]
    return tuple(blocks) if several_outputs else blocks[0]


def hessian(
    func: Function, inputs: Tensors, create_graph: bool = False, strict: bool = False,
    vectorize: bool = False, outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The second derivatives of `func`, which returns one Tensor of one element.

    Per pair of inputs a Tensor of shape (*first, *second); a tuple of inputs makes a tuple of
    tuples. It is the Jacobian of the gradient."""
    several, inputs = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in STRATEGIES:
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def scalar(*args: Tensor) -> Tensor:
        several_outputs, outputs = _call(func, args, "hessian", strict)
        return single_output(outputs, several_outputs, "hessian").squeeze()

    def gradient(*args: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = jacobian(scalar, args, create_graph=True)
        check_recorded(found, JACOBIAN, strict)
        return found

    found = jacobian(gradient, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if several else found[0][0]


def vhp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """The output of `func` (one element) and v^T H, with the shapes of the inputs, as has `v`."""
    with enable_grad():
        several, leaves, v = _leaves_and_vector(inputs, v, "vhp", create_graph, JVP_WITHOUT_V)
        output, first = _recorded_gradient(func, leaves, "vhp", strict)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(first, leaves, v, create_graph)
        product = _filled(found, leaves, strict, create_graph, "hessian", NO_JACOBIAN)
    return _finished(output, create_graph), _unpacked(product, several, create_graph)


def hvp(
    func: Function,
    inputs: Tensors,
    v: Tensors = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Tensor, Tensors]:
    """The output of `func` (one element) and H v, with the shapes of the inputs, as has `v`.

    For a function that is twice continuously differentiable H is symmetric, and `vhp` gives the
    same with one pass less."""
    with enable_grad():
        several, leaves, v = _leaves_and_vector(inputs, v, "hvp", create_graph, JVP_WITHOUT_V)
        output, first = _recorded_gradient(func, leaves, "hvp", strict)
        u = _zeros(leaves)
        transposed = gradients(first, leaves, u, create_graph=True)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(transposed, u, v, create_graph)
        product = _filled(found, leaves, strict, create_graph, "hessian", NO_HESSIAN_ENTRY)
    return _finished(output, create_graph), _unpacked(product, several, create_graph)


# --- the steps that they share -------------------------------------------------------------------


def gradients(
    outputs: Sequence[Tensor | None], inputs: Sequence[Tensor], weights: Sequence[Tensor] | None = None,
    create_graph: bool = False, retain_graph: bool | None = None,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """`autograd.grad` of those outputs that need a gradient; None for inputs they do not use."""
    pairs = zip(outputs, weights or [None] * len(outputs), strict=True)
    found = [(o, w) for o, w in pairs if o is not None and o.requires_grad]
    if not found:
        return (None,) * len(inputs)
    outputs, weights = zip(*found, strict=True)
    return grad(outputs, inputs, weights, retain_graph, create_graph, allow_unused=True)


def _jacobian_of(
    index: int, output: Tensor, inputs: Sequence[Tensor], create_graph: bool, strict: bool
) -> list[Tensor]:
    """The derivatives of one output with respect to each input, one backward pass per element."""
    columns: list[list[Tensor]] = [[] for _ in inputs]
    for position in range(output.numel()):
        row = gradients(
            [output], inputs, [one_hot(output, position)], create_graph, retain_graph=True
        )
        for i, (column, gradient, input) in enumerate(zip(columns, row, inputs, strict=True)):
            if gradient is None and strict:
                raise RuntimeError(
                    f"Output {index} of the user-provided function is independent of input {i}. "
                    "This is not allowed in strict mode."
                )
            if gradient is not None and strict and create_graph and not gradient.requires_grad:
                raise RuntimeError(independent("jacobian", index))
            column.append(graph.tensor_ops.zeros_like(input) if gradient is None else gradient)
    return [
        graph.tensor_ops.stack(column).view(output.shape + input.shape)
        for column, input in zip(columns, inputs, strict=True)
    ]


def _recorded_gradient(
    func: Function, inputs: Sequence[Tensor], name: str, strict: bool
) -> tuple[Tensor, tuple[Tensor | None, ...]]:
    """The single output of `func` and its gradient as a part of the graph."""
    several, outputs = _call(func, inputs, name, strict)
    output = single_output(outputs, several, name)
    first = gradients([output], inputs, create_graph=True)
    check_recorded(first, JACOBIAN, strict)
    return output, first


def _call(
    func: Function, inputs: Sequence[Tensor], name: str, strict: bool
) -> tuple[bool, tuple[Tensor, ...]]:
    """The outputs as a tuple, and whether they were one."""
    several, outputs = as_tuple(func(*inputs), "outputs of the user-provided function", name)
    check_recorded(outputs, OUTPUTS, strict)
    return several, outputs


def _leaves(inputs: Tensors, name: str, create_graph: bool) -> tuple[bool, tuple[Tensor, ...]]:
    """The inputs that `func` is called with: new leaves, or views that continue the graph."""
    several, inputs = as_tuple(inputs, "inputs", name)
    return several, tuple(
        t.view_as(t) if create_graph and t.requires_grad else t.detach().requires_grad_()
        for t in inputs
    )


def _leaves_and_vector(
    inputs: Tensors, v: Tensors, name: str, create_graph: bool, missing: str
) -> tuple[bool, tuple[Tensor, ...], Any]:
    """The inputs to differentiate with respect to, and a `v` of their shapes."""
    several, leaves = _leaves(inputs, name, create_graph)
    if v is None:
        check_single(leaves, missing)
        return several, leaves, None
    return several, leaves, _vector(v, leaves, several, name, create_graph)


def _vector(
    v: Tensors, like: Sequence[Tensor], several: bool, name: str, create_graph: bool
) -> Any:
    """`v` as a tuple with the sizes of `like`."""
    _, v = as_tuple(v, "v", name)
    if len(v) != len(like):
        if several:
            raise RuntimeError(
                f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}."
            )
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (given, wanted) in enumerate(zip(v, like, strict=True)):
        if given.shape != wanted.shape:
            entry = f"Entry {i} in " if several else ""
            raise RuntimeError(
                f"{entry}v has invalid size: should be {wanted.shape} but got {given.shape}."
            )
    return tuple(t.view_as(t) if create_graph and t.requires_grad else t.detach() for t in v)


def _zeros(like: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The u of the double-backward trick: any finite value will do."""
    return tuple(graph.tensor_ops.zeros_like(t).requires_grad_() for t in like)


def _finished(tensor: Tensor, create_graph: bool) -> Tensor:
    return tensor if create_graph else tensor.detach()


def _unpacked(tensors: Sequence[Tensor], several: bool, create_graph: bool) -> Tensors:
    """The results in the form in which the user gave the arguments."""
    found = tuple(_finished(t, create_graph) for t in tensors)
    return found if several else found[0]


def _filled(
    found: Sequence[Tensor | None], like: Sequence[Tensor], strict: bool, create_graph: bool, what: str,
    missing: str,
) -> list[Tensor]:  # fmt: skip
    """Zeros where a gradient is None; with `strict` that is an error, which `missing` describes."""
    filled = []
    for i, (tensor, model) in enumerate(zip(found, like, strict=True)):
        if tensor is None and strict:
            raise RuntimeError(missing.format(i))
        if tensor is not None and strict and create_graph and not tensor.requires_grad:
            raise RuntimeError(independent(what, i))
        filled.append(graph.tensor_ops.zeros_like(model) if tensor is None else tensor)
    return filled
