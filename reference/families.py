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
    trace: object = None  # () -> inputs of another size, for exporters that follow one run
    source: object = None  # a file that was exported elsewhere (optimum_export.py), with its torch outputs beside it


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


def image(size=16, batch=2, seed=0, name="pixel_values"):
    """Two images, square or (height, width): smooth blobs and noise, so that patches differ."""
    height, width = (size, size) if isinstance(size, int) else size

    def make():
        g = rng(seed)
        coarse = torch.randn(batch, 3, 4, 4, generator=g)
        x = torch.nn.functional.interpolate(coarse, size=(height, width), mode="nearest") + 0.5 * torch.randn(
            batch, 3, height, width, generator=g
        )
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
SIZE_AXES = {2: "height", 3: "width"}  # what the flag "sizes" of a spelling adds
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


VISION = dict(
    hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=HEADS, intermediate_size=48, image_size=16, patch_size=4, num_labels=CLASSES
)
TEXT = dict(
    vocab_size=60,
    hidden_size=WIDTH,
    num_hidden_layers=2,
    num_attention_heads=HEADS,
    intermediate_size=48,
    max_position_embeddings=24,
    num_labels=CLASSES,
)
MASKED = ("input_ids", "attention_mask")
TYPED = ("input_ids", "attention_mask", "token_type_ids")

# ---------------------------------------------------------------- vision transformers

vision(
    name="vit",
    title="ViT, class token",
    build=hf_model(hf.ViTForImageClassification, lambda: hf.ViTConfig(**VISION), seed=101),
)
vision(
    name="deit_distilled",
    title="DeiT, distillation token, two heads averaged",
    build=hf_model(hf.DeiTForImageClassificationWithTeacher, lambda: hf.DeiTConfig(**VISION), seed=202),
    maps=vit_map({"kind": "weights", "indices": [0, 1], "weights": [0.5, 0.5]}, prefix=2),
)
vision(
    name="beit",
    title="BEiT, relative position bias, mean over patches",
    build=hf_model(
        hf.BeitForImageClassification,
        lambda: hf.BeitConfig(
            **VISION, use_relative_position_bias=True, use_mean_pooling=True, layer_scale_init_value=0.1, out_indices=None
        ),
        seed=103,
    ),
    maps=vit_map({"kind": "mean", "from": 1, "to": 17}),
)
CLASS_AND_MEAN = {"kind": "class+mean", "index": 0, "from": 1, "to": 17}
vision(
    name="dinov2",
    title="DINOv2, class token joined to patch mean",
    build=hf_model(hf.Dinov2ForImageClassification, lambda: hf.Dinov2Config(**VISION, mlp_ratio=2), seed=204),
    maps=vit_map(CLASS_AND_MEAN),
)
vision(
    name="dinov2_reg",
    title="DINOv2 with registers, SwiGLU",
    build=hf_model(
        hf.Dinov2WithRegistersForImageClassification,
        lambda: hf.Dinov2WithRegistersConfig(**{**VISION, "num_hidden_layers": 3}, mlp_ratio=2, num_register_tokens=3, use_swiglu_ffn=True),
        seed=5,
    ),
    maps=vit_map({**CLASS_AND_MEAN, "from": 4, "to": 20}, prefix=4),
)
vision(
    name="dinov3",
    title="DINOv3: rotary positions of patches, registers, gated MLP",
    build=hf_model(
        hf.DINOv3ViTModel,
        lambda: hf.DINOv3ViTConfig(
            **{k: v for k, v in VISION.items() if k != "num_labels"}, num_register_tokens=2, use_gated_mlp=True
        ),
        outputs=("pooler_output",),
        seed=623,
    ),
    outputs=("pooler_output",),
    output="pooler_output",
    maps=vit_map(prefix=3),
)
SWIN = dict(image_size=32, patch_size=4, embed_dim=16, mlp_ratio=2.0, num_labels=CLASSES)
vision(
    name="swin",
    inputs=image(32),
    title="Swin: windows of 4, shifted by 2, one merging",
    build=hf_model(hf.SwinForImageClassification, lambda: hf.SwinConfig(**SWIN, depths=[2, 2], num_heads=[2, 4], window_size=4), seed=206),
    maps=vit_map(
        {"kind": "mean"},
        prefix=0,
        grid=[8, 8],
        walk="windows",
        special={
            "stages": [
                {"blocks": 2, "grid": [8, 8], "window": 4, "shifts": [0, 2]},
                {"blocks": 2, "grid": [4, 4], "window": 4, "shifts": [0, 0]},
            ]
        },
    ),
)
vision(
    name="swinv2",
    inputs=image(32),
    title="SwinV2: cosine attention, windows of 2, three stages",
    build=hf_model(
        hf.Swinv2ForImageClassification,
        lambda: hf.Swinv2Config(**{**SWIN, "embed_dim": 8}, depths=[2, 1, 1], num_heads=[1, 2, 4], window_size=2),
        seed=7,
        eager_only=True,
    ),
    attention=("eager",),
    maps=vit_map(
        {"kind": "mean"},
        prefix=0,
        grid=[8, 8],
        walk="windows",
        special={
            "stages": [
                {"blocks": 2, "grid": [8, 8], "window": 2, "shifts": [0, 1]},
                {"blocks": 1, "grid": [4, 4], "window": 2, "shifts": [0]},
                {"blocks": 1, "grid": [2, 2], "window": 2, "shifts": [0]},
            ]
        },
    ),
)
# Pictures of any size: exported at one that needs all padding there is (36 x 36, 9 x 9 tokens: an exporter that follows one run leaves
# out what that run did not need), measured at another that is neither square nor a multiple of anything (11 x 13 tokens in windows
# of 4, 6 x 7 after merging).
ANY_SIZE = dict(image_size=36, patch_size=4, embed_dim=8, mlp_ratio=2.0, num_labels=CLASSES, depths=[2, 2], num_heads=[1, 2], window_size=4)


