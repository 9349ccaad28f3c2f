"""Eager float64 interpreter for ONNX graphs.  Every executed node that lies on a differentiable data path is written
on a tape as one or more PRIMITIVE entries (fused operators are executed as several primitive steps).
A value is 'data' when its torch tensor requires grad: it then depends on a float graph input or on an embedding lookup."""

import numpy as np, torch, onnx, math
from onnx import numpy_helper, TensorProto
import torch.nn.functional as F
import onnx.inliner

torch.set_default_dtype(torch.float64)
FLOATS = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16}


class V:
    __slots__ = ("t", "prod", "dep", "name", "seq")

    def __init__(s, t, prod=None, dep=False, name=""):
        s.t = t
        s.prod = prod
        s.dep = dep
        s.name = name
        s.seq = None

    @property
    def data(s):
        return isinstance(s.t, torch.Tensor) and s.t.requires_grad

    @property
    def idx(s):
        return -1 if s.prod is None else s.prod.idx


class Entry:
    __slots__ = ("op", "kind", "ins", "out", "fn", "idx", "ew", "node", "scalar", "meta")

    def data_ins(s):
        return [v for v in s.ins if v is not None and v.data]


def to_t(a):
    a = np.asarray(a)
    if a.dtype == bool:
        return torch.from_numpy(np.array(a, order="C"))
    if a.dtype.kind in "iu" or "int" in a.dtype.name:
        return torch.from_numpy(np.array(a.astype(np.int64), order="C"))
    if a.dtype.kind in "SUO":
        return a
    return torch.from_numpy(np.array(a.astype(np.float64), order="C"))


# ---- float32 spelling of a known real constant -> the real constant (the exporters round sqrt(2), 1/sqrt(d), 1e-12 ... to float32)
SNAP = True
NOISE = 0.0  # test only: relative noise on the weights
BIAS_TO_SUM = False  # ablation only
_K = {}
for _k in range(1, 4097):
    for _v in (math.sqrt(_k), 1 / math.sqrt(_k), _k**0.25, _k**-0.25, 1 / _k):
        _K.setdefault(float(np.float32(_v)), _v)
for _v in (math.sqrt(2 / math.pi), math.sqrt(2) / 2, 0.044715, 1.702, 2 / math.pi):
    _K[float(np.float32(_v))] = _v


def snap(x):
    x = float(x)
    if not SNAP or not np.isfinite(x) or x == 0 or float(np.float32(x)) != x:
        return x
    a = abs(x)
    r = _K.get(a)
    if r is None:
        d = float(str(np.float32(a)))
        if len(str(np.float32(a)).split("e")[0].replace(".", "").strip("0")) <= 4:
            r = d
    return math.copysign(r, x) if r is not None else x


def snap_t(t):
    if isinstance(t, torch.Tensor) and t.is_floating_point() and t.numel() == 1:
        return torch.full_like(t, snap(t.item()))
    return t


def toposort(nodes, known):
    """stable topological order (some files are not sorted)."""
    known = set(known) | {""}
    out = []
    todo = list(nodes)

    def needs(n):
        r = list(n.input)
        for a in n.attribute:
            if a.type == onnx.AttributeProto.GRAPH:
                inner = {x for k in a.g.node for x in k.output} | {i.name for i in a.g.initializer}
                r += [x for k in a.g.node for x in k.input if x not in inner] + [o.name for o in a.g.output if o.name not in inner]
        return r

    need = [needs(n) for n in todo]
    rest = list(range(len(todo)))
    while rest:
        nxt = []
        for i in rest:
            if all(x in known for x in need[i]):
                out.append(todo[i])
                known.update(todo[i].output)
            else:
                nxt.append(i)
        if len(nxt) == len(rest):
            raise RuntimeError("cycle or missing input " + str([x for x in need[nxt[0]] if x not in known]))
        rest = nxt
    return out


