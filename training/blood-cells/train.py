"""Trains the classifier for a fixed number of epochs; the result is the average of the weights after the last one.

    python train.py --data PATH/bccd --out model.pt                 the weights that ship
    python train.py --data PATH/bccd --out trial.pt --split train   holds the validation photographs out and scores them

The recipe was chosen with the second command. The first trains on the training and the validation photographs; nothing
is chosen in it, so nothing needs to be held out. An interrupted training goes on where it was when the same command is given again; delete model.pt.state to start anew.

Besides the two labels of the crop, every patch token learns how much of its patch lies in a box of each class. That keeps
the tokens about their own place, which is what makes explanations of such a small model land on the cells.
"""

import argparse
import copy
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from augment import Crops, recolour
from bccd import BOX_CLASSES, LABELS, UNCOUNTED, grid_crops, load_split
from metrics import auc
from model import ViT, normalise

SEED = 7
EPOCHS, STEPS, BATCH = 44, 100, 32
WARM_UP, COOL_DOWN = 300, 1600  # steps
RATE, DECAY, AVERAGE = 8e-4, 0.05, 0.998
DROP = 0.1  # how often a sample leaves out a branch of the last block; less in earlier ones
AUXILIARY = 2.0  # weight of the loss of the patches
WORKERS = 2  # each takes an equal part of every batch


class PatchHead(nn.Module):
    """Per-patch occupancy, for training only.

    White cells and platelets are read with the weights of the label head itself, so that evidence for a label points
    the same way in every token; only how strong it must be is learned anew. Red cells have weights of their own.
    """

    def __init__(self, head: nn.Linear):
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(head.out_features))
        self.red = nn.Linear(head.in_features, len(BOX_CLASSES) - head.out_features)

    def forward(self, tokens, head: nn.Linear):
        return torch.cat([head(tokens) + self.offset, self.red(tokens)], -1)


class Worker:
    """Makes its part of every batch and the gradients of it, on one thread.

    Two of these make better use of two cores than one model whose every operator is split over two threads, above all
    when something else runs as well. Each has random numbers of its own, so that the outcome does not hang on timing.
    """

    def __init__(self, photographs, seed: int, model: nn.Module, auxiliary: PatchHead):
        self.crops = Crops(photographs, np.random.default_rng(seed))
        self.random = torch.Generator().manual_seed(seed)
        self.model, self.auxiliary = model, auxiliary
        self.parameters = [*model.parameters(), *auxiliary.parameters()]

    def __call__(self):
        torch.set_num_threads(1)
        pixels, labels, occupancy = self.crops.batch(BATCH // WORKERS)
        with torch.autocast("cpu", torch.bfloat16):
            tokens = self.model.features(normalise(recolour(pixels, self.random)), self.keep(len(pixels)))
            logits = self.model.head(tokens[:, 0]).float()
            patches = self.auxiliary(tokens[:, 1:], self.model.head).float()
        counted = (labels != UNCOUNTED).float()
        main = F.binary_cross_entropy_with_logits(logits, labels.clamp(min=0).float(), weight=counted)
        auxiliary = F.binary_cross_entropy_with_logits(patches, occupancy)
        gradients = torch.autograd.grad(main + AUXILIARY * auxiliary, self.parameters)
        return gradients, np.array([main.item(), auxiliary.item()])

    def keep(self, n: int):
        """Factors for stochastic depth, [blocks, 2, n, 1, 1]."""
        depth = len(self.model.blocks)
        rates = torch.linspace(0, DROP, depth).reshape(depth, 1, 1, 1, 1)
        return (torch.rand(depth, 2, n, 1, 1, generator=self.random) >= rates) / (1 - rates)

    def state(self):
        return self.crops.rng.bit_generator.state, self.random.get_state()

    def restore(self, state):
        self.crops.rng.bit_generator.state = state[0]
        self.random.set_state(state[1])


@torch.no_grad()
def validate(model, crops):
    pixels = np.stack([crop.pixels for crop in crops])
    logits = np.concatenate([model(normalise(part)).numpy() for part in np.array_split(pixels, len(crops) // 32)])
    labels = np.stack([crop.labels for crop in crops])
    return [auc(logits[:, i], labels[:, i]) for i in range(len(LABELS))]


def rate(step: int) -> float:
    """Up, level, and down to nothing in straight lines."""
    return RATE * min(step / WARM_UP, 1, (EPOCHS * STEPS - step) / COOL_DOWN)


def groups(parameters):
    """Weight decay for matrices and kernels, none for biases, norms, the class token and the positions."""
    decayed = [p for p in parameters if p.ndim > 1 and p.shape[0] > 1]
    others = [p for p in parameters if not (p.ndim > 1 and p.shape[0] > 1)]
    return [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set, the one that holds BCCD/")
    parser.add_argument("--out", type=Path, default=Path("model.pt"))
    parser.add_argument("--split", choices=["trainval", "train"], default="trainval")
    options = parser.parse_args()

    torch.manual_seed(SEED)
    photographs = load_split(options.data, options.split)
    validation = grid_crops(load_split(options.data, "val")) if options.split == "train" else []
    model = ViT()
    auxiliary = PatchHead(model.head)
    average = copy.deepcopy(model).requires_grad_(False)
    workers = [Worker(photographs, SEED + i, model, auxiliary) for i in range(WORKERS)]
    parameters = workers[0].parameters
    optimizer = torch.optim.AdamW(groups(parameters), betas=(0.9, 0.98))
    kept_parts = {"model": model, "auxiliary": auxiliary, "average": average, "optimizer": optimizer}
    first, seconds = 0, 0.0
    state_file = options.out.with_name(options.out.name + ".state")
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        first, seconds = state["epochs"], state["seconds"]
        for name, part in kept_parts.items():
            part.load_state_dict(state[name])
        for worker, kept in zip(workers, state["workers"]):
            worker.restore(kept)
    pool = ThreadPoolExecutor(WORKERS)
    started = time.time() - seconds

    for epoch in range(first, EPOCHS):
        sums = np.zeros(2)
        for step in range(epoch * STEPS, (epoch + 1) * STEPS):
            results = [future.result() for future in [pool.submit(worker) for worker in workers]]
            for parameter, *parts in zip(parameters, *(gradients for gradients, _ in results)):
                parameter.grad = sum(parts) / WORKERS
            sums += np.mean([losses for _, losses in results], axis=0)
            nn.utils.clip_grad_norm_(parameters, 1.0)
            for group in optimizer.param_groups:
                group["lr"] = rate(step + 1)
            optimizer.step()
            keep = min(AVERAGE, (1 + step) / (10 + step))
            for slow, fast in zip(average.parameters(), model.parameters()):
                slow.lerp_(fast, 1 - keep)

        seconds = time.time() - started
        state = {name: part.state_dict() for name, part in kept_parts.items()}
        state |= {"epochs": epoch + 1, "seconds": seconds, "workers": [w.state() for w in workers]}
        torch.save(state, state_file)
        line = f"epoch {epoch + 1:2d}  {seconds:5.0f} s  loss {sums[0] / STEPS:.4f} + {sums[1] / STEPS:.4f}"
        if validation:
            scores = zip(LABELS, validate(average, validation))
            line += "  validation AUC " + " ".join(f"{name} {score:.4f}" for name, score in scores)
        print(line, flush=True)
    torch.save(average.state_dict(), options.out)


if __name__ == "__main__":
    main()
