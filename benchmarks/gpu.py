"""Workloads that fill a GPU: `python benchmarks/run.py --device cuda` runs them beside the others.

Both libraries make their tensors on the current default device, so nothing here names one. Times
are taken between CUDA events (`timing.py`). Not run on a GPU yet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workload import Run, Workload, sample

GIB = 1 << 28  # float32 elements


def _matmul(torch: Any) -> Run:
    torch.manual_seed(0)
    a, b = (torch.rand(8192, 8192) for _ in range(2))
    kept: list[Any] = [None]

    def step() -> None:
        kept[0] = a @ b

    return Run(step, lambda: sample(kept[0]))


def _elementwise(torch: Any) -> Run:
    x = torch.linspace(-2, 2, GIB).requires_grad_()

    def step() -> None:
        x.grad = None
        ((x * 2 + 1).tanh() * x).sum().backward()

    return Run(step, lambda: sample(x.grad))


def _training(make: Callable[[Any], Any], shape: tuple[int, ...]) -> Callable[[Any], Run]:
    """Forward, backward and SGD of a model on inputs of ones."""

    def setup(torch: Any) -> Run:
        torch.manual_seed(0)
        model = make(torch)
        x = torch.ones(*shape)
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)

        def step() -> None:
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()

        return Run(step, lambda: sample(*model.parameters()))

    return setup


def _transformer(torch: Any) -> Any:
    layers = [
        torch.nn.TransformerEncoderLayer(768, 12, 3072, dropout=0.0, batch_first=True)
        for _ in range(12)
    ]
    return torch.nn.Sequential(*layers)


def _resnet(torch: Any) -> Any:
    """The convolutions of a ResNet's stages, without the shortcuts."""
    layers, channels = [], 3
    for width, stride in ((64, 2), (64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [
            torch.nn.Conv2d(channels, width, 3, stride, 1, bias=False),
            torch.nn.BatchNorm2d(width),
            torch.nn.ReLU(),
        ]
        channels = width
    return torch.nn.Sequential(*layers)


GPU = [
    Workload("gpu-matmul-8192", _matmul, 1.05, checks=2, unit="ms"),
    Workload("gpu-elementwise", _elementwise, 1.2, checks=2, unit="ms"),
    Workload("gpu-transformer", _training(_transformer, (8, 512, 768)), None, checks=2, unit="ms"),
    Workload("gpu-resnet", _training(_resnet, (64, 3, 224, 224)), None, checks=2, unit="ms"),
]
