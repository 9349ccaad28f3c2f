"""A plain vision transformer: packed qkv, pre-norm, exact GELU, class token, learned positions."""

import torch
from torch import nn

MEAN = STD = (0.5, 0.5, 0.5)  # of pixels scaled to 0..1


class Attention(nn.Module):
    def __init__(self, tokens: int, width: int, heads: int):
        super().__init__()
        self.tokens, self.width, self.heads, self.scale = tokens, width, heads, (width // heads) ** -0.5
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        # Written out instead of calling the fused operator: the probabilities are what an explanation reads.
        # Its shapes are plain numbers but for the batch, so that the exported graph computes none.
        qkv = self.qkv(x).reshape(-1, self.tokens, 3, self.heads, self.width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        probabilities = ((q @ k.transpose(-2, -1)) * self.scale).softmax(-1)
        return self.proj((probabilities @ v).transpose(1, 2).reshape(-1, self.tokens, self.width))


class Block(nn.Module):
    def __init__(self, tokens: int, width: int, heads: int, ratio: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(tokens, width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))

    def forward(self, x, keep=None):
        branch = self.attention(self.norm1(x))
        x = x + (branch if keep is None else branch * keep[0])
        branch = self.mlp(self.norm2(x))
        return x + (branch if keep is None else branch * keep[1])


class ViT(nn.Module):
    def __init__(self, labels=2, size=96, patch=8, width=128, depth=6, heads=4, ratio=2):
        super().__init__()
        tokens = 1 + (size // patch) ** 2
        self.embed = nn.Conv2d(3, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, tokens, width))
        self.blocks = nn.ModuleList(Block(tokens, width, heads, ratio) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, labels)
        self.apply(self.start)
        nn.init.trunc_normal_(self.positions, std=0.02)
        nn.init.trunc_normal_(self.class_token, std=0.02)

    @staticmethod
    def start(module):
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)

    def features(self, pixel_values, keep=None):
        """The normalised tokens after the last block, class token first.

        In training, `keep` [blocks, 2, batch, 1, 1] scales the branches of each sample (stochastic depth).
        """
        x = self.embed(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        for i, block in enumerate(self.blocks):
            x = block(x, None if keep is None else keep[i])
        return self.norm(x)

    def forward(self, pixel_values):
        return self.head(self.features(pixel_values)[:, 0])


def normalise(pixels):
    """uint8 or float pixels 0..255, [..., 96, 96, 3], to the model's input [..., 3, 96, 96]."""
    x = torch.as_tensor(pixels).float() / 255
    return ((x - torch.tensor(MEAN)) / torch.tensor(STD)).movedim(-1, -3)
