"""Float64 goldens of one ONNX file, by the slow interpreter in oracle/.

One pass per (sample, target): start and gradient are one-hot at that output element of that sample, so every sum inside
the rules is a sum over that sample.
"""

import warnings
from dataclasses import dataclass, field

import numpy as np
import torch

from . import walk
from .oracle import oracle as engine
from .oracle import tracer
from .rollout import rollout

warnings.filterwarnings("ignore", message=".*non-writable.*")


@dataclass
class Site:
    """One attention site, in canonical order: by tower, encoder before decoder, then by data flow."""

    index: int  # in the oracle
    role: str  # block | pool | encoder | self | cross
    map: int  # which map of the family it belongs to
    rows: int  # samples in its batch


@dataclass
class Golden:
    logits: dict = field(default_factory=dict)
    sites: list = field(default_factory=list)
    attention: list = field(default_factory=list)  # per site, [samples, (windows,) heads, queries, keys]
    cases: list = field(default_factory=list)  # per case: dict of arrays and lists of arrays
    own: dict = field(default_factory=dict)  # goldens of spellings that compute another function


def with_double(f):
    """The interpreter works with float64 as torch's default type; everything else here does not."""

    def wrapped(*args, **kw):
        torch.set_default_dtype(torch.float64)
        try:
            return f(*args, **kw)
        finally:
            torch.set_default_dtype(torch.float32)

    return wrapped


def cut(t, rows, heads=None):
    """Any layout of a site's tensor as [samples, (windows,) heads, queries, keys]."""
    t = t.detach().numpy()
    if t.ndim == 3:  # [B*H, N, M]
        return t.reshape(rows, -1, *t.shape[-2:])
    if t.ndim == 4 and t.shape[0] == rows:
        return t
    return t.reshape(rows, -1, *t.shape[-3:])  # [B*windows, H, N, M] or [B, windows, H, N, M]


def source_of(o, name, feeds):
    """Index of the oracle's source for an input: the float input itself, or the first table looked up with exactly these ids."""
    ids = torch.as_tensor(feeds[name])
    for i, (kind, _, looked_up) in enumerate(o.tr.sources):
        if kind == name or (
            looked_up is not None and not ids.is_floating_point() and looked_up.shape == ids.shape and bool((looked_up == ids).all())
        ):
            return i
    raise LookupError(f"no source for {name}")


def order_sites(o, family, feeds):
    found = []
    for k, m in enumerate(family.maps):
        src = source_of(o, m.input, feeds)
        rows = feeds[m.input].shape[0]
        others = {source_of(o, x.input, feeds) for x in family.maps} - {src}
        mine = sorted(
            (s for s in o.sites if len(family.maps) == 1 or (src in s["src"] and not others & s["src"])), key=lambda s: s["depth"]
        )
        if m.walk == "encoder-decoder":
            start = next(s for s in mine if src not in s["src"])  # the decoder's first self-attention has not seen the encoder
            decoder_only = start["src"]
            enc = [s for s in mine if not decoder_only & s["src"]]
            dec = [s for s in mine if decoder_only & s["src"]]
            found += [Site(s["i"], "encoder", k, rows) for s in enc]
            found += [Site(s["i"], ("self", "cross")[j % 2], k, rows) for j, s in enumerate(dec)]
        else:
            pool = m.readout["kind"] == "attention-pooling"
            found += [Site(s["i"], "pool" if pool and s is mine[-1] else "block", k, rows) for s in mine]
    return found


def relu_mean(x):
    """Mean over heads of the positive part: [.., heads, N, M] -> [.., N, M]."""
    return np.maximum(x, 0).mean(-3)


def site_rows(family, site, b, target):
    """Which sample of the site's own batch belongs to sample b of the output (texts of an image-text model: the target)."""
    return target[-1] if family.maps[site.map].special.get("batch") == "texts" else b


