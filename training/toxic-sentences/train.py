"""Trains the classifier: python train.py --data FOLDER --out FOLDER (the folder that holds tsd_train.csv and its like)."""

import argparse
import json
import random
import time
from pathlib import Path

import numpy
import torch
from torch.nn import functional as F

from data import load_all
from metrics import scores
from model import Bert
from tokens import CLS, MASK, PAD, SEP, train_tokenizer


def batches(items, size, rng=None):
    """Batches of like lengths; shuffled within a bucket and among each other when `rng` is given."""
    order = sorted(range(len(items)), key=lambda i: (len(items[i][0]) + (rng.random() * 4 if rng else 0)))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    if rng:
        rng.shuffle(groups)
    for group in groups:
        longest = max(len(items[i][0]) for i in group)
        ids = torch.full((len(group), longest), PAD)
        for row, i in enumerate(group):
            ids[row, : len(items[i][0])] = torch.tensor(items[i][0])
        yield group, ids, (ids != PAD).long(), torch.tensor([items[i][1] for i in group])


def hide(ids, rate):
    """Replaces some words by [MASK], so that no single word is relied on alone."""
    chosen = (torch.rand(ids.shape) < rate) & (ids != PAD) & (ids != CLS) & (ids != SEP)
    return ids.masked_fill(chosen, MASK)


def pretrain(model, items, args, rng):
    """Guesses hidden words first: there are few sentences, and the word vectors profit."""
    head = torch.nn.Linear(model.config["width"], model.config["vocabulary"])
    head.weight = model.words.weight
    optimizer = torch.optim.AdamW([*model.parameters(), head.bias], lr=args.lr, weight_decay=0.01)
    total = args.pretrain * -(-len(items) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=total, pct_start=0.1)
    for epoch in range(args.pretrain):
        model.train()
        losses = []
        for _, ids, mask, _ in batches(items, args.batch, rng):
            chosen = (torch.rand(ids.shape) < 0.15) & (ids != PAD) & (ids != CLS) & (ids != SEP)
            hidden = model.encode(ids.masked_fill(chosen, MASK), mask)
            loss = F.cross_entropy(head(hidden[chosen]), ids[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"pretrain {epoch + 1}/{args.pretrain} loss {numpy.mean(losses):.3f}", flush=True)


@torch.no_grad()
def predict(model, items):
    model.eval()
    out = numpy.zeros((len(items), 2), dtype=numpy.float32)
    for group, ids, mask, _ in batches(items, 256):
        out[group] = model(ids, mask).numpy()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pretrain", type=int, default=3, help="epochs of guessing hidden words")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--fine-lr", type=float, default=4e-4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--hide", type=float, default=0.1)
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--positions", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only so many sentences, to try the script")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    data = load_all(args.data)
    tokenizer = train_tokenizer([s.text for s in data["train"]], args.vocabulary, args.positions)
    tokenizer.save(str(args.out / "tokenizer.json"))
    items = {k: [(tokenizer.encode(s.text).ids, s.label) for s in v[: args.limit]] for k, v in data.items()}
    for split, rows in items.items():
        print(f"{split}: {len(rows)} sentences, {sum(label for _, label in rows)} toxic", flush=True)

    model = Bert(args.vocabulary, args.positions, dropout=args.dropout)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    begun = time.time()
    if args.pretrain:
        pretrain(model, items["train"], args, rng)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.fine_lr, weight_decay=0.01)
    total = args.epochs * -(-len(items["train"]) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.fine_lr, total_steps=total, pct_start=0.1)
    best = (-1.0, 0)
    for epoch in range(1, args.epochs + 1):
        model.train()
        losses = []
        for _, ids, mask, labels in batches(items["train"], args.batch, rng):
            loss = F.cross_entropy(model(hide(ids, args.hide), mask), labels, label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        trial = scores(predict(model, items["trial"]), [label for _, label in items["trial"]])
        minutes = (time.time() - begun) / 60
        print(f"epoch {epoch} loss {numpy.mean(losses):.3f} trial {trial} {minutes:.1f} min", flush=True)
        if trial["accuracy"] + trial["f1"] > best[0]:
            best = (trial["accuracy"] + trial["f1"], epoch)
            torch.save({"config": model.config, "weights": model.state_dict(), "epoch": epoch}, args.out / "best.pt")
    model.load_state_dict(torch.load(args.out / "best.pt")["weights"])
    record = {
        "arguments": {k: v for k, v in vars(args).items() if k not in ("data", "out")},
        "epoch": best[1],
        "minutes": round((time.time() - begun) / 60, 1),
        **{split: scores(predict(model, items[split]), [label for _, label in items[split]]) for split in ("trial", "test")},
    }
    (args.out / "metrics.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
