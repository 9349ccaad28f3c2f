"""Scores the shipped ONNX file on the shipped test split, and, given the checkpoint, where its explanations land.

    python evaluate.py --model ../../models/blood-cells [--checkpoint model.pt] [--leave-out PHOTOGRAPH ...]
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image

from bccd import ABSENT, BOX_CLASSES, LABELS, PRESENT, UNCOUNTED, Crop
from metrics import auc, localisation
from model import ViT, normalise
from relevance import Trace, rollout, transformer_attribution

NUMBERS = {"present": PRESENT, "absent": ABSENT, "uncounted": UNCOUNTED}


def read_split(folder: Path) -> list[Crop]:
    index = json.loads((folder / "crops.json").read_text())
    tile, columns = index["tile"], index["columns"]
    sheet = np.asarray(Image.open(folder / index["sheet"]).convert("RGB"))
    crops = []
    for i, entry in enumerate(index["crops"]):
        x, y = i % columns * tile, i // columns * tile
        boxes = entry["boxes"]
        crops.append(
            Crop(
                entry["photo"],
                tuple(entry["crop"]),
                sheet[y : y + tile, x : x + tile],
                np.array([NUMBERS[entry["labels"][name]] for name in LABELS]),
                np.array([box["box"] for box in boxes], dtype=float).reshape(-1, 4),
                np.array([BOX_CLASSES.index(box["label"]) for box in boxes], dtype=int),
            )
        )
    return crops


def classification(path: Path, crops: list[Crop]):
    pixels = normalise(np.stack([crop.pixels for crop in crops])).numpy()
    (logits,) = onnxruntime.InferenceSession(str(path)).run(None, {"pixel_values": pixels})
    labels = np.stack([crop.labels for crop in crops])
    print("label      counted  present  prevalence  AUC    sensitivity and specificity at probability 1/2")
    for i, name in enumerate(LABELS):
        present, absent = logits[labels[:, i] == PRESENT, i], logits[labels[:, i] == ABSENT, i]
        counted = len(present) + len(absent)
        rates = f"{(present > 0).mean():.3f}  {(absent <= 0).mean():.3f}"
        share = len(present) / counted
        print(f"{name:9s}  {counted:7d}  {len(present):7d}  {share:10.3f}  {auc(logits[:, i], labels[:, i]):.3f}  {rates}")


def explanations(checkpoint: Path, crops: list[Crop]):
    """Over the crops where a label is present. The relevance is float64: a bound for any implementation."""
    model = ViT()
    model.load_state_dict(torch.load(checkpoint))
    model.eval().double()
    print("label      method                   n   hit    mass   times chance   (chance)")
    for i, name in enumerate(LABELS):
        present = [crop for crop in crops if crop.labels[i] == PRESENT]
        rows = {"transformer-attribution": [], "rollout": []}
        for start in range(0, len(present), 16):
            part = present[start : start + 16]
            trace = Trace(model, normalise(np.stack([crop.pixels for crop in part])).double())
            for method, maps in [("transformer-attribution", transformer_attribution(trace, i)), ("rollout", rollout(trace))]:
                rows[method] += [localisation(r, crop, i) for r, crop in zip(maps.numpy(), part)]
        for method, scores in rows.items():
            hit, mass, chance = np.array(scores).T
            numbers = f"{len(present):4d}  {hit.mean():.3f}  {mass.mean():.3f}  {(mass / chance).mean():12.2f}   {chance.mean():.3f}"
            print(f"{name:9s}  {method:23s}  {numbers}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="the model's folder, with onnx/ and test-split/")
    parser.add_argument("--checkpoint", type=Path, help="also score explanations, from the weights train.py wrote")
    parser.add_argument("--leave-out", nargs="*", default=[], help="photographs that do not count, by name")
    options = parser.parse_args()

    crops = [c for c in read_split(options.model / "test-split") if c.photograph not in options.leave_out]
    print(f"{len(crops)} crops of {len({crop.photograph for crop in crops})} test photographs")
    classification(options.model / "onnx" / "model.onnx", crops)
    if options.checkpoint:
        explanations(options.checkpoint, crops)


if __name__ == "__main__":
    main()
