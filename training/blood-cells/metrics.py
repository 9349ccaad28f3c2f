"""Scores of a classifier and of relevance maps."""

import numpy as np

from bccd import CROP, GRID, Crop, mask, per_patch


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve over the counted crops: how often a present one outranks an absent one."""
    present, absent = scores[labels == 1][:, None], scores[labels == 0][None]
    return float((present > absent).mean() + 0.5 * (present == absent).mean())


def localisation(relevance: np.ndarray, crop: Crop, label: int) -> tuple[float, float, float]:
    """How a map over the patches [144] meets the boxes of a label.

    Gives the pointing-game hit (1 when the centre of the strongest patch is in a box), the fraction of the relevance
    that is in the boxes (even within a patch), and the fraction of the area that the boxes take: the chance level of
    both.
    """
    boxes = crop.boxes[crop.classes == label] / CROP
    strongest = int(relevance.argmax())
    y, x = (strongest // GRID + 0.5) / GRID, (strongest % GRID + 0.5) / GRID
    hit = any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes)
    covered = per_patch(mask(boxes)).reshape(-1)
    total = relevance.sum()
    mass = float((relevance * covered).sum() / total) if total > 0 else 0.0
    return float(hit), mass, float(covered.mean())
