"""What must hold for every op, whatever it computes, tried on arguments that Hypothesis draws.

Each op is called by the lines of `op_lines.py`. It must give what PyTorch gives, in values,
gradients, dtypes, strides, graph and errors; and its gradients must be what mathematics says:
slopes of secants, the transpose of forward mode, linear in what comes in, symmetric when taken
twice. `test_every_row_is_called` fails if a new op with a gradient is not called by any line.

A failing test prints the shortest program that it found, which `python -m parity run` takes.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from op_calls import Call, Drawn, calls, rows
from op_lines import CALLS
from oracle import FLOATS, LIBRARIES, Raised, facts, flat
from strategies import DTYPES, Program, edges

import minigrad

np.seterr(all="ignore")
EVERY = pytest.mark.parametrize("call", CALLS, ids=str)
SMOOTH = pytest.mark.parametrize("call", [c for c in CALLS if c.derivatives and c.slopes], ids=str)
TWICE = pytest.mark.parametrize("call", [c for c in CALLS if c.derivatives > 1], ids=str)


def draw_call(
    data: st.DataObject, call: Call, kind: str = "generic", dtype: str = "float64"
) -> Any:
    drawn: Drawn = data.draw(calls(call, kind, dtype))
    note(str(drawn.program))
    return drawn


def kinds(call: Call) -> list[str]:
    """Which numbers mean something to this op."""
    more = ["edges"] if call.edges and call.any_shape else []
    return ["generic", *(["ties"] if call.ties else []), *more]


# --- one call, differentiated ----------------------------------------------------------------------


def attempt(library: Any, program: Program) -> dict[str, Any]:
    """The names that a program set; `r` is what its last line raised, if it raised."""
    library.manual_seed(0)
    scope = program.run(library, program.lines[:-1])
    try:
        return program.run(library, program.lines[-1:], **scope)
    except Exception as error:
        return scope | {"r": Raised(error)}


def outputs(library: Any, result: Any) -> list[Any]:
    """Those of the results that can be differentiated."""
    found = [t for t in flat(result) if isinstance(t, library.Tensor)]
    return [t for t in found if t.requires_grad]


def weights(library: Any, like: Any, seed: int = 0) -> Any:
    """Something to multiply a result with: small numbers, all different from their neighbours."""
    count = int(np.prod(like.shape))
    values = ((np.arange(count) * 5 + 3 * seed) % 7 - 2.5) / 4
    return library.tensor(values.reshape(tuple(like.shape)).astype(dtype_name(like)))


def dtype_name(tensor: Any) -> str:
    return str(tensor.dtype).rpartition(".")[2]


def pulled_back(library: Any, results: Any, inputs: Any, seed: int = 0, **options: Any) -> Any:
    """The gradients of the inputs for some cotangents."""
    cotangents = [weights(library, t, seed) for t in results]
    return library.autograd.grad(results, inputs, cotangents, allow_unused=True, **options)


def derivatives(library: Any, scope: dict[str, Any], leaves: list[str], order: int) -> Any:
    """Gradients of the results for some cotangent, gradients of these, and so on."""
    found: list[Any] = []
    results, inputs = outputs(library, scope["r"]), [scope[n] for n in leaves]
    for level in range(order):
        if not results:
            break
        try:
            grads = pulled_back(library, results, inputs, level, create_graph=level + 1 < order)
        except (RuntimeError, NotImplementedError) as error:
            return [*found, Raised(error)]
        found.append([None if g is None else g.detach() for g in grads])
        results = [g for g in grads if g is not None and g.requires_grad]
    return found


def _filled(slopes: list[Any], zeros: list[Any]) -> Any:
    """The second derivatives; those that do not exist (none was recorded) are zero."""
    if len(slopes) < 2:
        return [zero.numpy() for zero in zeros]
    if isinstance(slopes[1], Raised):
        return slopes[1]
    return [
        z.numpy() if t is None else t.numpy(force=True)
        for t, z in zip(slopes[1], zeros, strict=True)
    ]


# --- the same as PyTorch ---------------------------------------------------------------------------


def assert_same(
    theirs: Any, ours: Any, unit: float, ulps: int, gradient: bool = False, graph: bool = True
) -> None:
    """The results of both libraries are equal: floats up to `ulps` units in the last place of the
    largest of them (or of `unit`), infinities and nan in the same places. `graph`: strides and
    nodes are equal too."""
    if isinstance(theirs, Raised) and theirs.kind == "NotImplementedError" and not gradient:
        pass  # PyTorch has no kernel for the dtype; that minigrad computes is no harm
    elif isinstance(theirs, Raised) or isinstance(ours, Raised):
        assert isinstance(ours, Raised), f"PyTorch raises {theirs.kind}: {theirs.text}"
        assert isinstance(theirs, Raised), f"minigrad raises {ours.kind}: {ours.text}"
        assert ours.kind == theirs.kind, f"{ours.text} / {theirs.text}"
    elif isinstance(theirs, (tuple, list)):
        assert len(theirs) == len(ours)
        for a, b in zip(theirs, ours, strict=True):
            assert_same(a, b, unit, ulps, gradient, graph)
    elif isinstance(theirs, torch.Tensor):
        if not gradient:
            assert ours.requires_grad == theirs.requires_grad
        assert facts(ours, gradient or not graph) == facts(theirs, gradient or not graph)
        assert_close(theirs.numpy(force=True), ours.numpy(force=True), unit, ulps)
    elif isinstance(theirs, np.ndarray):
        assert_close(theirs, ours, unit, ulps)
    else:
        assert str(ours).replace("minigrad.", "torch.") == str(theirs)


def assert_close(theirs: Any, ours: Any, unit: float, ulps: int) -> None:
    message = f"PyTorch:  {theirs.tolist()}\nminigrad: {ours.tolist()}"
    if theirs.dtype not in FLOATS:
        assert np.array_equal(theirs, ours), message
        return
    finite = np.isfinite(theirs)
    assert np.array_equal(finite, np.isfinite(ours)), message
    assert np.array_equal(theirs[~finite], ours[~finite], equal_nan=True), message
    largest = np.abs(theirs[finite]).max(initial=np.asarray(unit, theirs.dtype))
    apart = np.abs(theirs[finite].astype(np.float64) - ours[finite]) / np.spacing(largest)
    assert apart.max(initial=0) <= ulps, f"{apart.max():.1f} units apart\n{message}"


@EVERY
@given(data=st.data())
def test_value_and_gradients_are_pytorchs(call: Call, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(kinds(call)))
    drawn = draw_call(data, call, kind, data.draw(st.sampled_from(["float64", "float32"])))
    theirs, ours = (attempt(library, drawn.program) for library in LIBRARIES)
    unit = call.unit if kind == "edges" else 1.0
    assert_same(theirs["r"], ours["r"], unit, call.ulps, graph=call.graph and drawn.is_plain)
    if call.derivatives and not isinstance(theirs["r"], Raised):
        order = call.derivatives if kind != "edges" else 1
        first, second = (
            derivatives(library, scope, drawn.leaves, order)
            for library, scope in zip(LIBRARIES, (theirs, ours), strict=True)
        )
        assert_same(first[:1], second[:1], 1.0, 4 * call.ulps, gradient=True)
        zeros = [torch.zeros_like(theirs[n]) for n in drawn.leaves]
        curves = [_filled(s, zeros) for s in (first, second)]
        if kind == "ties" and not any(isinstance(c, Raised) for c in curves):
            curves[1] = [
                np.where(np.isnan(a), a, b) for a, b in zip(*curves, strict=True)
            ]  # PyTorch's second derivative where there is none
        assert_same(*curves, 1.0, 4 * call.ulps, True)


@EVERY
@given(data=st.data())
def test_values_of_every_dtype_are_pytorchs(call: Call, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(kinds(call)[1:] or ["generic"]))
    dtypes = ("float64", "float32") if call.floats else DTYPES
    drawn = draw_call(data, call, kind, data.draw(st.sampled_from(dtypes)))
    theirs, ours = (attempt(library, drawn.program)["r"] for library in LIBRARIES)
    assert_same(
        theirs,
        ours,
        call.unit if kind == "edges" else 1.0,
        2 * call.ulps,
        False,
        call.graph and drawn.is_plain,
    )


ALONE = [
    call
    for call in CALLS
    if call.names == ["x"] and call.any_shape and call.derivatives and call.edges
    if not re.search(r"\{(pair|index)\}", call.template)
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("call", ALONE, ids=str)
def test_at_special_points(call: Call, dtype: str) -> None:
    """Where slopes jump, vanish, or grow beyond all bounds, which no draw need hit upon."""
    first = {"dim": "0", "dim2": "0", "dims": "(0,)", "shape": "(1,)"}
    line = re.sub(r"\{([^{}]*)\}", lambda m: first.get(m[1], m[1].partition("|")[0]), call.template)
    for point in edges(dtype):
        x = f"torch.tensor([{point}], dtype=torch.{dtype}, requires_grad=True)"
        program = Program([f"x = {x}", f"r = {line}"])
        theirs, ours = (attempt(library, program) for library in LIBRARIES)
        assert_same(theirs["r"], ours["r"], call.unit, call.ulps)
        slopes = [
            derivatives(library, scope, ["x"], 1)
            for library, scope in zip(LIBRARIES, (theirs, ours), strict=True)
        ]
        assert_same(*slopes, 1.0, 4 * call.ulps, gradient=True)


# --- what mathematics says -------------------------------------------------------------------------


def prepared(data: st.DataObject, call: Call) -> tuple[Drawn, dict[str, Any], list[Any], list[Any]]:
    """A call in general position on minigrad: what was drawn, its names, results, inputs. The mean
    loss of no samples at all is nan: nothing to differentiate."""
    drawn = draw_call(data, call)
    scope = attempt(minigrad, drawn.program)
    assert not isinstance(scope["r"], Raised), scope["r"].text
    results = outputs(minigrad, scope["r"])
    assume("ignore_index" not in call.template or all(bool(t.isfinite().all()) for t in results))
    return drawn, scope, results, [scope[n] for n in drawn.leaves]


def dot(ones: Any, others: Any) -> float:
    """The inner product of two lists of tensors; None counts as zeros."""
    pairs = [(a, b) for a, b in zip(ones, others, strict=True) if a is not None and b is not None]
    return sum(float((a.double() * b.double()).sum()) for a, b in pairs)


def shifted(drawn: Drawn, scope: dict[str, Any], step: float) -> float:
    """The results times their weights, with each input moved by `step` times its direction."""
    moved = {
        n: (scope[n] + step * weights(minigrad, scope[n], 1)).detach().requires_grad_()
        for n in drawn.leaves
    }
    minigrad.manual_seed(0)
    again = drawn.program.run(minigrad, drawn.program.lines[-1:], **{**scope, **moved})
    results = outputs(minigrad, again["r"])
    return dot([t.detach() for t in results], [weights(minigrad, t) for t in results])


@SMOOTH
@given(data=st.data())
def test_gradient_is_the_slope_of_a_secant(call: Call, data: st.DataObject) -> None:
    drawn, scope, results, inputs = prepared(data, call)
    if results and all(dtype_name(t) == "float64" for t in results):
        grads = pulled_back(minigrad, results, inputs)
        slope = dot(grads, [weights(minigrad, t, 1) for t in inputs])
        step = 2.0**-19
        secant = (shifted(drawn, scope, step) - shifted(drawn, scope, -step)) / (2 * step)
        size = 1 + max(float(t.detach().abs().sum()) for t in results)
        assert slope == pytest.approx(secant, rel=1e-5, abs=1e-7 * size)


@SMOOTH
@given(data=st.data())
def test_forward_mode_is_reverse_mode(call: Call, data: st.DataObject) -> None:
    drawn, scope, results, inputs = prepared(data, call)

    def function(*values: Any) -> tuple[Any, ...]:
        minigrad.manual_seed(0)
        names = {**scope, **dict(zip(drawn.leaves, values, strict=True))}
        again = drawn.program.run(minigrad, drawn.program.lines[-1:], **names)
        return tuple(outputs(minigrad, again["r"]))

    if results and call.derivatives > 1:
        directions = [weights(minigrad, t, 1) for t in inputs]
        point = tuple(t.detach() for t in inputs)
        _, tangents = minigrad.func.jvp(function, point, tuple(directions))
        ahead = dot(tangents, [weights(minigrad, t) for t in results])
        back = dot(pulled_back(minigrad, results, inputs), directions)
        assert ahead == pytest.approx(back, rel=1e-6, abs=1e-9)


@SMOOTH
@given(data=st.data())
def test_backward_is_linear_in_what_comes_in(call: Call, data: st.DataObject) -> None:
    _, _, results, inputs = prepared(data, call)
    if not results:
        return
    first, second = ([weights(minigrad, t, seed) for t in results] for seed in (1, 2))
    mixed = [2 * a - 3 * b for a, b in zip(first, second, strict=True)]
    options = {"allow_unused": True, "retain_graph": True}
    size = max(float(t.detach().abs().sum()) for t in results)
    grads = [minigrad.autograd.grad(results, inputs, w, **options) for w in (first, second, mixed)]
    for a, b, c in zip(*grads, strict=True):
        if a is not None:
            scale = 1e-3 if "float16" in (dtype_name(t) for t in results) else 1e-6
            largest = float((a.abs() + b.abs()).sum())
            np.testing.assert_allclose(
                (2 * a - 3 * b).numpy(), c.numpy(), rtol=scale, atol=scale * (largest + size)
            )


@TWICE
@given(data=st.data())
def test_second_derivative_is_symmetric(call: Call, data: st.DataObject) -> None:
    _, _, results, inputs = prepared(data, call)
    if not results:
        return
    grads = pulled_back(minigrad, results, inputs, create_graph=True)
    slopes = [(g, t) for g, t in zip(grads, inputs, strict=True) if g is not None]
    v, w = ([weights(minigrad, t, seed) for t in inputs] for seed in (1, 2))
    assert hessian_form(grads, inputs, v, w) == pytest.approx(
        hessian_form(grads, inputs, w, v), rel=1e-6, abs=1e-8
    )
    assert slopes or not inputs


def hessian_form(grads: Any, inputs: Any, v: Any, w: Any) -> float:
    """v' H w, where `grads` are the first derivatives."""
    pairs = [(g, a) for g, a in zip(grads, v, strict=True) if g is not None and g.requires_grad]
    if not pairs:
        return 0.0
    second = minigrad.autograd.grad(
        [g for g, _ in pairs], inputs, [a for _, a in pairs], allow_unused=True, retain_graph=True
    )
    return dot(second, w)


