"""A small GPT that learns a short story letter by letter, and then continues it.

The attention is written out: products, a mask, a softmax. The story (`parity/data`) was written
for this project. What the network draws after training are random numbers compared with its
probabilities; so the same text comes out on both libraries only if all of it agrees.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

STORY = Path(__file__).parent.parent / "data" / "lighthouse.txt"


def char_gpt(torch: Any, steps: int = 200, length: int = 200) -> None:
    """Two blocks, two heads, 32 channels: about 28,000 parameters."""
    text = STORY.read_text("utf-8")
    letters = sorted(set(text))
    number = {letter: i for i, letter in enumerate(letters)}
    story = torch.tensor([number[letter] for letter in text])
    print(len(text), "letters,", len(letters), "different ones")

    torch.manual_seed(1337)
    model = _gpt(torch, len(letters), context=32, channels=32, heads=2, blocks=2)
    print(sum(p.numel() for p in model.parameters()), "parameters")
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step in range(steps):
        start = torch.randint(len(story) - 32, (16,))
        x = torch.stack([story[i : i + 32] for i in start])
        y = torch.stack([story[i + 1 : i + 33] for i in start])
        logits = model(x)  # (16, 32, letters)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, len(letters)), y.view(-1))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 20 == 0 or step == steps - 1:
            print(f"step {step} loss {loss.item():.4f}")

    model.eval()
    seen = torch.tensor([[number["T"]]])
    with torch.no_grad():
        for _ in range(length):
            logits = model(seen[:, -32:])[:, -1]
            probabilities = torch.softmax(logits, dim=-1)
            seen = torch.cat([seen, torch.multinomial(probabilities, num_samples=1)], dim=1)
    print("".join(letters[i] for i in seen[0].tolist()))


def _gpt(torch: Any, letters: int, context: int, channels: int, heads: int, blocks: int) -> Any:
    nn, F = torch.nn, torch.nn.functional

    class Attention(nn.Module):  # type: ignore[misc, name-defined]
        """Each place looks at the places before it."""

        def __init__(self) -> None:
            super().__init__()
            self.queries_keys_values = nn.Linear(channels, 3 * channels, bias=False)
            self.out = nn.Linear(channels, channels)
            self.dropout = nn.Dropout(0.1)
            self.register_buffer("mask", torch.tril(torch.ones(context, context)) == 0)

        def forward(self, x: Any) -> Any:
            N, T, C = x.shape
            q, k, v = self.queries_keys_values(x).split(C, dim=2)
            q = q.view(N, T, heads, C // heads).transpose(1, 2)  # (N, heads, T, C / heads)
            k = k.view(N, T, heads, C // heads).transpose(1, 2)
            v = v.view(N, T, heads, C // heads).transpose(1, 2)
            scores = q @ k.transpose(-2, -1) / math.sqrt(C // heads)  # (N, heads, T, T)
            scores = scores.masked_fill(self.mask[:T, :T], float("-inf"))
            weights = self.dropout(F.softmax(scores, dim=-1))
            mixed = (weights @ v).transpose(1, 2).contiguous().view(N, T, C)
            return self.out(mixed)

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        """Attention, then a small network for each place, each added to what was there."""

        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
            self.attention = Attention()
            self.network = nn.Sequential(
                nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
            )

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.network(self.norm2(x))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        """Letters and places to vectors, the blocks, and scores for the next letter."""

        def __init__(self) -> None:
            super().__init__()
            self.letter = nn.Embedding(letters, channels)
            self.place = nn.Embedding(context, channels)
            self.blocks = nn.Sequential(*[Block() for _ in range(blocks)])
            self.norm = nn.LayerNorm(channels)
            self.head = nn.Linear(channels, letters)

        def forward(self, numbers: Any) -> Any:
            places = torch.arange(numbers.shape[1])
            x = self.letter(numbers) + self.place(places)  # (N, T, C)
            return self.head(self.norm(self.blocks(x)))

    return GPT()
