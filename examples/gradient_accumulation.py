"""Gradient accumulation: several small batches, then one step, as if they were one large batch.

`backward` adds up, so the gradients of `NUM_ACCUM` batches are the gradient of their sum; each
loss is divided by `NUM_ACCUM` because the loss of a large batch would be a mean.
"""

import minigrad as torch

nn, data = torch.nn, torch.utils.data

NUM_ACCUM = 2
torch.manual_seed(0)
x = torch.rand(12, 2) * 2 - 1
y = x[:, 0:1] * 2 - x[:, 1:2] + 0.5
points = data.TensorDataset(x, y)


def train(batch_size, num_accum, time_to_step, shuffle=False):
    """Two epochs from the same initial parameters; returns the parameters as one vector."""
    torch.manual_seed(1)
    net = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    train_loader = data.DataLoader(points, batch_size=batch_size, shuffle=shuffle)
    optimizer.zero_grad()
    for epoch in range(2):
        running_loss, steps = 0.0, 0
        for i, (inputs, labels) in enumerate(train_loader):
            outputs = net(inputs)
            loss = criterion(outputs, labels) / num_accum
            loss.backward()
            running_loss += loss.item()
            if time_to_step(i):
                optimizer.step()
                optimizer.zero_grad()
                steps += 1
        print(f"epoch {epoch + 1}: loss {running_loss:.4f}, {steps} steps")
    return torch.cat([p.detach().flatten() for p in net.parameters()])


print("batches of 4, a step after each")
large = train(4, 1, lambda i: True)

print("batches of 2, a step after every second")
small = train(2, NUM_ACCUM, lambda i: (i + 1) % NUM_ACCUM == 0)
print("the same parameters?", torch.allclose(large, small))

# `i % NUM_ACCUM == 0` is often seen, and is true for the very first batch already: each step then
# has the second batch of one pair and the first of the next, and the last batch of an epoch is
# carried over to the next epoch.
print("batches of 2, with i % NUM_ACCUM == 0")
shifted = train(2, NUM_ACCUM, lambda i: i % NUM_ACCUM == 0)
print("the same parameters?", torch.allclose(large, shifted))

print("batches of 2, shuffled")
train(2, NUM_ACCUM, lambda i: (i + 1) % NUM_ACCUM == 0, shuffle=True)