# --- memory ----------------------------------------------------------------------------------------


@EVERY
@given(data=st.data())
def test_inputs_stay_and_results_share_memory_as_in_pytorch(
    call: Call, data: st.DataObject
) -> None:
    drawn = draw_call(data, call, data.draw(st.sampled_from(kinds(call))))
    scopes = [attempt(library, drawn.program) for library in LIBRARIES]
    for name in drawn.arrays:
        tensor = scopes[1][name]
        before = scopes[0][name]
        assert tensor._version == before._version
        np.testing.assert_array_equal(tensor.detach().numpy(), before.detach().numpy())
    sharing = [_sharing(*pair, drawn) for pair in zip(LIBRARIES, scopes, strict=True)]
    assert sharing[1] == sharing[0]
    if not isinstance(scopes[1]["r"], Raised) and call.derivatives:
        derivatives(minigrad, scopes[1], drawn.leaves, 1)
        for name in drawn.arrays:
            np.testing.assert_array_equal(
                scopes[1][name].detach().numpy(), scopes[0][name].detach().numpy()
            )


def _sharing(library: Any, scope: dict[str, Any], drawn: Drawn) -> list[tuple[int, str]]:
    """Which results lie in which inputs' memory."""
    found = []
    results = [t for t in flat(scope["r"]) if isinstance(t, library.Tensor)]
    for number, result in enumerate(results):
        for name in drawn.arrays:
            if result.numel() and np.may_share_memory(
                result.detach().numpy(), scope[name].detach().numpy()
            ):
                found.append((number, name))
    return found