def walk_map(m, E, roles, v):
    """E per site of this map for one sample -> what attention adds."""
    s = m.special
    blocks = [e for e, r in zip(E, roles) if r != "pool"]
    if m.walk == "flat":
        return walk.added(blocks, v)
    if m.walk == "encoder-decoder":
        pick = lambda role: [e for e, r in zip(E, roles) if r == role]
        return walk.encoder_decoder(pick("encoder"), list(zip(pick("self"), pick("cross"))), v)
    stages, i = [], 0
    for stage in s["stages"]:
        stages.append({**stage, "E": blocks[i : i + stage["blocks"]]})
        i += stage["blocks"]
    assert i == len(blocks), (i, len(blocks))
    return {"reduced": walk.reduced, "windows": walk.windows, "mobilevit": walk.mobilevit}[m.walk](stages, v)


def readout_tokens(m, E, feeds):
    """How many tokens the read-out row has: the queries of the last block, or the pixels of the last stage."""
    if m.walk in ("windows", "mobilevit"):
        g = m.special["stages"][-1]["grid"]
        return g[0] * g[1]
    return E[-1].shape[-1] if m.readout["kind"] == "attention-pooling" else E[-1].shape[-2]


@with_double
def measure(path, family, feeds, cases=None):
    """Everything that is compared, for one file."""
    o = engine.Oracle(str(path), {k: np.asarray(v) for k, v in feeds.items()})
    unknown = [e for e in o.tape if o.role[e] == "UNKNOWN"]
    if unknown:
        raise NotImplementedError(f"no role for {[(e.op, list(e.node.output)) for e in unknown][:4]}")
    g = Golden({k: v.t.detach().numpy() for k, v in o.tr.outputs.items()}, order_sites(o, family, feeds))
    out = o.tr.outputs[family.output]
    g.attention = [cut(o.sites[s.index]["A"].t, s.rows) for s in g.sites]
    sources = [source_of(o, m.input, feeds) for m in family.maps]
    for targets in family.targets if cases is None else family.targets[:cases]:
        g.cases.append(one_case(o, out, family, feeds, g, sources, targets))
    return g


def one_case(o, out, family, feeds, g, sources, targets):
    case = {
        "targets": targets,
        "gradient": [np.zeros_like(a) for a in g.attention],
        "relevance": [np.zeros_like(a) for a in g.attention],
        "lost": 0.0,
    }
    gxi = [np.zeros(feeds[m.input].shape) for m in family.maps]
    for b, target in enumerate(targets):
        at = (b, *target)
        seed = torch.zeros_like(out.t).detach()
        seed[at] = 1
        grads = o.grads(out.t[at], [o.tr.sources[i][1].t for i in sources])
        relevance = o.relevance(out, seed)
        case["lost"] = max(case["lost"], max((abs(d) for d, e in o.loss if e.op != "Concat"), default=0))
        for k, s in enumerate(g.sites):
            r = site_rows(family, s, b, target)
            case["gradient"][k][r] = cut(grads[s.index], s.rows)[r]
            case["relevance"][k][r] = cut(relevance[s.index], s.rows)[r]
        for k, (m, i) in enumerate(zip(family.maps, sources)):
            x = grads[len(o.sites) + k] * o.tr.sources[i][1].t.detach()
            if not torch.as_tensor(feeds[m.input]).is_floating_point():
                x = x.sum(-1)
            r = target[-1] if m.special.get("batch") == "texts" else b
            gxi[k][r] = x.numpy()[r]
    case["E"] = [relu_mean(gr * r) for gr, r in zip(case["gradient"], case["relevance"])]
    case["G"] = [relu_mean(gr * a) for gr, a in zip(case["gradient"], g.attention)]
    case["maps"] = [one_map(family, k, m, feeds, g, case, gxi[k]) for k, m in enumerate(family.maps)]
    return case


