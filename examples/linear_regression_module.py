"""The same line with a module: `nn.Linear` owns the parameters, `F.mse_loss` is the cost."""

import argparse

import minigrad as torch

nn, F = torch.nn, torch.nn.functional

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=1000)
nb_epochs = parser.parse_args().epochs


class LinearRegressionModel(nn.Module):
    """y = x W + b"""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)  # one number in, one number out

    def forward(self, x):
        return self.linear(x)


torch.manual_seed(1)  # the initial parameters are random: the same ones each time
x_train = torch.FloatTensor([[1], [2], [3]])
y_train = torch.FloatTensor([[1], [2], [3]])

model = LinearRegressionModel()
print(model)
print(list(model.parameters()))  # the module has found the parameters of the layer inside it

optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

for epoch in range(nb_epochs + 1):
    prediction = model(x_train)
    cost = F.mse_loss(prediction, y_train)

    optimizer.zero_grad()
    cost.backward()
    optimizer.step()

    if epoch % 100 == 0:
        W, b = (p.item() for p in model.parameters())
        print(f"Epoch {epoch:4d}/{nb_epochs} W: {W:.3f}, b: {b:.3f} Cost: {cost.item():.6f}")