@EVERY
@given(data=st.data())
def test_a_view_writes_through(call: Call, data: st.DataObject) -> None:
    """Doubling a view doubles what it shows of its base, and passes the gradient of that."""
    drawn = draw_call(data, call)
    base = "x" if "x" in drawn.leaves else ""
    probe = attempt(torch, drawn.program)
    views = [t for t in flat(probe["r"]) if isinstance(t, torch.Tensor) and t._is_view()]
    if not base or isinstance(probe["r"], (tuple, list)) or not views or _overlaps(views[0]):
        return
    *before, line = drawn.program.lines
    written = [
        *before, "leaf = x", "x = leaf * 1", line, "r.mul_(2)", "s = (x * x).sum()", "s.backward()",
    ]  # fmt: skip
    note(str(Program([*written, "print(x, leaf.grad)"])))
    theirs, ours = (Program(written).run(library) for library in LIBRARIES)
    assert_same(theirs["x"], ours["x"], 1.0, 0)
    assert_same(theirs["leaf"].grad, ours["leaf"].grad, 1.0, 0, gradient=True)


def _overlaps(view: torch.Tensor) -> bool:
    """Whether two elements lie at the same place."""
    places = np.zeros(1, int)
    for stride, size in zip(view.stride(), view.shape, strict=True):
        places = np.add.outer(places, stride * np.arange(size)).reshape(-1)
    return len(set(places.tolist())) < places.size


