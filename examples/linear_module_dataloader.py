"""Mini-batches: a `DataLoader` shuffles ten points and hands them out in small groups.

The gradient of one batch is a rough guess of the gradient of all data, but there is a step after
each batch, so one walk through the data moves the parameters many times.
"""

import argparse

import numpy as np

import minigrad as torch

nn = torch.nn
TensorDataset, DataLoader = torch.utils.data.TensorDataset, torch.utils.data.DataLoader

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=200)
num_epochs = parser.parse_args().epochs

X_train = np.arange(10, dtype="float32").reshape((10, 1))
y_train = np.array([1.0, 1.3, 3.1, 2.0, 5.0, 6.3, 6.6, 7.4, 8.0, 9.0], dtype="float32")

# Mean 0 and standard deviation 1: then one learning rate suits every column.
X_train_norm = (X_train - np.mean(X_train)) / np.std(X_train)

# `from_numpy` copies nothing: tensor and array are two names for the same memory.
train_ds = TensorDataset(torch.from_numpy(X_train_norm), torch.from_numpy(y_train))
train_dl = DataLoader(train_ds, batch_size=1, shuffle=True)

torch.manual_seed(1)
model = nn.Linear(1, 1)
loss_fn = nn.MSELoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.001)

for epoch in range(num_epochs):
    for x_batch, y_batch in train_dl:  # (1, 1) and (1,)
        pred = model(x_batch)[:, 0]  # (1,): as the labels, else they would be broadcast
        loss = loss_fn(pred, y_batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    if epoch % 10 == 0:
        print(f"Epoch {epoch} Loss {loss.item():.4f}")  # of the epoch's last batch
