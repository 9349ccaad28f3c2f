"""Writes a trained model in the layout that transformers.js reads: onnx/model.onnx, config.json and what prepares its input.

    python export.py pictures RUN.pt DATA OUT_DIR
    python export.py sentences RUN.pt DATA OUT_DIR
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from model import PictureModel, SentenceModel


def write(path: Path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def export(model, inputs, names, axes, out: Path):
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    path = out / "onnx" / "model.onnx"
    torch.onnx.export(
        model, inputs, str(path), input_names=names, output_names=["logits"], dynamic_axes=axes, opset_version=17, dynamo=False
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    ours = session.run(None, {name: value.numpy() for name, value in zip(names, inputs)})[0]
    with torch.no_grad():
        theirs = model(*inputs).numpy()
    print("largest difference to PyTorch", np.abs(ours - theirs).max(), "bytes", path.stat().st_size)


def pictures(run, meta, out):
    model = PictureModel()
    model.load_state_dict(torch.load(run))
    model.eval()
    batch = {0: "batch_size"}
    export(model, (torch.randn(2, 3, 96, 96),), ["pixel_values"], {"pixel_values": batch, "logits": batch}, out)
    labels = meta["classes"]
    write(out / "config.json", {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "problem_type": "multi_label_classification",
        "image_size": 96, "patch_size": 8, "num_channels": 3,
        "hidden_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 192, "hidden_act": "gelu",
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    })
    write(out / "preprocessor_config.json", {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True, "size": {"height": 96, "width": 96}, "resample": 2,
        "do_rescale": True, "rescale_factor": 1 / 255,
        "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5],
    })


def sentences(run, meta, out):
    vocabulary = meta["vocabulary"]
    model = SentenceModel(len(vocabulary))
    model.load_state_dict(torch.load(run))
    model.eval()
    ids = torch.randint(57, len(vocabulary), (2, 9))
    mask = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])
    both = {0: "batch_size", 1: "sequence_length"}
    export(model, (ids, mask), ["input_ids", "attention_mask"],
           {"input_ids": both, "attention_mask": both, "logits": {0: "batch_size"}}, out)
    labels = meta["classes"]
    write(out / "config.json", {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "problem_type": "single_label_classification",
        "hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 384, "hidden_act": "gelu",
        "vocab_size": len(vocabulary), "max_position_embeddings": 64, "pad_token_id": 0,
        "id2label": {str(i): label for i, label in enumerate(labels)},
        "label2id": {label: i for i, label in enumerate(labels)},
    })
    special = vocabulary[:5]
    write(out / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                         for i, token in enumerate(special)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [i], "tokens": [token]} for token, i in (("[CLS]", 2), ("[SEP]", 3))},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
                  "vocab": {word: i for i, word in enumerate(vocabulary)}},
    })
    write(out / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 64,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    })


if __name__ == "__main__":
    kind, run, data, out = sys.argv[1], *map(Path, sys.argv[2:5])
    meta = json.loads((data / "train" / "meta.json").read_text())
    {"pictures": pictures, "sentences": sentences}[kind](run, meta, out)
