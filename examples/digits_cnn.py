"""A convolutional network reads handwritten digits: scikit-learn's 1,797 images, 8 x 8 in grey.

Convolution, ReLU and pooling twice, then three linear layers; cross entropy; SGD with momentum.
"""

import argparse

from sklearn.datasets import load_digits
from tqdm import tqdm

import minigrad as torch

nn, F, data = torch.nn, torch.nn.functional, torch.utils.data

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--every", type=int, default=15, help="batches from one line to the next")
options = parser.parse_args()


class Net(nn.Module):
    """Images (N, 1, 8, 8) to ten scores each; the shapes are N, channels, height, width."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 3, padding=1)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 3, padding=1)
        self.fc1 = nn.Linear(16 * 2 * 2, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))  # (N, 6, 4, 4)
        x = self.pool(F.relu(self.conv2(x)))  # (N, 16, 2, 2)
        x = torch.flatten(x, 1)  # (N, 64)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


pixels, target = load_digits(return_X_y=True)
images = torch.tensor(pixels / 8 - 1, dtype=torch.float32).view(-1, 1, 8, 8)  # 0..16 to -1..1
labels = torch.from_numpy(target)
torch.manual_seed(0)
train = data.TensorDataset(images[:1440], labels[:1440])
loader = data.DataLoader(train, batch_size=32, shuffle=True)
net, criterion = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

for epoch in range(options.epochs):
    running_loss = 0.0
    for i, (x, y) in enumerate(tqdm(loader, desc=f"epoch {epoch + 1}", leave=False)):
        optimizer.zero_grad()
        loss = criterion(net(x), y)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % options.every == options.every - 1:
            print(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / options.every:.3f}")
            running_loss = 0.0
print("Finished Training")

net.eval()
with torch.no_grad():
    correct = net(images[1440:]).argmax(dim=1) == labels[1440:]
print(f"accuracy on the other {len(correct)}: {correct.float().mean():.4f}")
