"""From E per block to one value per token (section 6 of the conventions).

v is the read-out row, a what attention adds: for blocks from the last to the first, a <- a + (v + a) E. The map is a.
Every function works on one sample in float64; E is [queries, keys], or [windows, queries, keys] for windowed attention.
"""

import numpy as np


def added(E, v):
    """Flat walk: what attention adds to the read-out row v over the blocks E (first to last)."""
    a = np.zeros_like(v)
    for e in reversed(E):
        a = a + (v + a) @ e
    return a


def encoder_decoder(encoder, decoder, v):
    """decoder = [(self, cross), ...]; v reads decoder tokens; returns what reaches the encoder's tokens.

    Per decoder layer from the last: v_enc += v_dec E_cross, then v_dec += v_dec E_self; then the encoder layers.
    """
    v_dec, a = v.copy(), np.zeros(encoder[0].shape[-1])
    for e_self, e_cross in reversed(decoder):
        a = a + v_dec @ e_cross
        v_dec = v_dec + v_dec @ e_self
    for e in reversed(encoder):
        a = a + a @ e
    return a


def cells(u, key_grid, grid, r=None):
    """Each key's weight in equal parts to its r x r cell of the token grid; what lies outside of the grid is dropped."""
    kr, kc = key_grid
    r, c = (r, r) if r else (grid[0] // kr, grid[1] // kc)
    spread = np.zeros(grid)
    full = np.kron(u.reshape(kr, kc), np.ones((r, c))) / (r * c)
    rows, columns = min(grid[0], kr * r), min(grid[1], kc * c)
    spread[:rows, :columns] = full[:rows, :columns]
    return spread.reshape(-1)


def children(x, grid, below, factor=2):
    """Merging: a merged token's weight in equal parts to its factor x factor children on the grid of the stage before."""
    return cells(x, grid, below, factor)


def reduced(stages, v):
    """PVT, SegFormer. stages first to last: {E, grid, keys: [key grid per block], prefix}; v over the last stage's tokens.

    A class token that only exists in a stage (prefix 1) keeps its own row and column; its weight is dropped below.
    """
    a = np.zeros_like(v)
    for k, s in reversed(list(enumerate(stages))):
        p = s["prefix"]
        for e, key_grid in reversed(list(zip(s["E"], s["keys"]))):
            u = (v + a) @ e
            a = a + np.concatenate([u[:p], cells(u[p:], key_grid, s["grid"])])
        if k:
            below = stages[k - 1]["grid"]
            v, a = children(v[p:], s["grid"], below), children(a[p:], s["grid"], below)
    return a


def window_step(x, e, grid, window, shift):
    """What one (shifted) window attention adds to the row x: pad behind to whole windows, roll by -shift, cut row-major, x_w E_w,
    put back, crop. Nothing reads padding, and what padding gets has no place."""
    r, c = -(-grid[0] // window), -(-grid[1] // window)
    g = np.zeros((r * window, c * window))
    g[: grid[0], : grid[1]] = x.reshape(grid)
    g = np.roll(g, (-shift, -shift), (0, 1))
    w = g.reshape(r, window, c, window).transpose(0, 2, 1, 3).reshape(r * c, window * window)
    y = np.einsum("wq,wqk->wk", w, e.reshape(r * c, *e.shape[-2:]))
    y = y.reshape(r, c, window, window).transpose(0, 2, 1, 3).reshape(g.shape)
    return np.roll(y, (shift, shift), (0, 1))[: grid[0], : grid[1]].reshape(-1)


def windows(stages, v):
    """Swin. stages first to last: {E, grid, window, shifts: [per block]}; v over the last stage's tokens."""
    a = np.zeros_like(v)
    for k, s in reversed(list(enumerate(stages))):
        for e, shift in reversed(list(zip(s["E"], s["shifts"]))):
            a = a + window_step(v + a, e, s["grid"], s["window"], shift)
        if k:
            v, a = children(v, s["grid"], stages[k - 1]["grid"]), children(a, s["grid"], stages[k - 1]["grid"])
    return a


def phase_step(x, e, grid, patch=2):
    """MobileViT: e is [patch*patch, N, N], one attention per pixel position inside the patch (row-major)."""
    r, c = grid[0] // patch, grid[1] // patch
    p = x.reshape(r, patch, c, patch).transpose(1, 3, 0, 2).reshape(patch * patch, r * c)
    y = np.einsum("pq,pqk->pk", p, e)
    return y.reshape(patch, patch, r, c).transpose(2, 0, 3, 1).reshape(-1)


def bilinear(n, m):
    """[m, n]: each of m cells as a weighted mean of n cells of the same extent (linear interpolation, half pixels)."""
    at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    low = np.minimum(np.floor(at).astype(int), n - 1)
    weights = np.zeros((m, n))
    for i, (k, t) in enumerate(zip(low, at - low)):
        weights[i, k] += 1 - t
        weights[i, min(k + 1, n - 1)] += t
    return weights


def resized(x, grid, below):
    """A row over `grid`, whose features were interpolated from those on `below`: each cell's weight to what it was a mean of."""
    return np.einsum("rc,ri,cj->ij", x.reshape(grid), bilinear(below[0], grid[0]), bilinear(below[1], grid[1])).reshape(-1)


def mobilevit(stages, v):
    """stages first to last: {E, grid, down: stride to the stage before}; v over the last stage's pixels. Odd grids are interpolated to
    even ones and back around the attention."""
    a = np.zeros_like(v)
    for k, s in reversed(list(enumerate(stages))):
        even = [n + n % 2 for n in s["grid"]]
        v, a = resized(v, s["grid"], even), resized(a, s["grid"], even)
        for e in reversed(s["E"]):
            a = a + phase_step(v + a, e, even)
        v, a = resized(v, even, s["grid"]), resized(a, even, s["grid"])
        if k:
            below = stages[k - 1]["grid"]
            v, a = children(v, s["grid"], below, s["down"]), children(a, s["grid"], below, s["down"])
    return a


def readout(spec, n, inputs, b, target, pooling=None):
    """The read-out row v over n tokens of sample b, from the manifest's read-out entry."""
    v, kind = np.zeros(n), spec["kind"]
    if kind == "index":
        v[spec["index"]] = 1
    elif kind == "weights":
        v[spec["indices"]] = spec["weights"]
    elif kind == "mean":
        lo, hi = spec.get("from", 0), spec.get("to", n)
        v[lo:hi] = 1 / (hi - lo)
    elif kind == "masked-mean":
        m = np.asarray(inputs[spec["mask"]][b], dtype=np.float64)
        v = m / m.sum()
    elif kind == "class+mean":
        lo, hi = spec["from"], spec["to"]
        v[lo:hi] = 0.5 / (hi - lo)
        v[spec["index"]] += 0.5
    elif kind == "token":  # token classification, next token: the token of the start
        v[target[0]] = 1
    elif kind == "last":  # last token that is not padding
        v[int(np.asarray(inputs["attention_mask"][b]).sum()) - 1] = 1
    elif kind == "end":  # last token whatever it is
        v[n - 1] = 1
    elif kind == "eos":  # first place of the end-of-text id
        v[int((np.asarray(inputs["input_ids"][b]) == spec["id"]).argmax())] = 1
    elif kind == "cell":  # dense head: the token whose cell holds the target pixel; target = (class, row, column)
        rows, cols = spec["grid"]
        y, x = target[1] * rows // spec["size"][0], target[2] * cols // spec["size"][1]
        v[spec["prefix"] + y * cols + x] = 1
    elif kind == "attention-pooling":
        v = np.asarray(pooling, dtype=np.float64).reshape(-1)
    else:
        raise ValueError(kind)
    return v
