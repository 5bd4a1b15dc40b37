"""A small GPT learns a short story letter by letter, and then goes on by itself."""

import argparse
import math
from pathlib import Path

from tqdm import tqdm

import minigrad as torch

nn, F = torch.nn, torch.nn.functional

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--steps", type=int, default=100)
parser.add_argument("--length", type=int, default=120, help="how many letters to write")
options = parser.parse_args()
text = Path(__file__).with_name("lighthouse.txt").read_text("utf-8")
letters = sorted(set(text))
story = torch.tensor([letters.index(letter) for letter in text])
CONTEXT, CHANNELS, HEADS = 32, 32, 2


class Block(nn.Module):
    """Attention, then a small network for each place; both add to what is there."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(CHANNELS), nn.LayerNorm(CHANNELS)
        self.qkv, self.out = nn.Linear(CHANNELS, 3 * CHANNELS), nn.Linear(CHANNELS, CHANNELS)
        self.wide, self.narrow = nn.Linear(CHANNELS, 128), nn.Linear(128, CHANNELS)
        self.dropout = nn.Dropout(0.1)

    def attend(self, x):  # (N, T, C)
        N, T, C = x.shape
        q, k, v = self.qkv(x).view(N, T, 3, HEADS, C // HEADS).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-2, -1) / math.sqrt(C // HEADS)  # (N, heads, T, T)
        future = torch.triu(torch.ones(T, T), diagonal=1) == 1  # a letter sees those before it
        weights = self.dropout(F.softmax(scores.masked_fill(future, float("-inf")), dim=-1))
        return self.out((weights @ v).transpose(1, 2).reshape(N, T, C))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.narrow(F.gelu(self.wide(self.norm2(x))))


torch.manual_seed(1337)
letter, place = nn.Embedding(len(letters), CHANNELS), nn.Embedding(CONTEXT, CHANNELS)
body = nn.Sequential(Block(), Block(), nn.LayerNorm(CHANNELS), nn.Linear(CHANNELS, len(letters)))
model = nn.ModuleList([letter, place, body])
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in tqdm(range(options.steps)):
    start = torch.randint(len(story) - CONTEXT, (16, 1))
    window = story[start + torch.arange(CONTEXT + 1)]  # (16, 33)
    x, y = window[:, :-1], window[:, 1:]  # at each place, the next letter is to be told
    logits = body(letter(x) + place(torch.arange(CONTEXT)))  # (16, 32, letters)
    loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0 or step == options.steps - 1:
        print(f"step {step} loss {loss.item():.4f}")

model.eval()
seen = story[:1]
with torch.no_grad():
    for _ in range(options.length):  # draw a letter by its probability, append it, go on
        x = seen[-CONTEXT:]
        scores = body(letter(x)[None] + place(torch.arange(len(x))))[0, -1]
        seen = torch.cat([seen, torch.multinomial(F.softmax(scores, dim=-1), num_samples=1)])
print("".join(letters[i] for i in seen.tolist()))
