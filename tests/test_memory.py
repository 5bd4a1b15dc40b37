"""Which memory results and gradients lie in, and what a later write into it changes: ops.

A copy that is left out shows in one of these ways: two tensors share memory that PyTorch keeps
apart; a result keeps a larger array alive, or lies in it with other strides; what an op only reads
is changed; or a gradient changes when something else is written into.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from memory import assert_own_memory, bits, memory, shared, size_of_memory, tensors_of
from op_calls import Call, _shape_spec, call
from op_lines import CALLS
from oracle import LIBRARIES, Raised
from strategies import Program, literal
from test_op_alternatives import SIZES, filled, values
from test_properties import attempt, outputs, weights

import minigrad

LAYOUTS = {
    "whole": lambda a: literal(a),
    "turned": lambda a: f"{literal(a.T)}.permute({tuple(range(a.ndim))[::-1]})",
    "sliced": lambda a: f"{literal(np.repeat(a, 2, -1))}[..., ::2]",
    "expanded": lambda a: f"{literal(a[:1])}.expand({a.shape})",
}
# The layout, whether floats require a gradient, and how many ways to fill a template are taken.
PASSES = [
    ("whole", True, 2), ("turned", True, 1), ("turned", False, 1), ("sliced", False, 1),
    ("expanded", False, 1),
]  # fmt: skip

# What the lines have not: tensors without dimensions, and factors of zero.
ZERO_D = (
    "torch.sort(x)", "torch.topk(x, 1)", "torch.kthvalue(x, 1)", "torch.mode(x)", "torch.median(x)",
    "torch.median(x, 0)", "torch.nanmedian(x, 0)", "torch.cummax(x, 0)", "torch.cummin(x, 0)",
    "torch.cumsum(x, 0)", "torch.cumprod(x, 0)", "torch.logcumsumexp(x, 0)", "torch.max(x, 0)", "torch.min(x, 0)",
    "torch.aminmax(x)", "torch.amax(x, 0)", "torch.max(x)", "torch.softmax(x, 0)", "torch.log_softmax(x, 0)",
    "torch.gather(x, 0, c)", "torch.index_select(x, 0, c)", "torch.take(x, c)",
    "torch.scatter(x, 0, c, y)", "torch.scatter_add(x, 0, c, y)", "torch.index_add(x, 0, c, y)",
    "torch.index_copy(x, 0, c, y)", "torch.index_fill(x, 0, c, 2.0)", "torch.put(x, c, y)",
    "torch.flip(x, ())", "torch.roll(x, 0)", "torch.unique(x)", "torch.flatten(x)", "torch.movedim(x, 0, 0)",
    "torch.sum(x)", "torch.mean(x, 0)", "torch.prod(x, 0)", "torch.logsumexp(x, 0)", "torch.norm(x)",
    "torch.quantile(x, 0.5)", "torch.nansum(x)", "torch.atleast_1d(x)", "torch.tile(x, ())", "x.repeat(())",
    "torch.masked_fill(x, x > 9, 1.0)", "torch.masked_select(x, x < 9)", "torch.stack((x, y))",
    "torch.broadcast_tensors(x, y)", "torch.meshgrid(x, y, indexing='ij')", "x[...]", "x[None]", "x[x < 9]",
    "x.index_put((x < 9,), y)", "torch.repeat_interleave(x, 1)", "torch.addcmul(x, x, y, value=0)",
)  # fmt: skip
MORE = [
    *(call(line, x="", y="", c=":<1", derivatives=1 + ("unique" not in line)) for line in ZERO_D),
    *(
        call(f"torch.{line}, beta=0, alpha={{1|2}})", **specs)
        for line, specs in {
            "addmm(x, y, z": {"x": "n k", "y": "n m", "z": "m k"}, "addmv(x, y, z": {"x": "n", "y": "n m", "z": "m"},
            "addbmm(x, y, z": {"x": "n k", "y": "b n m", "z": "b m k"},
            "baddbmm(x, y, z": {"x": "b n k", "y": "b n m", "z": "b m k"},
            "addr(x, y, z": {"x": "n m", "y": "n", "z": "m"},
        }.items()
    ),
    *(call(f"torch.embedding_bag(x, c, c * 0, False, {mode})", x="n m", c="1:<n", derivatives=1) for mode in range(3)),
    call("F.channel_shuffle(x, {1|2|4})", x="b 4 n"),
]  # fmt: skip
EVERY = [*CALLS, *MORE]

# Results whose strides are NumPy's choice (docs/differences.md), by the layout of what was given.
TURNED = (
    "{2|0.5|1} ** x", "torch.renorm", "F.logsigmoid", "torch.sort", "torch.cummax", "torch.cummin",
    "torch.triu", "torch.rot90", "torch.select_scatter", "torch.slice_scatter", "torch.diagonal_scatter",
    "x.index_put", "torch.index_fill", "torch.gather", "torch.put", "torch.take_along_dim", "torch.addr",
    "torch.linalg.matrix_power", "torch.matrix_power", "F.local_response_norm", "torch.special.zeta",
    "torch.mvlgamma", "torch.polygamma", "F.scaled_dot_product_attention", "torch.tile", "F.pad(x, (0, 0))",
)  # fmt: skip
EXPANDED = (
    "torch.special.", "torch.erf", "torch.nan_to_num", "torch.polygamma", "torch.lgamma", "torch.digamma",
    "torch.i0", "torch.fill", "F.scaled_dot_product_attention", "torch.tile",
    "torch.linalg.lstsq(x, y, driver='gels')",  # the residuals exist only where the rank is full
)  # fmt: skip
SCATTERED = ("torch.select_scatter", "torch.slice_scatter", "torch.diagonal_scatter")
EINSUM = ("torch.einsum('ij,jk->kij', x, y)",)
DIFFER = {
    "whole": EINSUM, "turned": TURNED + EINSUM, "sliced": SCATTERED + EINSUM, "expanded": EXPANDED + EINSUM,
}  # fmt: skip


def programs(call: Call, layout: str, grad: bool, count: int) -> Iterator[Program]:
    """Programs that call the op on tensors of one shape, in this layout."""
    rng, sizes, shapes = np.random.default_rng(0), SIZES[0], {}
    for name in sorted(call.names, key=lambda n: _shape_spec(call, n) == "="):
        spec = _shape_spec(call, name)
        words = {"*": "2 3"}.get(spec, spec).split()
        shapes[name] = shapes["x"] if spec == "=" else tuple(int(sizes.get(w, w)) for w in words)
    shapes = {name: shapes[name] for name in call.names}
    lines = []
    for name, shape in shapes.items():
        array = values(call, name, shape, sizes, rng)
        leaf = grad and array.dtype.kind == "f" and name not in "cd"
        text = LAYOUTS[layout if array.ndim else "whole"](array)
        lines.append(f"{name} = {text}" + ".requires_grad_()" * leaf)
    lines_of_call = filled(call.template, next(iter(shapes.values()), ()), sizes)
    for line in lines_of_call[:: max(1, -(-len(lines_of_call) // count))]:
        yield Program([*lines, f"r = {line}"])


def pulled(library: Any, scope: dict[str, Any], leaves: list[str]) -> tuple[list[Any], list[Any]]:
    """What is handed to a backward pass, and the gradients that come out of it."""
    results = outputs(library, scope["r"])
    cotangents = [weights(library, t) for t in results]
    if not results or not leaves:
        return cotangents, []
    try:
        grads = library.autograd.grad(
            results, [scope[n] for n in leaves], cotangents, True, allow_unused=True
        )
    except (RuntimeError, NotImplementedError):
        return cotangents, []
    return cotangents, [g for g in grads if g is not None]


@pytest.mark.parametrize("call", EVERY, ids=str)
def test_memory_of_ops(call: Call) -> None:
    """Results lie as PyTorch's do; what was given is as it was; gradients lie apart from all else,
    so that the next pass finds what this one found."""
    for layout, grad, count in PASSES[: 1 if call.plain else None]:
        for program in programs(call, layout, grad, count):
            theirs, ours = scopes = [attempt(library, program) for library in LIBRARIES]
            if isinstance(theirs["r"], Raised) or isinstance(ours["r"], Raised):
                continue
            results = [
                tensors_of(*p) for p in zip(LIBRARIES, (theirs["r"], ours["r"]), strict=True)
            ]
            inputs = [[scope[n] for n in call.names] for scope in scopes]
            text = f"{layout}: {program.lines[-1]}"
            if not call.template.startswith(DIFFER[layout]):
                assert [memory(t) for t in results[1]] == [memory(t) for t in results[0]], text
            for expected, found in zip(*results, strict=True):
                assert size_of_memory(found) <= size_of_memory(expected), text
            assert all(t._array.flags.writeable for t in results[1]), text
            both = [shared([*side, *given]) for side, given in zip(results, inputs, strict=True)]
            assert both[1] == both[0], text
            assert bits(inputs[1]) == bits(inputs[0]), text
            if grad:
                check_gradients(call, ours, results[1], text)


def check_gradients(call: Call, scope: dict[str, Any], results: list[Any], text: str) -> None:
    leaves = [n for n in call.names if scope[n].requires_grad]
    around = [*results, *(scope[n] for n in call.names)]
    before = bits(around)
    cotangents, grads = pulled(minigrad, scope, leaves)
    given, first = bits(cotangents), bits(grads)
    assert_own_memory(grads, [*around, *cotangents], text)
    for g in grads:
        g.fill_(7)
    again = bits(pulled(minigrad, scope, leaves)[1])
    assert (again, bits(around), bits(cotangents)) == (first, before, given), text


def only(program: Program, leaf: str) -> Program:
    """The program in which no other tensor requires a gradient."""
    end = ".requires_grad_()"
    return Program(
        [line if line.startswith(f"{leaf} =") else line.removesuffix(end) for line in program.lines]
    )


def written_into(library: Any, program: Program, names: list[str], written: str) -> Any:
    """The gradients after the results (`r`) or an input were set to 0; None if they are refused."""
    scope = attempt(library, program)
    leaves = [n for n in names if scope[n].requires_grad]
    results, inputs = outputs(library, scope["r"]), [scope[n] for n in leaves]
    try:
        with library.no_grad():
            for tensor in tensors_of(library, scope.get(written)):
                tensor.zero_()
        cotangents = [weights(library, t) for t in results]
        grads = library.autograd.grad(results, inputs, cotangents, allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return None
    return [None if g is None else g.numpy().tobytes() for g in grads]


@pytest.mark.parametrize("call", [c for c in EVERY if c.derivatives and c.slopes], ids=str)
def test_what_is_written_into_before_the_backward_pass(call: Call) -> None:
    """If it was saved for the backward pass, that refuses, though only where PyTorch's does (which
    saves more here and there); else the gradients are as they were."""
    program = next(programs(call, "whole", True, 1))
    leaves = [n for n in call.names if n not in "cd"]
    if call.template == "torch.kron(x, y)":
        return  # PyTorch's saves a reshaped factor that counts as another tensor, and so do we
    for each in [program, *(only(program, name) for name in leaves)]:
        before = written_into(minigrad, each, call.names, "")
        for written in ["r", *call.names]:
            found = written_into(minigrad, each, call.names, written)
            assert found in (None, before), written
            if found is None and before is not None and call.template != "torch.erfinv(x)":
                assert written_into(torch, each, call.names, written) is None, each.lines


def memory_of_second(library: Any, program: Program, names: list[str]) -> Any:
    """How the gradients with respect to what the first backward pass was given lie in memory: which
    share it with what, and how much of it they keep beyond their own size."""
    scope = attempt(library, program)
    results, leaves = outputs(library, scope["r"]), [scope[n] for n in names]
    leaves = [t for t in leaves if t.requires_grad]
    given = [weights(library, t).requires_grad_() for t in results]
    options = {"allow_unused": True, "create_graph": True}
    grads = library.autograd.grad(results, leaves, given, **options)
    grads = [g for g in grads if g is not None and g.requires_grad]
    again = [weights(library, g, 1) for g in grads]
    found = library.autograd.grad(grads, given, again, **options) if grads else []
    found = [g for g in found if g is not None]
    more = [max(0, size_of_memory(g) - g.numel() * g.element_size()) for g in found]
    return shared([*found, *again, *given, *leaves, *grads]), sum(more)


SECOND_DIFFER = (
    "torch.linalg.matrix_exp(",  # a block of a matrix of blocks
    "torch.cat((x,", "torch.sum(x)",  # of one tensor, of one number: what was given itself
    "torch.linalg.svdvals(x)", "torch.nn.functional.interpolate(x, size=", "F.pad(x, (0, 0)",  # the same
)  # fmt: skip


@pytest.mark.parametrize("call", [c for c in EVERY if c.derivatives > 1], ids=str)
def test_memory_of_gradients_of_gradients(call: Call) -> None:
    program = next(programs(call, "whole", True, 1))
    theirs, ours = (memory_of_second(library, program, call.names) for library in LIBRARIES)
    if not call.template.startswith(SECOND_DIFFER):
        assert ours[0] <= theirs[0]
        assert ours[1] <= theirs[1]
