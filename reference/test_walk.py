"""Checks walk.py against the libraries' own index arithmetic: python -m pytest reference/test_walk.py (or run it).

The block's E is put into one dense [tokens, tokens] matrix M by moving token numbers through the code that moves the tokens
themselves; then the map must be v (I + M_1) ... (I + M_L) - v.
"""

import numpy as np
import torch

from . import walk

R = np.random.default_rng(0)


def row(dense, v):
    x = v
    for m in reversed(dense):
        x = x + x @ m
    return x - v


def scattered(n, queries, keys, e):
    """e[w] sits at rows queries[w] and columns keys[w] of one big matrix."""
    m = np.zeros((n, n))
    for w in range(len(e)):
        m[np.ix_(queries[w], keys[w])] += e[w]
    return m


def test_flat():
    E, v = [R.random((5, 5)) for _ in range(3)], R.random(5)
    np.testing.assert_allclose(walk.added(E, v), row(E, v))


def test_windows_against_swin():
    from transformers.models.swin.modeling_swin import window_partition

    grid, window, E, dense = [8, 8], 4, [], []
    for shift in (0, 2, 1):
        index = torch.arange(64).reshape(1, *grid, 1)
        index = torch.roll(index, (-shift, -shift), (1, 2))
        index = window_partition(index, window).reshape(-1, window * window).numpy()
        e = R.random((4, 16, 16))
        E.append(e)
        dense.append(scattered(64, index, index, e))
    stage = {"E": E, "grid": grid, "window": window, "shifts": [0, 2, 1]}
    v = R.random(64)
    np.testing.assert_allclose(walk.windows([stage], v), row(dense, v))


def test_padded_windows_against_swin():
    """SwinLayer.maybe_pad itself, on a map of token numbers: an odd grid, padding marked by -1."""
    from transformers import SwinConfig
    from transformers.models.swin.modeling_swin import SwinLayer, window_partition

    grid, window, E, dense = [5, 9], 4, [], []
    layer = SwinLayer(SwinConfig(window_size=window), dim=96, input_resolution=(16, 16), num_heads=3)
    for shift in (0, 2):
        numbers = torch.arange(1, 46, dtype=torch.float32).reshape(1, *grid, 1)
        padded, _ = layer.maybe_pad(numbers, *grid)
        index = window_partition(torch.roll(padded, (-shift, -shift), (1, 2)), window).reshape(-1, window * window).long().numpy()
        e = R.random((len(index), 16, 16))
        E.append(e)
        # Row and column 0 stand for padding: nothing reads it, and it has no place on the grid.
        dense.append(scattered(46, index, index, e)[1:, 1:])
    stage = {"E": E, "grid": grid, "window": window, "shifts": [0, 2]}
    v = R.random(45)
    np.testing.assert_allclose(walk.windows([stage], v), row(dense, v))


def test_merging_against_swin_on_an_odd_grid():
    """SwinPatchMerging.maybe_pad adds a row and a column behind; their quarters are dropped."""
    v = R.random(6)
    stages = [
        {"E": [np.zeros((2, 16, 16))], "grid": [3, 5], "window": 4, "shifts": [0]},
        {"E": [R.random((1, 16, 16))], "grid": [2, 3], "window": 4, "shifts": [0]},
    ]
    a = walk.windows(stages, v).reshape(3, 5)
    e = stages[1]["E"][0][0].reshape(4, 4, 4, 4)[:2, :3, :2, :3]
    b = np.einsum("ij,ijkl->kl", v.reshape(2, 3), e)
    np.testing.assert_allclose(a[0::2, 0::2], b / 4)
    np.testing.assert_allclose(a[1::2, 1::2], b[:1, :2] / 4)


def test_merging_against_swin():
    """SwinPatchMerging joins the 2x2 neighbours x[0::2, 0::2], x[1::2, 0::2], ...: each gets a quarter."""
    v = R.random(4)
    stages = [
        {"E": [np.zeros((4, 4, 4))], "grid": [4, 4], "window": 2, "shifts": [0]},
        {"E": [R.random((1, 4, 4))], "grid": [2, 2], "window": 2, "shifts": [0]},
    ]
    a = walk.windows(stages, v).reshape(4, 4)
    b = (v @ stages[1]["E"][0][0]).reshape(2, 2)
    for i in (0, 1):
        for j in (0, 1):
            np.testing.assert_allclose(a[i::2, j::2], b / 4)


