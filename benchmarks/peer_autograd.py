"""The documents' loops with HIPS autograd: a function of the parameters, and its `grad`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as np
from autograd import grad, value_and_grad
from peers import THREE, Array, linear, orders, parabola, ten_points
from workload import Run, Workload

Parameters = list[Any]


def numbers(parameters: Parameters) -> list[float]:
    return [float(value) for p in parameters for value in p.reshape(-1)]


def descend(parameters: Parameters, gradients: Parameters, lr: float) -> None:
    """SGD, in place."""
    for p, g in zip(parameters, gradients, strict=True):
        p -= np.float32(lr) * g


def three_points(parameters: Parameters, forward: Callable[[Any, Array], Any]) -> Run:
    def cost(parameters: Parameters) -> Any:
        return np.mean((forward(parameters, THREE) - THREE) ** 2)

    gradient = grad(cost)
    return Run(lambda: descend(parameters, gradient(parameters), 0.01), lambda: numbers(parameters))


def bare_tensors(torch: Any) -> Run:
    zeros = [np.zeros(1, np.float32), np.zeros(1, np.float32)]
    return three_points(zeros, lambda p, x: x * p[0] + p[1])


def linear_model(torch: Any) -> Run:
    torch.manual_seed(1)
    return three_points(list(linear()), lambda p, x: np.dot(x, p[0].T) + p[1])


def manual_update(torch: Any) -> Run:
    x, y = ten_points()
    parameters = [torch.randn(1).numpy().copy(), np.zeros(1, np.float32)]
    epochs = orders(10, 1)

    def cost(parameters: Parameters, x: Array, y: Array) -> Any:
        return np.mean((np.dot(x, parameters[0]) + parameters[1] - y) ** 2)

    gradient = grad(cost)

    def epoch() -> None:
        total: Parameters = [0, 0]
        for batch in next(epochs):
            new = gradient(parameters, x[batch], y[batch])
            total = [a + b for a, b in zip(total, new, strict=True)]
        descend(parameters, total, 0.001)

    return Run(epoch, lambda: numbers(parameters))


def linear_dataloader(torch: Any) -> Run:
    x, y = ten_points()
    parameters, epochs = list(linear()), orders(10, 1)

    def cost(parameters: Parameters, x: Array, y: Array) -> Any:
        return np.mean(((np.dot(x, parameters[0].T) + parameters[1])[:, 0] - y) ** 2)

    gradient = grad(cost)

    def epoch() -> None:
        for batch in next(epochs):
            descend(parameters, gradient(parameters, x[batch], y[batch]), 0.001)

    return Run(epoch, lambda: numbers(parameters))


def quadratic(torch: Any, batch_size: int) -> Run:
    x, y = parabola()
    parameters = list(linear(2))
    losses: list[float] = []
    params: list[list[float]] = []

    def cost(parameters: Parameters, x: Array, y: Array) -> Any:
        xs = np.concatenate([x, x**2], axis=1)
        return np.mean((np.dot(xs, parameters[0].T) + parameters[1] - y) ** 2)

    value_and_gradient = value_and_grad(cost)

    def train(x: Array, y: Array) -> None:
        value, gradients = value_and_gradient(parameters, x, y)
        descend(parameters, gradients, 1e-3)
        losses.append(value.item())
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
