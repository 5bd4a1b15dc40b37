"""The transforms: functions that make a function's derivative out of the function.

Each calls the function once on private leaves (`_Call`) and goes backward from what it returns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from .. import ops
from ..autograd import enable_grad
from ..autograd import node as graph
from ..autograd.functional import gradients
from ..autograd.grad_mode import is_grad_enabled
from ..autograd.interface import one_hot
from .tree import Tree, flatten, spec

Tensor = Any
Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """The function that gives the gradient of `func`, whose output is one Tensor without dimensions.

    With `has_aux` `func` returns (output, aux), and the new function (gradient, aux)."""

    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Like `grad`; the new function gives (gradient, output), or (gradient, (output, aux))."""

    def gradient(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, args, kwargs, argnums, has_aux, "grad_and_value(f)(*args)")
        output = call.output
        prefix = "grad_and_value(f)(*args): Expected f(*args) to return a "
        if not isinstance(output, graph.Tensor):
            raise RuntimeError(f"{prefix}Tensor, got {type(output)}")
        if output.ndim:
            raise RuntimeError(
                f"{prefix}scalar Tensor, got tensor with {output.ndim} dims. Maybe you wanted to use "
                "the vjp or jacrev APIs instead?"
            )
        found = call.pull([output])
        value = call.released(output)
        return call.shaped(found), (value, call.released(call.aux)) if has_aux else value

    return gradient


def vjp(func: Function, *primals: Tree, has_aux: bool = False) -> Any:
    """(output, pull[, aux]) where `pull(cotangents)` is a tuple: v^T J for each of `primals`.

    `cotangents` is nested as the output is."""
    argnums = tuple(range(len(primals)))
    call = _Call(func, primals, {}, argnums, has_aux, "vjp(f, *primals)")
    outputs, rebuild = _checked(call.output, "vjp(f, *primals)")
    structure = spec(call.output)

    def pull(cotangents: Tree, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        if spec(cotangents) != structure:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs "
                f"to the function. cotangents: {spec(cotangents)}, primal output: {structure}"
            )
        return call.shaped(call.pull(outputs, flatten(cotangents)[0], retain_graph))

    released = rebuild([call.released(o) for o in outputs])
    return (released, pull, call.released(call.aux)) if has_aux else (released, pull)


def jvp(
    func: Function, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False
) -> Any:
    """(output, J tangents[, aux]): how the output moves when `primals` move along `tangents`.

    Both are tuples of the same structure and shapes. By the double-backward trick
    (`autograd/functional.py`). `strict`: an output that does not depend on the primals is an error."""
    name = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple):
        raise RuntimeError(
            f"{name}: Expected primals to be a tuple. E.g. it should be valid to call f(*primals)."
        )
    if spec(primals) != spec(tangents):
        raise RuntimeError(
            f"{name}: Expected primals and tangents to have the same python structure. For example, if "
            "primals is a tuple of 3 tensors, tangents also must be. Got primals with structure "
            f"{spec(primals)} and tangents with structure {spec(tangents)}"
        )
    directions = flatten(tangents)[0]
    _check_sizes(flatten(primals)[0], directions)
    call = _Call(func, primals, {}, tuple(range(len(primals))), has_aux, name)
    outputs, rebuild = _checked(call.output, name)
    if strict and not all(o.requires_grad for o in outputs):
        raise RuntimeError(
            f"{name[:-1]}, strict=True): The output of f is independent of the inputs. This is not "
            "allowed with strict=True."
        )
    with enable_grad():
        u = [ops.ones_like(o).requires_grad_() for o in outputs]
        rows = gradients(outputs, call.leaves, u, create_graph=True)
        found = gradients(rows, u, directions, create_graph=True)
    moved = [ops.zeros_like(o) if t is None else t for o, t in zip(outputs, found, strict=True)]
    private = [*call.leaves, *u]
    value = rebuild([released(o, private) for o in outputs])
    change = rebuild([released(t, private) for t in moved])
    return (value, change, call.released(call.aux)) if has_aux else (value, change)