def one_map(family, k, m, feeds, g, case, gxi):
    mine = [i for i, s in enumerate(g.sites) if s.map == k]
    roles = [g.sites[i].role for i in mine]
    flat = m.walk == "flat"
    ta, ga, ro, rows = [], [], [], []
    for b in range(feeds[m.input].shape[0]):
        E, G, A = ([x[i][b] for i in mine] for x in (case["E"], case["G"], g.attention))
        target = case["targets"][b] if b < len(case["targets"]) else None
        n = readout_tokens(m, E, feeds)
        v = lambda pooling: walk.readout(m.readout, n, feeds, b, target, pooling)
        rows.append(v(E[-1]))
        ta.append(walk_map(m, E, roles, v(E[-1])))
        ga.append(walk_map(m, G, roles, v(G[-1])))
        if flat:
            ro.append(rollout([a for a, r in zip(A, roles) if r != "pool"], v(A[-1].mean(0))))
    out = {"readout": np.stack(rows), "transformer-attribution": np.stack(ta), "generic-attention": np.stack(ga), "gradient-x-input": gxi}
    if flat:
        out["attention-rollout"] = np.stack(ro)
    return out


def conditioning(path, family, feeds, golden, noise=6e-8):
    """How far E and the map move when every weight gets relative noise of float32's size: what float32 can reach at best."""
    tracer.NOISE = noise
    try:
        return compare(measure(path, family, feeds, cases=1), golden, family.output)
    finally:
        tracer.NOISE = 0.0


def rel(a, b):
    """Relative L2 distance of two arrays (or lists of arrays) from b."""
    flat = lambda x: np.concatenate([np.ravel(np.asarray(y, dtype=np.float64)) for y in (x if isinstance(x, list) else [x])])
    a, b = flat(a), flat(b)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-300)) if a.shape == b.shape else float("inf")


def correlation(a, b):
    return float(np.corrcoef(np.ravel(a), np.ravel(b))[0, 1])


def compare(g, ref, output):
    """How far one file's measurements are from the family's golden (first case)."""
    c, r = g.cases[0], ref.cases[0]
    key = "transformer-attribution"
    return {
        "logits": rel(g.logits[output], ref.logits[output]),
        "attention": rel(g.attention, ref.attention),
        "E": rel(c["E"], r["E"]),
        "map": max(rel(x[key], y[key]) for x, y in zip(c["maps"], r["maps"])),
        "correlation": min(correlation(x[key], y[key]) for x, y in zip(c["maps"], r["maps"])),
    }


def own_tensors(g, family, name):
    """Output and maps (first case) of a file that is another function than the family: quantised, half, tanh GELU."""
    out = {f"{name}.{family.output}": np.ascontiguousarray(g.logits[family.output])}
    for m, maps in zip(family.maps, g.cases[0]["maps"]):
        tail = f".{m.input}" if len(family.maps) > 1 else ""
        out |= {f"{name}.case0.{k}{tail}": np.ascontiguousarray(maps[k]) for k in ("transformer-attribution", "generic-attention")}
    return out


def tensors(g, family, feeds):
    """The golden as named arrays for one safetensors file."""
    f4 = lambda x: np.ascontiguousarray(x, dtype=np.float32)
    f8 = lambda x: np.ascontiguousarray(x, dtype=np.float64)
    out = {f"input.{k}": np.ascontiguousarray(v) for k, v in feeds.items()}
    out |= {k if k == family.output == "logits" else f"output.{k}": f8(v) for k, v in g.logits.items()}
    out |= g.own
    for k, a in enumerate(g.attention):
        out[f"site{k}.attention"] = f4(a)
    for c, case in enumerate(g.cases):
        name = f"case{c}"
        for k in range(len(g.sites) if c == 0 else 0):
            out[f"{name}.site{k}.E"] = f8(case["E"][k])
            out[f"{name}.site{k}.gradient"] = f4(case["gradient"][k])
            out[f"{name}.site{k}.relevance"] = f4(case["relevance"][k])
        for m, maps in zip(family.maps, case["maps"]):
            tail = f".{m.input}" if len(family.maps) > 1 else ""
            for method, x in maps.items():
                if method == "attention-rollout":
                    name_, keep, kind = method + tail, c == 0, f8
                elif method == "gradient-x-input":
                    name_, keep, kind = f"{name}.{method}{tail}", c == 0, f4
                else:
                    name_, keep, kind = f"{name}.{method}{tail}", True, f8
                if keep:
                    out[name_] = kind(x)
    return out
