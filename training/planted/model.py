"""Two small transformers: a plain pre-norm ViT and a plain pre-norm text encoder, both read at their class token."""

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x, bias=None):
        batch, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        if self.training:  # one fused kernel while training, the plain graph when exported
            mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        else:
            scores = (q * self.scale) @ k.transpose(-2, -1)
            weights = (scores if bias is None else scores + bias).softmax(-1)
            mixed = weights @ v
        return self.out(mixed.transpose(1, 2).reshape(batch, tokens, width))


class Block(nn.Module):
    def __init__(self, width: int, heads: int, ratio: int = 4):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, ratio * width), nn.GELU(), nn.Linear(ratio * width, width))

    def forward(self, x, bias=None):
        x = x + self.attention(self.norm1(x), bias)
        return x + self.mlp(self.norm2(x))


def waves(side: int, width: int):
    """Sines and cosines of row and column: neighbours are alike from the start, which a small model need not learn."""
    rates = 1 / 100 ** (torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * rates
    one = torch.cat([angles.sin(), angles.cos()], -1)
    return torch.cat([one[:, None].expand(-1, side, -1), one[None].expand(side, -1, -1)], -1).flatten(0, 1)


class PictureModel(nn.Module):
    """96 px, patch 8, class token; one logit per class, read through a sigmoid."""

    def __init__(self, classes=6, width=96, depth=4, heads=4, attributes=(6, 6, 5, 3, 7)):
        super().__init__()
        self.patch = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.position = nn.Parameter(torch.cat([torch.zeros(1, width), waves(12, width)])[None] * 0.5)
        self.blocks = nn.ModuleList(Block(width, heads, 2) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)
        # Training only: what each patch shows, read before the last block. Not part of the export.
        self.attributes = attributes
        self.patch_norm, self.patch_head = nn.LayerNorm(width), nn.Linear(width, sum(attributes))

    def forward(self, pixel_values, with_patches=False):
        x = self.patch(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.position
        for block in self.blocks[:-1]:
            x = block(x)
        patches = self.patch_head(self.patch_norm(x[:, 1:])) if with_patches else None
        logits = self.head(self.norm(self.blocks[-1](x))[:, 0])
        return (logits, patches.split(self.attributes, -1)) if with_patches else logits


class SentenceModel(nn.Module):
    """Token ids and an attention mask in; three logits out, read through a softmax."""

    def __init__(self, vocabulary: int, classes=3, width=96, depth=3, heads=4, length=64):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        nn.init.normal_(self.words.weight, std=0.05)
        nn.init.normal_(self.places.weight, std=0.05)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, input_ids, attention_mask):
        places = torch.arange(input_ids.shape[1], device=input_ids.device)
        x = self.words(input_ids) + self.places(places)[None]
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for block in self.blocks:
            x = block(x, bias)
        return self.head(self.norm(x)[:, 0])