# --- every row -------------------------------------------------------------------------------------

# Rows that these calls do not record, and where they are tested.
UNREACHED = {
    "conversion.to_device": "needs a second device: tests/test_gpu.py",
    "packing._pack_padded": "takes a batch of sequences: tests/test_rnn.py",
    "recurrent.lstm_layer": "takes a list of weights: tests/test_random_networks.py",
    "recurrent.gru_layer": "the same",
    "recurrent.rnn_tanh_layer": "the same",
    "recurrent.rnn_relu_layer": "the same",
    "weight_normalization.weight_norm": "is a parametrization: tests/test_nn_utils.py",
}


def reached(call: Call, examples: int) -> set[int]:
    """The rows behind the results of a call, and behind its derivatives."""
    found: set[int] = set()

    @settings(max_examples=examples, derandomize=True, database=None, deadline=None)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        drawn = data.draw(calls(call, data.draw(st.sampled_from(["generic", "ties"]))))
        scope = attempt(minigrad, drawn.program)
        results, inputs = outputs(minigrad, scope["r"]), [scope[n] for n in drawn.leaves]
        for _ in range(3):
            found.update(_rows_behind(results))
            if not results or not call.derivatives:
                return
            cotangents = [weights(minigrad, t).requires_grad_() for t in results]
            try:
                grads = minigrad.autograd.grad(
                    results, inputs, cotangents, create_graph=True, allow_unused=True
                )
            except (RuntimeError, np.linalg.LinAlgError):
                return
            inputs += cotangents
            results = [g for g in grads if g is not None and g.requires_grad]

    run()
    return found


def _rows_behind(tensors: list[Any]) -> set[int]:
    pending, seen, found = [t.grad_fn for t in tensors], set(), set()
    while pending:
        node = pending.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        found.add(id(getattr(type(node), "row", None)))
        operation = getattr(node, "operation", None)
        pending += [n for n, _ in node.next_functions] + ([operation] if operation else [])
    return found


def test_every_row_is_called() -> None:
    """A row of the table of derivatives is recorded by some line of `op_lines.py`."""
    missing = {path: id(op.row) for path, op in rows().items() if op.row.formulas}
    for examples in (5, 20):  # more where few have not been enough
        if missing.keys() != UNREACHED.keys():
            found = set().union(*[reached(call, examples) for call in CALLS])
            missing = {path: row for path, row in missing.items() if row not in found}
    assert missing.keys() == UNREACHED.keys(), (
        f"no line in tests/op_lines.py records {sorted(missing.keys() - UNREACHED.keys())}"
    )
