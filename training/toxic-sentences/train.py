"""Trains the classifier: python train.py --data FOLDER --out FOLDER (the folder that holds tsd_train.csv and its like)."""

import argparse
import copy
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
from rationale import gold_marks, marked, token_auprc
from tokens import PAD, train_tokenizer


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


class TokenHead(torch.nn.Module):
    """Whether each word lies in a gold span, for training only.

    Read with the weights of the classifier itself, so that evidence points the same way in every token; only how strong
    it must be is learned anew.
    """

    def __init__(self):
        super().__init__()
        self.offset = torch.nn.Parameter(torch.tensor(-2.0))

    def forward(self, tokens, classifier):
        return tokens @ (classifier.weight[1] - classifier.weight[0]) + self.offset

    def loss(self, model, tokens, gold):
        """`gold`: [batch, tokens], 1 in a span, 0 outside, -1 for what is no word."""
        logits = self(model.dropout(tokens), model.classifier)
        words = gold >= 0
        return F.binary_cross_entropy_with_logits(logits[words], gold[words])


def stack(marks, shape):
    """Marks of the word tokens under [CLS] words [SEP] [PAD]..., -1 where there is no word."""
    gold = torch.full(shape, -1.0)
    for row, own in zip(gold, marks):
        row[1 : len(own) + 1] = torch.from_numpy(own)
    return gold


def judge(model, items, rows) -> dict:
    """Classification and rationales on the trial split; `choice`, the mean of the four that count, picks the epoch."""
    found = scores(predict(model, items), [label for _, label in items])
    found["auprc"] = token_auprc(model, rows)
    found["choice"] = round((found["accuracy"] + found["f1"] + sum(found["auprc"].values())) / 4, 4)
    return found


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
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--skip", type=float, default=0.3, help="how often a sample does without a block's attention")
    parser.add_argument("--spans", type=float, default=2.0, help="weight of the loss of the words")
    parser.add_argument("--average", type=float, default=0.998, help="how slowly the average of the weights follows")
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--positions", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, help="only so many sentences, to try the script")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    data = load_all(args.data)
    tokenizer = train_tokenizer([s.text for s in data["train"]], args.vocabulary, args.positions)
    tokenizer.save(str(args.out / "tokenizer.json"))
    # The test split is not looked at here: export.py scores it, once everything is chosen.
    items = {k: [(tokenizer.encode(s.text).ids, s.label) for s in data[k][: args.limit]] for k in ("train", "trial")}
    rows = marked(tokenizer, data["trial"][: args.limit])
    marks = [gold_marks(tokenizer.encode(s.text), s.spans) for s in data["train"][: args.limit]]
    for split, pairs in items.items():
        print(f"{split}: {len(pairs)} sentences, {sum(label for _, label in pairs)} toxic", flush=True)

    model = Bert(args.vocabulary, args.positions, dropout=args.dropout, skip=args.skip)
    average, head = copy.deepcopy(model), TokenHead()
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters", flush=True)
    begun = time.time()
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=args.lr, weight_decay=0.01)
    total = args.epochs * -(-len(items["train"]) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.lr, total_steps=total, pct_start=0.1)
    best, step = {"choice": -1.0}, 0
    for epoch in range(1, args.epochs + 1):
        model.train()
        losses = []
        for group, ids, mask, labels in batches(items["train"], args.batch, rng):
            with torch.autocast("cpu", torch.bfloat16):
                tokens = model.encode(ids, mask).float()
            loss = F.cross_entropy(model.read(tokens), labels)
            loss = loss + args.spans * head.loss(model, tokens, stack([marks[i] for i in group], ids.shape))
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            keep = min(args.average, (1 + step) / (10 + step))
            step += 1
            for slow, fast in zip(average.parameters(), model.parameters()):
                slow.detach().lerp_(fast.detach(), 1 - keep)
            losses.append(loss.item())
        trial = judge(average, items["trial"], rows)
        minutes = (time.time() - begun) / 60
        print(f"epoch {epoch} loss {numpy.mean(losses):.3f} trial {trial} {minutes:.1f} min", flush=True)
        if trial["choice"] > best["choice"]:
            best = {**trial, "epoch": epoch}
            torch.save({"config": average.config, "weights": average.state_dict(), "epoch": epoch}, args.out / "best.pt")
    record = {
        "arguments": {k: v for k, v in vars(args).items() if k not in ("data", "out")},
        "epoch": best.pop("epoch"),
        "minutes": round((time.time() - begun) / 60, 1),
        "trial": best,
    }
    (args.out / "metrics.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