def any_size_map(*shifts):
    stages = [{"blocks": 2, "grid": g, "window": 4, "shifts": s} for g, s in zip(([11, 13], [6, 7]), shifts)]
    return vit_map({"kind": "mean"}, prefix=0, grid=[11, 13], walk="windows", special={"stages": stages})


vision(
    name="swin_sizes",
    title="Swin, pictures of any size: windows of 4, padded",
    inputs=image((44, 52)),
    trace=image(36),
    build=hf_model(hf.SwinForImageClassification, lambda: hf.SwinConfig(**ANY_SIZE), seed=206),
    axes={"pixel_values": {0: "batch", **SIZE_AXES}},
    maps=any_size_map([0, 2], [0, 2]),
)
vision(
    name="swinv2_sizes",
    title="SwinV2, pictures of any size: windows of 4, padded",
    inputs=image((44, 52)),
    trace=image(36),
    build=hf_model(hf.Swinv2ForImageClassification, lambda: hf.Swinv2Config(**ANY_SIZE), seed=7, eager_only=True),
    attention=("eager",),
    axes={"pixel_values": {0: "batch", **SIZE_AXES}},
    maps=any_size_map([0, 2], [0, 0]),  # decided by image_size: 9 // 2 is no more than a window
)
STAGES = [
    {"blocks": 1, "grid": [8, 8], "keys": [[2, 2]], "prefix": 0},
    {"blocks": 1, "grid": [4, 4], "keys": [[2, 2]], "prefix": 0},
]
PYRAMID = dict(hidden_sizes=[8, 16, 24], num_attention_heads=[1, 2, 3], num_encoder_blocks=3, num_labels=CLASSES)
vision(
    name="pvt",
    inputs=image(32),
    title="PVT: reduced keys, class token in the last stage only",
    build=hf_model(
        hf.PvtForImageClassification,
        lambda: hf.PvtConfig(
            **PYRAMID,
            image_size=32,
            depths=[1, 1, 2],
            sequence_reduction_ratios=[4, 2, 1],
            patch_sizes=[4, 2, 2],
            strides=[4, 2, 2],
            mlp_ratios=[2, 2, 2],
            qkv_bias=True,
        ),
        seed=8,
        eager_only=True,
    ),
    attention=("eager",),
    maps=vit_map(
        prefix=0,
        grid=[8, 8],
        walk="reduced",
        special={"stages": [*STAGES, {"blocks": 2, "grid": [2, 2], "keys": [[2, 2], [2, 2]], "prefix": 1}]},
    ),
)
vision(
    name="segformer",
    inputs=image(32),
    title="SegFormer classifier: reduced keys, overlapping merging, mean over the last stage",
    build=hf_model(
        hf.SegformerForImageClassification,
        lambda: hf.SegformerConfig(
            **PYRAMID, depths=[1, 1, 2], sr_ratios=[4, 2, 1], patch_sizes=[7, 3, 3], strides=[4, 2, 2], mlp_ratios=[2, 2, 2]
        ),
        seed=9,
        eager_only=True,
    ),
    attention=("eager",),
    maps=vit_map(
        {"kind": "mean"},
        prefix=0,
        grid=[8, 8],
        walk="reduced",
        special={"stages": [*STAGES, {"blocks": 2, "grid": [2, 2], "keys": [[2, 2], [2, 2]], "prefix": 0}]},
    ),
)
MOBILE = dict(
    image_size=64,
    hidden_sizes=[16, 16, 16],
    neck_hidden_sizes=[8, 8, 8, 12, 12, 12, 16],
    num_attention_heads=2,
    mlp_ratio=2.0,
    expand_ratio=2.0,
    num_labels=CLASSES,
)
vision(
    name="mobilevit",
    title="MobileViT: convolutions and attention over four phase grids",
    build=hf_model(hf.MobileViTForImageClassification, lambda: hf.MobileViTConfig(**MOBILE), seed=310, eager_only=True),
    attention=("eager",),
    inputs=image(64),
    maps=vit_map(
        {"kind": "mean"},
        prefix=0,
        grid=[8, 8],
        walk="mobilevit",
        special={
            "stages": [
                {"blocks": 2, "grid": [8, 8], "down": 1},
                {"blocks": 4, "grid": [4, 4], "down": 2},
                {"blocks": 3, "grid": [2, 2], "down": 2},
            ]
        },
    ),
)
SIGLIP_VISION = dict(hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, image_size=16, patch_size=4)
vision(
    name="siglip_cls",
    title="SigLIP vision classifier, mean over patches, no class token",
    build=hf_model(
        hf.SiglipForImageClassification,
        lambda: hf.SiglipConfig(vision_config={**SIGLIP_VISION, "vision_use_head": False}, num_labels=CLASSES),
        seed=115,
    ),
    maps=vit_map({"kind": "mean"}, prefix=0),
)
vision(
    name="mobilevit_sizes",
    title="MobileViT, pictures of any size: grids brought to even numbers by interpolation",
    build=hf_model(hf.MobileViTForImageClassification, lambda: hf.MobileViTConfig(**MOBILE), seed=310, eager_only=True),
    attention=("eager",),
    inputs=image((60, 76)),
    trace=image((72, 88)),
    axes={"pixel_values": {0: "batch", **SIZE_AXES}},
    maps=vit_map(
        {"kind": "mean"},
        prefix=0,
        grid=[8, 10],
        walk="mobilevit",
        special={
            "stages": [
                {"blocks": 2, "grid": [8, 10], "down": 1},
                {"blocks": 4, "grid": [4, 5], "down": 2},
                {"blocks": 3, "grid": [2, 3], "down": 2},
            ]
        },
    ),
)
# ---------------------------------------------------------------- text encoders

