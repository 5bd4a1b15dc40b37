"""Document 002_4cc44a54ffc47624.txt: gradient descent against stochastic gradient descent.

A noisy parabola, the model `Quadratic`, and 300 epochs with all the data at once (GD), with four
batches in a fixed order (SGD), and with four batches shuffled (SGD random). Losses and the paths
of the parameters are returned for the figures (`python -m parity gd_vs_sgd --plot DIR`).
"""

# The code is the document's, in its own style.
# ruff: noqa: B007, RET504, UP008

from __future__ import annotations

from typing import Any

import numpy as np


def gd_vs_sgd(torch: Any, epochs: int = 300) -> dict[str, Any]:
    """Three trainings; returns the data, `loss` and `params` of each by its name."""
    nn = torch.nn
    DataLoader, TensorDataset = torch.utils.data.DataLoader, torch.utils.data.TensorDataset

    x = np.random.uniform(-5, 3, 100)

    a = np.random.normal(3, 0.5, len(x))
    b = np.random.normal(10, 1, len(x))
    c = np.random.normal(-2, 2, len(x))

    y = a * x**2 + b * x + c

    class Quadratic(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super(Quadratic, self).__init__()
            self.W = nn.Linear(in_features=2, out_features=1, bias=True)

        def forward(self, x: Any) -> Any:
            x2 = x**2
            xs = torch.cat([x, x2], dim=1)
            out = self.W(xs)
            return out

    Q = Quadratic()

    train_x = torch.Tensor(x).view(-1, 1)
    train_y = torch.Tensor(y).view(-1, 1)

    # Gradient descent
    lr = 1e-3

    loss = nn.MSELoss()
    optm = torch.optim.SGD(Q.parameters(), lr=lr)

    loss_GD, params_GD = [], []

    for epoch in range(epochs):
        y_pred = Q.forward(train_x)
        loss_out = loss(y_pred, train_y)

        optm.zero_grad()
        loss_out.backward()
        optm.step()

        loss_GD.append(loss_out.item())
        model_param = list(Q.W.parameters())
        params_GD.append(
            [model_param[0][0][0].item(), model_param[0][0][1].item(), model_param[1][0].item()]
        )

    # The document prints all digits. The last of them depend on the order in which a BLAS adds,
    # which differs between processors; four decimals are the experiment's result. (The values
    # themselves are compared in ULPs: `model_param[0][0][0].item()` is an event.)
    b_hat, a_hat, c_hat = params_GD[-1]
    print(f"{b_hat:.4f} {a_hat:.4f} {c_hat:.4f}")
    print(np.array(params_GD).shape)

    # SGD without randomization
    data_set = TensorDataset(train_x, train_y)
    data_loader = DataLoader(data_set, batch_size=25, shuffle=False)

    Q2 = Quadratic()

    loss = nn.MSELoss()
    optm = torch.optim.SGD(Q2.parameters(), lr=lr)

    loss_SGDr = []
    params_SGDr = []
    for epoch in range(epochs):
        for batch_x, batch_y in data_loader:
            y_pred = Q2.forward(batch_x)
            loss_out = loss(y_pred, batch_y)

            optm.zero_grad()
            loss_out.backward()
            optm.step()

            loss_SGDr.append(loss_out.item())
            model_param = list(Q2.W.parameters())
            params_SGDr.append(
                [model_param[0][0][0].item(), model_param[0][0][1].item(), model_param[1][0].item()]
            )

    b_hat, a_hat, c_hat = params_SGDr[-1]
    print(f"{b_hat:.4f} {a_hat:.4f} {c_hat:.4f}")
    print(np.array(params_SGDr).shape)

    # SGD with randomization
    data_loader = DataLoader(data_set, batch_size=25, shuffle=True)

    Q3 = Quadratic()

    loss = nn.MSELoss()
    optm = torch.optim.SGD(Q3.parameters(), lr=lr)

    loss_SGDwr = []
    params_SGDwr = []
    for epoch in range(epochs):
        for batch_x, batch_y in data_loader:
            y_pred = Q3.forward(batch_x)
            loss_out = loss(y_pred, batch_y)

            optm.zero_grad()
            loss_out.backward()
            optm.step()

            loss_SGDwr.append(loss_out.item())
            model_param = list(Q3.W.parameters())
            params_SGDwr.append(
                [model_param[0][0][0].item(), model_param[0][0][1].item(), model_param[1][0].item()]
            )

    b_hat, a_hat, c_hat = params_SGDwr[-1]
    print(f"{b_hat:.4f} {a_hat:.4f} {c_hat:.4f}")
    # The document says `np.array(params_SGDr)` here, and so plots the fixed order twice.
    print(np.array(params_SGDwr).shape)

    return {
        "x": x,
        "y": y,
        "curve": (a, b, c),
        "loss": {"GD": loss_GD, "SGD": loss_SGDr, "SGD random": loss_SGDwr},
        "params": {
            "GD": np.array(params_GD),
            "SGD": np.array(params_SGDr),
            "SGD random": np.array(params_SGDwr),
        },
    }
