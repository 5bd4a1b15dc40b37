"""What is timed. Each workload is written once, against a torch-like module.

`setup(torch)` builds data and model and returns a `Run`: `step` is what is timed, and `numbers`
what it has computed so far, which must be the same on both sides before a time is believed. A
`Run` with a `prepare` times `step(prepared)` alone, without what `prepare` does (a backward pass
without the forward that it needs).

A new workload is a function here and a line in `WORKLOADS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Torch = Any  # minigrad or PyTorch
Tensor = Any


class Run(NamedTuple):
    """One workload, set up on one side."""

    step: Callable[..., object]
    numbers: Callable[[], list[float]]
    prepare: Callable[[], Any] | None = None


class Workload(NamedTuple):
    """A row of the table."""

    name: str
    setup: Callable[[Torch], Run]
    bar: float | None  # minigrad's time over PyTorch's must not be more; None: only reported
    units: int = 1  # what a time is divided by: training steps, or nodes, in one call of `step`
    checks: int = 20  # calls of `step` after which the two sides are compared


def flat(*tensors: Tensor) -> list[float]:
    """All elements of the tensors, as Python numbers."""
    return [value for t in tensors for value in t.detach().reshape(-1).tolist()]


# --- the documents' training loops ---------------------------------------------------------------


def bare_tensors(torch: Torch) -> Run:
    """Document 000: x * W + b on three points, the cost written out."""
    x_train = y_train = torch.FloatTensor([[1], [2], [3]])
    W = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([W, b], lr=0.01)

    def step() -> None:
        hypothesis = x_train * W + b
        cost = torch.mean((hypothesis - y_train) ** 2)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

    return Run(step, lambda: flat(W, b))


def linear_model(torch: Torch) -> Run:
    """Document 000: the same with a module and `F.mse_loss`."""
    nn, F = torch.nn, torch.nn.functional
    torch.manual_seed(1)

    class LinearRegressionModel(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x)

    x_train = y_train = torch.FloatTensor([[1], [2], [3]])
    model = LinearRegressionModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step() -> None:
        prediction = model(x_train)
        cost = F.mse_loss(prediction, y_train)
        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

    return Run(step, lambda: flat(*model.parameters()))


def ten_points(torch: Torch) -> Any:
    """Document 001's data: ten points, standardised, one to a batch, in random order."""
    x = np.arange(10, dtype="float32").reshape((10, 1))
    x = torch.from_numpy((x - np.mean(x)) / np.std(x))
    y = np.array([1.0, 1.3, 3.1, 2.0, 5.0, 6.3, 6.6, 7.4, 8.0, 9.0], dtype="float32")
    torch.manual_seed(1)
    data = torch.utils.data
    return data.DataLoader(data.TensorDataset(x, torch.from_numpy(y)), batch_size=1, shuffle=True)


def manual_update(torch: Torch) -> Run:
    """Document 001: gradients add up over an epoch, then the parameters are changed by hand."""
    train_dl = ten_points(torch)
    weight = torch.randn(1).requires_grad_()
    bias = torch.zeros(1, requires_grad=True)
    learning_rate = 0.001

    def model(xb: Tensor) -> Tensor:
        return xb @ weight + bias

    def loss_fn(input: Tensor, target: Tensor) -> Tensor:
        return (input - target).pow(2).mean()

    def epoch() -> None:
        nonlocal weight, bias
        for x_batch, y_batch in train_dl:
            pred = model(x_batch)
            loss = loss_fn(pred, y_batch)
            loss.backward()
        with torch.no_grad():
            weight -= weight.grad * learning_rate
            bias -= bias.grad * learning_rate
            weight.grad.zero_()
            bias.grad.zero_()

    return Run(epoch, lambda: flat(weight, bias))


def linear_dataloader(torch: Torch) -> Run:
    """Document 001: the same points with `nn.Linear`, `nn.MSELoss` and SGD."""
    train_dl = ten_points(torch)
    loss_fn = torch.nn.MSELoss(reduction="mean")
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001)

    def epoch() -> None:
        for x_batch, y_batch in train_dl:
            pred = model(x_batch)[:, 0]
            loss = loss_fn(pred, y_batch)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return Run(epoch, lambda: flat(*model.parameters()))


