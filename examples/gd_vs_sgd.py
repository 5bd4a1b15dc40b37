"""Gradient descent against stochastic gradient descent, on a noisy parabola.

Three networks learn a, b, c of y = a x^2 + b x + c with the same number of epochs: from all the
data at once (GD), from four batches in a fixed order (SGD), and from four shuffled batches.
`--plot FILE` draws their paths in the plane of a and b.
"""

import argparse

import numpy as np
from tqdm import tqdm

import minigrad as torch

nn, data = torch.nn, torch.utils.data

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=300)
parser.add_argument("--plot", metavar="FILE", help="where to save the figure")
options = parser.parse_args()

np.random.seed(0)
torch.manual_seed(0)
x = np.random.uniform(-5, 3, 100)
y = np.random.normal(3, 0.5, 100) * x**2 + np.random.normal(10, 1, 100) * x
y += np.random.normal(-2, 2, 100)
points = data.TensorDataset(torch.Tensor(x).view(-1, 1), torch.Tensor(y).view(-1, 1))  # (100, 1)


class Quadratic(nn.Module):
    """A linear layer that is given x and x^2."""

    def __init__(self):
        super().__init__()
        self.W = nn.Linear(in_features=2, out_features=1, bias=True)

    def forward(self, x):
        return self.W(torch.cat([x, x**2], dim=1))


def train(name, batch_size, shuffle):
    """The loss of each step, and b, a, c after it."""
    model, criterion = Quadratic(), nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    loader = data.DataLoader(points, batch_size=batch_size, shuffle=shuffle)
    losses, path = [], []
    for _ in tqdm(range(options.epochs), desc=name):
        for batch_x, batch_y in loader:
            loss_out = criterion(model(batch_x), batch_y)
            optimizer.zero_grad()
            loss_out.backward()
            optimizer.step()
            losses.append(loss_out.item())
            path.append([*model.W.weight[0].tolist(), model.W.bias.item()])
    b, a, c = path[-1]
    print(f"{name}: {len(path)} steps, a {a:.4f}, b {b:.4f}, c {c:.4f}, loss {losses[-1]:.4f}")
    return losses, np.array(path)


runs = {"GD": train("GD", 100, False), "SGD": train("SGD", 25, False)}
runs["SGD random"] = train("SGD random", 25, True)
if options.plot:
    import matplotlib.pyplot as plt

    for name, (_, path) in runs.items():
        plt.plot(path[:, 1], path[:, 0], label=name)
        plt.plot(*path[len(path) // 6, 1::-1], "ro")  # after a sixth of the epochs
    plt.gca().set(xlabel="a", ylabel="b", title="Training paths")
    plt.legend()
    plt.savefig(options.plot)
