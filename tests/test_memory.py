"""Which memory results, gradients and buffers lie in, and what a later write into it changes.

A copy that is left out shows in one of these ways: two tensors share memory that PyTorch keeps
apart; a result keeps a larger array alive, or lies in it with other strides; what an op only reads
is changed; or a gradient changes when something else is written into.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import module_db
import numpy as np
import optim_db
import pytest
import torch
from both import on_both
from module_db_checks import Case
from op_calls import Call, _shape_spec, call
from op_db import evenly
from op_lines import CALLS
from oracle import LIBRARIES, Raised, flat, reals, same, stride
from strategies import Program, literal
from test_op_alternatives import SIZES, filled, values
from test_properties import attempt, outputs, weights

import minigrad

# --- every op, on tensors that lie differently in memory -------------------------------------------

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


def memory(tensor: Any) -> tuple[Any, ...]:
    """Where a tensor lies in its memory. (What is no view of a tensor that lives begins it.)"""
    place = tensor.storage_offset() if tensor._is_view() and tensor.numel() else 0
    return stride(tensor), place


def size_of_memory(tensor: Any) -> int:
    return tensor.untyped_storage().nbytes() if tensor.numel() else 0


def shared(tensors: list[Any]) -> set[tuple[int, int]]:
    """The pairs of tensors in one memory; those without elements lie nowhere."""
    places = [t.untyped_storage().data_ptr() if t.numel() else -i for i, t in enumerate(tensors)]
    pairs = itertools.combinations(enumerate(places), 2)
    return {(i, j) for (i, one), (j, other) in pairs if one == other}


def tensors_of(library: Any, value: Any) -> list[Any]:
    return [t for t in flat(value) if isinstance(t, library.Tensor)]


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


def bits(tensors: list[Any]) -> list[bytes]:
    return [t.numpy(force=True).tobytes() for t in tensors]


def assert_own_memory(gradients: list[Any], others: list[Any], after: str) -> None:
    """Each gradient has memory of its own, no more than it needs."""
    together = shared([*gradients, *others])
    assert not {pair for pair in together if pair[0] < len(gradients)}, after
    for g in gradients:
        assert g.untyped_storage().nbytes() == g.numel() * g.element_size(), after


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


def written_into(program: Program, names: list[str], written: str) -> list[Any] | None:
    """The gradients after the results (`r`) or an input were set to 0; None if they are refused."""
    scope = attempt(minigrad, program)
    leaves = [n for n in names if scope[n].requires_grad]
    results, inputs = outputs(minigrad, scope["r"]), [scope[n] for n in leaves]
    try:
        with minigrad.no_grad():
            for tensor in tensors_of(minigrad, scope.get(written)):
                tensor.zero_()
        cotangents = [weights(minigrad, t) for t in results]
        grads = minigrad.autograd.grad(results, inputs, cotangents, allow_unused=True)
    except (RuntimeError, NotImplementedError):
        return None
    return [None if g is None else g.numpy().tobytes() for g in grads]


@pytest.mark.parametrize("call", [c for c in EVERY if c.derivatives and c.slopes], ids=str)
def test_what_is_written_into_before_the_backward_pass(call: Call) -> None:
    """If it was saved for the backward pass, that refuses; else the gradients are as they were."""
    program = next(programs(call, "whole", True, 1))
    before = written_into(program, call.names, "")
    if call.template == "torch.kron(x, y)":
        return  # PyTorch's saves a reshaped factor that counts as another tensor, and so do we
    for written in ["r", *call.names]:
        assert written_into(program, call.names, written) in (None, before), written


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


# --- layers and losses -----------------------------------------------------------------------------


def held_by(case: Case, results: list[Any]) -> list[Any]:
    """All tensors of a module's call: the results, what was given, parameters and buffers."""
    module = case.module
    return [*results, *case.arguments.tensors.values(), *module.parameters(), *module.buffers()]


@pytest.mark.parametrize("name", module_db.present())
@pytest.mark.filterwarnings("ignore")
def test_memory_of_modules(name: str) -> None:
    entry = module_db.entries()[name]
    count = 10 if name in ("RNN", "LSTM", "GRU", "MultiheadAttention") else 2
    for training in module_db.modes(entry):
        for sample in evenly(module_db.samples(entry, torch.float64, training), count):
            if sample.is_called and not isinstance(sample.theirs.result, Raised):
                check_module(sample)


def check_module(sample: Any) -> None:
    results = [tensors_of(case.library, case.result) for case in sample]
    theirs, ours = (held_by(*pair) for pair in zip(sample, results, strict=True))
    if sample.input.name not in MODULES_DIFFER:
        assert [memory(t) for t in results[1]] == [memory(t) for t in results[0]], sample
    for expected, found in zip(*results, strict=True):
        assert size_of_memory(found) <= size_of_memory(expected), sample
    assert shared(ours) == shared(theirs), sample
    given = [list(case.arguments.tensors.values()) for case in sample]
    assert bits(given[1]) == bits(given[0]), sample
    check_accumulated(sample.ours, [t for t in results[1] if t.requires_grad], ours, str(sample))


