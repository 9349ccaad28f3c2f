"""One small entry per model family: how to build it, feed it, and where its head reads.

`build(attention)` gives a seeded torch module in eval mode whose forward takes the named inputs in order and returns the
named outputs; `attention` is "eager" or "sdpa" where the library offers both, otherwise it is ignored.
"""

import inspect
from dataclasses import dataclass, field

import torch
import transformers as hf
from torch import nn

from . import plain
from .weights import scatter

WIDTH, HEADS, CLASSES = 32, 4, 5
PAD = 0  # padding token id of most text models here


@dataclass
class Map:
    """One relevance map of a family: which input it explains, how to walk, and what the head reads."""

    input: str
    readout: dict
    walk: str = "flat"  # flat | encoder-decoder | reduced | windows | mobilevit
    tokens: str = "tokens"  # or "input" axes in words
    grid: list | None = None  # rows, columns of the patches
    prefix: int = 0  # leading tokens that are no patches
    special: dict = field(default_factory=dict)  # what the walk needs: strides, shifts ...


@dataclass
class Family:
    name: str
    title: str
    group: str
    build: object
    inputs: object  # () -> dict of tensors
    maps: list
    targets: list  # cases: one position (after the batch axis) per sample
    outputs: tuple = ("logits",)
    output: str = "logits"
    axes: dict = field(default_factory=dict)
    seed: int = 0
    attention: tuple = ("eager", "sdpa")


FAMILIES: dict[str, Family] = {}


def family(**kw):
    f = Family(**kw)
    FAMILIES[f.name] = f


# ---------------------------------------------------------------- building


class Named(nn.Module):
    """A transformers model with positional tensor inputs and plain tensor outputs."""

    def __init__(self, model, names, outputs):
        super().__init__()
        self.model, self.names, self.outputs = model, names, outputs

    def run(self, *xs):
        y = self.model(**dict(zip(self.names, xs)))
        ys = tuple(getattr(y, o) for o in self.outputs)
        return ys[0] if len(ys) == 1 else ys


class One(Named):
    def forward(self, a):
        return self.run(a)


class Two(Named):
    def forward(self, a, b):
        return self.run(a, b)


class Three(Named):
    def forward(self, a, b, c):
        return self.run(a, b, c)


def hf_model(cls, config, names=("pixel_values",), outputs=("logits",), seed=0, qk=1.3, eager_only=False):
    """A builder for one transformers class; configurations are made anew so that nothing is shared between builds."""

    def build(attention):
        torch.manual_seed(seed)
        c = config()
        model = cls._from_config(c, attn_implementation="eager" if eager_only else attention)
        if hasattr(model, "tie_weights"):
            model.tie_weights()
        scatter(model, seed, qk)
        return (None, One, Two, Three)[len(names)](model, list(names), list(outputs)).eval()

    return build


def plain_model(make, seed=0, qk=1.3):
    """A builder for a module written by hand (plain.py)."""

    def build(attention):
        torch.manual_seed(seed)
        takes = "attention" in inspect.signature(make).parameters
        return scatter(make(attention) if takes else make(), seed, qk)

    return build


# ---------------------------------------------------------------- inputs


def rng(seed):
    return torch.Generator().manual_seed(1000 + seed)


def bf(x):
    return x.to(torch.bfloat16).float()


def image(size=32, batch=2, seed=0, name="pixel_values"):
    """Two images: smooth blobs and noise, so that patches differ."""

    def make():
        g = rng(seed)
        coarse = torch.randn(batch, 3, 4, 4, generator=g)
        x = torch.nn.functional.interpolate(coarse, size=(size, size), mode="nearest") + 0.5 * torch.randn(batch, 3, size, size, generator=g)
        return {name: bf(x)}

    return make


