"""Accuracy, F1 of the toxic class, area under the ROC curve, and the share of the larger class to hold them against."""

import numpy


def scores(logits, labels) -> dict:
    labels = numpy.asarray(labels)
    margin = numpy.asarray(logits)[:, 1] - numpy.asarray(logits)[:, 0]
    guess = margin > 0
    hit = int((guess & (labels == 1)).sum())
    order = margin.argsort(kind="stable")
    ranks = numpy.empty(len(margin))
    ranks[order] = numpy.arange(1, len(margin) + 1)
    toxic, clean = int((labels == 1).sum()), int((labels == 0).sum())
    auc = (ranks[labels == 1].sum() - toxic * (toxic + 1) / 2) / max(1, toxic * clean)
    return {
        "n": len(labels),
        "accuracy": round(float((guess == labels).mean()), 4),
        "f1": round(2 * hit / max(1, int(guess.sum()) + toxic), 4),
        "auc": round(float(auc), 4),
        "majority": round(max(toxic, clean) / len(labels), 4),
    }
