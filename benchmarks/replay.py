"""What capture and replay of a training step could gain: `python benchmarks/replay.py`.

Two of the documents' steps (`documents.py`) in three forms: eager; the list of array operations
that eager runs, without Tensors and graph, as a recording would be replayed (the numbers must be
the same, bit for bit); and as one writes the step in NumPy by hand. Prints the shortest time of
each in microseconds. docs/speed.md says why minigrad has only the first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from timeit import repeat

import numpy as np
from documents import bare_tensors, parabola, quadratic
from workload import Run

import minigrad
from minigrad.ops.loss import mse_loss, mse_loss_backward
from minigrad.ops.reduction import sum_to_size_array
from minigrad.ops.summation import sum_array
from minigrad.optim.arithmetic import add_scaled_

F = np.float32
ONE = np.ones((), F)
CHECKS, STEPS, REPEATS = 50, 200, 100
Forms = tuple[Run, Run, Callable[[], None]]  # eager, the list, by hand


def bare() -> Forms:
    """Document 000: three points, from zero."""
    x = y = np.array([[1], [2], [3]], F)
    W, b = np.zeros(1, F), np.zeros(1, F)

    def replayed() -> None:
        difference = x * W + b - y
        sum_array(difference * difference) / F(3)
        grad = np.broadcast_to(ONE, (3, 1)) / F(3) * (difference * F(2))
        by_W, by_b = sum_to_size_array(grad * x, (1,)), sum_to_size_array(grad, (1,))
        add_scaled_(W, by_W, -0.01)
        add_scaled_(b, by_b, -0.01)

    def by_hand() -> None:
        difference = x * W + b - y
        (difference * difference).mean()
        grad = difference * F(2 / 3)
        np.subtract(W, F(0.01) * (grad * x).sum(), W)
        np.subtract(b, F(0.01) * grad.sum(), b)

    return bare_tensors(minigrad), Run(replayed, lambda: [*W.tolist(), *b.tolist()]), by_hand


def gradient_descent() -> Forms:
    """Document 002: 100 points; losses and parameters are kept in lists."""
    x, y = (values.astype(F).reshape(-1, 1) for values in parabola())
    minigrad.manual_seed(1)
    W, b = (p.detach().numpy().copy() for p in minigrad.nn.Linear(2, 1).parameters())
    losses: list[float] = []
    params: list[list[float]] = []

    def replayed() -> None:
        xs = np.concatenate([x, x * x], 1)
        prediction = xs.dot(W.T)
        np.add(prediction, b, prediction)
        loss = mse_loss.forward(prediction, y, "mean")
        grad = mse_loss_backward.forward(ONE, prediction, y, "mean")
        by_b, by_W = sum_to_size_array(grad, (1,)), grad.T.dot(xs)
        add_scaled_(W, by_W, -1e-3)
        add_scaled_(b, by_b, -1e-3)
        losses.append(loss.item())
        params.append([W[0][0].item(), W[0][1].item(), b[0].item()])

    def by_hand() -> None:
        xs = np.concatenate([x, x * x], 1)
        difference = xs @ W.T + b - y
        grad = difference * F(2 / len(x))
        np.subtract(W, F(1e-3) * (grad.T @ xs), W)
        np.subtract(b, F(1e-3) * grad.sum(0), b)
        losses.append((difference * difference).mean().item())
        params.append([W[0][0].item(), W[0][1].item(), b[0].item()])

    return quadratic(minigrad, None), Run(replayed, lambda: losses + params[-1]), by_hand


def main() -> None:
    print(f"{'step':22}{'eager':>8}{'list':>8}{'by hand':>10}   (us)")
    for forms in (bare, gradient_descent):
        eager, replayed, by_hand = forms()
        for _ in range(CHECKS):
            eager.step()
            replayed.step()
        if eager.numbers() != replayed.numbers():
            sys.exit(f"{forms.__name__}: the list has computed other numbers than eager")
        times = [
            min(repeat(step, number=STEPS, repeat=REPEATS)) / STEPS * 1e6
            for step in (eager.step, replayed.step, by_hand)
        ]
        print(f"{forms.__name__:22}{times[0]:8.1f}{times[1]:8.1f}{times[2]:10.1f}")


if __name__ == "__main__":
    main()
