"""Attention rollout as in the authors' baseline: product over blocks of row-normalised (I + mean over heads A)."""

import numpy as np


def rollout(A, v):
    """A = list of [heads, N, N], first to last; the row v (I + A_L)/|.| ... (I + A_1)/|.|, class token included."""
    row = v.copy()
    for a in reversed(A):
        m = a.mean(0) + np.eye(a.shape[-1])
        row = row @ (m / m.sum(-1, keepdims=True))
    return row
