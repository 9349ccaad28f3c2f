"""The same architectures through optimum-onnx, in its own environment (requirements-optimum.txt; older transformers).

    python -m reference.optimum_export OUT [FAMILY ...]

Writes OUT/<family>.onnx and the torch model's float64 outputs to OUT/<family>.npz; then, in the main environment,
`python -m reference.main --optimum OUT` adds the families to the collection as <family>_optimum with their own goldens (parameter
names differ between versions of transformers, so the seeded weights do, too).
"""

import os
import pathlib
import sys
import tempfile

os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import onnx
import torch

from .families import FAMILIES
from .weights import scatter

torch.set_num_threads(1)
TASKS = {
    "vit": ("image-classification", 14, "eager"),
    "segformer": ("image-classification", 13, "eager"),
    "swin_sizes": ("image-classification", 14, "eager", 6),  # the family's own seed gives badly conditioned weights here
    "bert": ("text-classification", 11, "eager"),
    "distilbert": ("text-classification", 18, "sdpa"),
    "electra": ("text-classification", 14, "eager"),
    "deberta_v2": ("text-classification", 14, "eager"),
    "gpt2": ("text-classification", 18, "sdpa"),
    "llama_cls": ("text-classification", 18, "sdpa"),
    "clip": ("zero-shot-image-classification", 14, "sdpa"),
}


def outputs(model, feeds):
    """The model's own outputs, in float64 where its masks allow that."""
    for double in (True, False):
        try:
            model = model.double() if double else model.float()
            with torch.no_grad():
                y = model(*[x.double() if double and x.is_floating_point() else x for x in feeds.values()])
            return y if isinstance(y, tuple) else (y,)
        except RuntimeError:
            continue
        finally:
            model.float()


def export(name, out):
    from optimum.exporters.onnx import onnx_export_from_model

    task, opset, attention, *seed = TASKS[name]
    family = FAMILIES[name]
    wrapped = family.build(attention)
    if seed:
        scatter(wrapped.model, *seed)
    feeds = family.inputs()
    y = outputs(wrapped, feeds)
    with tempfile.TemporaryDirectory() as tmp:
        onnx_export_from_model(
            wrapped.model, pathlib.Path(tmp), opset=opset, task=task, monolith=True, do_validation=False, no_post_process=False
        )
        file = next(pathlib.Path(tmp).glob("*.onnx"))
        onnx.save(onnx.load(file), out / f"{name}.onnx")
    np.savez(out / f"{name}.npz", opset=opset, attention=attention, **{k: v.numpy() for k, v in zip(family.outputs, y)})
    m = onnx.load(out / f"{name}.onnx")
    print(name, len(m.graph.node), [i.name for i in m.graph.input], [o.name for o in m.graph.output], (out / f"{name}.onnx").stat().st_size)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or TASKS:
        try:
            export(name, out)
        except Exception as problem:
            print(name, "FAILED", type(problem).__name__, str(problem).splitlines()[-1][:200] if str(problem) else "")


if __name__ == "__main__":
    main()
