"""Gradients of gradients: `create_graph=True` records the backward pass itself."""

import argparse

import minigrad as torch

nn, F = torch.nn, torch.nn.functional

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=20)
epochs = parser.parse_args().epochs

# Four derivatives of y^4, one from the other.
y = torch.tensor(2.0, requires_grad=True)
value = y**4
for order in range(1, 5):  # 4 y^3, 12 y^2, 24 y, 24
    (value,) = torch.autograd.grad(value, y, create_graph=True)
    print(f"derivative {order}: {value}")

# A loss that contains a gradient: the network shall not only fit, its loss shall also change
# little when the inputs change (the penalty of Gulrajani et al., 2017, is of this kind).
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
target = torch.randn(8, 1)
x = torch.randn(8, 3, requires_grad=True)
for epoch in range(epochs):
    optimizer.zero_grad()
    loss = F.mse_loss(net(x), target)
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)  # (8, 3), with a graph of its own
    penalty = (slope**2).sum()
    (loss + 0.5 * penalty).backward()  # goes through the first backward pass as well
    optimizer.step()
    if epoch % 5 == 0:
        print(f"epoch {epoch}: loss {loss.item():.4f}, penalty {penalty.item():.6f}")
