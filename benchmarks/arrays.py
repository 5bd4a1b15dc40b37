"""Single operations on large arrays, where the loops inside NumPy and BLAS take the time."""

from __future__ import annotations

from typing import Any

from workload import Run, Tensor, Torch, Workload, sample


def elementwise(torch: Torch) -> Run:
    """Seven operations on 4M float32, forward and backward."""
    torch.manual_seed(0)
    x, w, b = (torch.randn(1 << 22).requires_grad_() for _ in range(3))

    def step() -> None:
        x.grad = w.grad = b.grad = None
        ((x * w + b).relu() - x * x).exp().mean().backward()

    return Run(step, lambda: sample(x.grad, w.grad, b.grad))


def matmuls(torch: Torch) -> Run:
    """A chain of three products of 1024 x 1024 matrices, forward and backward."""
    torch.manual_seed(0)
    x, *weights = (torch.randn(1024, 1024) / 32 for _ in range(4))
    leaves = [m.requires_grad_() for m in weights]

    def step() -> None:
        out = x
        for m in leaves:
            m.grad = None
            out = out @ m
        out.sum().backward()

    return Run(step, lambda: sample(*(m.grad for m in leaves)))


def through(torch: Torch, layer: Any, *shape: int) -> Run:
    """Forward and backward of a layer with parameters, for its input as well."""
    x = torch.randn(*shape).requires_grad_()
    gradient = torch.randn(*shape)
    leaves = [x, *layer.parameters()]

    def step() -> None:
        for leaf in leaves:
            leaf.grad = None
        layer(x).backward(gradient)

    return Run(step, lambda: sample(*(leaf.grad for leaf in leaves)))


def layer_norm(torch: Torch) -> Run:
    torch.manual_seed(0)
    return through(torch, torch.nn.LayerNorm(1024), 4096, 1024)


def batch_norm(torch: Torch) -> Run:
    torch.manual_seed(0)
    return through(torch, torch.nn.BatchNorm2d(64), 64, 64, 32, 32)


def cross_entropy(torch: Torch) -> Run:
    """Softmax cross-entropy of 4096 samples and 1000 classes, forward and backward."""
    torch.manual_seed(0)
    logits = torch.randn(4096, 1000).requires_grad_()
    target = torch.randint(1000, (4096,))

    def step() -> None:
        logits.grad = None
        torch.nn.functional.cross_entropy(logits, target).backward()

    return Run(step, lambda: sample(logits.grad))


def embedding_gradient(torch: Torch) -> Run:
    """Backward only: 8192 tokens, 10,000 words of width 128."""
    torch.manual_seed(0)
    layer = torch.nn.Embedding(10_000, 128)
    tokens = torch.randint(10_000, (64, 128))
    gradient = torch.randn(64, 128, 128)

    def step(out: Tensor) -> None:
        layer.weight.grad = None
        out.backward(gradient)

    return Run(step, lambda: sample(layer.weight.grad), lambda: layer(tokens))


def _row(name: str, setup: Any, bar: float) -> Workload:
    return Workload(name, setup, bar, checks=2, unit="ms")


ARRAYS = [
    _row("elementwise-4M", elementwise, 1.0),
    _row("matmul-1024", matmuls, 1.15),
    _row("cross-entropy", cross_entropy, 0.95),
    _row("layer-norm", layer_norm, 2.3),
    _row("batch-norm", batch_norm, 1.5),
    _row("embedding", embedding_gradient, 1.3),
]
