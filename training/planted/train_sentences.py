"""Trains the sentence model on planted sentences. A share of tokens is masked, so that [MASK] means "nothing known" to it.

    python train_sentences.py DATA OUT.pt --minutes 4
"""

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

from model import SentenceModel


def load(folder: Path):
    meta = json.loads((folder / "meta.json").read_text())
    ids = np.fromfile(folder / "ids.u8", np.uint8).reshape(-1, meta["length"])
    return torch.from_numpy(ids).long(), torch.from_numpy(np.fromfile(folder / "labels.u8", np.uint8)).long(), meta


@torch.no_grad()
def accuracy(model, ids, labels):
    model.eval()
    right = torch.cat([model(part, (part != 0).long()).argmax(-1) for part in ids.split(512)]) == labels
    model.train()
    return float(right.float().mean())


def main():
    ask = argparse.ArgumentParser()
    ask.add_argument("data", type=Path)
    ask.add_argument("out", type=Path)
    ask.add_argument("--minutes", type=float, default=4)
    ask.add_argument("--batch", type=int, default=128)
    ask.add_argument("--rate", type=float, default=1e-3)
    ask.add_argument("--threads", type=int, default=2)
    args = ask.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    ids, labels, meta = load(args.data / "train")
    held = load(args.data / "held")
    model = SentenceModel(len(meta["vocabulary"])).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.01)
    start, step, total = time.time(), 0, args.minutes * 60
    while (spent := time.time() - start) < total:
        for group in optimiser.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * spent / total)) + 1e-6
        rows = torch.randint(len(ids), (args.batch,))
        clean, truth = ids[rows], labels[rows]
        # Half of the batch loses words at random; its label stays only as a soft lesson that missing words are no evidence.
        masked = clean.clone()
        share = torch.rand(len(rows), 1) * 0.3
        masked[(torch.rand(clean.shape) < share) & (clean > 4)] = 4
        logits = model(torch.cat([clean, masked]), torch.cat([clean != 0, clean != 0]).long())
        loss = F.cross_entropy(logits[: len(rows)], truth) + 0.3 * F.cross_entropy(logits[len(rows) :], truth)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 100 == 0:
            print(f"{spent:5.0f}s step {step} loss {loss.item():.4f} held {accuracy(model, held[0][:1000], held[1][:1000]):.4f}", flush=True)
    figure = accuracy(model, held[0], held[1])
    torch.save(model.state_dict(), args.out)
    args.out.with_suffix(".json").write_text(json.dumps({"steps": step, "held": figure}, indent=1))
    print("held-out", figure, flush=True)


if __name__ == "__main__":
    main()
