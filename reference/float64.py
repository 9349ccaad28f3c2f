"""What the compiler appends, run in float64: the whole collection against its goldens, without the noise of float32.

    npm run build && .venv/bin/python -m reference.float64 [FAMILY ...] [--method generic-attention]

Each file is compiled by the command line, turned to float64 (double.py) and run in onnx's reference evaluator; printed is the
relative L2 distance of what attention adds from the golden, the worst of all maps and cases. The exit code is 1 where a file is
further away than BOUND; files that are another function (`half`, `correlation`) are compared with goldens of their own.

The evaluator is taken as it is; only what it cannot run is added (fused.py: onnxruntime's own operators, above all). With --exact
the operators that it rounds to float32 (Erf and dynamic quantisation) are float64 too.
"""

import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import load_file

from . import double
from .fused import FUSED, MISSING, ROUNDED

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLLECTION = ROOT / "test" / "collection"
BOUND = 5e-3


def compiled(path, method, explains, output, folder):
    """The model that explains itself, beside the weights that it may keep in a file of their own."""
    data = path.with_name(path.name + ".data")
    if data.exists():
        shutil.copy(data, folder)
    out = folder / "compiled.onnx"
    cli = ["node", str(ROOT / "packages/cli/bin/vitrail.js"), "compile", str(path), "-m", method, "-o", str(out)]
    done = subprocess.run([*cli, "--explains", explains, "--output", output, "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return in_order(onnx.load(out))


def in_order(model):
    """Nodes after what they read: float16 converters append casts of inputs at the end, and the evaluator goes by the list."""
    known = {""} | {v.name for v in [*model.graph.input, *model.graph.initializer]}
    waiting, ordered = list(model.graph.node), []
    while waiting:
        ready = [n for n in waiting if known.issuperset(reads(n))]
        if not ready:
            raise ValueError(f"nothing computes what {waiting[0].name} reads")
        for n in ready:
            known.update(n.output)
        waiting = [n for n in waiting if n not in ready]
        ordered += ready
    for i, n in enumerate(ordered):  # what has no name would be what an absent input reads
        for k, name in enumerate(n.output):
            n.output[k] = name or f"unused/{i}.{k}"
    del model.graph.node[:]
    model.graph.node.extend(ordered)
    return model


def reads(node):
    """Names that a node needs, those that its branches take from outside too."""
    names = set(node.input)
    for a in node.attribute:
        if a.HasField("g"):
            own = {v.name for v in [*a.g.input, *a.g.initializer]} | {x for n in a.g.node for x in n.output}
            names |= {x for n in a.g.node for x in reads(n)} - own
    return names


def distance(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b)) if a.shape == b.shape else math.inf


def run(evaluator, feeds, one_by_one):
    feeds = {k: v for k, v in double.feeds(feeds).items() if k in evaluator.input_names}
    if not one_by_one:
        return evaluator.run(["relevance"], feeds)[0]
    parts = [evaluator.run(["relevance"], {k: v[i : i + 1] for k, v in feeds.items()})[0] for i in range(len(feeds["target"]))]
    return np.concatenate(parts)


def check(family, spelling, method, golden, folder, operators):
    """The largest distance of all maps and cases of one file; None where there is no golden."""
    prefix = f"{spelling['own']}." if "own" in spelling else ""
    inputs = {i["name"]: golden[f"input.{i['name']}"] for i in family["inputs"]}
    worst = None
    for m in family["maps"]:
        cases = {c: golden.get(f"{prefix}case{c}.{method}{m['suffix']}") for c in range(len(family["targets"]))}
        if all(g is None for g in cases.values()):
            continue
        model = compiled(COLLECTION / spelling["file"], method, m["explains"], family["output"], folder)
        types = {i.name: onnx.helper.tensor_dtype_to_np_dtype(i.type.tensor_type.elem_type) for i in model.graph.input}
        evaluator = ReferenceEvaluator(double.to_double(model), new_ops=operators)
        for c, want in cases.items():
            if want is None:
                continue
            target = np.array(family["targets"][c])
            feeds = {k: v.astype(types[k]) for k, v in inputs.items() if k in types}
            feeds["target"] = target[:, 0] if target.shape[1] == 1 else target
            got = run(evaluator, feeds, spelling.get("batch") == 1)
            worst = max(worst or 0.0, distance(got, want))
    return worst


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("families", nargs="*")
    p.add_argument("--method", default="transformer-attribution")
    p.add_argument("--spelling", help="only spellings that contain this")
    p.add_argument("--exact", action="store_true", help="nothing rounded to float32")
    a = p.parse_args()
    operators = FUSED + MISSING + (ROUNDED if a.exact else [])
    families = json.loads((COLLECTION / "manifest.json").read_text())["families"]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for family in families:
            if a.families and family["family"] not in a.families:
                continue
            golden = load_file(COLLECTION / family["golden"])
            print(family["family"], flush=True)
            for spelling in family["spellings"]:
                if a.spelling and a.spelling not in spelling["spelling"]:
                    continue
                try:
                    worst = check(family, spelling, a.method, golden, pathlib.Path(folder), operators)
                    text = "no golden" if worst is None else f"{worst:.1e}"
                    bad = worst is not None and not worst <= BOUND
                except Exception as problem:
                    text, bad = f"{type(problem).__name__}: {str(problem).strip()[:300]}", True
                failed += bad
                print(f"  {spelling['spelling']:34s} {spelling['compare']:12s} {text}{'  FAILED' if bad else ''}", flush=True)
    print(f"{failed} above {BOUND}" if failed else f"all within {BOUND}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
