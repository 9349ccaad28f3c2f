"""Relevance (transformer attribution, Chefer et al. CVPR 2021) on the tape of tracer.Tracer."""

import torch, numpy as np, onnx
from .tracer import Tracer, V

EPS = 1e-9
FLAGS = set()  # ablations only; the empty set is the convention


def sd(a, b, eps=None):
    eps = EPS if eps is None else eps
    den = b + eps
    den = torch.where(den == 0, torch.full_like(den, eps or 1.0), den)
    return torch.where(b == 0, torch.zeros_like(a), a / den)


def vjp(fn, xs, which, R):
    """gradients of fn(*xs) wrt xs[i], i in which, contracted with R (inputs detached)"""
    xs = [x.detach().clone() if isinstance(x, torch.Tensor) else x for x in xs]
    for i in which:
        xs[i] = xs[i].requires_grad_(True)
    with torch.enable_grad():
        y = fn(*xs)
        g = torch.autograd.grad(y, [xs[i] for i in which], R.expand_as(y), allow_unused=True)
    return [torch.zeros_like(xs[i]) if a is None else a for i, a in zip(which, g)]


def unbroadcast(R, shape):
    while R.dim() > len(shape):
        R = R.sum(0)
    for i, (a, b) in enumerate(zip(R.shape, shape)):
        if b == 1 and a != 1:
            R = R.sum(i, keepdim=True)
    return R


def dominator(e, allowed):
    """nearest single data value d that all data operands of e come from, walking back only through allowed entries;
    returns (d, entries between) or None"""
    fr = {id(v): v for v in e.data_ins()}
    seen = [e]
    while len(fr) > 1:
        v = max(fr.values(), key=lambda v: v.idx)
        if v.prod is None or not allowed(v.prod):
            return None
        del fr[id(v)]
        seen.append(v.prod)
        for u in v.prod.data_ins():
            fr[id(u)] = u
    d = next(iter(fr.values()))
    return d, sorted(set(seen), key=lambda e: e.idx)


def is_ew(e):
    return e.ew


def is_ew_or_bij(e):
    return e.ew or (
        e.kind == "move" and len(e.data_ins()) == 1 and e.op in ("Transpose", "Reshape") and e.out.t.numel() == e.data_ins()[0].t.numel()
    )


def main_operand(e, d):
    """the operand of e that is d itself up to bijective movements"""
    for v in e.data_ins():
        u = v
        while u is not d and u.prod is not None and u.prod.op in ("Transpose", "Reshape", "Cast", "Identity"):
            u = u.prod.data_ins()[0]
        if u is d and v.t.shape == e.out.t.shape:
            return v


def is_lin(e):
    return (
        (e.kind == "move")
        or (e.op in ("Mul", "Div", "Neg", "Cast", "Identity") and len(e.data_ins()) == 1)
        or (e.op in ("Add", "Sub") and len(e.data_ins()) == 2)
    )


def replay(d, entries):
    def fn(x):
        val = {id(d): x}
        for e in entries:
            val[id(e.out)] = e.fn(*[val.get(id(v), v.t.detach() if v is not None else None) if v is not None else None for v in e.ins])
        return val[id(entries[-1].out)]

    return fn


