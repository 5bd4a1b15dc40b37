"""The documents' loops with MyGrad: tensors, `backward()`, and an update of their data."""

from __future__ import annotations

from typing import Any

import mygrad as mg
from peers import THREE, Array, linear, orders, parabola, ten_points
from workload import Run, Workload

Parameters = list[Any]


def numbers(parameters: Parameters) -> list[float]:
    return [float(value) for p in parameters for value in p.data.reshape(-1)]


def tensors(*arrays: Array) -> Parameters:
    return [mg.tensor(a) for a in arrays]


def descend(parameters: Parameters, lr: float) -> None:
    """SGD, in place, and the gradients forgotten."""
    for p in parameters:
        p.data -= lr * p.grad
        p.null_grad()


def bare_tensors(torch: Any) -> Run:
    W, b = parameters = tensors([0.0], [0.0])
    W.data, b.data = W.data.astype("float32"), b.data.astype("float32")

    def step() -> None:
        cost = mg.mean((THREE * W + b - THREE) ** 2)
        cost.backward()
        descend(parameters, 0.01)

    return Run(step, lambda: numbers(parameters))


def linear_model(torch: Any) -> Run:
    torch.manual_seed(1)
    weight, bias = parameters = tensors(*linear())

    def step() -> None:
        cost = mg.mean((mg.matmul(THREE, weight.T) + bias - THREE) ** 2)
        cost.backward()
        descend(parameters, 0.01)

    return Run(step, lambda: numbers(parameters))


def manual_update(torch: Any) -> Run:
    x, y = ten_points()
    weight, bias = parameters = tensors(torch.randn(1).numpy(), torch.zeros(1).numpy())
    epochs = orders(10, 1)

    def epoch() -> None:
        total = [0.0, 0.0]  # MyGrad's gradients do not add up over several backward passes
        for batch in next(epochs):
            loss = mg.mean((mg.matmul(x[batch], weight) + bias - y[batch]) ** 2)
            loss.backward()
            total = [a + p.grad for a, p in zip(total, parameters, strict=True)]
        for p, gradient in zip(parameters, total, strict=True):
            p.data -= 0.001 * gradient
            p.null_grad()

    return Run(epoch, lambda: numbers(parameters))


def linear_dataloader(torch: Any) -> Run:
    x, y = ten_points()
    weight, bias = parameters = tensors(*linear())
    epochs = orders(10, 1)

    def epoch() -> None:
        for batch in next(epochs):
            prediction = (mg.matmul(x[batch], weight.T) + bias)[:, 0]
            loss = mg.mean((prediction - y[batch]) ** 2)
            loss.backward()
            descend(parameters, 0.001)

    return Run(epoch, lambda: numbers(parameters))


def quadratic(torch: Any, batch_size: int) -> Run:
    x, y = parabola()
    weight, bias = parameters = tensors(*linear(2))
    losses: list[float] = []
    params: list[list[float]] = []

    def train(x: Array, y: Array) -> None:
        xs = mg.concatenate([x, x**2], axis=1)
        loss = mg.mean((mg.matmul(xs, weight.T) + bias - y) ** 2)
        loss.backward()
        descend(parameters, 1e-3)
        losses.append(loss.item())
        params.append(numbers(parameters))

    if batch_size == len(x):
        return Run(lambda: train(x, y), lambda: losses + params[-1])
    epochs = orders(100, batch_size)

    def epoch() -> None:
        for batch in next(epochs):
            train(x[batch], y[batch])

    return Run(epoch, lambda: losses + params[-1])


LOOPS = [
    Workload("000-tensors", bare_tensors, None),
    Workload("000-module", linear_model, None),
    Workload("001-manual", manual_update, None, units=10),
    Workload("001-linear", linear_dataloader, None, units=10),
    Workload("002-gd", lambda torch: quadratic(torch, 100), None),
    Workload("002-sgd", lambda torch: quadratic(torch, 25), None, units=4),
]
