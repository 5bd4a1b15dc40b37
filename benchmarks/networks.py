"""Training steps of networks of ordinary size, on random data."""

from __future__ import annotations

import math
from typing import Any

from workload import Run, Tensor, Torch, Workload, flat, sample


def training(torch: Torch, model: Any, optimizer: Any, x: Tensor, y: Tensor) -> Run:
    """Steps on one batch with the cross-entropy."""
    loss_fn = torch.nn.CrossEntropyLoss()
    losses: list[Tensor] = []

    def step() -> None:
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses[:] = [loss.detach()]

    return Run(step, lambda: flat(*losses) + sample(*model.parameters()))


def mlp(torch: Torch, optimizer: str, **options: float) -> Run:
    """784-256-128-10 with ReLU, batch 64."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )
    x, y = torch.rand(64, 784), torch.randint(10, (64,))
    chosen = getattr(torch.optim, optimizer)(model.parameters(), **options)
    return training(torch, model, chosen, x, y)


def cnn(torch: Torch, batch: int) -> Run:
    """Document 004's network on images of 3 x 32 x 32, SGD with momentum."""
    nn = torch.nn
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2, 2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    x, y = torch.randn(batch, 3, 32, 32), torch.randint(10, (batch,))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    return training(torch, model, optimizer, x, y)


def lstm(torch: Torch) -> Run:
    """Forward and backward through 50 steps, batch 32, hidden 128."""
    torch.manual_seed(0)
    model = torch.nn.LSTM(128, 128)
    x = torch.randn(50, 32, 128)

    def step() -> None:
        model.zero_grad()
        output, _ = model(x)
        output.square().mean().backward()

    return Run(step, lambda: sample(*(p.grad for p in model.parameters())))


def attention(torch: Torch) -> Run:
    """A causal attention block, written out: batch 16, 128 tokens, width 128 in 4 heads."""
    nn, heads = torch.nn, 4
    torch.manual_seed(0)
    qkv, out = nn.Linear(128, 384), nn.Linear(128, 128)
    x = torch.randn(16, 128, 128)
    future = torch.triu(torch.ones(128, 128), diagonal=1) == 1
    parameters = [*qkv.parameters(), *out.parameters()]

    def step() -> None:
        for p in parameters:
            p.grad = None
        N, T, C = x.shape
        q, k, v = qkv(x).view(N, T, 3, heads, C // heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // heads)  # (N, heads, T, T)
        weights = torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1)
        y = out((weights @ v).transpose(1, 2).reshape(N, T, C))
        y.square().mean().backward()

    return Run(step, lambda: sample(*(p.grad for p in parameters)))


def _row(name: str, setup: Any, bar: float) -> Workload:
    return Workload(name, setup, bar, checks=3, unit="ms")


NETWORKS = [
    _row("mlp-sgd", lambda torch: mlp(torch, "SGD", lr=0.01, momentum=0.9), 0.95),
    _row("mlp-adam", lambda torch: mlp(torch, "Adam", lr=0.001), 0.75),
    _row("cnn-batch-4", lambda torch: cnn(torch, 4), 0.65),
    _row("cnn-batch-64", lambda torch: cnn(torch, 64), 1.15),
    _row("lstm", lstm, 1.2),
    _row("attention", attention, 1.2),
]