def jacrev(
    func: Function, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Function:  # fmt: skip
    """The function that gives the Jacobian, of shape (*output, *input), one row per backward pass.

    It is nested as the output, then (if `argnums` is a tuple) over the arguments, then as these
    are. `chunk_size` is accepted: rows are computed one by one."""
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = _Call(func, args, kwargs, argnums, has_aux, "jacrev(f)(*args)")
        outputs, rebuild = _checked(call.output, "vjp(f, *primals)")
        blocks = [call.shaped(_rows(call, output)) for output in outputs]
        found = rebuild(blocks)
        return (found, call.released(call.aux)) if has_aux else found

    return jacobian


def jacfwd(
    func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """The Jacobian as `jacrev` gives it, by the same means: there is no cheaper forward mode here."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """The function that gives the second derivatives: the Jacobian of the Jacobian."""
    return jacfwd(jacrev(func, argnums), argnums)


def vmap(*args: Any, **kwargs: Any) -> NoReturn:
    """Not supported."""
    raise NotImplementedError(
        "there is no vmap in minigrad: write the batch dimension into the function, since operations "
        "broadcast, or call it once per sample and `stack` the results"
    )


# --- one call of the function to be differentiated -----------------------------------------------


class _Call:
    """The function called on private leaves, and the way back from its output to them."""

    def __init__(
        self, func: Function, args: Sequence[Any], kwargs: Any, argnums: Argnums, has_aux: bool,
        name: str,
    ) -> None:  # fmt: skip
        chosen = _chosen(argnums, len(args))
        self.is_recorded = is_grad_enabled()
        with enable_grad():
            trees = [_private(args[i]) for i in chosen]
            given = list(args)
            for i, tree in zip(chosen, trees, strict=True):
                given[i] = tree
            self.leaves, self._rebuild = flatten(trees if isinstance(argnums, tuple) else trees[0])
            with _open(self.leaves):
                output = func(*given, **kwargs)
        self.aux = None
        if has_aux:
            if not (isinstance(output, tuple) and len(output) == 2):
                raise RuntimeError(
                    f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True"
                )
            output, self.aux = output
            _checked(self.aux, "", "Expected tensors")
        self.output = output
        self._is_tuple = isinstance(argnums, tuple)

    def pull(
        self, outputs: Sequence[Tensor], weights: Sequence[Tensor] | None = None, keep: bool = False
    ) -> list[Tensor]:
        """v^T J for each leaf; zeros where the outputs do not depend on it."""
        sources = [*outputs, *(weights or ())]
        outer = self.is_recorded and any(depends_on_others(t, self.leaves) for t in sources)
        found = gradients(outputs, self.leaves, weights, outer, keep or outer)
        pairs = zip(self.leaves, found, strict=True)
        return [ops.zeros_like(leaf) if g is None else self.released(g) for leaf, g in pairs]

    def shaped(self, values: Sequence[Any]) -> Tree:
        """One value per leaf, nested as the arguments are."""
        tree = self._rebuild(values)
        return tuple(tree) if self._is_tuple else tree

    def released(self, tree: Tree) -> Tree:
        leaves, rebuild = flatten(tree)
        return rebuild([released(v, self.leaves, self.is_recorded) for v in leaves])


def released(value: Any, private: Sequence[Tensor], is_recorded: bool = True) -> Any:
    """A Tensor that hangs on nothing but private leaves leaves the graph."""
    if not isinstance(value, graph.Tensor) or not value.requires_grad:
        return value
    return value if is_recorded and depends_on_others(value, private) else value.detach()


def depends_on_others(tensor: Tensor, private: Sequence[Tensor]) -> bool:
    """Whether the graph behind `tensor` reaches a leaf that is neither private nor one of a
    transform that has ended."""
    if not tensor.requires_grad:
        return False
    own = {id(leaf) for leaf in private}
    edge = graph.gradient_edge(tensor)
    pending, seen = [edge], set()
    while pending:
        edge = pending.pop()
        if edge is None or edge[0] in seen:
            continue
        target, output_nr = edge
        seen.add(target)
        if output_nr is not None:
            pending += target.edges
        elif id(target) not in own and target.__dict__.get(OPEN, True):
            return True
    return False


@contextmanager
def _open(leaves: Sequence[Tensor]) -> Iterator[None]:
    """While the function runs, transforms inside of it have to keep the way to its leaves."""
    for leaf in leaves:
        leaf.__dict__[OPEN] = True
    try:
        yield
    finally:
        for leaf in leaves:
            leaf.__dict__[OPEN] = False


OPEN = "_is_open"  # in a private leaf's `__dict__`


def _private(tree: Tree) -> Tree:
    """Fresh leaves for the Tensors of an argument; views of those that need a gradient already."""
    leaves, rebuild = flatten(tree)
    for leaf in leaves:
        if not isinstance(leaf, graph.Tensor):
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(leaf)}")
    return rebuild(
        [t.view_as(t) if t.requires_grad else t.detach().requires_grad_() for t in leaves]
    )


def _chosen(argnums: Argnums, count: int) -> list[int]:
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    wanted = argnums if isinstance(argnums, tuple) else (argnums,)
    if not wanted:
        raise RuntimeError("argnums must be non-empty")
    for number in wanted:
        if not -count <= number < count:
            raise RuntimeError(f"Got argnum={number}, but only {count} positional inputs")
    return [number % count for number in wanted]


def _rows(call: _Call, output: Tensor) -> list[Tensor]:
    """The Jacobian of one output with respect to each leaf."""
    rows = [call.pull([output], [one_hot(output, i)], keep=True) for i in range(output.numel())]
    return [
        ops.stack(list(column)).view(output.shape + leaf.shape)
        for column, leaf in zip(zip(*rows, strict=True), call.leaves, strict=True)
    ]


def _checked(
    output: Tree, name: str, expected: str = ": expected f(*primals) to return only tensors"
) -> tuple[list[Tensor], Callable[[Sequence[Any]], Tree]]:
    leaves, rebuild = flatten(output)
    for leaf in leaves:
        if not isinstance(leaf, graph.Tensor):
            raise RuntimeError(f"{name}{expected}, got unsupported type {type(leaf)}")
    return leaves, rebuild


def _check_sizes(primals: Sequence[Tensor], tangents: Sequence[Tensor]) -> None:
    for primal, tangent in zip(primals, tangents, strict=True):
        if primal.shape != tangent.shape:
            raise RuntimeError(
                "Trying to set a forward gradient that has a different size than that of the original "
                f"Tensor, this is not supported. Tensor is of size {list(primal.shape)} while the given "
                f"forward gradient is of size {list(tangent.shape)}."
            )
