"""The parity run: every suite passes in its short form, and nothing that is broken on purpose does.

PyTorch's side runs once, in its own process, for all tests of this file. A breakage replaces one
piece of minigrad; the run has to fail and to name the place.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad
from minigrad.autograd import engine, node
from minigrad.autograd import row as calls
from minigrad.nn import functional
from minigrad.utils.data import _random as data_random
from parity.compare import distance
from parity.lockstep import Result, compare_program
from parity.minigrad_side import MinigradSide, modules
from parity.plots import draw
from parity.report import row
from parity.suites import programs
from parity.worker import Worker, read_spool

SUITES = programs(short=True)
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def compare() -> Iterator[Callable[[str], Result]]:
    """Runs a suite on minigrad and compares it with what PyTorch did."""
    with Worker() as worker:
        started = {name: worker.start(program) for name, program in SUITES.items()}

        def run(name: str) -> Result:
            path, events = started[name]
            events.result()
            return compare_program(
                SUITES[name], MinigradSide(), functools.partial(read_spool, path)
            )

        yield run


@pytest.mark.parametrize("name", SUITES)
def test_suite(name: str, compare: Callable[[str], Result]) -> None:
    result = compare(name)
    assert result.passed, str(result.difference)
    assert result.free is not None
    assert result.stepwise.largest <= 4
    assert result.stepwise.events == result.free.events > 1


def test_nothing_stays_replaced_after_a_run(compare: Callable[[str], Result]) -> None:
    owners = [*modules(), minigrad.Tensor, minigrad.utils.data.DataLoader, minigrad.optim.Optimizer]
    before = [dict(vars(owner)) for owner in owners]
    compare("first_step")
    for owner, attributes in zip(owners, before, strict=True):
        changed = [name for name, value in vars(owner).items() if value is not attributes.get(name)]
        assert changed in ([], ["__warningregistry__"])


# --- the measure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_distance_counts_floats_in_between(dtype: type) -> None:
    start = np.array([1.0, -3.0, 0.0, 65504.0], dtype)
    moved = start
    for _ in range(3):
        moved = np.nextafter(moved, dtype(-np.inf))
    assert distance(moved, start) == (4, 0, 3.0)


def test_distance_across_zero_is_the_sum_of_both_sides() -> None:
    tiny = np.nextafter(np.float32(0), np.float32(1))
    assert distance(np.array([-tiny]), np.array([2 * tiny])).ulps == 3


def test_zeros_of_both_signs_are_equal_but_not_bit_equal() -> None:
    assert distance(np.array([-0.0, 1.0]), np.array([0.0, 1.0])) == (2, 1, 0.0)


def test_nan_and_infinity() -> None:
    strange = np.array([np.nan, np.inf, -np.inf])
    assert distance(strange, strange.copy()).ulps == 0
    assert distance(np.array([-np.inf]), np.array([np.inf])).ulps > 1e9
    assert distance(np.array([1.0]), np.array([np.nan])).ulps == np.inf
    assert distance(np.array([np.nan]), np.array([1.0])).ulps == np.inf


def test_integers_are_equal_or_infinitely_far() -> None:
    assert distance(np.array([1, 2]), np.array([1, 3])) == (2, 1, np.inf)


def test_types_and_shapes_are_part_of_the_value() -> None:
    assert distance(np.zeros(2, np.float32), np.zeros(2)).ulps == np.inf
    assert distance(np.zeros((1, 2)), np.zeros(2)).ulps == np.inf


def test_a_product_is_measured_in_units_of_its_terms() -> None:
    ours, theirs = np.array([3e-8], np.float32), np.array([1e-8], np.float32)
    assert distance(ours, theirs).ulps > 1e6
    assert distance(ours, theirs, np.array([2e-8])).ulps == pytest.approx(1)
    # A unit smaller than a ULP of the value does not count: this is one ULP.
    assert distance(np.nextafter(theirs, np.float32(1)), theirs, np.array([0.0])).ulps == 1


# --- the command line -----------------------------------------------------------------------------

SCRIPT = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
x = torch.randn(20, 3)
print(x[:2])
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
for epoch in range(2):
    for (batch,) in DataLoader(TensorDataset(x), batch_size=4, shuffle=True):
        optimizer.zero_grad()
        loss = F.mse_loss(model(batch), batch[:, 0:1])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} loss {loss.item():.4f}")
print(__name__, torch.is_grad_enabled())
"""


