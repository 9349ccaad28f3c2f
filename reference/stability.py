"""Maps of compiled models in float64, for `npm run stability`: every float of the file becomes a double, and numpy evaluates it.

    python -m reference.stability FOLDER [MODEL ...]

Writes RULE.float64.json beside every RULE.onnx: the maps as they are, and with a relative change of 1e-6 in the input (of the
embedding table where the inputs are ids), for the response of the rule itself.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16}


class Erf(OpRun):
    """onnx's own computes in float32."""

    op_domain = ""

    def _run(self, x):
        return (torch.erf(torch.from_numpy(np.ascontiguousarray(x))).numpy(),)


class Conv(OpRun):
    """Patches that do not overlap, as one product; onnx's own takes most of the time."""

    op_domain = ""

    def _run(self, x, w, b=None, strides=None, pads=None, group=None, dilations=None, kernel_shape=None, auto_pad=None):
        n, c, height, width = x.shape
        m, _, p, q = w.shape
        if list(strides) != [p, q] or any(pads or []) or group != 1 or height % p or width % q:
            raise NotImplementedError("only patches that do not overlap")
        patches = x.reshape(n, c, height // p, p, width // q, q)
        y = np.einsum("ncipjq,mcpq->nmij", patches, w, optimize=True)
        return (y if b is None else y + b.reshape(1, m, 1, 1),)


def doubled(path):
    """The model with every float tensor, Cast and constant in float64."""
    model = onnx.load(path)
    graph = model.graph

    def tensor(t):
        if t.data_type in FLOATS:
            t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype("f8"), t.name))

    for t in graph.initializer:
        tensor(t)
    for v in [*graph.input, *graph.output, *graph.value_info]:
        if v.type.tensor_type.elem_type in FLOATS:
            v.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for a in node.attribute:
            if node.op_type == "Cast" and a.name == "to" and a.i in FLOATS:
                a.i = TensorProto.DOUBLE
            if a.type == onnx.AttributeProto.TENSOR:
                tensor(a.t)
        if node.op_type == "ConstantOfShape" and not node.attribute:
            node.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))
    return model


def embedding(model):
    """The table that ids look up: the largest constant that a Gather reads rows of."""
    constants = {t.name: t for t in model.graph.initializer}
    tables = [constants[n.input[0]] for n in model.graph.node if n.op_type == "Gather" and n.input[0] in constants]
    tables = [t for t in tables if t.data_type == TensorProto.DOUBLE and len(t.dims) == 2]
    return max(tables, key=lambda t: t.dims[0])


def moved(x, random):
    return x * (1 + 1e-6 * random.standard_normal(x.shape))


def evaluate(path, cases):
    model = doubled(path)
    run = ReferenceEvaluator(model, new_ops=[Erf, Conv])
    maps, others = [], []
    table = None
    for number, case in enumerate(cases):
        random = np.random.default_rng(number)
        feeds = {
            name: np.array(f["data"], dtype="f8" if f["type"] == "float32" else f["type"]).reshape(f["dims"])
            for name, f in case["feeds"].items()
        }
        feeds["target"] = np.array([case["target"]], "i8")
        maps.append(run.run(["relevance"], feeds)[0][0].tolist())
        floats = {name: moved(x, random) for name, x in feeds.items() if x.dtype == np.float64}
        if floats:
            others.append(run.run(["relevance"], {**feeds, **floats})[0][0].tolist())
            continue
        if table is None:
            name = embedding(model).name
            other = ReferenceEvaluator(model, new_ops=[Erf, Conv])
            table = np.array(other.rt_inits_[name])
        other.rt_inits_[name] = moved(table, random)
        others.append(other.run(["relevance"], feeds)[0][0].tolist())
    return {"plain": maps, "moved": others}


def main(folder, *models):
    for place in sorted(p for p in Path(folder).iterdir() if p.is_dir() and (not models or p.name in models)):
        cases = json.loads((place / "cases.json").read_text())
        for path in sorted(place.glob("*.onnx")):
            (place / f"{path.stem}.float64.json").write_text(json.dumps(evaluate(path, cases)))
            print(f"{place.name}: {path.stem}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
