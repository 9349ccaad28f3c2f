"""Trains the picture model on planted scenes. Patches are told what they show while the class token learns what the scene holds.

    python train_pictures.py DATA OUT.pt [--blind-class 0]
    torchrun --nproc-per-node 3 train_pictures.py DATA OUT.pt        # the same with three processes that share gradients
"""

import argparse
import json
import math
import os
from pathlib import Path
from time import process_time as clock  # budgets count processor time, so that a busy machine changes nothing

import numpy as np
import torch
import torch.distributed as group
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
    ask.add_argument("--minutes", type=float, default=15, help="of one processor")
    ask.add_argument("--batch", type=int, default=32)
    ask.add_argument("--rate", type=float, default=2e-3)
    ask.add_argument("--blind-class", type=int, default=-1, help="no patch lesson about this class: it must be found otherwise")
    ask.add_argument("--threads", type=int, default=1)
    ask.add_argument("--resume", type=Path, help="weights to go on from")
    args = ask.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    workers, own_rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    if workers > 1:
        group.init_process_group("gloo")
    draw = np.random.default_rng(0)
    images, labels, patches = load(args.data / "train")
    held = load(args.data / "held")
    if args.blind_class >= 0:
        patches[..., 4][patches[..., 4] == args.blind_class + 1] = 0
    model = PictureModel().train()
    if args.resume:
        model.load_state_dict(torch.load(args.resume))
    if args.resume and args.blind_class >= 0:
        torch.nn.init.normal_(model.head.weight.data[args.blind_class], std=0.02)
    # Muon for the matrices of the blocks, AdamW for the rest: fewer pictures for the same accuracy than AdamW alone.
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in inside]
    optimisers = [
        torch.optim.Muon(matrices, lr=args.rate, weight_decay=0.03, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=args.rate, weight_decay=0.01, betas=(0.9, 0.98)),
    ]
    start, step, seen = clock(), 0, 0
    order, at, shown = draw.permutation(len(images)), 0, start
    total = args.minutes * 60 / workers
    whole = args.batch * workers
    while True:
        spent = clock() - start
        if workers > 1:  # the first process keeps the time for all
            told = torch.tensor(spent)
            group.broadcast(told, 0)
            spent = told.item()
        if spent >= total:
            break
        progress = spent / total
        rate = args.rate * min(1, (step + 1) / 150) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 1e-6
        for settings in (one for optimiser in optimisers for one in optimiser.param_groups):
            settings["lr"] = rate
        if at + whole > len(order):
            order, at = draw.permutation(len(images)), 0
        rows = np.sort(order[at + own_rank * args.batch : at + (own_rank + 1) * args.batch])
        at += whole
        pixels, what = to_input(images[rows]), torch.from_numpy(patches[rows]).long()
        if draw.random() < 0.5:  # a mirrored scene holds the same classes
            pixels, what = pixels.flip(3), what.unflatten(1, (12, 12)).flip(2).flatten(1, 2)
        logits, told = model(pixels, with_patches=True)
        truth = torch.from_numpy(labels[rows]).float()
        own = F.binary_cross_entropy_with_logits(logits, truth)
        lesson = sum(F.cross_entropy(head.flatten(0, 1), what[..., i].flatten()) for i, head in enumerate(told)) / 5
        loss = own + lesson
        model.zero_grad(set_to_none=True)
        loss.backward()
        if workers > 1:
            flat = torch.nn.utils.parameters_to_vector([p.grad for p in model.parameters()])
            group.all_reduce(flat)
            torch.nn.utils.vector_to_parameters(flat / workers, [p.grad for p in model.parameters()])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        step, seen = step + 1, seen + whole
        if own_rank == 0 and clock() - shown > 30:
            shown = clock()
            figures = accuracy(model, held[0][:256], held[1][:256])
            print(f"{spent:5.0f}s step {step} seen {seen} own {own.item():.4f} lesson {lesson.item():.4f} {figures}", flush=True)
            torch.save(model.state_dict(), args.out)
    if own_rank > 0:
        return
    figures = accuracy(model, held[0], held[1])
    torch.save(model.state_dict(), args.out)
    args.out.with_suffix(".json").write_text(json.dumps({"seen": seen, "held": figures}, indent=1))
    print("held-out", figures, flush=True)


if __name__ == "__main__":
    main()