class Tracer:
    def __init__(self, path, feeds):
        m = onnx.load(path)
        if len(m.functions):
            m = onnx.inliner.inline_local_functions(m)
        self.opset = {o.domain: o.version for o in m.opset_import}.get("", 17)
        self.tape = []
        self.sources = []
        self.env = {"": None}
        self.unclass = []
        g = m.graph
        for i in g.initializer:
            self.env[i.name] = V(snap_t(to_t(numpy_helper.to_array(i))), name=i.name)
        inits = set(self.env)
        if NOISE:
            gen = torch.Generator().manual_seed(0)
            for v in self.env.values():
                if v is not None and v.t.is_floating_point() and v.t.numel() > 1:
                    v.t = v.t * (1 + NOISE * torch.randn(v.t.shape, generator=gen, dtype=torch.float64))
        self.inputs = [i.name for i in g.input if i.name not in inits]
        for i in g.input:
            if i.name in inits:
                continue
            t = to_t(feeds[i.name])
            if t.is_floating_point():
                t.requires_grad_(True)
            v = V(t, dep=True, name=i.name)
            self.env[i.name] = v
            if t.requires_grad:
                self.sources.append((i.name, v, None))
        self.run_graph(g, self.env)
        self.outputs = {o.name: self.env[o.name] for o in g.output}

    def run_graph(self, g, env):
        for n in toposort(g.node, env.keys()):
            self.node = n
            self.cenv = env
            f = getattr(self, "op_" + (n.domain.replace(".", "_") + "_" if n.domain not in ("", "ai.onnx") else "") + n.op_type, None)
            if f is None:
                raise NotImplementedError(n.domain + "::" + n.op_type)
            A = {a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
            A = {k: (snap(v) if isinstance(v, float) and k != "value_float" else v) for k, v in A.items()}
            ins = [env[x] if x else None for x in n.input]
            outs = f(A, *ins)
            if not isinstance(outs, (tuple, list)):
                outs = [outs]
            for name, o in zip(n.output, outs):
                if name:
                    env[name] = o

    # ---- emit one primitive step
    def emit(self, op, kind, fn, ins, ew=False, scalar=None, meta=None):
        t = fn(*[v.t if v is not None else None for v in ins])
        v = V(t, dep=any(i is not None and i.dep for i in ins))
        if v.data:
            e = Entry()
            e.op = op
            e.kind = kind
            e.ins = list(ins)
            e.out = v
            e.fn = fn
            e.idx = len(self.tape)
            e.ew = ew
            e.node = self.node
            e.scalar = scalar
            e.meta = meta
            v.prod = e
            self.tape.append(e)
        return v

    def c(self, x, dep=False):
        return V(x if isinstance(x, torch.Tensor) else to_t(x), dep=dep)

    # ---------- helpers
    def unary(self, op, fn, x):
        return self.emit(op, "ident", fn, [x], ew=True)

    def move(self, op, fn, *ins):
        return self.emit(op, "move", fn, list(ins))

    def ints(self, v):
        return [int(i) for i in np.atleast_1d(v.t.detach().numpy()).tolist()]

    # ---------- elementwise two-operand
    def add(self, a, b, sub=False):
        fn = (lambda x, y: x - y) if sub else (lambda x, y: x + y)
        return self.emit("Sub" if sub else "Add", "add" if a.data and b.data else "ident", fn, [a, b], ew=True)

    def mul(self, a, b):
        sc = None
        if a.data != b.data:
            k = b if a.data else a
            if k.t.numel() == 1:
                sc = float(k.t)
        return self.emit("Mul", "mul" if a.data and b.data else "ident", lambda x, y: x * y, [a, b], ew=True, scalar=sc)

    def op_Add(self, A, a, b):
        return self.add(a, b)

    def op_Sub(self, A, a, b):
        return self.add(a, b, True)

    def op_Mul(self, A, a, b):
        return self.mul(a, b)

    def op_Div(self, A, a, b):
        if not a.t.is_floating_point():
            return V(torch.div(a.t, b.t, rounding_mode="trunc"), dep=a.dep or b.dep)
        sc = 1 / float(b.t) if (a.data and not b.data and b.t.numel() == 1) else None
        return self.emit("Div", "div" if a.data and b.data else "ident", lambda x, y: x / y, [a, b], ew=True, scalar=sc)

    def op_Pow(self, A, a, b):
        return self.emit("Pow", "pow" if b.data else "ident", lambda x, y: x ** (y if y.numel() > 1 else y.item()), [a, b], ew=True)

    def op_Max(self, A, *xs):
        return self.emit("Max", "ident", lambda *t: _fold(torch.maximum, t), list(xs), ew=True)

    def op_Min(self, A, *xs):
        return self.emit("Min", "ident", lambda *t: _fold(torch.minimum, t), list(xs), ew=True)

    def op_Mod(self, A, a, b):
        return V(torch.fmod(a.t, b.t) if A.get("fmod") else torch.remainder(a.t, b.t), dep=a.dep or b.dep)

    def _cmp(self, f, *xs):
        return V(f(*[x.t for x in xs]), dep=any(x.dep for x in xs))

    def op_Equal(self, A, a, b):
        return self._cmp(lambda x, y: x == y, a, b)

    def op_Less(self, A, a, b):
        return self._cmp(lambda x, y: x < y, a, b)

    def op_Greater(self, A, a, b):
        return self._cmp(lambda x, y: x > y, a, b)

    def op_LessOrEqual(self, A, a, b):
        return self._cmp(lambda x, y: x <= y, a, b)

    def op_GreaterOrEqual(self, A, a, b):
        return self._cmp(lambda x, y: x >= y, a, b)

    def op_And(self, A, a, b):
        return self._cmp(torch.logical_and, a, b)

    def op_Or(self, A, a, b):
        return self._cmp(torch.logical_or, a, b)

    def op_Not(self, A, a):
        return self._cmp(torch.logical_not, a)

    def op_IsNaN(self, A, a):
        return self._cmp(lambda x: torch.isnan(x.detach()), a)

    def op_Sign(self, A, a):
        return self._cmp(lambda x: torch.sign(x.detach()), a)

    def op_NonZero(self, A, a):
        return self._cmp(lambda x: torch.stack(torch.nonzero(x, as_tuple=True)), a)

    def op_ArgMax(self, A, a):
        ax = A.get("axis", 0)
        kd = bool(A.get("keepdims", 1))
        return self._cmp(lambda x: torch.argmax(x.detach(), ax, kd), a)

    # ---------- unary
    def op_Erf(s, A, x):
        return s.unary("Erf", torch.erf, x)

    def op_Tanh(s, A, x):
        return s.unary("Tanh", torch.tanh, x)

    def op_Sigmoid(s, A, x):
        return s.unary("Sigmoid", torch.sigmoid, x)

    def op_Relu(s, A, x):
        return s.unary("Relu", torch.relu, x)

    def op_Exp(s, A, x):
        return s.unary("Exp", torch.exp, x)

    def op_Log(s, A, x):
        return s.unary("Log", torch.log, x)

    def op_Sqrt(s, A, x):
        return s.unary("Sqrt", torch.sqrt, x)

    def op_Reciprocal(s, A, x):
        return s.unary("Reciprocal", lambda t: 1 / t, x)

    def op_Abs(s, A, x):
        return s.unary("Abs", torch.abs, x)

    def op_Neg(s, A, x):
        return s.unary("Neg", lambda t: -t, x)

    def op_Ceil(s, A, x):
        return s.unary("Ceil", torch.ceil, x)

    def op_Floor(s, A, x):
        return s.unary("Floor", torch.floor, x)

    def op_Cos(s, A, x):
        return s.unary("Cos", torch.cos, x)

    def op_Sin(s, A, x):
        return s.unary("Sin", torch.sin, x)

    def op_Gelu(s, A, x):
        ap = A.get("approximate", b"none").decode()
        return s.unary("Gelu", lambda t: F.gelu(t, approximate=ap), x)

    def op_Clip(s, A, x, lo=None, hi=None):
        l = lo.t.item() if lo is not None else A.get("min")
        h = hi.t.item() if hi is not None else A.get("max")
        return s.unary("Clip", lambda t: torch.clamp(t, l, h), x)

    def op_Identity(s, A, x):
        return s.emit("Identity", "ident", lambda t: t.clone(), [x], ew=True) if x.data else x

    def op_Cast(s, A, x):
        to = A["to"]
        if to in FLOATS:
            return s.emit("Cast", "ident", lambda t: t.to(torch.float64).clone(), [x], ew=True)
        if x.data:
            return s.emit("Cast", "ident", lambda t: t.clone(), [x], ew=True)  # quantised activations are held as floats
        return V(x.t.to(torch.bool if to == TensorProto.BOOL else torch.int64), dep=x.dep)

    def op_CastLike(s, A, x, like):
        return (
            s.emit("Cast", "ident", lambda t: t.to(torch.float64).clone(), [x], ew=True)
            if like.t.is_floating_point()
            else V(x.t.to(like.t.dtype), dep=x.dep)
        )

    # ---------- norms, softmax
    def op_LayerNormalization(s, A, x, g, b=None):
        ax = A.get("axis", -1)
        eps = A.get("epsilon", 1e-5)
        sh = x.t.shape[ax:]

        def fn(t, gg, bb=None):
            return F.layer_norm(t, sh, gg.reshape(sh) if gg is not None else None, bb.reshape(sh) if bb is not None else None, eps)

        return s.emit("LayerNormalization", "ident", fn, [x, g] + ([b] if b is not None else []))

    def op_RMSNormalization(s, A, x, g):
        ax = A.get("axis", -1)
        eps = A.get("epsilon", 1e-5)
        n = x.t.dim()
        dims = list(range(ax % n, n))
        return s.emit("RMSNormalization", "ident", lambda t, gg: t / torch.sqrt((t * t).mean(dims, keepdim=True) + eps) * gg, [x, g])

    op_SimplifiedLayerNormalization = op_RMSNormalization

    def op_Softmax(s, A, x):
        ax = A.get("axis", -1 if s.opset >= 13 else 1)
        if s.opset < 13 and ax % x.t.dim() != x.t.dim() - 1:
            raise NotImplementedError("old softmax")

        def fn(t):
            dead = torch.isneginf(t).all(ax, keepdim=True)
            y = torch.softmax(torch.where(dead, torch.zeros_like(t), t), ax)
            return torch.where(dead, torch.full_like(y, float("nan")), y)  # forward NaN like ONNX, backward harmless

        return s.emit("Softmax", "ident", fn, [x])

    # ---------- reductions
    def _axes(s, A, ax):
        return (None if ax is None else s.ints(ax)) if ("axes" not in A) else list(A["axes"])

    def _red(s, op, A, x, ax, fn):
        axes = s._axes(A, ax)
        kd = bool(A.get("keepdims", 1))
        n = x.t.dim()
        if axes is None or len(axes) == 0:
            if A.get("noop_with_empty_axes"):
                return x
            axes = list(range(n))
        ew = kd and {a % n for a in axes} <= set(range(n - len(axes), n))
        if not x.t.is_floating_point():
            return V(fn(x.t.double(), axes, kd).to(torch.int64), dep=x.dep)
        return s.emit(op, "reduce" if op in ("ReduceMean", "ReduceSum") else "ident_red", lambda t: fn(t, axes, kd), [x], ew=bool(kd))

    def op_ReduceMean(s, A, x, ax=None):
        return s._red("ReduceMean", A, x, ax, lambda t, a, k: t.mean(a, k))

    def op_ReduceSum(s, A, x, ax=None):
        return s._red("ReduceSum", A, x, ax, lambda t, a, k: t.sum(a, k))

    def op_ReduceL2(s, A, x, ax=None):
        return s._red("ReduceL2", A, x, ax, lambda t, a, k: t.pow(2).sum(a, k).sqrt())

    def op_ReduceMax(s, A, x, ax=None):
        return s._red("ReduceMax", A, x, ax, lambda t, a, k: t.amax(a, k))

    def op_ReduceMin(s, A, x, ax=None):
        return s._red("ReduceMin", A, x, ax, lambda t, a, k: t.amin(a, k))

    def op_ReduceProd(s, A, x, ax=None):
        return s._red("ReduceProd", A, x, ax, lambda t, a, k: t.prod() if not k else t.prod())

    def op_GlobalAveragePool(s, A, x):
        d = list(range(2, x.t.dim()))
        return s.emit("GlobalAveragePool", "reduce", lambda t: t.mean(d, keepdim=True), [x])

    def op_CumSum(s, A, x, ax):
        return s._cmp(lambda t: torch.cumsum(t, int(ax.t)), x)

    # ---------- products
    def prod2(s, op, lin, a, b, meta=None):
        kind = "bilinear" if a.data and b.data else "linear"
        return s.emit(op, kind, lin, [a, b], meta=meta)

    def op_MatMul(s, A, a, b):
        return s.prod2("MatMul", torch.matmul, a, b)

    def op_Gemm(s, A, a, b, c=None):
        al, be, ta, tb = A.get("alpha", 1.0), A.get("beta", 1.0), A.get("transA", 0), A.get("transB", 0)
        if ta:
            a = s.move("Transpose", lambda t: t.t(), a)
        if tb:
            b = s.move("Transpose", lambda t: t.t(), b)
        y = s.prod2("MatMul", torch.matmul, a, b)
        if al != 1:
            y = s.mul(y, s.c(np.float64(al)))
        if c is not None and be != 0:
            if be != 1:
                c = s.mul(c, s.c(np.float64(be)))
            y = s.add(y, c)
        return y

    def op_Einsum(s, A, *xs):
        eq = A["equation"].decode()
        if len(xs) == 1:
            return s.move("Einsum", lambda t: torch.einsum(eq, t), *xs)
        return s.prod2("Einsum", lambda a, b: torch.einsum(eq, a, b), *xs, meta=eq)

    def _convfn(s, A, x, w):
        n = w.t.dim() - 2
        st = A.get("strides", [1] * n)
        di = A.get("dilations", [1] * n)
        g = A.get("group", 1)
        pads = list(A.get("pads", [0] * 2 * n))
        if A.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            raise NotImplementedError("auto_pad")
        pp = []
        for i in reversed(range(n)):
            pp += [pads[i], pads[i + n]]
        f = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[n]
        return lambda a, b: f(F.pad(a, pp), b, None, st, 0, di, g)

    def op_Conv(s, A, x, w, b=None):
        y = s.prod2("Conv", s._convfn(A, x, w), x, w)
        return y if b is None else s.add(y, s.move("Reshape", lambda t: t.reshape(1, -1, *[1] * (y.t.dim() - 2)), b))

    def op_ConvTranspose(s, A, x, w, b=None):
        n = w.t.dim() - 2
        pads = list(A.get("pads", [0] * 2 * n))
        st, di, g = A.get("strides", [1] * n), A.get("dilations", [1] * n), A.get("group", 1)
        extra = list(A.get("output_padding", [0] * n))
        if A.get("auto_pad", b"NOTSET") != b"NOTSET" or "output_shape" in A or pads[:n] != pads[n:]:
            raise NotImplementedError("ConvTranspose padding")
        f = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}[n]
        y = s.prod2("ConvTranspose", lambda p, q: f(p, q, None, st, pads[:n], extra, g, di), x, w)
        return y if b is None else s.add(y, s.move("Reshape", lambda t: t.reshape(1, -1, *[1] * n), b))

    def op_BatchNormalization(s, A, x, g, b, mean, var):
        """Inference: a constant scale and a constant shift per channel."""
        sh = [1, -1] + [1] * (x.t.dim() - 2)
        k = g.t / torch.sqrt(var.t + A.get("epsilon", 1e-5))
        return s.add(s.mul(x, s.c(k.reshape(sh))), s.c((b.t - mean.t * k).reshape(sh)))

    # ---------- movement
    def op_Reshape(s, A, x, sh):
        sh = s.ints(sh) if sh.t.numel() else []
        if not A.get("allowzero", 0):
            sh = [x.t.shape[i] if d == 0 else d for i, d in enumerate(sh)]
        return s.move("Reshape", lambda t: t.reshape(sh), x)

    def op_Flatten(s, A, x):
        ax = A.get("axis", 1) % (x.t.dim() + 1) if A.get("axis", 1) < 0 else A.get("axis", 1)
        a = int(np.prod(x.t.shape[:ax]))
        return s.move("Reshape", lambda t: t.reshape(a, -1), x)

    def op_Transpose(s, A, x):
        p = A.get("perm", list(range(x.t.dim()))[::-1])
        return s.move("Transpose", lambda t: t.permute(*p) if len(p) else t.clone(), x)

    def op_Squeeze(s, A, x, ax=None):
        axes = s._axes(A, ax)
        n = x.t.dim()
        axes = [i for i in range(n) if x.t.shape[i] == 1] if axes is None else [a % n for a in axes]
        sh = [d for i, d in enumerate(x.t.shape) if i not in axes]
        return s.move("Reshape", lambda t: t.reshape(sh), x)

    def op_Unsqueeze(s, A, x, ax=None):
        axes = s._axes(A, ax)
        n = x.t.dim() + len(axes)
        axes = sorted(a % n for a in axes)
        sh = list(x.t.shape)
        for a in axes:
            sh.insert(a, 1)
        return s.move("Reshape", lambda t: t.reshape(sh), x)

    def op_Expand(s, A, x, sh):
        tgt = torch.broadcast_shapes(tuple(x.t.shape), tuple(s.ints(sh) if sh.t.numel() else []))
        return s.emit("Expand", "move", lambda t: t.expand(tgt).clone(), [x], ew=True)

    def op_Tile(s, A, x, r):
        r = s.ints(r)
        return s.move("Tile", lambda t: t.repeat(*r), x)

    def op_Concat(s, A, *xs):
        ax = A["axis"]
        return s.move("Concat", lambda *t: torch.cat(t, ax), *xs)

    def _slice(s, x, ax, a, b, st):
        n = x.t.shape[ax]
        idx = torch.tensor(range(n)[slice(a, b if not (st < 0 and b < -n) else None, st)], dtype=torch.int64)
        return lambda t: t.index_select(ax, idx)

    def op_Slice(s, A, x, st=None, en=None, ax=None, step=None):
        st = s.ints(st) if st is not None else list(A["starts"])
        en = s.ints(en) if en is not None else list(A["ends"])
        ax = s.ints(ax) if ax is not None else list(A.get("axes", range(len(st))))
        step = s.ints(step) if step is not None else [1] * len(st)
        fs = []
        cur = x.t.detach() if x.data else x.t
        fl = []
        for a, b, k, d in zip(st, en, ax, step):
            n = x.t.shape[k]
            if d < 0 and b < -n:
                b = None
            idx = torch.tensor(range(n)[slice(a, b, d)], dtype=torch.int64)
            fl.append((k, idx))

        def fn(t):
            for k, i in fl:
                t = t.index_select(k, i)
            return t if fl else t.clone()

        return s.move("Slice", fn, x)

    def op_Split(s, A, x, sp=None):
        ax = A.get("axis", 0)
        n = x.t.shape[ax]
        if sp is not None:
            sz = s.ints(sp)
        elif "split" in A:
            sz = list(A["split"])
        else:
            k = A.get("num_outputs", len(s.node.output))
            c = -(-n // k)
            sz = [min(c, n - i * c) for i in range(k)]
        out = []
        o = 0
        for z in sz:
            out.append(s.move("Slice", (lambda t, o=o, z=z: t.narrow(ax, o, z).clone()), x))
            o += z
        return out

    def op_Gather(s, A, x, i):
        ax = A.get("axis", 0)
        idx = i.t.to(torch.int64)
        n = x.t.shape[ax]
        idx = torch.where(idx < 0, idx + n, idx)
        fn = lambda t: t.index_select(ax, idx.reshape(-1)).reshape([*t.shape[: ax % t.dim()], *idx.shape, *t.shape[ax % t.dim() + 1 :]])
        if x.t.is_floating_point() and not x.data and x.t.dim() >= 2 and ax == 0 and i.dep and not x.dep:
            return s.source(fn(x.t), i)
        if not x.t.is_floating_point() and x.t.dim() >= 2 and ax == 0 and i.dep and not x.dep:
            y = V(fn(x.t), dep=True)
            y.seq = i
            return y  # integer embedding table, dequantised later
        y = s.emit("Gather", "move", fn, [x])
        y.dep = x.dep or i.dep
        return y

    def source(s, t, ids):
        v = V(t.detach().clone().requires_grad_(True), dep=True)
        s.sources.append(("emb", v, ids.t))
        return v

    def op_GatherElements(s, A, x, i):
        ax = A.get("axis", 0)
        idx = torch.where(i.t < 0, i.t + x.t.shape[ax], i.t)
        y = s.move("GatherElements", lambda t: t.gather(ax, idx), x)
        y.dep = x.dep or i.dep
        return y

    def op_GatherND(s, A, x, i):
        bd = A.get("batch_dims", 0)
        idx = i.t
        if bd == 0:
            fn = lambda t: t[tuple(idx.unbind(-1))]
        elif bd == 1:
            fn = lambda t: torch.stack([t[b][tuple(idx[b].unbind(-1))] for b in range(t.shape[0])])
        else:
            raise NotImplementedError
        y = s.move("GatherND", fn, x)
        y.dep = x.dep or i.dep
        return y

    def op_ScatterND(s, A, x, i, u):
        idx = tuple(i.t.unbind(-1))

        def fn(t, uu):
            t = t.clone()
            return t.index_put(idx, uu.to(t.dtype))

        y = s.move("ScatterND", fn, x, u)
        y.dep = y.dep or i.dep
        return y

    def op_ScatterElements(s, A, x, i, u):
        ax = A.get("axis", 0)
        idx = torch.where(i.t < 0, i.t + x.t.shape[ax], i.t)
        y = s.move("ScatterElements", lambda t, uu: t.scatter(ax, idx, uu), x, u)
        y.dep = y.dep or i.dep
        return y

    def op_Where(s, A, c, a, b):
        y = s.emit("Where", "move", lambda p, q: torch.where(c.t, p, q), [a, b])
        y.dep = a.dep or b.dep or c.dep
        return y

    def op_Pad(s, A, x, p=None, val=None, ax=None):
        n = x.t.dim()
        p = s.ints(p) if p is not None else list(A["pads"])
        axes = [a % n for a in s.ints(ax)] if ax is not None else list(range(n))
        k = len(axes)
        pp = [0] * (2 * n)
        for j, a in enumerate(axes):
            pp[2 * (n - 1 - a)] = p[j]
            pp[2 * (n - 1 - a) + 1] = p[j + k]
        v = float(val.t) if val is not None else 0.0
        assert A.get("mode", b"constant") == b"constant"
        return s.move("Pad", lambda t: F.pad(t, pp, value=v if t.is_floating_point() else int(v)), x)

    def op_Trilu(s, A, x, k=None):
        kk = int(k.t) if k is not None else 0
        return s.move("Trilu", (lambda t: torch.triu(t, kk)) if A.get("upper", 1) else (lambda t: torch.tril(t, kk)), x)

    def op_DepthToSpace(s, A, x):
        raise NotImplementedError

    # ---------- shapes, constants
    def op_Shape(s, A, x):
        return s.c(torch.tensor(list(x.t.shape)[slice(A.get("start", 0), A.get("end", None))], dtype=torch.int64))

    def op_Size(s, A, x):
        return s.c(torch.tensor(x.t.numel()))

    def op_Constant(s, A):
        ((k, v),) = A.items()
        if k == "value":
            return s.c(snap_t(to_t(numpy_helper.to_array(v))))
        if k in ("value_float", "value_floats"):
            return s.c(snap_t(torch.tensor(v, dtype=torch.float64)))
        if k in ("value_int", "value_ints"):
            return s.c(torch.tensor(v, dtype=torch.int64))
        return V(v)

    def op_ConstantOfShape(s, A, sh):
        v = to_t(numpy_helper.to_array(A["value"])) if "value" in A else torch.zeros(1)
        return s.c(v.reshape(()).expand(s.ints(sh) if sh.t.numel() else []).clone())

    def op_Range(s, A, a, b, d):
        if a.t.is_floating_point():
            return s.c(torch.arange(a.t.item(), b.t.item(), d.t.item(), dtype=torch.float64))
        return s.c(torch.arange(int(a.t), int(b.t), int(d.t)))

    def op_If(s, A, cnd):
        g = A["then_branch"] if bool(cnd.t.reshape(-1)[0]) else A["else_branch"]
        env = dict(s.cenv)
        for i in g.initializer:
            env[i.name] = s.c(to_t(numpy_helper.to_array(i)))
        s.run_graph(g, env)
        return [env[o.name] for o in g.output]

    def resize_data(s, A, x, scales, sizes):
        """Nearest: by index. Linear and cubic: an average over pixels, x * vjp(sd(R, y))."""
        mode, where = A.get("mode", b"nearest").decode(), A.get("coordinate_transformation_mode", b"half_pixel").decode()
        out = s.ints(sizes) if sizes is not None and sizes.t.numel() else [int(d * f) for d, f in zip(x.t.shape, scales.t.tolist())]
        name = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}[mode]
        if x.t.dim() != 4 or where not in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
            raise NotImplementedError(f"Resize {mode} {where}")
        if (where == "asymmetric") != (mode == "nearest"):
            raise NotImplementedError(f"Resize {mode} {where}")
        kw = {} if mode == "nearest" else {"align_corners": where == "align_corners"}
        fn = lambda t: F.interpolate(t, size=out[2:], mode=name, **kw)
        return s.emit("Resize", "move" if mode == "nearest" else "linexact", fn, [x])

    def op_Resize(s, A, x, roi=None, scales=None, sizes=None):
        import onnxruntime as ort

        if x.data:
            return s.resize_data(A, x, scales, sizes)
        # constant tables only: evaluated with onnxruntime (float32)
        n = onnx.NodeProto()
        n.CopyFrom(s.node)
        ins = []
        init = []
        for nm, v in zip(["x", "roi", "scales", "sizes"], [x, roi, scales, sizes]):
            if v is None or (nm != "x" and v.t.numel() == 0):
                ins.append("")
                continue
            ins.append(nm)
            arr = v.t.detach().numpy()
            init.append(numpy_helper.from_array(arr.astype(np.float32) if arr.dtype.kind == "f" else arr, nm))
        while ins and ins[-1] == "":
            ins.pop()
        del n.input[:]
        n.input.extend(ins)
        del n.output[:]
        n.output.append("y")
        g = onnx.helper.make_graph([n], "g", [], [onnx.helper.make_tensor_value_info("y", 1, None)], init)
        m = onnx.helper.make_model(g, opset_imports=[onnx.helper.make_opsetid("", max(s.opset, 11))], ir_version=8)
        return V(to_t(ort.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {})[0]), dep=x.dep)

    # ---------- rotary as one linear step
    def op_RotaryEmbedding(s, A, x, cos, sin, pos=None):
        il = A.get("interleaved", 0)
        rd = A.get("rotary_embedding_dim", 0)
        nh = A.get("num_heads", 0)
        if il or rd or x.t.dim() != 4:
            raise NotImplementedError("rotary")
        cc = cos.t if pos is None else cos.t[pos.t]
        ss = sin.t if pos is None else sin.t[pos.t]
        cc, ss = cc.unsqueeze(1), ss.unsqueeze(1)

        def fn(t):
            h = t.shape[-1] // 2
            a, b = t[..., :h], t[..., h:]
            return torch.cat([a * cc - b * ss, b * cc + a * ss], -1)

        return s.emit("RotaryEmbedding", "linexact", fn, [x])

    # ---------- fused: expanded into primitive steps
    def ln(s, x, g, b, eps):
        return s.op_LayerNormalization({"axis": -1, "epsilon": eps}, x, g, b)

    def op_com_microsoft_SkipLayerNormalization(s, A, x, skip, g, b=None, bias=None):
        if bias is not None and BIAS_TO_SUM:
            y = s.add(s.add(x, skip), bias)
            return [s.ln(y, g, b, A.get("epsilon", 1e-5)), None, None, y]
        if bias is not None:  # the bias belongs to the branch that is a bare linear product
            if x.prod is not None and x.prod.kind == "linear" or not (skip.prod is not None and skip.prod.kind == "linear"):
                x = s.add(x, bias)
            else:
                skip = s.add(skip, bias)
        y = s.add(x, skip)
        return [s.ln(y, g, b, A.get("epsilon", 1e-5)), None, None, y]

    def op_com_microsoft_BiasGelu(s, A, x, b):
        return s.op_Gelu({}, s.add(x, b))

    def op_com_microsoft_Gelu(s, A, x):
        return s.op_Gelu({}, x)

    def op_com_microsoft_FastGelu(s, A, x, b=None):
        return s.op_Gelu({"approximate": b"tanh"}, x if b is None else s.add(x, b))

    def op_com_microsoft_QuickGelu(s, A, x):
        al = A.get("alpha", 1.702)
        return s.unary("QuickGelu", lambda t: t * torch.sigmoid(al * t), x)

    def op_com_microsoft_FusedMatMul(s, A, a, b):
        tb = lambda v: s.move(
            "Transpose", lambda t: t.permute(*range(1, t.dim() - 1), 0, t.dim() - 1), v
        )  # first axis goes behind the batch axes
        if A.get("transBatchA"):
            a = tb(a)
        if A.get("transBatchB"):
            b = tb(b)
        if A.get("transA"):
            a = s.move("Transpose", lambda t: t.transpose(-1, -2), a)
        if A.get("transB"):
            b = s.move("Transpose", lambda t: t.transpose(-1, -2), b)
        y = s.prod2("MatMul", torch.matmul, a, b)
        return s.mul(y, s.c(np.float64(A.get("alpha", 1.0)))) if A.get("alpha", 1.0) != 1 else y

    def op_com_microsoft_FusedGemm(s, A, a, b, c=None):
        y = s.op_Gemm(A, a, b, c)
        act = A["activation"].decode()
        return s.unary(act, {"Tanh": torch.tanh, "Relu": torch.relu, "Sigmoid": torch.sigmoid}[act], y)

    def op_com_microsoft_EmbedLayerNormalization(s, A, ids, seg, word, pos, segw, g, b, mask=None, posids=None):
        w = s.source(word.t[ids.t], ids)
        n = ids.t.shape[1]
        y = s.add(w, s.c(pos.t[posids.t] if posids is not None else pos.t[:n].unsqueeze(0)))
        if seg is not None and segw is not None:
            y = s.add(y, s.c(segw.t[seg.t]))
        mi = V(mask.t.sum(1) if mask is not None else torch.zeros(ids.t.shape[0], dtype=torch.int64), dep=True)
        return [s.ln(y, g, b, A.get("epsilon", 1e-12)), mi, y]

    def heads(s, x, h):
        B, N, D = x.t.shape
        return s.move("Transpose", lambda t: t.transpose(1, 2), s.move("Reshape", lambda t: t.reshape(B, N, h, D // h), x))

    def merge(s, x):
        B, H, N, d = x.t.shape
        return s.move("Reshape", lambda t: t.reshape(B, N, H * d), s.move("Transpose", lambda t: t.transpose(1, 2), x))

    def core(s, q, k, v, scale, mask, bias=None):
        sc = s.prod2("MatMul", torch.matmul, q, s.move("Transpose", lambda t: t.transpose(-1, -2), k))
        if scale != 1:
            sc = s.mul(sc, s.c(np.float64(scale)))
        if bias is not None:
            sc = s.add(sc, bias)
        if mask is not None:
            sc = s.add(sc, mask)
        A = s.op_Softmax({"axis": -1}, sc)
        if torch.isnan(A.t).any():
            nn = torch.isnan(A.t.detach())
            A = s.move("Where", lambda t: torch.where(nn, torch.zeros_like(t), t), A)
        return s.prod2("MatMul", torch.matmul, A, v)

    def padmask(s, mi, B, N, val):
        if mi is None:
            return None
        m = mi.t
        if m.dim() == 1 and m.numel() == B:
            keep = torch.arange(N)[None] < m[:, None]
        elif m.dim() == 2:
            keep = m != 0
        else:
            raise NotImplementedError("mask_index")
        return V(torch.where(keep[:, None, None, :], 0.0, val), dep=True)

    def op_com_microsoft_Attention(s, A, x, w, b=None, mi=None, past=None, bias=None, *r):
        h = A["num_heads"]
        D = w.t.shape[1] // 3
        B, N, _ = x.t.shape
        y = s.prod2("MatMul", torch.matmul, x, w)
        if b is not None:
            y = s.add(y, b)
        q, k, v = [s.heads(s.move("Slice", (lambda t, i=i: t.narrow(2, i * D, D).clone()), y), h) for i in range(3)]
        m = s.padmask(mi, B, N, A.get("mask_filter_value", -10000.0))
        if A.get("unidirectional", 0):
            cm = s.c(torch.where(torch.tril(torch.ones(N, N)) > 0, 0.0, -3.4e38))
            bias = cm if bias is None else s.add(bias, cm)
        return [s.merge(s.core(q, k, v, A.get("scale", 0) or 1 / math.sqrt(D // h), m, bias))]

    def op_com_microsoft_MultiHeadAttention(s, A, q, k, v, b=None, mi=None, bias=None, *r):
        h = A["num_heads"]
        B, N, D = q.t.shape
        if b is not None:
            D2 = b.t.shape[0] // 3
            q, k, v = [s.add(z, s.c(b.t[i * D2 : (i + 1) * D2])) for i, z in enumerate((q, k, v))]
        m = s.padmask(mi, B, k.t.shape[1], A.get("mask_filter_value", -10000.0))
        return [s.merge(s.core(s.heads(q, h), s.heads(k, h), s.heads(v, h), A.get("scale", 0) or 1 / math.sqrt(D // h), m, bias))]

    def op_Attention(s, A, q, k, v, mask=None, *r):
        three = q.t.dim() == 3
        if three:
            q, k, v = s.heads(q, A["q_num_heads"]), s.heads(k, A["kv_num_heads"]), s.heads(v, A["kv_num_heads"])
        assert not A.get("is_causal", 0) and not A.get("softcap", 0) and not any(x is not None for x in r) and q.t.shape[1] == k.t.shape[1]
        if mask is not None and mask.t.dtype == torch.bool:
            mask = V(torch.where(mask.t, 0.0, -float("inf")), dep=mask.dep)
        y = s.core(q, k, v, A.get("scale", None) or 1 / math.sqrt(q.t.shape[-1]), mask)
        return [s.merge(y) if three else y]

    # ---------- quantised
    def op_DynamicQuantizeLinear(s, A, x):
        d = x.t.detach()
        mx = max(float(d.max()), 0.0)
        mn = min(float(d.min()), 0.0)
        sc = (mx - mn) / 255 or 1.0
        zp = float(np.clip(np.rint((0 - mn) / sc), 0, 255))
        q = s.unary(
            "Quantize", lambda t: t / sc + zp + (torch.clamp(torch.round(t.detach() / sc) + zp, 0, 255) - (t.detach() / sc + zp)), x
        )
        return [q, s.c(np.float64(sc)), s.c(np.float64(zp))]

    def op_MatMulInteger(s, A, a, b, az=None, bz=None):
        if az is not None:
            a = s.add(a, s.c(-az.t.double()))
        b = s.c(b.t.double() - (0 if bz is None else bz.t.double()))
        return s.prod2("MatMul", torch.matmul, a, b)

    def op_ConvInteger(s, A, a, b, az=None, bz=None):
        if az is not None:
            a = s.add(a, s.c(-az.t.double()))
        z = 0.0 if bz is None else bz.t.double()
        z = z.reshape(-1, *[1] * (b.t.dim() - 1)) if bz is not None and bz.t.numel() > 1 else z
        b = s.c(b.t.double() - z)
        return s.prod2("Conv", s._convfn(A, a, b), a, b)

    def op_QuantizeLinear(s, A, x, sc, zp=None):
        ax = A.get("axis", 1)
        scv = _qs(sc.t, x.t, ax, 0)
        z = _qs(zp.t.double(), x.t, ax, 0) if zp is not None else 0.0
        lo, hi = (0, 255) if (zp is None or s._ztype(2) == "u") else (-128, 127)
        f = lambda t: t / scv + z + (torch.clamp(torch.round(t.detach() / scv) + z, lo, hi) - (t.detach() / scv + z))
        return s.unary("Quantize", f, x)

    def _ztype(s, i):
        return s.zt.get(s.node.input[i], "u") if hasattr(s, "zt") else "u"

    def op_DequantizeLinear(s, A, x, sc, zp=None):
        ax = A.get("axis", 1)
        bs = A.get("block_size", 0)
        scv = _qs(sc.t, x.t, ax, bs)
        z = _qs(zp.t.double(), x.t, ax, bs) if zp is not None else 0.0
        if not x.data:
            y = (x.t.double() - z) * scv
            if x.seq is not None:
                return s.source(y, x.seq)
            return V(y, dep=x.dep)
        return s.unary("Dequantize", lambda t: (t - z) * scv, x)

    def op_com_microsoft_MatMulNBits(s, A, a, b, sc, zp=None, *r):
        K, N, bits, bl = A["K"], A["N"], A.get("bits", 4), A["block_size"]
        assert bits == 4
        q = b.t.reshape(N, -1, bl // 2)
        lo, hi = q & 15, q >> 4
        q = torch.stack([lo, hi], -1).reshape(N, -1, bl).double()
        z = 8.0 if zp is None else None
        if zp is not None:
            zz = zp.t.reshape(N, -1)
            z = torch.stack([zz & 15, zz >> 4], -1).reshape(N, -1)[:, : q.shape[1]].double().unsqueeze(-1)
        w = ((q - z) * sc.t.reshape(N, -1, 1)).reshape(N, -1)[:, :K].t().contiguous()
        y = s.prod2("MatMul", torch.matmul, a, s.c(w))
        if len(r) > 1 and r[1] is not None:
            y = s.add(y, r[1])
        return y

    def op_com_microsoft_GatherBlockQuantized(s, A, x, i, sc, zp=None):
        bl = A.get("block_size", 128)
        ga = A.get("gather_axis", 0)
        qa = A.get("quantize_axis", 1)
        assert ga == 0
        q = x.t.double()
        z = _qs(zp.t.double(), x.t, qa, bl) if zp is not None else 0.0
        if s.uint8pack:
            raise NotImplementedError
        w = (q - z) * _qs(sc.t, x.t, qa, bl)
        return s.source(w[i.t], i)

    uint8pack = False


def _fold(f, ts):
    r = ts[0]
    for t in ts[1:]:
        r = f(r, t)
    return r


def _qs(sc, x, ax, bs):
    sc = sc.double()
    if bs:
        return sc.repeat_interleave(bs, ax).narrow(ax, 0, x.shape[ax])
    if sc.numel() == 1:
        return sc.reshape(())
    sh = [1] * x.dim()
    sh[ax] = -1
    return sc.reshape(sh)
