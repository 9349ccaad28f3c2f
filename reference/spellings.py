"""The ways one torch model becomes an ONNX file.

A spelling is a base export, "ts-op17-eager" or "dynamo-op20-sdpa", and optional steps after a "+": "ts-op17-eager+slim".
Bases: exporter (ts = TorchScript, dynamo=False; dynamo = the exporter that is torch's default; optimum = optimum_export.py), opset, attention
implementation, flags ("static", "sizes", "inits", "double", "noopt").
"""

import contextlib
import io
import logging
import re
import shutil
import warnings

import numpy as np
import onnx
import torch

from .families import SIZE_AXES
from .steps import STEPS

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")

BASE = re.compile(r"(ts|dynamo|optimum)-op(\d+)-(eager|sdpa|plain)((?:-\w+)*)$")


def parse(spelling):
    base, *steps = spelling.split("+")
    exporter, opset, attention, flags = BASE.match(base).groups()
    return exporter, int(opset), attention, [f for f in flags.split("-") if f], steps


def file_name(spelling):
    return spelling.replace("+", "-") + ".onnx"


def make(family, spelling, folder):
    """Writes one spelling into `folder` and returns its path."""
    exporter, opset, attention, flags, steps = parse(spelling)
    path = folder / file_name(spelling)
    raw = folder / f".{spelling}.raw.onnx"
    export(family, exporter, opset, attention, flags, raw)
    for i, step in enumerate(steps):
        nxt = folder / f".{spelling}.{i}.onnx"
        with quiet():
            STEPS[step](raw, nxt, family)
        raw.unlink()
        raw = nxt
    if "external" in steps:
        m = onnx.load(raw)
        raw.unlink()
        onnx.save(m, path, save_as_external_data=True, location=path.name + ".data", size_threshold=1024)
    else:
        shutil.move(raw, path)
    return path


@contextlib.contextmanager
def quiet():
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def axes_of(family, names, sizes):
    axes = {n: family.axes.get(n, {0: "batch"}) for n in names}
    return {n: {**a, **SIZE_AXES} if sizes and n == "pixel_values" else a for n, a in axes.items()}


def export(family, exporter, opset, attention, flags, path):
    if exporter == "optimum":
        m = onnx.load(family.source)
        strip(m)
        onnx.save(m, path)
        return
    model = family.build(attention)
    feeds = (family.trace or family.inputs)()
    names, args = list(feeds), tuple(feeds.values())
    if "double" in flags:
        model, args = model.double(), tuple(a.double() if a.is_floating_point() else a for a in args)
    dynamic = {} if "static" in flags else axes_of(family, [*names, *family.outputs], "sizes" in flags)
    with quiet(), torch.no_grad():
        if exporter == "ts":
            torch.onnx.export(
                model,
                args,
                str(path),
                dynamo=False,
                opset_version=opset,
                input_names=names,
                output_names=list(family.outputs),
                dynamic_axes=dynamic,
                keep_initializers_as_inputs="inits" in flags,
            )
        else:
            shapes = None
            if dynamic:
                shapes = tuple({i: torch.export.Dim.DYNAMIC for i in dynamic[n]} for n in names)
            torch.onnx.export(
                model,
                args,
                str(path),
                dynamo=True,
                opset_version=opset,
                input_names=names,
                output_names=list(family.outputs),
                dynamic_shapes=shapes,
                external_data=False,
                optimize="noopt" not in flags,
                keep_initializers_as_inputs="inits" in flags,
                verbose=False,
            )
        m = onnx.load(path)
        version = next(o.version for o in m.opset_import if o.domain in ("", "ai.onnx"))
        if version != opset:
            raise RuntimeError(f"asked for opset {opset}, the exporter wrote {version}")
        strip(m)
        if exporter == "dynamo":
            rename_dims(m, family)
        onnx.save(m, path)


def strip(m):
    """Drops stack traces and other metadata of the dynamo exporter (2 to 4 times the weights' size here)."""

    def nodes(ns):
        for n in ns:
            del n.metadata_props[:]
            n.ClearField("doc_string")
            for a in n.attribute:
                if a.HasField("g"):
                    graph(a.g)

    def graph(g):
        nodes(g.node)
        g.ClearField("doc_string")
        del g.metadata_props[:]
        for v in [*g.value_info, *g.input, *g.output]:
            del v.metadata_props[:]
        for t in g.initializer:
            del t.metadata_props[:]

    graph(m.graph)
    for f in m.functions:
        nodes(f.node)
        del f.metadata_props[:]
    del m.metadata_props[:]


def rename_dims(m, family):
    """Symbolic dimensions of the dynamo exporter (s11, ...) get the family's names."""
    for v in [*m.graph.input, *m.graph.output]:
        for i, d in enumerate(v.type.tensor_type.shape.dim):
            if d.dim_param and i in family.axes.get(v.name, {0: "batch"}):
                d.dim_param = family.axes.get(v.name, {0: "batch"})[i]
    del m.graph.value_info[:]


def run(path, feeds):
    """All outputs of a file in onnxruntime (CPU, its own optimisations off, so that the file itself is tested)."""
    import onnxruntime as ort

    o = ort.SessionOptions()
    o.log_severity_level = 4
    o.intra_op_num_threads = 1
    o.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(str(path), o, providers=["CPUExecutionProvider"])
    types = {
        "tensor(float)": np.float32,
        "tensor(float16)": np.float16,
        "tensor(double)": np.float64,
        "tensor(int64)": np.int64,
        "tensor(int32)": np.int32,
    }
    feed = {i.name: np.asarray(feeds[i.name]).astype(types[i.type]) for i in session.get_inputs()}
    return dict(zip([x.name for x in session.get_outputs()], session.run(None, feed)))
