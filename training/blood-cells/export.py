"""Writes the trained model as ONNX together with the configuration files that transformers.js reads.

    python export.py --checkpoint model.pt --out ../../models/blood-cells
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from bccd import LABELS, SIZE
from model import MEAN, STD, ViT


def config(model: ViT) -> dict:
    attention, mlp = model.blocks[0].attention, model.blocks[0].mlp
    return {
        "architectures": ["ViTForImageClassification"],
        "model_type": "vit",
        "problem_type": "multi_label_classification",
        "num_labels": len(LABELS),
        "id2label": {str(i): name for i, name in enumerate(LABELS)},
        "label2id": {name: i for i, name in enumerate(LABELS)},
        "image_size": SIZE,
        "patch_size": model.embed.kernel_size[0],
        "num_channels": model.embed.in_channels,
        "hidden_size": model.embed.out_channels,
        "num_hidden_layers": len(model.blocks),
        "num_attention_heads": attention.heads,
        "intermediate_size": mlp[0].out_features,
        "hidden_act": "gelu",
        "qkv_bias": True,
        "layer_norm_eps": model.norm.eps,
    }


def preprocessor() -> dict:
    return {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": SIZE, "width": SIZE},
        "resample": 2,  # bilinear
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }


def write_onnx(model: ViT, path: Path):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(
        model,
        (torch.zeros(2, 3, SIZE, SIZE),),
        str(path),
        input_names=["pixel_values"],
        output_names=["logits"],
        dynamic_axes={"pixel_values": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    onnx.checker.check_model(str(path), full_check=True)


def check(model: ViT, path: Path):
    """The file must give what the checkpoint gives, at another batch size than it was traced with."""
    x = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    (logits,) = onnxruntime.InferenceSession(str(path)).run(None, {"pixel_values": x.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(logits, model(x).numpy(), atol=1e-4)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("model.pt"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    model = ViT()
    model.load_state_dict(torch.load(options.checkpoint))
    model.eval()
    write_onnx(model, options.out / "onnx" / "model.onnx")
    check(model, options.out / "onnx" / "model.onnx")
    for name, content in [("config.json", config(model)), ("preprocessor_config.json", preprocessor())]:
        (options.out / name).write_text(json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