class Oracle:
    def __init__(s, path, feeds, clone=False):
        s.tr = Tracer(path, feeds)
        s.tape = s.tr.tape
        s.clone = clone
        s.plan()
        s.count()
        s.find_sites()

    # ---- roles
    def count(s):
        s.ncons = {}
        for e in s.tape:
            for v in e.data_ins():
                s.ncons[id(v)] = s.ncons.get(id(v), 0) + 1
        s.chain = {e for e in s.tape if "nary" in FLAGS and s.role[e] == "add" and len(s.leaves(e)) > 2}

    def plan(s):
        s.role = {}
        s.info = {}
        for e in s.tape:
            n = len(e.data_ins())
            k = e.kind
            if k in ("add", "mul", "div", "pow") or (k == "ident" and n > 1):
                r = dominator(e, is_ew)
                if "noUnitMul" in FLAGS and k == "mul":
                    r = None
                if "rotNormAdd" in FLAGS and k == "add" and dominator(e, is_ew) is None:
                    s.role[e] = k
                    continue
                if r is not None and r[0].t.shape == e.out.t.shape:
                    s.role[e] = "unit"
                    s.info[e] = r[0]
                    continue
                if k in ("div", "mul") or e.op == "Sub":  # the same unit with Transpose/Reshape between its pieces
                    r = dominator(e, is_ew_or_bij)
                    v = main_operand(e, r[0]) if r is not None else None
                    if v is not None:
                        s.role[e] = "unit"
                        s.info[e] = v
                        continue
                if k == "add":
                    r = dominator(e, is_lin)
                    if r is not None and r[0].t.shape == e.out.t.shape:
                        s.role[e] = "rotary"
                        s.info[e] = r
                        continue
                if k in ("div", "pow") or (k == "ident"):
                    s.role[e] = "UNKNOWN"
                    continue
            s.role[e] = k

    def scalar_of(s, v):
        """product of scalar constants applied to v since it was computed (looked up through movements)"""
        c = 1.0
        while v.prod is not None:
            e = v.prod
            if e.scalar is not None and e.op in ("Mul", "Div"):
                c *= e.scalar
            elif e.kind == "move" and len(e.data_ins()) == 1 or e.op in ("Cast", "Identity"):
                pass
            else:
                break
            v = e.data_ins()[0]
        return c

    # ---- attention sites
    def find_sites(s):
        s.sites = []
        for e in s.tape:
            if e.kind not in ("bilinear", "linear") or e.op not in ("MatMul", "Einsum"):
                continue
            for i, v in enumerate(e.ins):
                if not v.data:
                    continue
                u = v
                ok = False
                while u.prod is not None:
                    p = u.prod
                    if p.op == "Softmax":
                        ok = True
                        break
                    if p.op in ("Cast", "Identity", "Where", "Reshape", "Quantize", "Dequantize", "Mul") and len(p.data_ins()) == 1:
                        u = p.data_ins()[0]
                    else:
                        break
                if ok:
                    s.sites.append(dict(entry=e, A=v, op=i))
                    break
        # data-flow order: which sites are upstream of which
        up = {}
        site_of = {id(x["entry"]): i for i, x in enumerate(s.sites)}
        src = {id(v): frozenset([i]) for i, (n, v, _) in enumerate(s.tr.sources)}
        bits = {}
        for e in s.tape:
            b = frozenset().union(*[up.get(id(v), frozenset()) for v in e.data_ins()])
            sr = frozenset().union(*[src.get(id(v), frozenset()) for v in e.data_ins()])
            i = site_of.get(id(e))
            if i is not None:
                s.sites[i]["up"] = b
                s.sites[i]["src"] = sr
                b = b | {i}
            up[id(e.out)] = b
            src[id(e.out)] = sr
        for i, x in enumerate(s.sites):
            x["i"] = i
            x["depth"] = len(x["up"])

    # ---- gradient
    def grads(s, score, extra=()):
        vs = [x["A"].t for x in s.sites] + list(extra)
        g = torch.autograd.grad(score, vs, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(v) if a is None else a for v, a in zip(vs, g)]

    # ---- relevance
    def relevance(s, out, start, check=False):
        R = {id(out): [start]}
        keep = {}
        s.loss = []
        s.total = [float(start.sum())]
        tot = float(start.sum())
        s.mag = float(start.abs().sum())
        allv = {}
        with torch.no_grad():
            for e in reversed(s.tape):
                rs = R.pop(id(e.out), None)
                if rs is None:
                    continue
                r = s.join(rs, e.out.t.detach())
                keep[id(e.out)] = r
                before = float(r.sum())
                after = 0.0
                for v, x in s.step(e, r):
                    R.setdefault(id(v), []).append(x)
                    after += float(x.sum())
                    s.mag = max(s.mag, float(x.abs().sum()))
                if not np.isfinite(after):
                    raise FloatingPointError(f"{e.op} {s.role[e]} {list(e.node.output)}")
                tot += after - before
                s.loss.append((after - before, e))
                s.total.append(tot)
        s.R = keep
        return [keep.get(id(x["A"]), torch.zeros_like(x["A"].t)).detach() for x in s.sites]

    def join(s, rs, x):
        if s.clone and len(rs) > 1:
            return x * sum(sd(r, x) for r in rs)
        r = rs[0]
        for q in rs[1:]:
            r = r + q
        return r

    def leaves(s, e):
        """operands of the chain of plain Adds that ends at e (inner sums used nowhere else; constant adds are looked through)"""
        out = []
        for v, sg in zip(e.ins, (1, -1 if e.op == "Sub" else 1)):
            u = v
            while u.prod is not None and s.role[u.prod] == "ident" and u.prod.op in ("Add", "Cast", "Identity") and s.ncons[id(u)] == 1:
                u = u.prod.data_ins()[0]
            if u.prod is not None and s.role[u.prod] == "add" and s.ncons[id(u)] == 1 and u.t.shape == e.out.t.shape:
                out += [(a, b * sg) for a, b in s.leaves(u.prod)]
            else:
                out.append((v, sg))
        return out

    def nary(s, e, r):
        L = s.leaves(e)
        S = sd(r, sum(v.t.detach() * g for v, g in L))
        p = [v.t.detach() * g * S for v, g in L]
        A = [q.sum() for q in p]
        tot = sum(a.abs() for a in A)
        T = r.sum()
        return [(v, unbroadcast(q * sd(sd(a.abs(), tot) * T, a), v.t.shape)) for (v, _), q, a in zip(L, p, A)]

    def step(s, e, r):
        k = s.role[e]
        di = [i for i, v in enumerate(e.ins) if v is not None and v.data]
        xs = [v.t.detach() if v is not None else None for v in e.ins]
        y = e.out.t.detach()
        if k == "ident":
            return [(e.ins[di[0]], unbroadcast(r, xs[di[0]].shape))]
        if k == "unit":
            return [(s.info[e], r)]
        if k == "move":
            return list(zip([e.ins[i] for i in di], vjp(e.fn, xs, di, r)))
        if k == "linear":
            i = di[0]
            x = xs[i]
            w = xs[1 - i]
            f = (lambda a, b: e.fn(a, b)) if i == 0 else (lambda a, b: e.fn(b, a))
            xp, xn, wp, wn = x.clamp(min=0), x.clamp(max=0), w.clamp(min=0), w.clamp(max=0)
            S = sd(r, f(xp, wp) + f(xn, wn))
            return [(e.ins[i], xp * vjp(f, [xp, wp], [0], S)[0] + xn * vjp(f, [xn, wn], [0], S)[0])]
        if k == "bilinear":
            c = 1.0 if "scaledZ" in FLAGS else s.scalar_of(e.ins[0]) * s.scalar_of(e.ins[1])
            g = vjp(e.fn, xs, [0, 1], sd(r, y / c) / c)
            return [(v, x * q / 2) for v, x, q in zip(e.ins, xs, g)]
        if k == "mul":
            a, b = xs
            S = sd(r, a * b) * a * b / 2
            if "gateValue" in FLAGS:
                u = (
                    e.ins[0].prod is not None
                    and s.role.get(e.ins[0].prod) in ("unit",)
                    or (e.ins[0].prod is not None and e.ins[0].prod.op == "Gelu")
                )
                S = S * 2
                return [(e.ins[1 if u else 0], S)]
            return [(e.ins[0], unbroadcast(S, a.shape)), (e.ins[1], unbroadcast(S, b.shape))]
        if k == "add" and e in getattr(s, "chain", {}):
            return s.nary(e, r)
        if k == "add":
            a, b = torch.broadcast_tensors(*xs)
            b = -b if e.op == "Sub" else b
            S = sd(r, y)
            ra, rb = a * S, b * S
            A, B, T = ra.sum(), rb.sum(), r.sum()
            ra = ra * sd(sd(A.abs(), A.abs() + B.abs()) * T, A)
            rb = rb * sd(sd(B.abs(), A.abs() + B.abs()) * T, B)
            return [(e.ins[0], unbroadcast(ra, xs[0].shape)), (e.ins[1], unbroadcast(rb, xs[1].shape))]
        if k == "reduce" and "meanPos" in FLAGS:
            i = di[0]
            xp = xs[i].clamp(min=0)
            return [(e.ins[i], xp * vjp(e.fn, [xp], [0], sd(r, e.fn(xp)))[0])]
        if k in ("reduce", "linexact"):
            i = di[0]
            return [(e.ins[i], xs[i] * vjp(e.fn, xs, [i], sd(r, y))[0])]
        if k == "rotary":
            d, ents = s.info[e]
            return [(d, d.t.detach() * vjp(replay(d, ents), [d.t], [0], sd(r, y))[0])]
        raise NotImplementedError(f"role {k} for {e.op} {list(e.node.output)}")


def per_head(t, B):
    return t.reshape(B, -1, t.shape[-2], t.shape[-1])


def maps(E, starts=(0, 1), v=None):
    """row walk, last block to first; E list of [N,N]"""
    out = {}
    for s in starts:
        r = v.clone()
        for l in reversed(range(s, len(E))):
            r = r + r @ E[l]
        out[s] = r
    return out


def load(p):
    return onnx.numpy_helper.to_array(onnx.load_tensor(p))


def rel(a, b):
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300))