def check_accumulated(case: Case, results: list[Any], held: list[Any], text: str) -> None:
    """Gradients lie apart from all else: after they are changed the next ones are the same."""
    cotangents = [weights(minigrad, t) for t in results]
    given, before = bits(cotangents), bits(held)

    def grads_of_a_pass() -> list[Any]:
        for leaf in case.leaves:
            leaf.grad = None
        try:
            minigrad.autograd.backward(results, cotangents, retain_graph=True)
        except RuntimeError:  # a node without a derivative
            return []
        return [leaf.grad for leaf in case.leaves if leaf.grad is not None]

    grads = grads_of_a_pass()
    first = bits(grads)
    assert_own_memory(grads, [*held, *cotangents], text)
    for g in grads:
        g.fill_(7)
    again = bits(grads_of_a_pass())
    assert (again, bits(held), bits(cotangents)) == (first, before, given), text


MODULES_DIFFER: tuple[str, ...] = ()


# --- optimizers ------------------------------------------------------------------------------------


def state_of(optimizer: Any, library: Any) -> list[Any]:
    """The tensors of an optimizer's state, in the order of the parameters and of the names."""
    groups = [optimizer.state[p] for group in optimizer.param_groups for p in group["params"]]
    values = [leaf for state in groups for key in sorted(state) for leaf in flat(state[key])]
    return tensors_of(library, values)


def saved(state_dict: dict[str, Any], library: Any) -> list[Any]:
    states = [state_dict["state"][number] for number in sorted(state_dict["state"])]
    values = [leaf for state in states for key in sorted(state) for leaf in flat(state[key])]
    return tensors_of(library, values)


def memory_of_training(library: Any, info: Any, kwargs: dict[str, Any]) -> Any:
    """Which tensors share memory after two steps: parameters, gradients, the state, the state of
    the saved, the loaded and the copied optimizer, and which of these have changed after a step."""
    training = optim_db.Training(library, info, kwargs, torch.float64).steps(2)
    other = optim_db.Training(library, info, kwargs, torch.float64)
    state_dict = training.optimizer.state_dict()
    other.optimizer.load_state_dict(state_dict)
    copied = copy.deepcopy(training.optimizer)
    held = [*training.params, *(p.grad for p in training.params)]
    held += state_of(training.optimizer, library)
    kept = [*held, *saved(state_dict, library), *state_of(other.optimizer, library)]
    kept += [*state_of(copied, library), *(p for g in copied.param_groups for p in g["params"])]
    before = bits(kept)
    if not info.step_requires_closure:  # L-BFGS is there by now: it moves, if at all, by rounding
        other.step()
    changed = [a != b for a, b in zip(before, bits(kept), strict=True)]
    return sorted(shared(kept)), changed, [memory(t) for t in kept]


@pytest.mark.parametrize("name", optim_db.present())
@pytest.mark.filterwarnings("ignore")
def test_memory_of_optimizers(name: str) -> None:
    info = optim_db.entries()[name]
    for given in optim_db.configurations(info, torch.float64)[::3]:
        try:
            theirs, ours = (memory_of_training(t, info, given.kwargs) for t in LIBRARIES)
        except optim_db.Outside:
            continue
        assert ours == theirs, given.kwargs


# --- the engine ------------------------------------------------------------------------------------


@on_both
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize(
    "line", ["x * 2", "x.clone()", "x.mean()", "x.view(-1)", "x.exp()", "x[0]"]
)
def test_writes_into_gradients_change_nothing_else(
    torch: Any, log: Any, line: str, create_graph: bool
) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    z = eval(line, {"x": y})
    y.retain_grad()
    z.retain_grad()
    given, seen = torch.ones_like(z), []
    z.register_hook(lambda grad: seen.append(grad * 1))
    for _ in range(2):
        z.backward(given, retain_graph=True, create_graph=create_graph)
        log(x.grad, y.grad, z.grad, given, seen, y, z)
        with torch.no_grad():
            x.grad.fill_(7)
        log(y.grad, z.grad, given, seen, y, z)
        with torch.no_grad():
            z.grad.fill_(8)
        log(x.grad, y.grad, given, y, z)
    first = torch.autograd.grad(z, y, given, retain_graph=True)[0]
    first.detach().fill_(9)
    log(first, x.grad, y.grad, z.grad, given, y, z)
    log(torch.autograd.grad(z, y, given))


@pytest.mark.parametrize("mode", ["save_on_cpu", "allow_mutation_on_saved_tensors"])
def test_saved_tensors_are_copies(mode: str) -> None:
    """(PyTorch's `save_on_cpu` copies what is on a GPU only, and misses writes on the CPU.)"""
    x = minigrad.tensor([1.0, 2.0], requires_grad=True)
    with getattr(minigrad.autograd.graph, mode)():
        y = x * 3
        z = (y * y).sum()
        with minigrad.no_grad():
            y.mul_(2)
        z.backward()
    assert flat(x.grad)[0].tolist() == [18.0, 36.0]


