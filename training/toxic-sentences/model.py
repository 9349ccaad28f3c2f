"""A small BERT: learned positions, post-norm blocks, exact GELU, the class token read by one linear layer."""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def split(self, x):
        return x.view(x.size(0), x.size(1), self.heads, self.size).transpose(1, 2)

    def forward(self, x, bias):
        # Written out instead of calling the fused operator: the probabilities are what an explanation reads.
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        self.probabilities = (q @ k.transpose(-2, -1) / self.size**0.5 + bias).softmax(-1)
        mixed = self.dropout(self.probabilities) @ v
        return self.output(mixed.transpose(1, 2).reshape(x.size(0), x.size(1), self.heads * self.size))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, ratio: int, dropout: float):
        super().__init__()
        self.attention = Attention(width, heads, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, bias, skip):
        read = self.dropout(self.attention(x, bias))
        if self.training and skip > 0:
            # Some samples do without this block's attention, so that the class token learns to read in every block.
            read = read * (torch.rand(x.size(0), 1, 1) >= skip) / (1 - skip)
        x = self.norm1(x + read)
        return self.norm2(x + self.dropout(self.mlp(x)))


class Bert(nn.Module):
    def __init__(self, vocabulary=4000, positions=160, width=128, depth=4, heads=4, ratio=2, labels=2, dropout=0.1, skip=0.0):
        super().__init__()
        self.skip = skip
        self.config = dict(
            vocabulary=vocabulary, positions=positions, width=width, depth=depth, heads=heads, ratio=ratio, labels=labels
        )
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(positions, width)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, ratio, dropout) for _ in range(depth))
        self.classifier = nn.Linear(width, labels)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def encode(self, input_ids, attention_mask):
        bias = (1.0 - attention_mask[:, None, None, :].to(torch.float32)) * -1e9
        x = self.words(input_ids) + self.positions.weight[: input_ids.size(1)]
        x = self.dropout(self.norm(x))
        for block in self.blocks:
            x = block(x, bias, self.skip)
        return x

    def forward(self, input_ids, attention_mask):
        return self.read(self.encode(input_ids, attention_mask))

    def read(self, tokens):
        """The labels, from the class token alone."""
        return self.classifier(self.dropout(tokens[:, 0]))
