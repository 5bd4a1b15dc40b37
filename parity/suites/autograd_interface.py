"""What the documents' readers meet next: recomputed activations, and operations of their own.

Not from a document: these suites hold the rest of autograd's interface in the same way.
"""

from __future__ import annotations

from typing import Any


def checkpointing(torch: Any) -> None:
    """Activations are computed again in the backward pass instead of being kept."""
    torch.manual_seed(1)
    first, second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
    x = torch.randn(8, 4)
    kept = second(torch.tanh(first(x))).pow(2).mean()
    kept.backward()
    expected = first.weight.grad.clone()
    first.zero_grad()
    second.zero_grad()
    again = torch.utils.checkpoint.checkpoint(
        lambda v: second(torch.tanh(first(v))), x, use_reentrant=False
    )
    again.pow(2).mean().backward()
    print(torch.equal(first.weight.grad, expected))


def custom_function(torch: Any) -> None:
    """A cube whose backward is written by hand."""

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x * x

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            (x,) = ctx.saved_tensors
            return grad * 3 * x * x

    x = torch.tensor([1.0, 2.0, -3.0], requires_grad=True)
    y = Cube.apply(x)
    print(y, y.grad_fn.name())
    y.sum().backward()
    print(x.grad)