def command(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "parity", *arguments], cwd=folder, capture_output=True, text=True,
        timeout=120, env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip


def test_list_names_every_suite() -> None:
    result = command("--list")
    assert (result.returncode, result.stdout.split()) == (0, list(SUITES))


def test_unknown_suite_is_a_wrong_command() -> None:
    result = command("no_such_suite")
    assert result.returncode == 2
    assert "no suite named no_such_suite" in result.stderr


def test_run_script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    result = command("run", "train.py", "--html", "page.html", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "train.py" in result.stdout
    assert "1 passed, 0 failed" in result.stdout
    page = (tmp_path / "page.html").read_text()
    assert page.count("<polyline") >= 5  # two losses, pairs of parameters, the drift
    assert "http" not in page  # nothing from elsewhere
    assert "<script" not in page


def test_run_script_that_ends_with_the_same_error(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import torch\ntorch.ones(2).backward()\n")
    result = command("run", "wrong.py", folder=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "both runs ended with RuntimeError: element 0 of tensors does not" in result.stdout


def test_run_script_that_tells_the_libraries_apart(tmp_path: Path) -> None:
    script = "import torch\nx = torch.ones(2)\nprint(torch.__version__)\n"
    (tmp_path / "apart.py").write_text(script)
    result = command("run", "apart.py", folder=tmp_path)
    assert result.returncode == 1
    assert f"{tmp_path / 'apart.py'}:3: print(torch.__version__)" in result.stdout
    assert "2.13.0" in result.stdout


def test_plot_draws_the_figures_of_the_document(tmp_path: Path) -> None:
    draw(str(tmp_path), SUITES["gd_vs_sgd"])
    images = ["contours.png", "data.png", "fits.png", "loss.png", "paths.png"]
    pages = ["parameter_space.html", "space_with_paths.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(images + pages)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in images)
    assert all("Plotly.newPlot" in (tmp_path / name).read_text("utf-8") for name in pages)


# --- breakages -------------------------------------------------------------------------------------
#
# Each function breaks one thing. Beside it stand the suite that has to fail, the operation that
# the report has to name, and a piece of the source line.

Patch = pytest.MonkeyPatch


def rows_of(name: str) -> list[Any]:
    """The rows of the table of derivatives whose nodes have this name."""
    kinds = list(node.Node.__subclasses__())
    for kind in kinds:  # grows while it is walked
        kinds += kind.__subclasses__()
    rows = [getattr(kind, "row", None) for kind in kinds]
    found = [row for row in rows if row is not None and row.name == name]
    assert found, f"no row is named {name}: nothing would be broken"
    return found


def change_gradient(patch: Patch, name: str, input_name: str, change: Callable[[Any], Any]) -> None:
    """Change what the formula for one input of an op returns."""

    def changed(formula: Callable[..., Any], names: list[str]) -> tuple[Any, list[str]]:
        return (lambda *values: change(formula(*values))), names

    for table_row in rows_of(name):
        if input_name in table_row.parameters:
            index = table_row.inputs.index(table_row.parameters.index(input_name))
            formulas = list(table_row.formulas)
            formulas[index] = changed(*formulas[index])
            patch.setattr(table_row, "formulas", formulas)
            patch.setattr(table_row, "plans", {})


def wrong_formula(patch: Patch) -> None:
    change_gradient(patch, "MulBackward0", "other", lambda grad: grad + grad * grad)


def wrong_sign(patch: Patch) -> None:
    change_gradient(patch, "SubBackward0", "input", lambda grad: -grad)


def factor_in_the_last_digits(patch: Patch) -> None:
    change_gradient(patch, "MseLossBackward0", "input", lambda grad: grad * 1.000001)


def formula_with_another_shape(patch: Patch) -> None:
    change_gradient(patch, "ReluBackward0", "input", lambda grad: grad[:1])


def wrong_forward(patch: Patch) -> None:
    right = functional.mse_loss

    @functools.wraps(right)
    def mse_loss(*args: Any, **kwargs: Any) -> Any:
        result = right(*args, **kwargs)
        result._array *= np.float32(1 + 2**-20)
        return result

    patch.setattr(functional, "mse_loss", mse_loss)


def skipped_random_number(patch: Patch) -> None:
    right = minigrad.Generator.uniform32
    patch.setattr(minigrad.Generator, "uniform32", lambda self, n: right(self, n + 1)[1:])


def initial_values_of_another_size(patch: Patch) -> None:
    right = minigrad.nn.init.calculate_gain
    patch.setattr(minigrad.nn.init, "calculate_gain", lambda *args: 1.01 * right(*args))


def another_order_of_batches(patch: Patch) -> None:
    right = data_random.permutation
    patch.setattr(data_random, "permutation", lambda *args: right(*args)[::-1])


def repr_without_requires_grad(patch: Patch) -> None:
    right = minigrad.Tensor.__repr__
    shortened = ", requires_grad=True"
    patch.setattr(minigrad.Tensor, "__repr__", lambda self: right(self).replace(shortened, ""))


def repr_of_modules(patch: Patch) -> None:
    patch.setattr(minigrad.nn.Linear, "extra_repr", lambda self: "")


def sgd_with_another_learning_rate(patch: Patch) -> None:
    right = minigrad.optim.SGD._update
    patch.setattr(
        minigrad.optim.SGD, "_update",
        lambda self, p, group: right(self, p, {**group, "lr": 1.001 * group["lr"]}),
    )  # fmt: skip


def sgd_without_momentum(patch: Patch) -> None:
    right = minigrad.optim.SGD._update
    patch.setattr(
        minigrad.optim.SGD, "_update",
        lambda self, p, group: right(self, p, {**group, "momentum": 0, "nesterov": False}),
    )  # fmt: skip


def dropped_accumulation(patch: Patch) -> None:
    def accumulate(tensor: Any, gradient: Any, on_tensors: bool) -> None:
        tensor._grad = node.wrap(gradient)

    patch.setattr(engine, "accumulate", accumulate)


def zero_grad_that_does_nothing(patch: Patch) -> None:
    patch.setattr(minigrad.optim.Optimizer, "zero_grad", lambda self, set_to_none=True: None)


def missing_node(patch: Patch) -> None:
    right = functional.relu

    @functools.wraps(right)
    def relu(input: Any, inplace: bool = False) -> Any:
        return right(input.detach())

    patch.setattr(functional, "relu", relu)


def wrong_edge_order(patch: Patch) -> None:
    right = calls.connect

    def connect(*args: Any) -> Any:
        made = right(*args)
        made.edges = made.edges[::-1]
        return made

    patch.setattr(calls, "connect", connect)


def wrong_node_name(patch: Patch) -> None:
    for table_row in rows_of("MulBackward0"):
        patch.setattr(table_row, "name", "MulBackward")


def recording_under_no_grad(patch: Patch) -> None:
    patch.setattr(calls, "is_recording", lambda: True)


def copy_instead_of_shared_memory(patch: Patch) -> None:
    patch.setattr(minigrad, "from_numpy", lambda array: minigrad.tensor(array))


def slightly_larger(gradients: Any) -> Any:
    if isinstance(gradients, list):
        return [None if g is None else slightly_larger(g) for g in gradients]
    return gradients * np.float32(1.0001)


def convolution_off_by_a_ten_thousandth(patch: Patch) -> None:
    change_gradient(patch, "ConvolutionBackward0", "weight", slightly_larger)


def log_softmax_off_by_a_ten_thousandth(patch: Patch) -> None:
    change_gradient(patch, "LogSoftmaxBackward0", "input", slightly_larger)


def layer_norm_off_by_a_ten_thousandth(patch: Patch) -> None:
    change_gradient(patch, "NativeLayerNormBackward0", "tensors", slightly_larger)


def batch_norm_off_by_a_ten_thousandth(patch: Patch) -> None:
    change_gradient(patch, "NativeBatchNormBackward0", "tensors", slightly_larger)


def lstm_off_by_a_ten_thousandth(patch: Patch) -> None:
    change_gradient(patch, "MkldnnRnnLayerBackward0", "tensors", slightly_larger)


def eval_that_forgets_the_children(patch: Patch) -> None:
    def train(self: Any, mode: bool = True) -> Any:
        self.training = mode
        return self

    patch.setattr(minigrad.nn.Module, "train", train)


BREAKAGES = [
    (wrong_formula, "linear_regression_tensors", "MulBackward0", "cost.backward()"),
    (wrong_sign, "linear_regression_tensors", "SubBackward0", "cost.backward()"),
    (factor_in_the_last_digits, "linear_regression_module", "MseLoss", "cost.backward()"),
    (formula_with_another_shape, "running_loss", "ReluBackward0", "loss.backward()"),
    (wrong_forward, "linear_regression_module", "mse_loss", "cost = F.mse_loss"),
    (skipped_random_number, "seeding", "rand", "random_tensor = torch.rand(2, 2)"),
    (initial_values_of_another_size, "gd_vs_sgd", "kaiming_uniform_", "self.W = nn.Linear("),
    (another_order_of_batches, "manual_update", "DataLoader", "for x_batch, y_batch in"),
    (repr_without_requires_grad, "first_step", "print", "print(W)"),
    (repr_of_modules, "linear_regression_module", "print", "print(model)"),
    (sgd_with_another_learning_rate, "linear_module_dataloader", "SGD", "optimizer.step()"),
    (sgd_without_momentum, "gradient_accumulation", "SGD", "optimizer.step()"),
    (dropped_accumulation, "manual_update", "leaves and their .grad", "loss.backward()"),
    (zero_grad_that_does_nothing, "gd_vs_sgd", "leaves and their .grad", "loss_out.backward()"),
    (missing_node, "grad_fn_walk", "relu", "loss = criterion(net(inputs), labels)"),
    (wrong_edge_order, "first_step", "mul", "hypothesis = x_train * W + b"),
    (wrong_node_name, "first_step", "mul", "hypothesis = x_train * W + b"),
    (recording_under_no_grad, "no_grad_modes", "mul", "print(x * 2)"),
    (copy_instead_of_shared_memory, "numpy_memory", "print", "print(tensor)"),
    (convolution_off_by_a_ten_thousandth, "digits_cnn", "ConvolutionB", "loss.backward()"),
    (log_softmax_off_by_a_ten_thousandth, "iris_softmax", "LogSoftmaxB", "loss.backward()"),
    (layer_norm_off_by_a_ten_thousandth, "char_gpt", "NativeLayerNormB", "loss.backward()"),
    (batch_norm_off_by_a_ten_thousandth, "digits_mlp", "NativeBatchNormB", "loss.backward()"),
    (lstm_off_by_a_ten_thousandth, "digits_lstm", "MkldnnRnnLayerB", "loss.backward()"),
    (eval_that_forgets_the_children, "train_eval", "print", "module.training"),
]


@pytest.mark.parametrize(
    ("breakage", "suite", "operation", "source"), BREAKAGES,
    ids=[breakage[0].__name__ for breakage in BREAKAGES],
)  # fmt: skip
def test_breakage_is_found_and_located(
    breakage: Callable[[Patch], None], suite: str, operation: str, source: str,
    compare: Callable[[str], Result], monkeypatch: Patch,
) -> None:  # fmt: skip
    with monkeypatch.context() as patch:
        breakage(patch)
        result = compare(suite)
    assert not result.passed
    assert result.difference is not None
    assert operation in result.difference.operation
    assert source in result.difference.source
    assert result.difference.ours != result.difference.theirs
    assert row(result)[-1] == "FAILED"


def test_the_first_difference_tells_the_epoch(
    compare: Callable[[str], Result], monkeypatch: Patch
) -> None:
    calls = 0
    right = functional.mse_loss

    @functools.wraps(right)
    def mse_loss(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = right(*args, **kwargs)
        if calls > 40:
            result._array += np.float32(1)
        return result

    monkeypatch.setattr(functional, "mse_loss", mse_loss)
    difference = compare("linear_regression_module").difference
    assert difference is not None
    assert (difference.epoch, difference.step) == (40, 40)
    assert "mse_loss, epoch 40, after 40 backward passes" in str(difference)
    assert float(difference.ours) == pytest.approx(float(difference.theirs) + 1)
