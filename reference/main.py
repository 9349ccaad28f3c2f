"""Makes the collection: python -m reference.main [FAMILY ...] [--out DIR]"""

import argparse
import fcntl
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback
import zlib
from dataclasses import replace

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import onnx
import torch
from safetensors.numpy import save_file

torch.set_num_threads(1)
torch.backends.mha.set_fastpath_enabled(False)  # the fused fast path of nn.MultiheadAttention cannot be exported
from . import goldens, plan, spellings
from .families import FAMILIES

torch.set_default_dtype(torch.float32)
HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 300_000  # compressed bytes per file
OUT = HERE.parent / "test" / "collection"


def arrays(family):
    return {k: v.numpy() for k, v in family.inputs().items()}


def torch_logits(family, attention):
    """Float64 outputs of the torch model itself, independent of any ONNX file."""
    if family.source is not None:
        return dict(np.load(family.source.with_suffix(".npz")))
    model = family.build(attention).double()
    feeds = [x.double() if x.is_floating_point() else x for x in family.inputs().values()]
    with torch.no_grad():
        y = model(*feeds)
    return dict(zip(family.outputs, [t.numpy() for t in (y if isinstance(y, (tuple, list)) else [y])]))


def description(path, spelling):
    m = onnx.load(path, load_external_data=False)
    exporter, opset, attention, flags, steps = spellings.parse(spelling)
    return {
        "file": f"{path.parent.name}/{path.name}",
        "spelling": spelling,
        "exporter": {"ts": "torchscript"}.get(exporter, exporter),
        "opset": next(o.version for o in m.opset_import if o.domain in ("", "ai.onnx")),
        "attention": attention,
        "format": plan.format_of(flags, steps),
        "nodes": len(m.graph.node),
        "bytes": path.stat().st_size + sum(p.stat().st_size for p in path.parent.glob(path.name + ".data")),
        "notes": plan.notes(flags, steps),
    }


def entry(family, path, spelling, feeds, golden):
    """The manifest's entry of one file, after onnxruntime and the interpreter have both run it."""
    e = description(path, spelling)
    try:
        got = spellings.run(path, feeds)[family.output]
    except Exception:
        one = [spellings.run(path, {k: v[b : b + 1] for k, v in feeds.items()})[family.output] for b in range(2)]
        got = np.concatenate(one)
        e["batch"] = 1
        e["notes"].append("onnxruntime runs it with one sample at a time only")
    e["logits_rel_l2_vs_f64"] = goldens.rel(got, golden.logits[family.output])
    try:
        own = goldens.measure(path, family, feeds, cases=1)
        measured = goldens.compare(own, golden, family.output)
        e["float64"] = {k: float(f"{v:.3g}") for k, v in measured.items()}
    except NotImplementedError as problem:
        e["float64"], e["notes"] = None, [*e["notes"], f"not run by the interpreter: {problem}"]
    e["compare"] = plan.expectation(e)
    if e["compare"] in ("half", "correlation"):
        e["own"] = f"own.{path.stem}"
        golden.own |= goldens.own_tensors(own, family, e["own"])
    return e