@pytest.mark.parametrize("kind", ["function", "next", "close"])
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda t: t.__name__)
def test_a_function_in_a_mode_may_run_in_two_threads(library: Any, kind: str) -> None:
    """Each thread gets its own mode back, though both are in the function at the same time."""
    first_in, second_in, first_out = (threading.Event() for _ in range(3))
    found = {}

    def meet() -> None:
        """The first thread enters, then the second; the first leaves, then the second."""
        if threading.current_thread().name == "first":
            first_in.set()
            assert second_in.wait(10)
        else:
            second_in.set()
            assert first_out.wait(10)

    @library.no_grad()
    def function() -> None:
        meet()

    @library.no_grad()
    def generator() -> Iterator[None]:
        if kind == "next":
            meet()
        try:
            yield
        finally:
            if kind == "close":
                meet()

    def run(enabled: bool) -> None:
        library.set_grad_enabled(enabled)
        if kind == "function":
            function()
        else:
            items = generator()
            next(items)
            items.close()
        found[enabled] = library.is_grad_enabled()

    def run_first() -> None:
        run(True)
        first_out.set()

    threads = [
        threading.Thread(target=run_first, name="first"),
        threading.Thread(target=run, args=(False,), name="second"),
    ]
    threads[0].start()
    assert first_in.wait(10)
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert found == {True: True, False: False}


# --- conversions -----------------------------------------------------------------------------------

# `a` is an array, `c` a tensor that is turned, `p` a parameter.
CONVERSIONS = [
    "torch.from_dlpack(c)", "torch.from_dlpack(c, copy=True)", "torch.from_dlpack(a)",
    "torch.from_dlpack(a, copy=True)", "torch.asarray(a)", "torch.asarray(a, copy=True)", "torch.asarray(c)",
    "torch.asarray(c, copy=True)", "torch.asarray(a, dtype=torch.float32)", "torch.tensor(a)",
    "torch.as_tensor(a)", "torch.as_tensor(a.T)", "torch.from_numpy(a)", "torch.from_numpy(a[:, 1:])",
    "torch.frombuffer(a, dtype=torch.float64)", "torch.tensor(c)", "torch.as_tensor(c)", "c.clone()", "c.numpy()",
    "c.to(torch.float64)", "c.to(torch.float64, copy=True)", "c.to(torch.float32)", "c.double()", "c.new_tensor(c)",
    "copy.copy(c)", "copy.deepcopy(c)", "copy.deepcopy(c[1:])", "copy.deepcopy([c, c.T])[1]",
    "copy.deepcopy([c, c[0]])[1]", "c.detach()", "c.data",
    "torch.nn.Parameter(c)", "copy.deepcopy(p)", "p.data", "p.detach().clone()", "c.contiguous()", "c.T.contiguous()",
    "torch.empty_like(c).copy_(c)", "torch.clone(c)", "c.type(torch.float64)", "c.type(torch.float32)",
    "torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(c))", "torch.nn.utils.parameters_to_vector([p])",
    "torch.nn.utils.parameters_to_vector([p, p])", "c.reshape(-1)", "c.T.reshape(-1)", "c.resize_(2)",
    "torch.from_numpy(np.flip(a).copy())",
]  # fmt: skip


@pytest.mark.parametrize("line", CONVERSIONS)
def test_memory_of_conversions(line: str) -> None:
    """Where it lies, and what is overwritten with it."""
    program = (
        f"import copy\np = torch.nn.Parameter(c.clone())\na = np.array(b)\nc = c.T\nr = {line}\n"
        "place = r.strides if isinstance(r, np.ndarray) else r.stride()\n"
        "if not isinstance(r, np.ndarray):\n    r = r.detach()\n"
        "r[...] = 7\n"
        "(place, r.tolist(), c, p.detach(), a.tolist())"
    )
    array = reals(3, 4)
    same(program, order=0, c=array, b=array.tolist())


@pytest.mark.parametrize(
    "line", ["x[a]", "x[a, a]", "x[:, a]", "x[[a]]", "y.__setitem__(a, x[0]) or y"]
)
def test_arrays_that_are_indices_are_copied(line: str) -> None:
    """They may be filled anew before the backward pass (in PyTorch that spoils the gradient)."""
    found = []
    for later in (0, 1):
        x = minigrad.tensor(reals(3, 3), requires_grad=True)
        a = np.array([0, 2])
        r = eval(line, {"x": x, "a": a, "y": x * 2})
        a *= 1 - later
        found.append(minigrad.autograd.grad((r * r).sum(), x)[0].tolist())
    assert found[0] == found[1]
