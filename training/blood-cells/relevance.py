"""Class-specific relevance (Chefer, Gur and Wolf, CVPR 2021) for this one model, written down directly.

A small independent check of how well the trained model's explanations land on the cells. Relevance R starts as one-hot
at a logit and goes backwards: a linear layer shares it among its inputs by their positive contributions, a product of
two activations gives each of them half, a residual addition splits it by absolute sums, everything else passes it on.
At each attention it meets the gradient, and the blocks are joined as in attention rollout.
"""

import torch


def divide(a, b):
    return torch.where(b == 0, 0.0, a / (b + 1e-9))


def linear(layer, x, r):
    """Shares r by positive contributions, x+ W+ and x- W-, over their common sum; the bias takes no part."""
    positive, negative = layer.weight.clamp(min=0), layer.weight.clamp(max=0)
    up, down = x.clamp(min=0), x.clamp(max=0)
    s = divide(r, up @ positive.T + down @ negative.T)
    return up * (s @ positive) + down * (s @ negative)


def product(a, b, r):
    """Half of r to each operand of a @ b."""
    s = divide(r, a @ b)
    return a * (s @ b.transpose(-2, -1)) / 2, b * (a.transpose(-2, -1) @ s) / 2


def add(a, b, r):
    """Splits r between the operands of a + b by the absolute sums of their shares, for each sample."""
    s = divide(r, a + b)
    shares = a * s, b * s
    sums = [share.sum((1, 2), keepdim=True) for share in shares]
    both, total = sums[0].abs() + sums[1].abs(), r.sum((1, 2), keepdim=True)
    return [share * divide(divide(own.abs(), both) * total, own) for share, own in zip(shares, sums)]


class Trace:
    """One forward pass through a ViT that keeps what the backward rules read."""

    def __init__(self, model, x):
        self.model, self.steps = model, []
        x = model.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([model.class_token.expand(x.shape[0], -1, -1), x], 1) + model.positions
        for block in model.blocks:
            step = {"x": x, "n1": block.norm1(x)}
            attention = block.attention
            tokens, width = x.shape[1:]
            qkv = attention.qkv(step["n1"]).reshape(-1, tokens, 3, attention.heads, width // attention.heads)
            step["q"], step["k"], step["v"] = qkv.permute(2, 0, 3, 1, 4)
            step["a"] = ((step["q"] @ step["k"].transpose(-2, -1)) * attention.scale).softmax(-1)
            step["mixed"] = (step["a"] @ step["v"]).transpose(1, 2).reshape(-1, tokens, width)
            step["branch1"] = attention.proj(step["mixed"])
            step["middle"] = x + step["branch1"]
            step["n2"] = block.norm2(step["middle"])
            step["gelu"] = block.mlp[1](block.mlp[0](step["n2"]))
            step["branch2"] = block.mlp[2](step["gelu"])
            x = step["middle"] + step["branch2"]
            self.steps.append(step)
        self.top = model.norm(x)
        self.logits = model.head(self.top[:, 0])

    def gradients(self, label: int):
        """Of one logit, by the attention probabilities of each block."""
        return torch.autograd.grad(self.logits[:, label].sum(), [step["a"] for step in self.steps], retain_graph=True)

    @torch.no_grad()
    def relevance(self, label: int):
        """R of the attention probabilities of each block."""
        one = torch.zeros_like(self.logits)
        one[:, label] = 1
        r = torch.zeros_like(self.top)
        r[:, 0] = linear(self.model.head, self.top[:, 0], one)
        found = []
        for block, step in zip(reversed(self.model.blocks), reversed(self.steps)):
            attention = block.attention
            skip, branch = add(step["middle"], step["branch2"], r)
            r = skip + linear(block.mlp[0], step["n2"], linear(block.mlp[2], step["gelu"], branch))
            skip, branch = add(step["x"], step["branch1"], r)
            mixed = linear(attention.proj, step["mixed"], branch)
            n, tokens, width = mixed.shape
            mixed = mixed.reshape(n, tokens, attention.heads, -1).transpose(1, 2)
            ra, rv = product(step["a"], step["v"], mixed)
            rq, rk = product(step["q"], step["k"].transpose(-2, -1), ra)
            packed = torch.stack([rq, rk.transpose(-2, -1), rv]).permute(1, 3, 0, 2, 4).reshape(n, tokens, 3 * width)
            r = skip + linear(attention.qkv, step["n1"], packed)
            found.append(ra)
        return found[::-1]


def join(blocks):
    """What the attention of all blocks adds to the class token: [n, patches]."""
    row = torch.zeros_like(blocks[0][:, 0])
    row[:, 0] = 1
    start = row
    for e in reversed(blocks):
        row = row + (row[:, None] @ e)[:, 0]
    return (row - start)[:, 1:]


def transformer_attribution(trace: Trace, label: int):
    """The method's map of one label over the patches, [n, 144]."""
    pairs = zip(trace.gradients(label), trace.relevance(label))
    return join([(g * r).clamp(min=0).mean(1) for g, r in pairs]).detach()


def rollout(trace: Trace):
    """Attention rollout, the baseline that knows no class."""
    eye = torch.eye(trace.top.shape[1], dtype=trace.top.dtype)
    row = eye[None, :1].expand(trace.top.shape[0], -1, -1)
    for step in reversed(trace.steps):
        row = row @ ((eye + step["a"].mean(1)) / 2)
    return row[:, 0, 1:].detach()
