"""Small real data sets, as courses use them: scikit-learn's bundled iris, wine, diabetes, digits.

Softmax regression, normalisation, gradient accumulation, mini-batches with a schedule, and a
network with BatchNorm and Dropout. They ship inside scikit-learn, so nothing is downloaded.
`images.py` has the convolutional and the recurrent networks.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn import datasets


def iris_softmax(torch: Any, epochs: int = 200) -> None:
    """Softmax regression on bare tensors: the loss is the negative mean log-likelihood."""
    data, target = datasets.load_iris(return_X_y=True)  # (150, 4) in cm, 3 species
    x, y = torch.tensor(data, dtype=torch.float32), torch.from_numpy(target)
    rows = torch.arange(len(y))
    torch.manual_seed(1)
    W = (0.01 * torch.randn(4, 3)).requires_grad_()
    b = torch.zeros(3, requires_grad=True)
    for epoch in range(epochs):
        log_probability = torch.log_softmax(x @ W + b, dim=1)
        loss = -log_probability[rows, y].mean()
        loss.backward()
        with torch.no_grad():
            W -= 0.1 * W.grad
            b -= 0.1 * b.grad
        W.grad = b.grad = None
        if epoch % 20 == 0:
            accuracy = (log_probability.argmax(dim=1) == y).float().mean()
            print(f"epoch {epoch} loss {loss.item():.4f} accuracy {accuracy:.4f}")


def wine_accumulation(torch: Any, epochs: int = 10) -> None:
    """Inputs of very different size are normalised; four small batches then do the work of one.

    The gradient of a mean over 176 rows is the sum of the gradients of four quarters, each divided
    by four. So a network that steps once after four batches of 44 follows its twin.
    """
    nn = torch.nn
    data, target = datasets.load_wine(return_X_y=True)  # (178, 13), 3 vineyards
    x, y = torch.tensor(data, dtype=torch.float32), torch.from_numpy(target)
    x = (x - x.mean(dim=0)) / x.std(dim=0)
    print(x.mean(dim=0).abs().max() < 1e-5, torch.allclose(x.std(dim=0), torch.ones(13)))

    torch.manual_seed(1)
    order = torch.randperm(len(y))[:176]
    x, y = x[order], y[order]
    whole = nn.Sequential(nn.Linear(13, 16), nn.GELU(), nn.Linear(16, 3))
    parts = copy.deepcopy(whole)
    criterion = nn.CrossEntropyLoss()
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9) for net in (whole, parts)]
    for epoch in range(epochs):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = criterion(whole(x), y)
        loss.backward()
        accumulated = 0.0
        for inputs, labels in zip(x.split(44), y.split(44), strict=True):
            part = criterion(parts(inputs), labels) / 4
            part.backward()
            accumulated += part.item()
        pairs = list(zip(whole.parameters(), parts.parameters(), strict=True))
        same = all(torch.allclose(p.grad, q.grad, rtol=1e-3, atol=1e-6) for p, q in pairs)
        for optimizer in optimizers:
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f} in parts {accumulated:.4f} equal: {same}")


def diabetes_regression(torch: Any, epochs: int = 30) -> None:
    """Mini-batches, a learning rate that `StepLR` divides by ten, and the share explained (R^2)."""
    nn = torch.nn
    data, target = datasets.load_diabetes(return_X_y=True)  # (442, 10), progress after a year
    x = torch.tensor(data / data.std(axis=0), dtype=torch.float32)
    y = torch.tensor((target - target.mean()) / target.std(), dtype=torch.float32).unsqueeze(1)
    torch.manual_seed(1)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x[:400], y[:400]), batch_size=32, shuffle=True
    )
    net = nn.Sequential(nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.1)
    for epoch in range(epochs):
        total = 0.0
        for inputs, values in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(inputs), values)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
        rate = scheduler.get_last_lr()[0]
        scheduler.step()
        if epoch % 5 == 0 or epoch == epochs - 1:
            print(f"epoch {epoch} lr {rate:.4f} loss {total / 400:.4f}")
    with torch.no_grad():
        rest = y[400:] - net(x[400:])
        print(f"R^2 on the last 42: {1 - (rest.var() / y[400:].var()).item():.4f}")


def digits_mlp(torch: Any, epochs: int = 8) -> None:
    """BatchNorm and Dropout: what the network does in training mode and in evaluation mode.

    A layer before BatchNorm has no bias: its gradient would be zero but for rounding, and Adam
    would turn that noise into steps of full size.
    """
    nn, data = torch.nn, torch.utils.data
    pixels, target = datasets.load_digits(return_X_y=True)  # (1797, 64), values 0 to 16
    x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.from_numpy(target)
    torch.manual_seed(1)
    train, test = data.random_split(data.TensorDataset(x, y), [1500, 297])
    loader = data.DataLoader(train, batch_size=50, shuffle=True)
    net = nn.Sequential(
        nn.Linear(64, 64, bias=False), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(64, 32, bias=False), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.25),
        nn.Linear(32, 10),
    )  # fmt: skip
    print(net)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)

    def accuracy(part: Any) -> float:
        with torch.no_grad():
            predicted = net(x[part.indices]).argmax(dim=1)
            return (predicted == y[part.indices]).float().mean().item()

    for epoch in range(epochs):
        net.train()
        running_loss = 0.0
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        noisy = accuracy(test)
        net.eval()
        print(
            f"epoch {epoch} loss {running_loss / len(loader):.4f} "
            f"train {accuracy(train):.4f} test {accuracy(test):.4f}, in training mode {noisy:.4f}"
        )
    print(np.round(net[1].running_mean[:4].numpy(), 4), net[1].num_batches_tracked)
