"""Random programs, line by line on PyTorch and on minigrad.

A state machine of Hypothesis writes a program: tensors, operations, views, in-place writes through
views and bases, in and out of `no_grad`, hooks, backward passes, optimizers, files. PyTorch is the
model: after each line all that shows of every tensor alive is the same on both sides (values,
dtypes, strides, versions, gradients, the names and edges of the graph), and so is the type of the
error, if the line raised one.

A failure prints the program, shrunk, as a script for `python -m parity run FILE`.

    pytest tests/test_state_machine.py                                  about a minute
    pytest tests/test_state_machine.py --hypothesis-profile=thorough    longer programs, and more
"""

from __future__ import annotations

import copy
import io
import textwrap
import warnings
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import on_device
import pytest
import torch as pytorch
from hypothesis import settings
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, multiple, rule

import minigrad
from parity.__main__ import main as parity_main

MANY = settings.default is not None and settings.default.max_examples >= 100
LARGEST = 1e4  # of the numbers that a product may have as factors


class Pair:
    """One program, run line by line on both libraries."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: list[str] = []  # of the tensors alive
        self.scopes = [
            {"torch": library, "io": io, "copy": copy, "calls": []}
            for library in (pytorch, minigrad)
        ]

    def run(self, line: str) -> bool:
        """Run one line on both sides and compare; return whether it ran without an error."""
        errors = [_run(line, scope) for scope in self.scopes]
        self.lines.append(guarded(line) if errors[0] else line)
        self.check("error", *errors)
        self.compare()
        return errors[0] is None

    def define(self, name: str, expression: str, mode: str = "") -> bool:
        if not self.run(f"{mode}{name} = {expression}"):
            return False
        self.names.append(name)
        self.compare(newest=True)
        return True

    def compare(self, newest: bool = False) -> None:
        """All that shows of every tensor (`newest`: of the last one, with its whole graph)."""
        theirs, ours = self.scopes
        for name in self.names[-1:] if newest else self.names:
            for what, look in (GRAPH if newest else LOOKS).items():
                self.check(f"{name}: {what}", _look(look, theirs[name]), _look(look, ours[name]))
        heard = [on_device.neutral(c) if isinstance(c, str) else c for c in ours["calls"]]
        self.check("what the hooks saw", theirs["calls"], heard)

    def check(self, what: str, theirs: Any, ours: Any) -> None:
        assert agree(theirs, ours), (
            f"{what}\n  PyTorch:  {theirs}\n  minigrad: {ours}\n\n{self.script()}"
        )

    def script(self) -> str:
        """The program so far as a file that runs on either library."""
        header = ["# python -m parity run FILE", "import copy, io", "import torch", "calls = []"]
        shown = [
            guarded(f"print({n!r}, {n}, {n}.grad, {n}._version, {n}.stride(), {n}.is_leaf)")
            for n in self.names
        ]
        return "\n".join([*header, *self.lines, *shown, "print(calls)", ""])

    def array(self, name: str) -> np.ndarray:
        return self.scopes[0][name].detach().clone().numpy()


def guarded(line: str) -> str:
    return f"try:\n    {line}\nexcept Exception as error:\n    print(type(error).__name__)"


def _run(line: str, scope: dict[str, Any]) -> str | None:
    try:
        exec(line, scope)
    except Exception as error:
        return _kind(error)
    return None


def _kind(error: Exception) -> str:
    return next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")


def _look(look: Any, tensor: Any) -> Any:
    try:
        return look(tensor)
    except Exception as error:
        return _kind(error)


# --- what shows of a tensor ----------------------------------------------------------------------


def strides(tensor: Any) -> tuple[int, ...]:
    """Those that mean something: not of dimensions of size 1, nor of empty tensors."""
    if not tensor.numel():
        return ()
    return tuple(s for s, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1)


def offset(tensor: Any) -> int:
    """Of a view in its base: that of a detached or loaded base itself is 0 in minigrad."""
    if not tensor._is_view() or not tensor.numel():
        return 0
    base = tensor._base
    shared = tensor.untyped_storage().data_ptr() == base.untyped_storage().data_ptr()
    return tensor.storage_offset() - (base.storage_offset() if shared else 0)


def nodes(tensor: Any) -> list[Any]:
    """Every node behind a tensor and its edges, depth first; met again, it is a number."""
    numbers: dict[Any, int] = {}
    found: list[Any] = []
    pending = [tensor.grad_fn]
    while pending:
        node = pending.pop()
        if node is None or node in numbers:
            found.append(node if node is None else numbers[node])
            continue
        numbers[node] = len(numbers)
        found.append((node.name(), [nr for _, nr in node.next_functions]))
        pending += [n for n, _ in reversed(node.next_functions)]
    return found


def of_gradient(tensor: Any) -> Any:
    grad = tensor.grad
    if grad is None:
        return None
    node = None if grad.grad_fn is None else grad.grad_fn.name()
    values = grad.detach().clone().numpy()
    return values, str(grad.dtype).rpartition(".")[2], strides(grad), grad.requires_grad, node


LOOKS = {
    "dtype": lambda t: str(t.dtype).rpartition(".")[2],
    # a clone: a tensor whose memory NumPy has seen cannot be resized in PyTorch
    "values": lambda t: t.detach().clone().numpy(),
    "strides": strides,
    "version": lambda t: t._version,
    "requires_grad": lambda t: t.requires_grad,
    "is_leaf": lambda t: t.is_leaf,
    "grad_fn": lambda t: None if t.grad_fn is None else t.grad_fn.name(),
    "output_nr": lambda t: t.output_nr,
    "grad": of_gradient,
    "is a view": lambda t: t._is_view(),
    "offset": offset,
}
GRAPH = {"graph": nodes}


def agree(a: Any, b: Any) -> bool:
    """Equal; floats to rounding, relative to the largest of their array."""
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        largest = float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) if a.dtype.kind == "f" else 0
        return bool(np.allclose(a, b, rtol=1e-5, atol=1e-5 * largest, equal_nan=True))
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(agree, a, b))
    return type(a) is type(b) and bool(a == b)


# --- the machine ---------------------------------------------------------------------------------

NUMBERS = st.integers(-8, 8).map(lambda n: n / 4)
SHAPES = st.sampled_from([(), (1,), (2,), (3,), (2, 2), (2, 3), (1, 3), (3, 1), (0,), (2, 0)])
MODES = st.sampled_from([""] * 6 + [
    "with torch.no_grad(): ", "with torch.no_grad(): ", "with torch.enable_grad(): ",
    "with torch.set_grad_enabled(False): ",
])  # fmt: skip
# Not for new tensors: what is made from them outside of the mode has other versions in PyTorch,
# whose own kernels count there.
VIEW_MODES = MODES | st.just("with torch.inference_mode(): ")
UNARY = st.sampled_from([
    "-{}", "{} * 2", "2 - {}", "{}.abs()", "{}.relu()", "{}.tanh()", "{}.sigmoid()", "{}.clone()",
    "{}.sum()", "{}.mean()", "{}.sum(0)", "{}.sum(-1, keepdim=True)", "{}.amax(0)", "{} / 2",
    "{}.clamp(-1, 1)", "{}.double()", "{}.float()", "torch.softmax({}, 0)", "{}.max()",
    "{} > 0", "{}.sign()", "{}.flatten()", "{}.contiguous()", "{}.cumsum(0)",
    "{}.to(torch.int64)", "{}.to(torch.float64)", "torch.zeros_like({})", "{}.var(0)", "{}.repeat(2)", "{}.flip(0)",
    "{}.sort(0)[0]", "{}.tril()", "{}.new_zeros(2)", "{}.masked_fill({} > 0, 0.5)",
])  # fmt: skip
BINARY = st.sampled_from([
    "{} + {}", "{} - {}", "{} * {}", "torch.maximum({}, {})", "torch.where({} > 0, {}, 0.5)",
    "torch.cat([{}, {}])", "torch.stack([{}, {}])", "{} @ {}", "torch.dot({}, {})",
    "torch.lerp({}, {}, 0.5)", "torch.outer({}, {})", "torch.nn.functional.mse_loss({}, {})",
])  # fmt: skip
VIEWS = st.sampled_from([
    "{}[0]", "{}[-1]", "{}[1:]", "{}[::2]", "{}[None]", "{}[..., 0]", "{}[:, 1:]", "{}.mT", "{}.t()",
    "{}.view(-1)", "{}.reshape(-1)", "{}.unsqueeze(-1)", "{}.squeeze()", "{}.squeeze(0)",
    "{}.expand(2, *{}.shape)", "{}.transpose(0, -1)", "{}.detach()", "{}.unbind(0)[0]",
    "{}.chunk(2)[-1]", "{}.split(1)[0]", "{}.diagonal()", "{}.narrow(0, 0, 1)", "{}.select(-1, 0)",
    "{}.view_as({})", "{}.flatten()", "{}.data", "{}.as_strided((1,), (1,))", "{}[...]",
    "{}.movedim(0, -1)", "{}.unfold(0, 1, 1)", "{}.detach()[0]",
])  # fmt: skip
SHAPE_CHANGES = [
    "{}.t_()", "{}.transpose_(0, -1)", "{}.squeeze_()", "{}.squeeze_(0)", "{}.unsqueeze_(0)",
    "{}.unsqueeze_(-1)", "{}.swapaxes_(0, 1)",
]  # fmt: skip
WRITES = st.sampled_from([
    *SHAPE_CHANGES,
    "{}.add_(1)", "{}.mul_(2)", "{}.mul_({})", "{}.zero_()", "{}.fill_(0.5)", "{}.relu_()",
    "{}.neg_()", "{}.clamp_(-1, 1)", "{}.tanh_()", "{}.sigmoid_()", "{}[0] = 0.5", "{}[...] = 0.25",
    "{}.data.add_(1)", "{}.detach().mul_(2)", "{}.masked_fill_({} > 0, 0.25)", "{}.abs_()",
    "{}.detach_()", "{}.requires_grad_()", "{}.requires_grad_(False)", "{}.retain_grad()", "{}.grad = None",
    "{}.grad.zero_()", "{}.cumsum_(0)", "{}.div_(2)",
    "{}.index_fill_(0, torch.tensor([0]), 0.5)", "{}.tril_()", "{}.sign_()", "{}.square_()",
    "{}.sub_(1).mul_(0.5)", "{}.t().add_(1)", "{}[-1:].zero_()",
])  # fmt: skip
WRITES_FROM = st.sampled_from([
    "{}.add_({})", "{}.sub_({}, alpha=2)", "{}.copy_({})", "{}[0] = {}", "{}[...] = {}",
    "{}.lerp_({}, 0.5)", "{}[1:] = {}", "{}[{} > 0] = 0.5", "{}.addcmul_({}, torch.tensor(0.5))",
    "{}.data = {}", "{}.grad = {}", "{}.data.copy_({})", "{}.index_add_(0, torch.tensor([0]), {})",
    "{}.index_copy_(0, torch.tensor([0]), {}[:1])", "{}.mul_({})", "{}.masked_fill_({} > 0, 0.5)", "{}[-1] -= {}",
    "{}.scatter_(0, torch.tensor([0]), {})", "{}.detach().add_({})", "torch.mul({1}, 2, out={0})",
    "torch.add({1}, {1}, out={0})", "torch.tanh({1}, out={0})",
])  # fmt: skip
HOOKS = st.sampled_from([
    "{}.register_hook(lambda g: calls.append(({name!r}, g.tolist())))",
    "{}.register_hook(lambda g: g * 2)",
    "{}.register_post_accumulate_grad_hook(lambda t: calls.append(({name!r}, t.grad.tolist())))",
    "{}.grad_fn.register_hook(lambda gi, go: calls.append(({name!r}, len(gi), len(go))))",
    "{}.grad_fn.register_prehook(lambda go: calls.append(({name!r}, len(go))))",
])  # fmt: skip
BACKWARD = st.sampled_from([
    "{t}.backward()", "{t}.sum().backward()", "{t}.sum().backward(retain_graph=True)",
    "{t}.backward(torch.ones_like({t}))", "{t}.backward(torch.ones_like({t}), retain_graph=True)",
    "{t}.sum().backward(inputs=[{u}])", "{t}.sum().backward(inputs=[{u}, {v}], retain_graph=True)",
    "({t}.sum() + {u}.sum()).backward()", "torch.autograd.backward([{t}.sum(), {u}.sum()])",
    "({t} * {t}).sum().backward(create_graph=True)",
])  # fmt: skip
DERIVATIVES = st.sampled_from([
    "torch.autograd.grad({t}.sum(), {u})[0].clone()",
    "torch.autograd.grad({t}.sum(), {u}, retain_graph=True)[0].clone()",
    "torch.autograd.grad(({t} * {t}).sum(), {u}, create_graph=True)[0].clone()",
    "torch.autograd.grad({t}, {u}, torch.ones_like({t}), retain_graph=True)[0].clone()",
    "torch.autograd.grad({t}.sum(), [{u}, {v}], allow_unused=True, retain_graph=True)[0].clone()",
])  # fmt: skip
OPTIMIZERS = st.sampled_from([
    "torch.optim.SGD([{}], lr=0.5)", "torch.optim.SGD([{}], lr=0.25, momentum=0.5)",
    "torch.optim.SGD([{}], lr=0.25, momentum=0.5, nesterov=True, weight_decay=0.125)",
    "torch.optim.Adam([{}], lr=0.125)", "torch.optim.AdamW([{}], lr=0.125)",
    "torch.optim.RMSprop([{}], lr=0.125)", "torch.optim.Adagrad([{}], lr=0.125)",
])  # fmt: skip
STEPS = st.sampled_from(["{}.step()", "{}.zero_grad()", "{}.zero_grad(set_to_none=False)"])


class Programs(RuleBasedStateMachine):
    """Writes one program, a line per rule."""

    tensors, handles, optimizers = Bundle("tensors"), Bundle("handles"), Bundle("optimizers")

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair()
        self.count = 0
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("ignore")

    def teardown(self) -> None:
        self.warnings.__exit__(None, None, None)

    def fresh(self, prefix: str = "t") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def new(self, expression: str, mode: str = "") -> str | MultipleResults[str]:
        """A tensor on both sides, unless the line raised or its result is None."""
        name = self.fresh()
        return name if self.pair.define(name, expression, mode) else multiple()

    def tame(self, *names: str) -> bool:
        """Whether products of these stay far from overflow, where rounding would be all."""
        return all(np.abs(self.pair.array(n)).max(initial=0) < LARGEST for n in names)

    def has_views(self, t: str) -> bool:
        scope = self.pair.scopes[0]
        return any(scope[n]._base is scope[t] for n in self.pair.names)

    def changes_a_leaf(self, text: str, t: str) -> bool:
        """Whether a leaf that needs a gradient would get another shape: in PyTorch the gradient has
        the one with which the leaf was first used (docs/differences.md)."""
        leaf = self.pair.scopes[0][t]
        return bool(text in SHAPE_CHANGES and leaf.is_leaf and leaf.requires_grad)

    def entangled(self, t: str, u: str) -> bool:
        """Whether two tensors with gaps share memory: then PyTorch reads what it has just written."""
        a, b = (self.pair.scopes[0][n] for n in (t, u))
        shared = a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()
        return bool(shared and t != u and not (a.is_contiguous() and b.is_contiguous()))

    def laid_out_alike(self, t: str, u: str) -> bool:
        """PyTorch lays a result out as the first of its inputs, minigrad as NumPy does."""
        a, b = (self.pair.scopes[0][n] for n in (t, u))
        return bool(a.is_contiguous() == b.is_contiguous())

    def writable(self, t: str, mode: str) -> bool:
        """Not an inference tensor outside its mode: PyTorch raises after it has changed the values,
        minigrad before."""
        return "inference" in mode or not self.pair.scopes[0][t].is_inference()

    @rule(target=tensors, data=st.data(), shape=SHAPES, grad=st.booleans())
    def leaf(self, data: Any, shape: tuple[int, ...], grad: bool) -> Any:
        numbers = data.draw(st.lists(NUMBERS, min_size=6, max_size=6))
        values = np.resize(numbers, shape).tolist()
        dtype = data.draw(st.sampled_from(["torch.float32"] * 4 + ["torch.float64", "torch.int64"]))
        end = ", requires_grad=True" if grad else ""
        made = f"torch.zeros({shape}" if 0 in shape else f"torch.tensor({values}"
        return self.new(f"{made}, dtype={dtype}{end})")

    @rule(target=tensors, text=UNARY, t=tensors, mode=MODES)
    def unary(self, text: str, t: str, mode: str) -> Any:
        return self.new(text.replace("{}", t), mode) if self.tame(t) else multiple()

    @rule(target=tensors, text=BINARY, t=tensors, u=tensors, mode=MODES)
    def binary(self, text: str, t: str, u: str, mode: str) -> Any:
        possible = self.tame(t, u) and self.laid_out_alike(t, u)
        return self.new(text.format(t, u), mode) if possible else multiple()

    @rule(target=tensors, text=VIEWS, t=tensors, mode=VIEW_MODES)
    def view(self, text: str, t: str, mode: str) -> Any:
        return self.new(text.replace("{}", t), mode)

    @rule(text=WRITES, t=tensors, mode=VIEW_MODES)
    def write(self, text: str, t: str, mode: str) -> None:
        if "requires_grad_" in text and self.has_views(t):
            return  # in PyTorch they follow: docs/differences.md
        if mode and self.changes_a_leaf(text, t):
            return
        if self.tame(t) and self.writable(t, mode):
            self.pair.run(mode + text.replace("{}", t))

    @rule(text=WRITES_FROM, t=tensors, u=tensors, mode=VIEW_MODES)
    def write_from(self, text: str, t: str, u: str, mode: str) -> None:
        target, source = (self.pair.scopes[0][n] for n in (t, u))
        if "out=" in text and target.shape != source.shape:
            return  # which memory can be resized is another matter: docs/differences.md
        if self.tame(t, u) and self.writable(t, mode) and not self.entangled(t, u):
            self.pair.run(mode + text.format(t, u))

    @rule(target=handles, text=HOOKS, t=tensors)
    def hook(self, text: str, t: str) -> Any:
        name = self.fresh("h")
        return name if self.pair.run(f"{name} = {text.format(t, name=t)}") else multiple()

    @rule(handle=handles)
    def remove_hook(self, handle: str) -> None:
        self.pair.run(f"{handle}.remove()")

    @rule(text=BACKWARD, t=tensors, u=tensors, v=tensors)
    def backward(self, text: str, t: str, u: str, v: str) -> None:
        self.pair.run(text.format(t=t, u=u, v=v))

    @rule(target=tensors, text=DERIVATIVES, t=tensors, u=tensors, v=tensors)
    def derivative(self, text: str, t: str, u: str, v: str) -> Any:
        return self.new(text.format(t=t, u=u, v=v))

    @rule(target=optimizers, text=OPTIMIZERS, t=tensors)
    def optimizer(self, text: str, t: str) -> Any:
        name = self.fresh("o")
        return name if self.pair.run(f"{name} = {text.format(t)}") else multiple()

    @rule(text=STEPS, optimizer=optimizers)
    def step(self, text: str, optimizer: str) -> None:
        self.pair.run(text.format(optimizer))

    @rule(target=tensors, t=tensors, u=tensors)
    def save_and_load(self, t: str, u: str) -> Any:
        file, first, second = self.fresh("f"), self.fresh(), self.fresh()
        if not self.pair.run(f"{file} = io.BytesIO(); torch.save([{t}, {u}], {file})"):
            return multiple()
        self.pair.run(f"{file}.seek(0); {first}, {second} = torch.load({file})")
        self.pair.names += [first, second]
        self.pair.compare()
        return multiple(first, second)

    @rule(target=tensors, t=tensors)
    def deepcopy(self, t: str) -> Any:
        return self.new(f"copy.deepcopy({t})")


TestPrograms = Programs.TestCase
TestPrograms.settings = settings(
    max_examples=20000 if MANY else 40, stateful_step_count=60 if MANY else 15
)


def test_the_script_of_a_program_runs_with_parity(tmp_path: Path) -> None:
    """Also with a line that raises, a hook and a view."""
    pair = Pair()
    pair.define("t1", "torch.tensor([1.0, 2.0], requires_grad=True)")
    pair.run("t1.register_hook(lambda g: calls.append(g.tolist()))")
    pair.run("t1.add_(1)")
    pair.define("t2", "(t1 * t1)[1:]")
    pair.run("t2.sum().backward()")
    assert pair.scopes[1]["calls"] == [[0.0, 4.0]]
    file = tmp_path / "program.py"
    file.write_text(pair.script())
    assert parity_main(["run", str(file)]) == 0


def test_a_leaf_whose_accumulator_was_looked_at_is_saved() -> None:
    """What the machine found: the graph keeps a weak reference in the leaf."""
    pair = Pair()
    pair.define("t1", "torch.tensor([1.0], requires_grad=True)")
    pair.run("node = (t1 * 2).grad_fn.next_functions[0][0]; node.metadata['a'] = 1")
    assert pair.run("torch.save(t1, io.BytesIO())")


def test_a_view_without_history_is_not_used_after_its_base_was_written() -> None:
    pair = Pair()
    pair.define("t1", "torch.tensor([1.0, 2.0], requires_grad=True)")
    pair.define("t2", "t1 * 2")
    pair.define("t3", "t2[0]", "with torch.no_grad(): ")
    pair.define("t4", "t2.unbind(0)[1]")
    pair.run("t2.add_(1)")
    assert not pair.run("t5 = t3 * 2")
    assert not pair.run("t5 = t4 * 2")
    assert pair.run("calls.append(repr(t3))")


def test_a_difference_fails_with_the_program() -> None:
    pair = Pair()
    pair.define("t1", "torch.tensor([1.0, 2.0], requires_grad=True)")
    pair.scopes[1]["t1"] = minigrad.tensor([1.0, 2.5], requires_grad=True)
    with pytest.raises(AssertionError, match=r"t1: values[^$]*t1 = torch.tensor"):
        pair.compare()


FOUND = {
    # in one line: to look at a view brings its history up to date
    "stack of views whose base was overwritten": (
        "t1 = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True); t2 = t1 * 2; t3 = t2[0]; "
        "t2.mul_(3); torch.stack([t3, t3]).square().sum().backward()"
    ),
    "cat of views whose base was overwritten": (
        "t1 = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True); t2 = t1 * 2; t3 = t2[0]; "
        "t2.mul_(3); torch.cat([t3, t3]).square().sum().backward()"
    ),
    "a view turned without being recorded": """
        t1 = torch.ones(2, 3, requires_grad=True); t2 = t1 * 2; t3 = t2.t()
        with torch.no_grad(): t3.t_()
        calls.append(t3.grad_fn.name())
    """,
    "the gradient of a view made without being recorded": """
        t1 = torch.ones(3, requires_grad=True)
        with torch.no_grad(): t2 = t1.unsqueeze(-1)
        (t2 * t1).sum().backward(inputs=[t1, t2])
        t3 = torch.autograd.grad((t2 * t1).sum(), t2)
    """,
    "a view with another memory": """
        t1 = torch.ones(3, requires_grad=True); t2 = t1 * 2; t3 = t2[1:]; t3.data = torch.zeros(2)
        t3.mul_(3)
        t2.sum().backward()
    """,
    "a number transposed": "t1 = torch.tensor(2.0, requires_grad=True); t2 = t1.mT; t3 = t1.adjoint()",
    "slices that take everything": """
        t1 = torch.ones(2, 3, requires_grad=True); t2 = t1[:, -3:]; t3 = t1[:, 0:5]
        t4 = torch.zeros(2, 0, requires_grad=True); t5 = t4[:, 1:]; t6 = t4[:, :0]
    """,
    "a transposed number in a second derivative": """
        t1 = torch.ones((), requires_grad=True); t2 = t1.transpose(0, -1)
        t3 = torch.autograd.grad((t2 * t2).sum(), t1, create_graph=True)[0].clone()
    """,
    "an expanded tensor copied": "t1 = torch.ones(2).expand(3, 2); t2 = copy.deepcopy(t1)",
    "written from an overlapping part": """
        t1 = torch.arange(4.0); t1[1:] = t1[:-1]
        t1[1:].add_(t1[:-1])
        t1[::2].copy_(t1[1::2])
        t1.add_(t1)
        t1.index_add_(0, torch.tensor([0, 1, 2, 3]), t1)
        t1.masked_fill_(t1 > 1, t1[0])
        t1.view(2, 2).copy_(t1.view(2, 2).t())
    """,
    "filled where elements share a place": "t1 = torch.ones(2).expand(3, 2); t1.zero_(); t1.fill_(2.0)",
    "filled by a wrong index": """
        t1 = torch.zeros(2, 0); t1.index_fill_(0, torch.tensor([5]), 1.0)
        t1.index_fill_(1, torch.tensor([0]), 1.0)
        t2 = torch.ones(2, requires_grad=True); t2.index_fill_(0, torch.tensor([5]), 1.0)
    """,
    "the versions of parameters": """
        t1 = torch.ones(2, requires_grad=True); t1.sum().backward()
        torch.optim.AdamW([t1]).step()
        torch.optim.AdamW([t1], weight_decay=0).step()
        torch.optim.NAdam([t1]).step()
        torch.optim.RAdam([t1], weight_decay=0.5, decoupled_weight_decay=True).step()
        torch.optim.ASGD([t1]).step()
    """,
    "squeezed where nothing is to be squeezed, in a second derivative": """
        t1 = torch.ones(3, requires_grad=True); t2 = t1.squeeze(); t3 = t1.squeeze((0,))
        t4 = torch.autograd.grad((t2 * t3).sum(), t1, create_graph=True)[0].clone()
        t5 = torch.ones(1, 3, 1, requires_grad=True); t6 = (t5 * 2).squeeze_(); t7 = t5.squeeze((0, 1))
        t8 = torch.autograd.grad((t6 * t7 * t7).sum(), t5, create_graph=True)[0].clone()
        t9 = (t1 * 2).unsqueeze_(0)
        t10 = torch.autograd.grad((t9 * t9).sum(), t1, create_graph=True)[0].clone()
    """,
    "a hook on the only root of a pass that leads nowhere": """
        t1 = torch.ones(2, requires_grad=True); t2 = torch.ones(2, requires_grad=True); t3 = t1 * 2
        t1.register_hook(lambda g: calls.append(1)); t3.register_hook(lambda g: calls.append(3))
        t3.retain_grad(); t3.grad_fn.register_prehook(lambda g: calls.append(4))
        torch.autograd.grad(t1, t2, torch.ones(2), allow_unused=True)
        torch.autograd.grad(t3, t2, torch.ones(2), allow_unused=True)
        torch.autograd.grad([t1, t3], t2, [torch.ones(2)] * 2, allow_unused=True)
        t3.backward(torch.ones(2), inputs=[t2])
    """,
    "two mistakes, of which the first is told": """
        t1 = torch.ones(2, 3, requires_grad=True); t2 = torch.ones(2, 3); t3 = torch.ones((), requires_grad=True)
        t1[torch.zeros(0) > 0] = 0.5
        t2.index_copy_(0, torch.tensor([0]), t2.select(-1, 0)[:1])
        t3.squeeze_(3)
        t3.unsqueeze_(7)
        t3.swapaxes_(0, 1)
        (t1 * 1)[0:0].t().unsqueeze(0).t_()
        t4 = torch.ones(2, 3, dtype=torch.int64); t4.lerp_(t4.diagonal(), 0.5)
        torch.lerp(t4, t4[:, :2], 0.5)
        t4[0].lerp_(t4, 0.5)
        torch.dot(t4[0] > 0, t4[0] > 0)
    """,
    "masked in a second derivative": """
        t1 = torch.tensor([0.0, 1.25], requires_grad=True); t2 = torch.tensor(0.5, requires_grad=True)
        t3 = (t1 * t1).masked_fill(t1 > 0, t2) * t2
        t4 = torch.autograd.grad((t3 * t3).sum(), t1, create_graph=True)[0].clone()
        t5 = torch.autograd.grad((t3 * t3).sum(), t2, create_graph=True)[0].clone()
    """,
    "transposed and masked, or flipped": """
        t1 = torch.arange(6.0).view(2, 3).t(); t2 = t1.masked_fill(t1 > 2, 0.5); t3 = t1.flip(0)
        t4 = torch.ones(2).expand(3, 2).flip(1); t5 = torch.ones(2).expand(3, 2).clone()
        t6 = torch.ones(2, 3).t().expand(2, 3, 2).clone()
    """,
    "a copy of what lies in memory column by column": """
        t1 = torch.arange(6.0).view(2, 3).t() * 2; t2 = copy.deepcopy(t1)
        t3 = torch.arange(6.0).view(2, 3).t().flip(0).tanh(); t4 = copy.deepcopy(t3[1:])
    """,
    "an empty piece in a second derivative": """
        t1 = torch.ones(1, requires_grad=True); t2 = t1[1:]
        with torch.no_grad(): t2.mul_(2)
        t3 = torch.autograd.grad((t2 * t2).sum(), t1, create_graph=True)[0].clone()
    """,
    "third derivative of a loss": """
        t1 = torch.tensor([1.0, 2.0], requires_grad=True); t2 = torch.nn.functional.mse_loss(t1, t1 * t1)
        t3 = torch.autograd.grad((t2 * t2).sum(), t1, create_graph=True)[0].clone()
        t4 = torch.autograd.grad((t3 * t3).sum(), t2, create_graph=True)[0].clone()
        t5 = torch.autograd.grad(t4.sum(), t1)[0].clone()
    """,
    "a hook on a view that lost its history": """
        t1 = torch.ones(2, requires_grad=True)
        with torch.no_grad(): t2 = t1[0]
        with torch.no_grad(): t1.add_(1)
        t2.register_hook(lambda g: g)
        t2.register_post_accumulate_grad_hook(lambda t: None)
        t2.retain_grad()
    """,
    "all of it written to itself under another shape": "t1 = torch.ones(1, 1, 3); t1[0] = t1",
    "the gradient of another shape": """
        t1 = torch.ones(2, requires_grad=True); t1.sum().backward()
        t1.data = torch.ones(3)
        t1.sum().backward()
    """,
    "left in inference mode": """
        t1 = torch.ones(2, requires_grad=True)
        with torch.inference_mode(): t1.detach_()
    """,
}  # fmt: skip


@pytest.mark.parametrize("lines", FOUND.values(), ids=FOUND)
def test_what_the_machine_found(lines: str) -> None:
    """Line by line, as in the machine; a name of a tensor that a line sets is watched from there."""
    pair = Pair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in textwrap.dedent(lines).strip().splitlines():
            pair.run(line)
            set_here = [n for n in pair.scopes[0] if n[0] == "t" and n[1:].isdigit()]
            pair.names = [n for n in set_here if isinstance(pair.scopes[0][n], pytorch.Tensor)]
            pair.compare()
            if pair.names:
                pair.compare(newest=True)
