"""Seeded random weights that make small transformers interesting.

Freshly initialised transformers attend almost uniformly and give logits near zero. Here every matrix has gain 1 over its
fan-in, query and key projections a little more, and every float is rounded to a bfloat16-representable value (the files
stay float32 but compress well, and casting to bfloat16 changes nothing).
"""

import re

import torch
from torch import nn

QUERY_KEY = re.compile(r"(query|key|q_proj|k_proj|q_lin|k_lin|to_q|to_k|\.q|\.k|query_proj|key_proj)\.(weight)$")
PACKED = re.compile(r"(qkv|Wqkv|in_proj|c_attn|in_proj_weight)(\.weight)?$")


def bfloat16_values(tensor):
    """The nearest values that bfloat16 can hold, in the tensor's own type."""
    return tensor.to(torch.bfloat16).to(tensor.dtype)


def _matrix(name, module, p, noise, qk):
    fan_in = p.shape[0] if type(module).__name__ == "Conv1D" else p[0].numel()
    if isinstance(module, nn.ConvTranspose2d):
        fan_in = p.shape[0]
    w = noise / fan_in**0.5
    if QUERY_KEY.search(name):
        w = w * qk
    elif PACKED.search(name):  # the first two thirds of a packed projection are query and key
        if type(module).__name__ == "Conv1D":
            w[:, : 2 * p.shape[1] // 3] *= qk
        else:
            w[: 2 * p.shape[0] // 3] *= qk
    return w


def _value(name, module, p, noise, qk):
    norm = "Norm" in type(module).__name__
    if p.dim() == 0 or "logit_scale" in name or name.endswith(("logit_bias", "temperature")):
        return p
    if isinstance(module, nn.Embedding) or "relative_position_bias" in name or "relative_attention_bias" in name:
        return noise * 0.7
    if re.search(
        r"(cls|mask|distillation|class|register|dist|reg)_?(token|embedding)s?$|pos(ition)?_?(embed|embedding)\w*$|probe$|query$", name
    ):
        return noise * 0.5
    if p.dim() == 1 and re.search(r"(lambda|gamma)", name) and not norm:  # LayerScale
        return 0.7 + 0.2 * noise
    if p.dim() == 1 and norm and name.endswith("weight"):
        return 1 + 0.2 * noise
    if p.dim() == 1:
        return noise * 0.1
    return _matrix(name, module, p, noise, qk)


def scatter(model, seed, qk=1.3):
    """Gives every parameter (and batch norm's statistics) of `model` a seeded random value."""
    g = torch.Generator().manual_seed(seed)
    owner = {f"{prefix}.{n}" if prefix else n: m for prefix, m in model.named_modules() for n, _ in m.named_parameters(recurse=False)}
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g, dtype=torch.float32)
            p.copy_(bfloat16_values(_value(name, owner[name], p, noise, qk)))
        for m in model.modules():
            if isinstance(m, nn.modules.batchnorm._BatchNorm):
                m.running_mean.copy_(bfloat16_values(0.2 * torch.randn(m.running_mean.shape, generator=g)))
                m.running_var.copy_(bfloat16_values(0.5 + torch.rand(m.running_var.shape, generator=g)))
    return model.eval()
