"""Checks attention and gradients of the goldens against torch itself: hooks on the transformers models, float64 autograd."""

import pathlib

import numpy as np
import torch
from safetensors.numpy import load_file

from .families import FAMILIES

COLLECTION = pathlib.Path(__file__).resolve().parent.parent / "test" / "collection"


def attention_and_gradient(name):
    family = FAMILIES[name]
    wrapped = family.build("eager").double()
    feeds = {k: v.double() if v.is_floating_point() else v for k, v in family.inputs().items()}
    y = wrapped.model(**feeds, output_attentions=True)
    attentions = y.attentions
    total = sum(y.logits[(b, *t)] for b, t in enumerate(family.targets[0]))
    return attentions, torch.autograd.grad(total, attentions)


def test_against_torch():
    for name in ("vit", "deit_distilled", "dinov2", "bert", "distilbert", "roberta", "electra", "albert", "gpt2", "bert_token_cls"):
        golden = load_file(COLLECTION / name / "golden.safetensors")
        for k, (a, g) in enumerate(zip(*attention_and_gradient(name))):
            np.testing.assert_allclose(golden[f"site{k}.attention"], a.detach(), atol=1e-6)
            scale = float(g.abs().max())
            np.testing.assert_allclose(golden[f"case0.site{k}.gradient"] / scale, g / scale, atol=1e-5)
        print("ok", name)


if __name__ == "__main__":
    test_against_torch()