def make_family(family, out, log, keep=False):
    folder = out / family.name
    folder.mkdir(parents=True, exist_ok=True)
    feeds, wanted = arrays(family), plan.spellings_of(family)
    golden, kept, dropped = None, [], []
    for spelling in wanted:
        started = time.time()
        try:
            path = folder / spellings.file_name(spelling)
            if not (keep and path.exists()):
                path = spellings.make(family, spelling, folder)
            if golden is None:
                golden = goldens.measure(path, family, feeds)
                reference = torch_logits(family, family.attention[0])
                moved = {k: float(f"{v:.2g}") for k, v in goldens.conditioning(path, family, feeds, golden).items() if k in ("E", "map")}
                log(
                    f"  noise of float32 size moves E by {moved['E']}, the map by {moved['map']}; logits {np.abs(golden.logits[family.output]).max():.2g}, attention max {np.mean([a.max(-1).mean() for a in golden.attention]):.2g}"
                )
                gap = goldens.rel(golden.logits[family.output], reference[family.output])
                if gap > 1e-5:
                    raise RuntimeError(f"interpreter and torch differ by {gap:.2g} in float64")
            e = entry(family, path, spelling, feeds, golden)
            if len(zlib.compress(path.read_bytes())) > LIMIT:
                raise RuntimeError(f"larger than {LIMIT // 1000} kB")
            if e["format"] in ("float32", "float64", "bfloat16") and e["logits_rel_l2_vs_f64"] > 1e-3 and "tanh" not in spelling:
                raise RuntimeError(f"logits differ by {e['logits_rel_l2_vs_f64']:.2g}")
            kept.append(e)
            f = e["float64"] or {}
            log(
                f"  {spelling:34s} {e['bytes'] / 1000:6.0f} kB  logits {e['logits_rel_l2_vs_f64']:.1e}  E {f.get('E', -1):.1e}  map {f.get('map', -1):.1e}  {e['compare']}  {time.time() - started:.0f} s"
            )
        except Exception as problem:
            if os.environ.get("TRACE"):
                traceback.print_exc()
            dropped.append(
                {
                    "spelling": spelling,
                    "why": f"{type(problem).__name__}: {str(problem).strip().splitlines()[-1][:200] if str(problem).strip() else ''}",
                }
            )
            log(f"  {spelling:34s} DROPPED {dropped[-1]['why']}")
            for p in folder.glob(spellings.file_name(spelling) + "*"):
                p.unlink()
        finally:
            for p in folder.glob(".*"):
                p.unlink()
    if golden is None:
        return None
    for p in folder.glob("*.onnx*"):
        if not any(p.name.startswith(pathlib.Path(k["file"]).name) for k in kept):
            p.unlink()
    save_file(goldens.tensors(golden, family, feeds), folder / "golden.safetensors")
    return summary(family, feeds, golden, kept, dropped, moved)


def summary(family, feeds, golden, kept, dropped, moved):
    sites = [{"role": s.role, "map": family.maps[s.map].input, "shape": list(a.shape)} for s, a in zip(golden.sites, golden.attention)]
    return {
        "family": family.name,
        "title": family.title,
        "group": family.group,
        "inputs": [{"name": k, "type": str(v.dtype), "shape": list(v.shape), "axes": axes(family, k)} for k, v in feeds.items()],
        "outputs": list(family.outputs),
        "output": family.output,
        "explains": family.maps[0].input,
        "maps": [
            {
                "explains": m.input,
                "suffix": f".{m.input}" if len(family.maps) > 1 else "",
                "walk": m.walk,
                "readout": m.readout,
                "prefix": m.prefix,
                "grid": m.grid,
                **({"walkData": m.special} if m.special else {}),
            }
            for m in family.maps
        ],
        "targets": family.targets,
        "sites": sites,
        "golden": f"{family.name}/golden.safetensors",
        "float32Noise": moved,
        "conservation": max(c["lost"] for c in golden.cases),
        "spellings": kept,
        "dropped": dropped,
    }


def axes(family, name):
    return {str(k): v for k, v in family.axes.get(name, {0: "batch"}).items()}


def write_manifest(out, record):
    """Adds or replaces one family; several processes may write at once."""
    path = out / "manifest.json"
    lock = open(pathlib.Path(tempfile.gettempdir()) / "vitrail-collection.lock", "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    manifest = json.loads(path.read_text()) if path.exists() else {"version": 1, "families": []}
    rest = [f for f in manifest["families"] if f["family"] != record["family"]]
    rank = {n: i for i, n in enumerate([*FAMILIES, *(n + "_optimum" for n in FAMILIES)])}
    manifest["families"] = sorted([*rest, record], key=lambda f: rank.get(f["family"], 999))
    path.write_text(json.dumps(manifest, indent=1) + "\n")
    lock.close()


def add_optimum(folder):
    for path in sorted(folder.glob("*.onnx")):
        f = FAMILIES[path.stem]
        FAMILIES[path.stem + "_optimum"] = replace(f, name=path.stem + "_optimum", title=f.title + ", by optimum-onnx", source=path)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("families", nargs="*")
    p.add_argument("--out", type=pathlib.Path, default=OUT)
    p.add_argument("--keep", action="store_true", help="do not export files again that are there; measure them again")
    p.add_argument(
        "--optimum", type=pathlib.Path, help="add the files that optimum_export.py wrote into this folder, as families of their own"
    )
    a = p.parse_args()
    log = lambda s: print(s, flush=True)
    if a.optimum:
        add_optimum(a.optimum)
        a.families = a.families or [n for n in FAMILIES if n.endswith("_optimum")]
    for name in a.families or FAMILIES:
        log(name)
        record = make_family(FAMILIES[name], a.out, log, a.keep)
        if record:
            write_manifest(a.out, record)


if __name__ == "__main__":
    main()
