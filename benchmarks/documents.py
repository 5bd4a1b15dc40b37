"""The documents' training loops, on small tensors: what a student runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from workload import Run, Tensor, Torch, Workload, flat


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


def parabola() -> tuple[Any, Any]:
    """Document 002's data: 100 points on a parabola."""
    random = np.random.RandomState(1)
    x = random.uniform(-5, 3, 100)
    a, b, c = random.normal(3, 0.5, 100), random.normal(10, 1, 100), random.normal(-2, 2, 100)
    return x, a * x**2 + b * x + c


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

    x, y = parabola()
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


LOOPS = [
    Workload("000-tensors", bare_tensors, 0.30),
    Workload("000-module", linear_model, 0.30),
    Workload("001-manual", manual_update, 0.30, units=10),
    Workload("001-linear", linear_dataloader, 0.30, units=10),
    Workload("002-gd", lambda torch: quadratic(torch, None), 0.30),
    Workload("002-sgd", lambda torch: quadratic(torch, 25), 0.30, units=4),
]
