"""Trains the sentence model on planted sentences. A share of tokens is masked, so that [MASK] means "nothing known" to it.

    python train_sentences.py DATA OUT.pt --minutes 4
"""

import argparse
import json
import math
from pathlib import Path
from time import process_time as clock  # budgets count processor time, so that a busy machine changes nothing

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
    ask.add_argument("--minutes", type=float, default=5, help="of one processor")
    ask.add_argument("--batch", type=int, default=64)
    ask.add_argument("--rate", type=float, default=2e-3)
    ask.add_argument("--threads", type=int, default=1)
    args = ask.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    ids, labels, meta = load(args.data / "train")
    held = load(args.data / "held")
    model = SentenceModel(len(meta["vocabulary"])).train()
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in inside]
    optimisers = [
        torch.optim.Muon(matrices, lr=args.rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=args.rate, weight_decay=0.01, betas=(0.9, 0.98)),
    ]
    start, step, total = clock(), 0, args.minutes * 60
    while (spent := clock() - start) < total:
        rate = args.rate * min(1, (step + 1) / 150) * (0.5 + 0.5 * math.cos(math.pi * spent / total)) + 1e-6
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            group["lr"] = rate
        rows = torch.randint(len(ids), (args.batch,))
        words, truth = ids[rows], labels[rows]
        words = words[:, : int((words != 0).sum(1).max())]
        # A quarter of the sentences loses words at random and counts less: [MASK] comes to mean that nothing is known.
        losing = torch.rand(args.batch) < 0.25
        share = torch.rand(args.batch, 1) * 0.3 * losing[:, None]
        words = torch.where((torch.rand(words.shape) < share) & (words > 4), 4, words)
        logits = model(words, (words != 0).long())
        loss = (F.cross_entropy(logits, truth, reduction="none") * torch.where(losing, 0.3, 1.0)).mean()
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        if step % 200 == 0:
            print(f"{spent:5.0f}s step {step} loss {loss.item():.4f} held {accuracy(model, held[0][:500], held[1][:500]):.4f}", flush=True)
    figure = accuracy(model, held[0], held[1])
    torch.save(model.state_dict(), args.out)
    args.out.with_suffix(".json").write_text(json.dumps({"steps": step, "held": figure}, indent=1))
    print("held-out", figure, flush=True)


if __name__ == "__main__":
    main()
