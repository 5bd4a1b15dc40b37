"""A line through three points, with two tensors and nothing else.

The data follow y = x. `W` and `b` start at 0; each epoch moves them a little downhill.
"""

import argparse

import minigrad as torch

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=1000)
nb_epochs = parser.parse_args().epochs

x_train = torch.FloatTensor([[1], [2], [3]])
y_train = torch.FloatTensor([[1], [2], [3]])

# requires_grad=True: remember what is computed from these, so that `backward` can differentiate.
W = torch.zeros(1, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([W, b], lr=0.01)

for epoch in range(nb_epochs + 1):
    hypothesis = x_train * W + b
    cost = torch.mean((hypothesis - y_train) ** 2)

    optimizer.zero_grad()  # forget the gradients of the epoch before
    cost.backward()  # W.grad = d cost / d W, b.grad = d cost / d b
    optimizer.step()  # W -= lr * W.grad, b -= lr * b.grad

    if epoch % 100 == 0:
        print(
            f"Epoch {epoch:4d}/{nb_epochs} "
            f"W: {W.item():.3f}, b: {b.item():.3f} Cost: {cost.item():.6f}"
        )

print(W, b)
