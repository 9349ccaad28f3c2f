"""What onnx's reference evaluator has not, in plain numpy: for float64.py, and only as far as the collection's files go.

FUSED: onnxruntime's own operators, written from their documentation (onnxruntime, docs/ContribOperators.md).
MISSING: standard operators that the evaluator cannot run: DequantizeLinear and QuantizeLinear below opset 19, GatherElements along
the last axis counted from the end.
ROUNDED: standard operators that it computes in float32 whatever it gets: Erf, and the scale of DynamicQuantizeLinear.
"""

import math

import numpy as np
from onnx.reference.op_run import OpRun

_erf = np.vectorize(math.erf, otypes=["d"])


def _gelu(x):
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _tanh_gelu(x):
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _norm(x, gamma, beta, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    y = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * gamma
    return y if beta is None else y + beta


def _softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def _heads(x, n):
    batch, tokens, width = x.shape
    return x.reshape(batch, tokens, n, width // n).transpose(0, 2, 1, 3)


def _attend(q, k, v, heads, mask, bias, scale, hidden, causal=False):
    """[batch, tokens, width] each; `mask` is a length per sample or keys to keep."""
    q, k, v = (_heads(x, heads) for x in (q, k, v))
    scores = q @ k.swapaxes(-1, -2) * (scale or 1 / math.sqrt(q.shape[-1]))
    if bias is not None:
        scores = scores + bias
    if mask is not None:
        keep = np.arange(k.shape[2]) < mask[:, None] if mask.ndim == 1 else mask != 0
        scores = scores + np.where(keep[:, None, None, :], 0.0, hidden)
    if causal:
        scores = scores + np.where(np.tril(np.ones(scores.shape[-2:])) > 0, 0.0, -3.4e38)
    y = (_softmax(scores) @ v).transpose(0, 2, 1, 3)
    return y.reshape(*y.shape[:2], -1)


class Gelu(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, approximate=None):
        return (_gelu(x),)


class BiasGelu(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, bias):
        return (_gelu(x + bias),)


class FastGelu(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, bias=None):
        return (_tanh_gelu(x if bias is None else x + bias),)


class QuickGelu(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, alpha=None):
        return (x * _sigmoid((alpha or 1.702) * x),)


class SkipLayerNormalization(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, skip, gamma, beta=None, bias=None, epsilon=None):
        y = x + skip if bias is None else x + bias + skip
        return (_norm(y, gamma, beta, epsilon or 1e-12), y, y, y)[: len(self.onnx_node.output)]


class EmbedLayerNormalization(OpRun):
    op_domain = "com.microsoft"

    def _run(self, ids, segments, words, positions, segment_table, gamma, beta, mask=None, position_ids=None, epsilon=None, mask_index_type=None):
        y = words[ids] + (positions[: ids.shape[1]] if position_ids is None else positions[position_ids])
        if segments is not None and segment_table is not None:
            y = y + segment_table[segments]
        lengths = np.zeros(len(ids), np.int32) if mask is None else mask.sum(1).astype(np.int32)
        return (_norm(y, gamma, beta, epsilon or 1e-12), lengths, y)[: len(self.onnx_node.output)]


class Attention(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, w, b, mask=None, past=None, bias=None, num_heads=None, scale=None, mask_filter_value=None, unidirectional=None, **_):
        q, k, v = np.split(x @ w + b, 3, axis=-1)
        hidden = -10000.0 if mask_filter_value is None else mask_filter_value
        return (_attend(q, k, v, num_heads, mask, bias, scale, hidden, bool(unidirectional)),)


class MultiHeadAttention(OpRun):
    op_domain = "com.microsoft"

    def _run(self, q, k, v, bias=None, mask=None, scores=None, num_heads=None, scale=None, mask_filter_value=None, **_):
        if bias is not None:
            q, k, v = (x + c for x, c in zip((q, k, v), np.split(bias, [q.shape[2], q.shape[2] + k.shape[2]])))
        hidden = -10000.0 if mask_filter_value is None else mask_filter_value
        return (_attend(q, k, v, num_heads, mask, scores, scale, hidden),)


class FusedMatMul(OpRun):
    op_domain = "com.microsoft"

    def _run(self, a, b, alpha=None, transA=None, transB=None, transBatchA=None, transBatchB=None):
        def arranged(x, last, batch):
            x = np.moveaxis(x, 0, -2) if batch else x
            return x.swapaxes(-1, -2) if last else x

        return ((1.0 if alpha is None else alpha) * (arranged(a, transA, transBatchA) @ arranged(b, transB, transBatchB)),)


class FusedGemm(OpRun):
    op_domain = "com.microsoft"

    def _run(self, a, b, c=None, activation=None, alpha=None, beta=None, transA=None, transB=None, **_):
        y = (1.0 if alpha is None else alpha) * ((a.T if transA else a) @ (b.T if transB else b))
        if c is not None:
            y = y + (1.0 if beta is None else beta) * c
        return ({"Tanh": np.tanh, "Relu": lambda x: np.maximum(x, 0), "Sigmoid": _sigmoid}[activation](y),)


def _nibbles(x):
    return np.stack([x & 15, x >> 4], -1)


class MatMulNBits(OpRun):
    op_domain = "com.microsoft"

    def _run(self, x, packed, scales, zeros=None, *rest, K=None, N=None, block_size=None, bits=None, **_):
        q = _nibbles(packed.reshape(N, -1, block_size // 2)).reshape(N, -1, block_size).astype(np.float64)
        zero = 8.0
        if zeros is not None:
            zero = _nibbles(zeros.reshape(N, -1)).reshape(N, -1)[:, : q.shape[1], None].astype(np.float64)
        w = ((q - zero) * scales.reshape(N, -1, 1)).reshape(N, -1)[:, :K]
        return (x @ w.T,)


class GatherBlockQuantized(OpRun):
    op_domain = "com.microsoft"

    def _run(self, table, ids, scales, zeros=None, block_size=None, quantize_axis=None, gather_axis=None, bits=None, **_):
        spread = lambda x: np.repeat(x.astype(np.float64), block_size or 128, quantize_axis)
        q = table.astype(np.float64) - (0 if zeros is None else spread(zeros)[..., : table.shape[-1]])
        return ((q * spread(scales)[..., : table.shape[-1]])[ids],)


def _along(x, parameter, axis):
    if parameter.ndim == 0 or parameter.size == 1:
        return parameter.reshape(())
    shape = [1] * x.ndim
    shape[axis] = -1
    return parameter.reshape(shape)


class SimplifiedLayerNormalization(OpRun):
    op_domain = ""

    def _run(self, x, gamma, axis=None, epsilon=None, stash_type=None):
        return (x / np.sqrt((x**2).mean(-1, keepdims=True) + (epsilon or 1e-5)) * gamma,)


class DequantizeLinear(OpRun):
    op_domain = ""

    def _run(self, x, scale, zero=None, axis=None, **_):
        axis = 1 if axis is None else axis
        q = x.astype(np.float64) - (0 if zero is None else _along(x, zero, axis).astype(np.float64))
        return (q * _along(x, scale, axis),)


class QuantizeLinear(OpRun):
    op_domain = ""

    def _run(self, x, scale, zero=None, axis=None, **_):
        axis = 1 if axis is None else axis
        zero = np.zeros((), np.uint8) if zero is None else zero
        limits = np.iinfo(zero.dtype)
        q = np.rint(x / _along(x, scale, axis)) + _along(x, zero, axis).astype(np.float64)
        return (np.clip(q, limits.min, limits.max).astype(zero.dtype),)


class GatherElements(OpRun):
    op_domain = ""

    def _run(self, x, indices, axis=None):
        return (np.take_along_axis(x, indices, axis or 0),)


class Erf(OpRun):
    op_domain = ""

    def _run(self, x):
        return (_erf(x),)


class DynamicQuantizeLinear(OpRun):
    op_domain = ""

    def _run(self, x):
        low, high = min(x.min(), 0.0), max(x.max(), 0.0)
        scale = (high - low) / 255 or 1.0
        zero = np.clip(np.rint(-low / scale), 0, 255)
        return (np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8), np.asarray(scale), zero.astype(np.uint8))


FUSED = [
    Gelu,
    BiasGelu,
    FastGelu,
    QuickGelu,
    SkipLayerNormalization,
    EmbedLayerNormalization,
    Attention,
    MultiHeadAttention,
    FusedMatMul,
    FusedGemm,
    MatMulNBits,
    GatherBlockQuantized,
]
MISSING = [SimplifiedLayerNormalization, DequantizeLinear, QuantizeLinear, GatherElements]
ROUNDED = [Erf, DynamicQuantizeLinear]