def ids(seed=0, vocab=60, lengths=(12, 8), n=12, pad=PAD, mask=True, types=False, first=None, last=None, low=5):
    """Right-padded token ids of different lengths, with optional attention mask and token types."""

    def make():
        g = rng(seed)
        x = torch.full((len(lengths), n), pad)
        for b, k in enumerate(lengths):
            x[b, :k] = torch.randint(low, vocab, (k,), generator=g)
            if first is not None:
                x[b, 0] = first
            if last is not None:
                x[b, k - 1] = last
        out = {"input_ids": x}
        if mask:
            out["attention_mask"] = torch.stack([(torch.arange(n) < k).long() for k in lengths])
        if types:
            out["token_type_ids"] = torch.stack([((torch.arange(n) >= k // 2) & (torch.arange(n) < k)).long() for k in lengths])
        return out

    return make


def both(order, *makers):
    """The inputs of several makers, in the order of the model's arguments."""

    def make():
        out = {}
        for m in makers:
            out |= m()
        return {k: out[k] for k in order}

    return make


IMAGE_AXES = {"pixel_values": {0: "batch"}}
IDS_AXES = {k: {0: "batch", 1: "sequence"} for k in ("input_ids", "attention_mask", "token_type_ids")}
GRID = [4, 4]
CLASS_TOKEN = {"kind": "index", "index": 0}
TARGETS = [[[1], [3]], [[4], [0]]]


def vit_map(readout=None, prefix=1, grid=GRID, **kw):
    return [Map("pixel_values", readout or CLASS_TOKEN, grid=grid, prefix=prefix, **kw)]


def text_map(readout=None, **kw):
    return [Map("input_ids", readout or CLASS_TOKEN, **kw)]


def vision(**kw):
    family(**{"group": "vision", "inputs": image(), "axes": IMAGE_AXES, "targets": TARGETS, "maps": vit_map(), **kw})


def text(**kw):
    family(**{"group": "text", "axes": IDS_AXES, "targets": TARGETS, "maps": text_map(), **kw})


VISION = dict(hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=64, image_size=32, patch_size=8, num_labels=CLASSES)
TEXT = dict(
    vocab_size=60,
    hidden_size=WIDTH,
    num_hidden_layers=2,
    num_attention_heads=HEADS,
    intermediate_size=64,
    max_position_embeddings=24,
    num_labels=CLASSES,
)
MASKED = ("input_ids", "attention_mask")
TYPED = ("input_ids", "attention_mask", "token_type_ids")

# ---------------------------------------------------------------- vision transformers

vision(name="vit", title="ViT, class token", build=hf_model(hf.ViTForImageClassification, lambda: hf.ViTConfig(**{**VISION, "num_hidden_layers": 3}), seed=1))
vision(
    name="deit_distilled",
    title="DeiT, distillation token, two heads averaged",
    build=hf_model(hf.DeiTForImageClassificationWithTeacher, lambda: hf.DeiTConfig(**VISION), seed=2),
    maps=vit_map({"kind": "weights", "indices": [0, 1], "weights": [0.5, 0.5]}, prefix=2),
)
vision(
    name="beit",
    title="BEiT, relative position bias, mean over patches",
    build=hf_model(
        hf.BeitForImageClassification,
        lambda: hf.BeitConfig(**VISION, use_relative_position_bias=True, use_mean_pooling=True, layer_scale_init_value=0.1, out_indices=None),
        seed=3,
    ),
    maps=vit_map({"kind": "mean", "from": 1, "to": 17}),
)
CLASS_AND_MEAN = {"kind": "class+mean", "index": 0, "from": 1, "to": 17}
vision(
    name="dinov2",
    title="DINOv2, class token joined to patch mean",
    build=hf_model(hf.Dinov2ForImageClassification, lambda: hf.Dinov2Config(**VISION, mlp_ratio=2), seed=4),
    maps=vit_map(CLASS_AND_MEAN),
)
vision(
    name="dinov2_reg",
    title="DINOv2 with registers, SwiGLU",
    build=hf_model(
        hf.Dinov2WithRegistersForImageClassification,
        lambda: hf.Dinov2WithRegistersConfig(**VISION, mlp_ratio=2, num_register_tokens=3, use_swiglu_ffn=True),
        seed=5,
    ),
    maps=vit_map({**CLASS_AND_MEAN, "from": 4, "to": 20}, prefix=4),
)
# ---------------------------------------------------------------- text encoders

bert_ids = dict(first=2, last=3)
text(
    name="bert",
    title="BERT sequence classification",
    build=hf_model(hf.BertForSequenceClassification, lambda: hf.BertConfig(**{**TEXT, "num_hidden_layers": 3}), TYPED, seed=11),
    inputs=ids(11, types=True, **bert_ids),
)
text(
    name="bert_token_cls",
    title="BERT token classification",
    build=hf_model(hf.BertForTokenClassification, lambda: hf.BertConfig(**TEXT), TYPED, seed=12),
    inputs=ids(12, types=True, **bert_ids),
    targets=[[[5, 1], [2, 3]], [[0, 4], [7, 0]]],
    maps=text_map({"kind": "token"}),
)
text(
    name="distilbert",
    title="DistilBERT sequence classification",
    build=hf_model(
        hf.DistilBertForSequenceClassification,
        lambda: hf.DistilBertConfig(vocab_size=60, dim=WIDTH, n_layers=2, n_heads=HEADS, hidden_dim=64, max_position_embeddings=24, num_labels=CLASSES),
        MASKED,
        seed=13,
    ),
    inputs=ids(13, **bert_ids),
)
ROBERTA = {**TEXT, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
text(
    name="roberta",
    title="RoBERTa sequence classification (position ids by cumulative sum)",
    build=hf_model(hf.RobertaForSequenceClassification, lambda: hf.RobertaConfig(**ROBERTA), MASKED, seed=14),
    inputs=ids(14, first=0, last=2, pad=1),
)

# ---------------------------------------------------------------- decoders

GPT2 = dict(vocab_size=60, n_positions=24, n_embd=WIDTH, n_layer=2, n_head=HEADS, n_inner=64, num_labels=CLASSES, pad_token_id=0, use_cache=False)
text(
    name="gpt2",
    title="GPT-2 sequence classification, last token",
    group="decoder",
    build=hf_model(hf.GPT2ForSequenceClassification, lambda: hf.GPT2Config(**GPT2), MASKED, seed=21),
    inputs=ids(21),
    maps=text_map({"kind": "last"}),
)

# ---------------------------------------------------------------- image and text

CLIP_INPUTS = ("input_ids", "pixel_values", "attention_mask")
CLIP_AXES = {
    "input_ids": {0: "texts", 1: "sequence"},
    "pixel_values": {0: "images"},
    "attention_mask": {0: "texts", 1: "sequence"},
}
CLIP_TEXT = dict(vocab_size=60, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, max_position_embeddings=16)
CLIP_VISION = dict(hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, image_size=32, patch_size=8)


def clip_config():
    return hf.CLIPConfig(
        text_config={**CLIP_TEXT, "eos_token_id": 59, "bos_token_id": 58, "pad_token_id": 1},
        vision_config=CLIP_VISION,
        projection_dim=24,
    )


family(
    name="clip",
    title="CLIP, both towers, logits per image",
    group="multimodal",
    build=hf_model(
        hf.CLIPModel,
        clip_config,
        CLIP_INPUTS,
        ("logits_per_image", "logits_per_text", "text_embeds", "image_embeds"),
        seed=31,
    ),
    inputs=both(CLIP_INPUTS, ids(31, vocab=58, lengths=(9, 6, 8), n=9, first=58, last=59, pad=1), image(seed=31)),
    maps=[
        Map("pixel_values", CLASS_TOKEN, grid=GRID, prefix=1, special={"batch": "images"}),
        Map("input_ids", {"kind": "eos", "id": 59}, special={"batch": "texts"}),
    ],
    outputs=("logits_per_image", "logits_per_text", "text_embeds", "image_embeds"),
    output="logits_per_image",
    axes={
        **CLIP_AXES,
        "logits_per_image": {0: "images", 1: "texts"},
        "logits_per_text": {0: "texts", 1: "images"},
        "text_embeds": {0: "texts"},
        "image_embeds": {0: "images"},
    },
    targets=[[[1], [0]], [[2], [1]]],
)

# ---------------------------------------------------------------- plain PyTorch


def pixels(**kw):
    vision(**{"group": "plain", "attention": ("plain",), **kw})


pixels(name="timm_vit", title="timm-style ViT, packed qkv, LayerScale", build=plain_model(plain.TimmViT, 41), attention=("eager", "sdpa"))
pixels(name="torchvision_vit", title="torchvision-style ViT, nn.MultiheadAttention", build=plain_model(plain.TorchvisionViT, 42))
pixels(name="torch_encoder_vit", title="nn.TransformerEncoder (post-norm, ReLU)", build=plain_model(plain.EncoderViT, 43))
