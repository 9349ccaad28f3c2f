"""Transformers written as plain PyTorch modules, in the styles found outside the big libraries."""

import torch
import torch.nn.functional as F
from torch import nn


class Patches(nn.Module):
    """Image to tokens; optionally a class token in front; learned positions."""

    def __init__(self, width, image=16, patch=4, token=True):
        super().__init__()
        n = (image // patch) ** 2
        self.conv = nn.Conv2d(3, width, patch, patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width)) if token else None
        self.pos_embed = nn.Parameter(torch.zeros(1, n + bool(token), width))

    def forward(self, image):
        x = self.conv(image).flatten(2).transpose(1, 2)
        if self.cls_token is not None:
            x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1)
        return x + self.pos_embed


class EinsumAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))
        self.to_out = nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = (f(x).reshape(b, n, self.heads, -1).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
        a = (torch.einsum("bhid,bhjd->bhij", q, k) * self.scale).softmax(-1)
        return self.to_out(torch.einsum("bhij,bhjd->bhid", a, v).transpose(1, 2).reshape(b, n, d))


class Mlp(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class EinsumBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = EinsumAttention(width, heads), Mlp(width, 3 * width // 2)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class EinsumViT(nn.Module):
    """Attention with two einsums (bhid,bhjd->bhij), as in widely copied research code; class token."""

    def __init__(self, width=32, depth=2, heads=4, classes=5):
        super().__init__()
        self.patches = Patches(width)
        self.blocks = nn.ModuleList(EinsumBlock(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, pixel_values):
        x = self.patches(pixel_values)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class RmsNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class SwiGLU(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.gate_up, self.down = nn.Linear(width, 2 * hidden, bias=False), nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        gate, up = self.gate_up(x).chunk(2, -1)
        return self.down(F.silu(gate) * up)


class SwigluBlock(nn.Module):
    """RMSNorm, packed qkv, LayerScale, SwiGLU with a packed gate."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = RmsNorm(width), RmsNorm(width)
        self.qkv, self.proj, self.mlp = nn.Linear(width, 3 * width), nn.Linear(width, width), SwiGLU(width, width)
        self.gamma1, self.gamma2 = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        x = x + self.gamma1 * self.proj(y.transpose(1, 2).reshape(b, n, d))
        return x + self.gamma2 * self.mlp(self.norm2(x))


class SwigluViT(nn.Module):
    """LLM-style blocks on patches, no class token: mean over all tokens."""

    def __init__(self, width=32, depth=2, heads=4, classes=5):
        super().__init__()
        self.patches = Patches(width, token=False)
        self.blocks = nn.ModuleList(SwigluBlock(width, heads) for _ in range(depth))
        self.norm, self.head = RmsNorm(width), nn.Linear(width, classes)

    def forward(self, pixel_values):
        x = self.patches(pixel_values)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


class EncoderViT(nn.Module):
    """torch.nn.TransformerEncoder (post-norm, ReLU or pre-norm, GELU) with a class token."""

    def __init__(self, width=32, depth=2, heads=4, classes=5, norm_first=False):
        super().__init__()
        self.patches = Patches(width)
        layer = nn.TransformerEncoderLayer(
            width, heads, 3 * width // 2, dropout=0.0, batch_first=True, norm_first=norm_first, activation="gelu" if norm_first else "relu"
        )
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(width, classes)

    def forward(self, pixel_values):
        return self.head(self.encoder(self.patches(pixel_values))[:, 0])


class MhaBlock(nn.Module):
    """nn.MultiheadAttention, sequence first; need_weights selects the explicit softmax path."""

    def __init__(self, width, heads, weights):
        super().__init__()
        self.weights = weights
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = nn.MultiheadAttention(width, heads), Mlp(width, 3 * width // 2)

    def forward(self, x):
        y = self.norm1(x)
        x = x + self.attn(y, y, y, need_weights=self.weights)[0]
        return x + self.mlp(self.norm2(x))


class MhaText(nn.Module):
    """Text classifier around nn.MultiheadAttention in its native [tokens, batch, width] layout; mean over all tokens."""

    def __init__(self, width=32, depth=2, heads=4, classes=4, vocab=60, weights=False):
        super().__init__()
        self.embed, self.position = nn.Embedding(vocab, width), nn.Embedding(16, width)
        self.blocks = nn.ModuleList(MhaBlock(width, heads, weights) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, input_ids):
        x = self.embed(input_ids) + self.position(torch.arange(input_ids.shape[1], device=input_ids.device))
        x = x.transpose(0, 1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(0))


class PlainBlock(nn.Module):
    """Separate q, k, v; softmax((q / sqrt d) k^T) v written with matmul."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_k, self.to_v, self.proj = (nn.Linear(width, width) for _ in range(4))
        self.mlp = Mlp(width, 3 * width // 2)

    def forward(self, x):
        b, n, d = x.shape
        y = self.norm1(x)
        q, k, v = (f(y).reshape(b, n, self.heads, -1).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
        a = torch.softmax((q / (d // self.heads) ** 0.5) @ k.transpose(-1, -2), -1)
        x = x + self.proj((a @ v).transpose(1, 2).reshape(b, n, d))
        return x + self.mlp(self.norm2(x))


class DenseViT(nn.Module):
    """A dense head: tokens back to a feature map, ConvTranspose + BatchNorm + ReLU, Resize, 1x1 convolution: [B, classes, H, W]."""

    def __init__(self, width=32, depth=2, heads=4, classes=3, image=16, patch=4):
        super().__init__()
        self.grid, self.image = image // patch, image
        self.patches = Patches(width, image, patch)
        self.blocks = nn.ModuleList(PlainBlock(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.up, self.bn = nn.ConvTranspose2d(width, 16, 2, 2), nn.BatchNorm2d(16)
        self.classify = nn.Conv2d(16, classes, 1)

    def forward(self, pixel_values):
        x = self.patches(pixel_values)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)[:, 1:].transpose(1, 2)
        x = x.reshape(x.shape[0], -1, self.grid, self.grid)
        x = F.relu(self.bn(self.up(x)))
        x = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.classify(x)


class CosineBlock(nn.Module):
    """Attention that compares directions (F.normalize on queries and keys, a learned temperature), without biases."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width, elementwise_affine=False)
        self.to_q, self.to_k, self.to_v, self.proj = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.temperature = nn.Parameter(torch.full((heads, 1, 1), 2.5))
        self.fc1, self.fc2 = nn.Linear(width, 3 * width // 2, bias=False), nn.Linear(3 * width // 2, width, bias=False)

    def forward(self, x):
        b, n, d = x.shape
        y = self.norm1(x)
        q, k, v = (f(y).reshape(b, n, self.heads, -1).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
        a = (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-1, -2) * self.temperature).softmax(-1)
        x = x + self.proj((a @ v).transpose(1, 2).reshape(b, n, d))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class CosineViT(nn.Module):
    """Patches by unfold; attention that compares directions; class token."""

    def __init__(self, width=24, depth=3, heads=3, classes=5, patch=4):
        super().__init__()
        self.patch, self.embed = patch, nn.Linear(3 * patch * patch, width)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 17, width))
        self.blocks = nn.ModuleList(CosineBlock(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, pixel_values):
        x = self.embed(F.unfold(pixel_values, self.patch, stride=self.patch).transpose(1, 2))
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class TimmAttention(nn.Module):
    """timm's Attention: packed qkv, reshape, permute(2, 0, 3, 1, 4), unbind; q scaled before the product when not fused."""

    def __init__(self, width, heads, fused):
        super().__init__()
        self.heads, self.scale, self.fused = heads, (width // heads) ** -0.5, fused
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(y.transpose(1, 2).reshape(b, n, d))


class LayerScale(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * self.gamma


class TimmBlock(nn.Module):
    def __init__(self, width, heads, fused):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = TimmAttention(width, heads, fused), Mlp(width, 3 * width // 2)
        self.ls1, self.ls2 = LayerScale(width), LayerScale(width)

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class TimmViT(nn.Module):
    """A ViT in timm's style: packed qkv, LayerScale, final norm, class token."""

    def __init__(self, attention="eager", width=32, depth=2, heads=4, classes=5):
        super().__init__()
        self.patches = Patches(width)
        self.blocks = nn.Sequential(*(TimmBlock(width, heads, attention == "sdpa") for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.patches(x)))[:, 0])


class TorchvisionBlock(nn.Module):
    def __init__(self, width, heads, mlp):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(width, heads, dropout=0.0, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, mlp), nn.GELU(), nn.Dropout(0.0), nn.Linear(mlp, width), nn.Dropout(0.0))

    def forward(self, input):
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = x + input
        return x + self.mlp(self.ln_2(x))


class TorchvisionViT(nn.Module):
    """A ViT in torchvision's style: nn.MultiheadAttention(batch_first, need_weights=False), patches by reshape and permute."""

    def __init__(self, width=32, depth=2, heads=4, classes=5, patch=4):
        super().__init__()
        self.width, self.patch = width, patch
        self.conv_proj = nn.Conv2d(3, width, patch, patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embedding = nn.Parameter(torch.zeros(1, 17, width))
        self.layers = nn.Sequential(*(TorchvisionBlock(width, heads, 3 * width // 2) for _ in range(depth)))
        self.ln, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

    def forward(self, x):
        n, _, h, w = x.shape
        x = self.conv_proj(x).reshape(n, self.width, (h // self.patch) * (w // self.patch)).permute(0, 2, 1)
        x = torch.cat([self.class_token.expand(n, -1, -1), x], dim=1)
        return self.head(self.ln(self.layers(x + self.pos_embedding))[:, 0])
