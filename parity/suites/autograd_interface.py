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


def double_backward(torch: Any) -> None:
    """The penalty of Gulrajani et al. (2017): the gradient of a gradient's norm, then training."""
    torch.manual_seed(1)
    first, second = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)
    parameters = [*first.parameters(), *second.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    target = torch.randn(8, 1)
    x = torch.randn(8, 3, requires_grad=True)
    for epoch in range(20):
        optimizer.zero_grad()
        output = second(torch.tanh(first(x)))
        loss = torch.nn.functional.mse_loss(output, target)
        (slope,) = torch.autograd.grad(loss, x, create_graph=True)
        penalty = (slope**2).sum()
        (loss + 0.5 * penalty).backward()
        optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch}: loss {loss.item():.4f}, penalty {penalty.item():.6f}")
    y = torch.tensor(2.0, requires_grad=True)
    value = y**4
    for order in range(1, 5):  # 4 y^3, 12 y^2, 24 y, 24
        (value,) = torch.autograd.grad(value, y, create_graph=True)
        print(f"derivative {order}: {value}")


def jacobian_and_hessian(torch: Any) -> None:
    """All first and second derivatives of a small network."""
    torch.manual_seed(1)
    W, V = torch.randn(3, 4), torch.randn(4, 2)

    def network(x: Any) -> Any:
        return torch.sigmoid(x @ W) @ V

    def energy(x: Any) -> Any:
        return (torch.tanh(x @ W) ** 2).sum()

    x = torch.tensor([0.5, -1.0, 2.0])
    print(torch.autograd.functional.jacobian(network, x))
    print(torch.autograd.functional.hessian(energy, x))
    direction = torch.tensor([1.0, 0.0, -1.0])
    print(torch.autograd.functional.vjp(network, x, torch.tensor([1.0, -1.0])))
    print(torch.autograd.functional.hvp(energy, x, direction))