def test_phases_against_mobilevit():
    """MobileViTLayer.unfolding itself, on a map of token numbers."""
    from transformers import MobileViTConfig
    from transformers.models.mobilevit.modeling_mobilevit import MobileViTLayer

    config = MobileViTConfig(hidden_sizes=[16, 16, 16], num_attention_heads=2)
    layer = MobileViTLayer(config, in_channels=8, out_channels=8, stride=1, hidden_size=16, num_stages=1)
    numbers = torch.arange(32, dtype=torch.float32).reshape(1, 1, 4, 8).expand(1, 16, 4, 8)
    patches, _ = layer.unfolding(numbers)
    index = patches[..., 0].long().numpy()
    e, v = [R.random((4, 8, 8)) for _ in range(2)], R.random(32)
    dense = [scattered(32, index, index, x) for x in e]
    np.testing.assert_allclose(walk.mobilevit([{"E": e, "grid": [4, 8], "down": 1}], v), row(dense, v), rtol=1e-6)


def test_interpolation_against_torch():
    """The rows of the matrix are what torch makes of one-hot maps."""
    below, grid = [3, 4], [4, 7]
    one_hot = torch.eye(12).reshape(12, 1, *below)
    m = torch.nn.functional.interpolate(one_hot, size=grid, mode="bilinear", align_corners=False).reshape(12, -1).T.numpy()
    x = R.random(28)
    np.testing.assert_allclose(walk.resized(x, grid, below), x @ m, rtol=1e-5)
    np.testing.assert_allclose(walk.resized(x, grid, grid), x)


def test_reduced_keys_against_a_strided_convolution():
    """Key k of a stride-r convolution over the row-major grid covers its r x r cell."""
    grid, r = [4, 4], 2
    numbers = torch.arange(16, dtype=torch.float32).reshape(1, 1, 4, 4)
    cell = torch.nn.functional.unfold(numbers, r, stride=r)[0].long().numpy().T
    e, v = R.random((16, 4)), R.random(16)
    m = np.zeros((16, 16))
    for k in range(4):
        m[:, cell[k]] += e[:, k : k + 1] / 4
    stage = {"E": [e], "grid": grid, "keys": [[2, 2]], "prefix": 0}
    np.testing.assert_allclose(walk.reduced([stage], v), v @ m)


def test_class_token_of_the_last_stage_is_dropped_below():
    last = {"E": [R.random((5, 5))], "grid": [2, 2], "keys": [[2, 2]], "prefix": 1}
    first = {"E": [R.random((16, 16))], "grid": [4, 4], "keys": [[4, 4]], "prefix": 0}
    v = np.eye(5)[0]
    one = v @ last["E"][0]
    spread = np.kron(one[1:].reshape(2, 2), np.ones((2, 2))).reshape(-1) / 4
    np.testing.assert_allclose(walk.reduced([first, last], v), spread + spread @ first["E"][0])


def test_encoder_decoder():
    """The joint matrix over [decoder, encoder] tokens: cross attention reads the encoder's output, self attention comes first."""
    n, m = 3, 4
    enc, dec = [R.random((m, m)) for _ in range(2)], [(R.random((n, n)), R.random((n, m))) for _ in range(2)]
    v = R.random(n)
    x = np.concatenate([v, np.zeros(m)])
    for e_self, e_cross in reversed(dec):
        cross, own = np.eye(n + m), np.eye(n + m)
        cross[:n, n:] += e_cross
        own[:n, :n] += e_self
        x = x @ cross @ own
    for e in reversed(enc):
        full = np.eye(n + m)
        full[n:, n:] += e
        x = x @ full
    np.testing.assert_allclose(walk.encoder_decoder(enc, dec, v), x[n:])


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("ok", name)
