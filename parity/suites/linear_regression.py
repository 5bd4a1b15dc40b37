"""Document 000_dd47e3d5cbf0af61.txt: linear regression with bare tensors and with an `nn.Module`.

The document trains y = x on three points: first with two tensors W and b, then with a module,
1,001 epochs each, and prints every 100. It also shows how to fix the seeds.
"""

# The code is the document's, in its own style.
# ruff: noqa: UP032

from __future__ import annotations

from typing import Any


def seeding(torch: Any) -> None:
    """The same seed gives the same numbers, on every device that there is."""
    torch.manual_seed(1)
    random_tensor = torch.rand(2, 2)
    print(random_tensor)

    torch.manual_seed(1)
    if torch.cuda.is_available():
        torch.cuda.manual_seed(1)
    again = torch.rand(2, 2)
    print(torch.equal(random_tensor, again))
    print(torch.rand(2, 2))


def first_step(torch: Any) -> None:
    """The document's fragments: initial weights, hypothesis, cost, one step of SGD."""
    optim = torch.optim

    x_train = torch.FloatTensor([[1], [2], [3]])
    y_train = torch.FloatTensor([[1], [2], [3]])

    W = torch.zeros(1, requires_grad=True)
    print(W)
    b = torch.zeros(1, requires_grad=True)
    print(b)

    hypothesis = x_train * W + b
    print(hypothesis)

    cost = torch.mean((hypothesis - y_train) ** 2)
    print(cost)

    optimizer = optim.SGD([W, b], lr=0.01)
    optimizer.zero_grad()
    cost.backward()
    optimizer.step()
    print(W)
    print(b)


def linear_regression_tensors(torch: Any, nb_epochs: int = 1000) -> None:
    """W and b are two tensors; the cost is written out."""
    optim = torch.optim
    torch.manual_seed(1)

    x_train = torch.FloatTensor([[1], [2], [3]])
    y_train = torch.FloatTensor([[1], [2], [3]])

    W = torch.zeros(1, requires_grad=True)
    b = torch.zeros(1, requires_grad=True)

    optimizer = optim.SGD([W, b], lr=0.01)

    for epoch in range(nb_epochs + 1):
        hypothesis = x_train * W + b

        cost = torch.mean((hypothesis - y_train) ** 2)

        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

        if epoch % 100 == 0:
            print(
                "Epoch {:4d}/{} W: {:.3f}, b: {:.3f} Cost: {:.6f}".format(
                    epoch, nb_epochs, W.item(), b.item(), cost.item()
                )
            )


def linear_regression_module(torch: Any, nb_epochs: int = 1000) -> None:
    """The same with a module, `F.mse_loss` and `model.parameters()`."""
    nn, F, optim = torch.nn, torch.nn.functional, torch.optim
    torch.manual_seed(1)

    # The document uses this class without showing it.
    class LinearRegressionModel(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x: Any) -> Any:
            return self.linear(x)

    x_train = torch.FloatTensor([[1], [2], [3]])
    y_train = torch.FloatTensor([[1], [2], [3]])

    model = LinearRegressionModel()
    print(model)
    print(list(model.parameters()))

    optimizer = optim.SGD(model.parameters(), lr=0.01)

    for epoch in range(nb_epochs + 1):
        prediction = model(x_train)

        cost = F.mse_loss(prediction, y_train)

        optimizer.zero_grad()
        cost.backward()
        optimizer.step()

        if epoch % 100 == 0:
            params = list(model.parameters())
            W = params[0].item()
            b = params[1].item()
            print(
                "Epoch {:4d}/{} W: {:.3f}, b: {:.3f} Cost: {:.6f}".format(
                    epoch, nb_epochs, W, b, cost.item()
                )
            )
