"""Trains the picture model on planted scenes. Patches are told what they show while the class token learns what the scene holds.

    python train_pictures.py DATA OUT.pt --minutes 14 [--blind-class 0]
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import PictureModel


def load(folder: Path):
    count = (folder / "labels.u8").stat().st_size // 6
    images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(count, 96, 96, 3))
    labels = np.fromfile(folder / "labels.u8", np.uint8).reshape(count, 6)
    patches = np.fromfile(folder / "patches.u8", np.uint8).reshape(count, 144, 5)
    return images, labels, patches


def to_input(images):
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def accuracy(model, images, labels, batch=128):
    model.eval()
    logits = torch.cat([model(to_input(images[i : i + batch])) for i in range(0, len(images), batch)])
    model.train()
    right = (logits > 0).numpy() == labels.astype(bool)
    return {
        "label": float(right.mean()),
        "scene": float(right.all(1).mean()),
        "classes": [round(float(v), 4) for v in right.mean(0)],
    }


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("data", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--minutes", type=float, default=14)
    ask.add_argument("--batch", type=int, default=64)
    ask.add_argument("--rate", type=float, default=1.5e-3)
    ask.add_argument("--blind-class", type=int, default=-1, help="no patch lesson about this class: it must be found otherwise")
    ask.add_argument("--threads", type=int, default=2)
    ask.add_argument("--resume", type=Path, help="weights to go on from")
    args = ask.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    draw = np.random.default_rng(0)
    images, labels, patches = load(args.data / "train")
    held = load(args.data / "held")
    if args.blind_class >= 0:
        patches[..., 4][patches[..., 4] == args.blind_class + 1] = 0
    model = PictureModel().train()
    if args.resume:
        model.load_state_dict(torch.load(args.resume))
    decay = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0}], lr=args.rate, betas=(0.9, 0.98))
    start, step, seen = time.time(), 0, 0
    order, at, shown = draw.permutation(len(images)), 0, start
    total = args.minutes * 60
    while (spent := time.time() - start) < total:
        progress = spent / total
        rate = args.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-6
        for group in optimiser.param_groups:
            group["lr"] = rate
        if at + args.batch > len(order):
            order, at = draw.permutation(len(images)), 0
        rows = np.sort(order[at : at + args.batch])
        at += args.batch
        pixels, what = to_input(images[rows]), torch.from_numpy(patches[rows]).long()
        if draw.random() < 0.5:  # a mirrored scene holds the same classes
            pixels, what = pixels.flip(3), what.unflatten(1, (12, 12)).flip(2).flatten(1, 2)
        logits, told = model(pixels, with_patches=True)
        truth = torch.from_numpy(labels[rows]).float()
        own = F.binary_cross_entropy_with_logits(logits, truth)
        lesson = sum(F.cross_entropy(head.flatten(0, 1), what[..., i].flatten()) for i, head in enumerate(told)) / 5
        loss = own + lesson
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step, seen = step + 1, seen + args.batch
        if time.time() - shown > 30:
            shown = time.time()
            figures = accuracy(model, held[0][:512], held[1][:512])
            print(f"{spent:5.0f}s step {step} seen {seen} own {own.item():.4f} lesson {lesson.item():.4f} {figures}", flush=True)
            torch.save(model.state_dict(), args.out)
    figures = accuracy(model, held[0], held[1])
    torch.save(model.state_dict(), args.out)
    args.out.with_suffix(".json").write_text(json.dumps({"seen": seen, "held": figures}, indent=1))
    print("held-out", figures, flush=True)


if __name__ == "__main__":
    main()
