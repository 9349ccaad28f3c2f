"""Whether attention finds the words that a reader marked: token AUPRC of two explanations against the gold spans.

    rollout:  product over blocks of the row-normalised I + mean over heads of A          (Abnar & Zuidema 2020)
    generic:  product over blocks of I + mean over heads of relu(dy/dA * A), y = toxic    (Chefer et al. 2021, ICCV)

read in the row of the class token. AUPRC = average precision, equal scores taken together, as `vitrail evaluate` has it.
"""

import numpy
import torch

from tokens import PAD


def average_precision(scores, gold) -> float:
    order = numpy.argsort(-scores, kind="stable")
    hits = numpy.cumsum(gold[order])
    ends = numpy.flatnonzero(numpy.append(numpy.diff(scores[order]) != 0, True))  # where a group of equal scores ends
    recall = hits[ends] / hits[-1]
    return float((numpy.diff(recall, prepend=0) * hits[ends] / (ends + 1)).sum())


def class_row(layers, normalized: bool):
    """Row of the class token of the product of I + layer, last block on the left: [batch, tokens]."""
    row = None
    for layer in reversed(layers):
        step = layer + torch.eye(layer.size(-1))
        step = step / step.sum(-1, keepdim=True) if normalized else step
        row = step[:, :1] if row is None else row @ step
    return row[:, 0]


def explain(model, ids):
    logits = model(ids, (ids != PAD).long())
    weights = [block.attention.probabilities for block in model.blocks]
    gradients = torch.autograd.grad(logits[:, 1].sum(), weights)
    with torch.no_grad():
        return {
            "rollout": class_row([a.mean(1) for a in weights], True),
            "generic": class_row([(g * a).relu().mean(1) for g, a in zip(gradients, weights)], False),
        }


def token_auprc(model, rows) -> dict:
    """`rows`: pairs (token ids with [CLS] and [SEP], gold mark of each word token), every row with a mark."""
    model.eval()
    found = {}
    for i in range(0, len(rows), 128):
        part = rows[i : i + 128]
        ids = torch.full((len(part), max(len(tokens) for tokens, _ in part)), PAD)
        for row, (tokens, _) in zip(ids, part):
            row[: len(tokens)] = torch.tensor(tokens)
        for name, maps in explain(model, ids).items():
            values = [average_precision(m[1 : len(gold) + 1].numpy(), gold) for m, (_, gold) in zip(maps, part)]
            found.setdefault(name, []).extend(values)
    return {name: round(float(numpy.mean(values)), 4) for name, values in found.items()}


def gold_marks(encoding, spans):
    """Which word tokens of an encoding ([CLS] words [SEP]) touch a gold span."""
    return numpy.array([any(a < end and b > start for start, end in spans) for a, b in encoding.offsets[1:-1]], dtype=bool)


def marked(tokenizer, sentences):
    """Rows for `token_auprc` of the sentences with a gold span and 3 to 60 words (one word cannot be ranked)."""
    ranked = [s for s in sentences if s.spans and 3 <= len(s.text.split()) <= 60]
    encodings = [tokenizer.encode(s.text) for s in ranked]
    rows = [(encoding.ids, gold_marks(encoding, s.spans)) for encoding, s in zip(encodings, ranked)]
    return [(ids, gold) for ids, gold in rows if gold.any()]