bert_ids = dict(first=2, last=3)
text(
    name="bert",
    title="BERT sequence classification",
    build=hf_model(hf.BertForSequenceClassification, lambda: hf.BertConfig(**TEXT), TYPED, seed=11),
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
    name="bert_qa",
    title="BERT question answering: start and end scores per token",
    build=hf_model(
        hf.BertForQuestionAnswering,
        lambda: hf.BertConfig(**{**TEXT, "num_labels": 2}),
        TYPED,
        ("start_logits", "end_logits"),
        seed=29,
    ),
    inputs=ids(29, types=True, **bert_ids),
    outputs=("start_logits", "end_logits"),
    output="start_logits",
    axes={**IDS_AXES, **{n: {0: "batch", 1: "sequence"} for n in ("start_logits", "end_logits")}},
    targets=[[[5], [2]], [[0], [7]]],
    maps=text_map({"kind": "token"}),
)
text(
    name="distilbert",
    title="DistilBERT sequence classification",
    build=hf_model(
        hf.DistilBertForSequenceClassification,
        lambda: hf.DistilBertConfig(
            vocab_size=60, dim=WIDTH, n_layers=2, n_heads=HEADS, hidden_dim=48, max_position_embeddings=24, num_labels=CLASSES
        ),
        MASKED,
        seed=313,
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

text(
    name="xlm_roberta",
    title="XLM-RoBERTa sequence classification",
    build=hf_model(
        hf.XLMRobertaForSequenceClassification, lambda: hf.XLMRobertaConfig(**{**ROBERTA, "hidden_act": "gelu_new"}), MASKED, seed=16
    ),
    inputs=ids(16, first=0, last=2, pad=1),
)
text(
    name="electra",
    title="ELECTRA sequence classification, narrow embeddings",
    build=hf_model(hf.ElectraForSequenceClassification, lambda: hf.ElectraConfig(**TEXT, embedding_size=24), TYPED, seed=117),
    inputs=ids(17, types=True, **bert_ids),
)
text(
    name="albert",
    title="ALBERT sequence classification, one layer's weights used three times",
    build=hf_model(
        hf.AlbertForSequenceClassification, lambda: hf.AlbertConfig(**{**TEXT, "num_hidden_layers": 3}, embedding_size=24), TYPED, seed=18
    ),
    inputs=ids(18, types=True, **bert_ids),
)
text(
    name="mpnet",
    title="MPNet sequence classification, relative position bias",
    build=hf_model(
        hf.MPNetForSequenceClassification,
        lambda: hf.MPNetConfig(**TEXT, relative_attention_num_buckets=32, pad_token_id=1, bos_token_id=0, eos_token_id=2),
        MASKED,
        seed=19,
        eager_only=True,
    ),
    attention=("eager",),
    inputs=ids(19, first=0, last=2, pad=1),
)
text(
    name="deberta_v2",
    title="DeBERTa-v2/v3: content-to-position and position-to-content scores",
    build=hf_model(
        hf.DebertaV2ForSequenceClassification,
        lambda: hf.DebertaV2Config(
            **TEXT,
            relative_attention=True,
            pos_att_type=["p2c", "c2p"],
            position_buckets=4,
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            position_biased_input=False,
            type_vocab_size=0,
        ),
        MASKED,
        seed=420,
        eager_only=True,
    ),
    attention=("eager",),
    inputs=ids(20, **bert_ids),
)
text(
    name="modernbert",
    title="ModernBERT: rotary, gated GELU, local and global layers, masked mean",
    build=hf_model(
        hf.ModernBertForSequenceClassification,
        lambda: hf.ModernBertConfig(
            **{**TEXT, "num_hidden_layers": 3, "intermediate_size": 24},
            pad_token_id=0,
            bos_token_id=2,
            eos_token_id=3,
            cls_token_id=2,
            sep_token_id=3,
            local_attention=4,
            global_attn_every_n_layers=3,
            classifier_pooling="mean",
            reference_compile=False,
        ),
        MASKED,
        seed=22,
    ),
    inputs=ids(22, **bert_ids),
    maps=text_map({"kind": "masked-mean", "mask": "attention_mask"}),
)


class MaskedMean(nn.Module):
    """Mean of the last hidden states over the mask, then a linear head or an L2 norm (sentence-transformers' spelling)."""

    def __init__(self, encoder, classes):
        super().__init__()
        self.encoder = encoder
        self.classifier = nn.Linear(WIDTH, classes) if classes else None

    def forward(self, input_ids, attention_mask):
        x = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        m = attention_mask.unsqueeze(-1).expand(x.size()).to(x.dtype)
        y = torch.sum(x * m, 1) / torch.clamp(m.sum(1), min=1e-9)
        return self.classifier(y) if self.classifier is not None else nn.functional.normalize(y, p=2, dim=1)


def masked_mean(cls, config, seed, classes=0, qk=1.3):
    def build(attention):
        torch.manual_seed(seed)
        return scatter(MaskedMean(cls._from_config(config(), attn_implementation=attention), classes), seed, qk)

    return build


POOLED = {"kind": "masked-mean", "mask": "attention_mask"}
T5 = dict(vocab_size=60, d_model=WIDTH, d_kv=8, d_ff=48, num_layers=2, num_heads=HEADS, relative_attention_num_buckets=8)
text(
    name="t5_encoder",
    title="T5 encoder (v1.1, gated GELU), masked mean, linear head",
    build=masked_mean(
        hf.T5EncoderModel,
        lambda: hf.T5Config(**T5, relative_attention_max_distance=16, feed_forward_proj="gated-gelu"),
        23,
        CLASSES,
        qk=0.8,
    ),
    inputs=ids(23, last=1),
    maps=text_map(POOLED),
)
text(
    name="sentence",
    title="Sentence vector: BERT, masked mean, L2 norm",
    build=masked_mean(hf.BertModel, lambda: hf.BertConfig(**TEXT), 324),
    inputs=ids(24, **bert_ids),
    outputs=("sentence_embedding",),
    output="sentence_embedding",
    maps=text_map(POOLED),
    targets=[[[3], [17]], [[30], [8]]],
)
text(
    name="bart_cls",
    title="BART sequence classification: encoder and decoder",
    build=hf_model(
        hf.BartForSequenceClassification,
        lambda: hf.BartConfig(
            vocab_size=60,
            d_model=24,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=3,
            decoder_attention_heads=3,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_position_embeddings=16,
            num_labels=CLASSES,
            use_cache=False,
        ),
        MASKED,
        seed=25,
    ),
    inputs=ids(25, first=0, last=2, pad=1),
    maps=text_map({"kind": "eos", "id": 2}, walk="encoder-decoder"),
)

# ---------------------------------------------------------------- decoders

GPT2 = dict(
    vocab_size=60, n_positions=24, n_embd=WIDTH, n_layer=2, n_head=HEADS, n_inner=48, num_labels=CLASSES, pad_token_id=0, use_cache=False
)
text(
    name="gpt2",
    title="GPT-2 sequence classification, last token",
    group="decoder",
    build=hf_model(hf.GPT2ForSequenceClassification, lambda: hf.GPT2Config(**GPT2), MASKED, seed=21),
    inputs=ids(21),
    maps=text_map({"kind": "last"}),
)

text(
    name="gpt2_lm",
    title="GPT-2, next token",
    group="decoder",
    build=hf_model(hf.GPT2LMHeadModel, lambda: hf.GPT2Config(**GPT2), MASKED, seed=326),
    inputs=ids(26),
    maps=text_map({"kind": "token"}),
    targets=[[[11, 23], [7, 8]], [[4, 40], [5, 33]]],
)
LLAMA = dict(
    vocab_size=60,
    hidden_size=WIDTH,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=HEADS,
    num_key_value_heads=2,
    max_position_embeddings=32,
    num_labels=CLASSES,
    pad_token_id=0,
    use_cache=False,
)
text(
    name="llama_cls",
    title="Llama style sequence classification: rotary, grouped keys, RMSNorm, SwiGLU, last token",
    group="decoder",
    build=hf_model(hf.LlamaForSequenceClassification, lambda: hf.LlamaConfig(**LLAMA), MASKED, seed=27),
    inputs=ids(27),
    maps=text_map({"kind": "last"}),
)
text(
    name="llama_lm",
    title="Llama style, next token",
    group="decoder",
    build=hf_model(hf.LlamaForCausalLM, lambda: hf.LlamaConfig(**LLAMA), MASKED, seed=28),
    inputs=ids(28),
    maps=text_map({"kind": "token"}),
    targets=[[[11, 23], [7, 8]], [[4, 40], [5, 33]]],
)

BLOCKS = dict(vocab_size=60, hidden_size=WIDTH, num_labels=CLASSES, pad_token_id=0, use_cache=False)
for name, seed, title, cls, config in (
    (
        "qwen3_cls",
        714,
        "Qwen3 style: norms of queries and keys, heads wider than the model's width would give",
        hf.Qwen3ForSequenceClassification,
        lambda: hf.Qwen3Config(**{**LLAMA, "num_hidden_layers": 3}, head_dim=12),
    ),
    (
        "gemma_cls",
        609,
        "Gemma style: one key head, RMSNorm with 1 + weight, scaled embeddings, GeGLU",
        hf.GemmaForSequenceClassification,
        lambda: hf.GemmaConfig(**{**LLAMA, "num_key_value_heads": 1}, head_dim=8),
    ),
    (
        "gpt_neox_cls",
        612,
        "GPT-NeoX style: attention and MLP beside each other, rotary on a part of the features",
        hf.GPTNeoXForSequenceClassification,
        lambda: hf.GPTNeoXConfig(
            **BLOCKS, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, max_position_embeddings=32
        ),
    ),
    (
        "bloom_cls",
        609,
        "BLOOM style: ALiBi biases, norm behind the embeddings",
        hf.BloomForSequenceClassification,
        lambda: hf.BloomConfig(**BLOCKS, n_layer=2, n_head=HEADS),
    ),
):
    text(
        name=name,
        title=title,
        group="decoder",
        build=hf_model(cls, config, MASKED, seed=seed),
        inputs=ids(30),
        maps=text_map({"kind": "last"}),
    )

# ---------------------------------------------------------------- image and text

CLIP_INPUTS = ("input_ids", "pixel_values", "attention_mask")
CLIP_AXES = {
    "input_ids": {0: "texts", 1: "sequence"},
    "pixel_values": {0: "images"},
    "attention_mask": {0: "texts", 1: "sequence"},
}
CLIP_TEXT = dict(
    vocab_size=60, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, max_position_embeddings=16
)
CLIP_VISION = dict(hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, image_size=16, patch_size=4)


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



def clip_tower(cls, config, names, outputs):
    """One tower with its projection, as transformers.js keeps it in a file of its own: the weights are those of `clip`."""

    def build(attention):
        whole = FAMILIES["clip"].build(attention).model
        sub = config(clip_config())
        sub.projection_dim = 24
        tower = cls._from_config(sub, attn_implementation=attention)
        missing, _ = tower.load_state_dict(whole.state_dict(), strict=False)
        assert not missing, missing
        return One(tower, list(names), list(outputs)).eval()

    return build


family(
    name="clip_vision",
    title="CLIP, the vision tower in a file of its own",
    group="multimodal",
    build=clip_tower(hf.CLIPVisionModelWithProjection, lambda c: c.vision_config, ("pixel_values",), ("image_embeds",)),
    inputs=image(seed=31),
    maps=[Map("pixel_values", CLASS_TOKEN, grid=GRID, prefix=1)],
    outputs=("image_embeds",),
    output="image_embeds",
    axes={"pixel_values": {0: "images"}, "image_embeds": {0: "images"}},
    targets=[[[1], [7]], [[20], [4]]],
)
family(
    name="clip_text",
    title="CLIP, the text tower in a file of its own",
    group="multimodal",
    build=clip_tower(hf.CLIPTextModelWithProjection, lambda c: c.text_config, ("input_ids",), ("text_embeds",)),
    inputs=ids(31, vocab=58, lengths=(9, 6, 8), n=9, first=58, last=59, pad=1, mask=False),
    maps=[Map("input_ids", {"kind": "eos", "id": 59})],
    outputs=("text_embeds",),
    output="text_embeds",
    axes={"input_ids": {0: "texts", 1: "sequence"}, "text_embeds": {0: "texts"}},
    targets=[[[1], [7], [12]], [[20], [4], [9]]],
)

SIGLIP_TEXT = dict(
    vocab_size=60, hidden_size=WIDTH, intermediate_size=48, num_hidden_layers=2, num_attention_heads=HEADS, max_position_embeddings=9
)
family(
    name="siglip",
    title="SigLIP, both towers, attention-pooling head",
    group="multimodal",
    build=hf_model(
        hf.SiglipModel,
        lambda: hf.SiglipConfig(text_config={**SIGLIP_TEXT, "projection_size": WIDTH}, vision_config=SIGLIP_VISION),
        ("input_ids", "pixel_values"),
        ("logits_per_image", "logits_per_text"),
        seed=232,
    ),
    inputs=both(("input_ids", "pixel_values"), ids(32, lengths=(9, 6, 8), n=9, last=1, pad=1, mask=False), image(seed=32)),
    maps=[
        Map("pixel_values", {"kind": "attention-pooling"}, grid=GRID, special={"batch": "images"}),
        Map("input_ids", {"kind": "end"}, special={"batch": "texts"}),
    ],
    outputs=("logits_per_image", "logits_per_text"),
    output="logits_per_image",
    axes={
        "input_ids": {0: "texts"},
        "pixel_values": {0: "images"},
        "logits_per_image": {0: "images", 1: "texts"},
        "logits_per_text": {0: "texts", 1: "images"},
    },
    targets=[[[1], [0]], [[2], [1]]],
)

# ---------------------------------------------------------------- plain PyTorch


def pixels(**kw):
    vision(**{"group": "plain", "attention": ("plain",), **kw})


pixels(name="timm_vit", title="timm-style ViT, packed qkv, LayerScale", build=plain_model(plain.TimmViT, 41), attention=("eager", "sdpa"))
pixels(name="torchvision_vit", title="torchvision-style ViT, nn.MultiheadAttention", build=plain_model(plain.TorchvisionViT, 542))
pixels(name="torch_encoder_vit", title="nn.TransformerEncoder (post-norm, ReLU)", build=plain_model(plain.EncoderViT, 543))
pixels(
    name="torch_encoder_prenorm",
    title="nn.TransformerEncoder (pre-norm, GELU)",
    build=plain_model(lambda: plain.EncoderViT(norm_first=True), 144),
)
pixels(name="einsum_vit", title="ViT with einsum attention", build=plain_model(plain.EinsumViT, 45))
pixels(
    name="swiglu_rms_vit",
    title="RMSNorm, SwiGLU, LayerScale, packed qkv, mean over all tokens",
    build=plain_model(plain.SwigluViT, 246),
    maps=vit_map({"kind": "mean"}, prefix=0),
)
pixels(name="cosine_vit", title="ViT with cosine attention, patches by unfold", build=plain_model(plain.CosineViT, 651))
text(
    name="mha_text",
    title="nn.MultiheadAttention with explicit weights, [tokens, batch, width]; mean over all tokens",
    group="plain",
    build=plain_model(lambda: plain.MhaText(weights=True), 547),
    attention=("plain",),
    inputs=ids(47, lengths=(12, 12), mask=False),
    maps=text_map({"kind": "mean"}),
    targets=[[[1], [3]], [[2], [0]]],
)
pixels(
    name="dense_vit",
    title="Dense head: ConvTranspose, BatchNormalization, Resize; [batch, classes, rows, columns]",
    group="dense",
    build=plain_model(plain.DenseViT, 448),
    maps=vit_map({"kind": "cell", "grid": GRID, "size": [16, 16], "prefix": 1}),
    targets=[[[1, 3, 9], [2, 12, 4]], [[0, 8, 8], [1, 0, 15]]],
)