def quadratic(torch: Torch, batch_size: int | None) -> Run:
    """Document 002: a parabola fitted to 100 points, all at once or in shuffled batches.

    The document also appends the loss and the three parameters to lists at every step, and so
    does this."""
    nn, data = torch.nn, torch.utils.data
    torch.manual_seed(1)

    class Quadratic(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.W = nn.Linear(in_features=2, out_features=1, bias=True)

        def forward(self, x: Tensor) -> Tensor:
            x2 = x**2
            xs = torch.cat([x, x2], dim=1)
            return self.W(xs)

    random = np.random.RandomState(1)
    x = random.uniform(-5, 3, 100)
    a, b, c = random.normal(3, 0.5, 100), random.normal(10, 1, 100), random.normal(-2, 2, 100)
    y = a * x**2 + b * x + c
    train_x = torch.Tensor(x).view(-1, 1)
    train_y = torch.Tensor(y).view(-1, 1)

    Q = Quadratic()
    loss = nn.MSELoss()
    optm = torch.optim.SGD(Q.parameters(), lr=1e-3)
    losses: list[float] = []
    params: list[list[float]] = []

    def train(batch_x: Tensor, batch_y: Tensor) -> None:
        y_pred = Q.forward(batch_x)
        loss_out = loss(y_pred, batch_y)

        optm.zero_grad()
        loss_out.backward()
        optm.step()

        losses.append(loss_out.item())
        model_param = list(Q.W.parameters())
        params.append(
            [model_param[0][0][0].item(), model_param[0][0][1].item(), model_param[1][0].item()]
        )

    if batch_size is None:
        return Run(lambda: train(train_x, train_y), lambda: losses + params[-1])
    data_set = data.TensorDataset(train_x, train_y)
    loader = data.DataLoader(data_set, batch_size=batch_size, shuffle=True)

    def epoch() -> None:
        for batch_x, batch_y in loader:
            train(batch_x, batch_y)

    return Run(epoch, lambda: losses + params[-1])


# --- the overhead of one op ----------------------------------------------------------------------

OPS: dict[str, Callable[[Torch, Tensor, Tensor], Tensor]] = {
    "add": lambda torch, x, y: x + y,
    "mul": lambda torch, x, y: x * y,
    "matmul": lambda torch, x, y: x @ y,
    "relu": lambda torch, x, y: x.relu(),
    "sum": lambda torch, x, y: x.sum(),
    "view": lambda torch, x, y: x.view(4),
    "index": lambda torch, x, y: x[1],
    "cat": lambda torch, x, y: torch.cat([x, y]),
    "exp": lambda torch, x, y: x.exp(),
}


def _operands(torch: Torch) -> tuple[Tensor, Tensor]:
    x = torch.tensor([[0.5, -1.0], [1.5, 2.0]], requires_grad=True)
    y = torch.tensor([[2.0, 0.25], [-3.0, 1.0]], requires_grad=True)
    return x, y


def forward_of(name: str) -> Callable[[Torch], Run]:
    """The op with its graph, which is dropped at once."""

    def setup(torch: Torch) -> Run:
        op, (x, y) = OPS[name], _operands(torch)
        return Run(lambda: op(torch, x, y), lambda: flat(op(torch, x, y)))

    return setup


def backward_of(name: str) -> Callable[[Torch], Run]:
    """`backward(gradient)` of the op, into leaves that have no gradient yet."""

    def setup(torch: Torch) -> Run:
        op = OPS[name]
        gradient = torch.ones_like(op(torch, *_operands(torch)).detach())
        last: Tensor = None

        def prepare() -> Tensor:
            nonlocal last
            x, y = _operands(torch)
            last = x
            return op(torch, x, y)

        return Run(lambda out: out.backward(gradient), lambda: flat(last.grad), prepare)

    return setup


# --- long and wide graphs ------------------------------------------------------------------------


def chain(nodes: int) -> Callable[[Torch], Run]:
    """1 is added to a scalar `nodes` times; forward, backward, and the graph freed."""

    def setup(torch: Torch) -> Run:
        x = torch.tensor(0.5, requires_grad=True)

        def step() -> None:
            out = x
            for _ in range(nodes):
                out = out + 1.0
            x.grad = None
            out.backward()

        return Run(step, lambda: flat(x.grad))

    return setup


def branches(count: int) -> Callable[[Torch], Run]:
    """The sum of `count` products of one scalar: its gradient comes over `count` paths."""

    def setup(torch: Torch) -> Run:
        x = torch.tensor(0.5, requires_grad=True)

        def step() -> None:
            out = x * 1.0
            for _ in range(count - 1):
                out = out + x * 1.0
            x.grad = None
            out.backward()

        return Run(step, lambda: flat(x.grad))

    return setup


LOOPS = [
    Workload("000-tensors", bare_tensors, 0.30),
    Workload("000-module", linear_model, 0.30),
    Workload("001-manual", manual_update, 0.30, units=10),
    Workload("001-linear", linear_dataloader, 0.30, units=10),
    Workload("002-gd", lambda torch: quadratic(torch, None), 0.30),
    Workload("002-sgd", lambda torch: quadratic(torch, 25), 0.30, units=4),
]
OVERHEAD = [Workload(f"{name}-forward", forward_of(name), 0.8) for name in OPS]
OVERHEAD += [Workload(f"{name}-backward", backward_of(name), 0.3) for name in OPS]
CHAINS = [
    Workload("chain-10000", chain(10_000), 0.4, units=10_000, checks=1),
    Workload("branches-10000", branches(10_000), 0.4, units=10_000, checks=1),
]
GRAPHS = [
    Workload(f"graph-1e{power}", chain(10**power), None, units=10**power, checks=1)
    for power in range(2, 7)
]
GRAPH_BAR = 1.5  # of GRAPHS, the largest time per node over the smallest
WORKLOADS = LOOPS + OVERHEAD + CHAINS + GRAPHS
