"""What happens to a file after its export: optimisers, other number formats, functions, If."""

import re
import shutil

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def slim(src, dst, family):
    import onnxslim

    onnxslim.slim(str(src), str(dst))


def ort_graph(level):
    """onnxruntime's own graph optimiser, saved."""

    def step(src, dst, family):
        import onnxruntime as ort

        o = ort.SessionOptions()
        o.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
        o.optimized_model_filepath = str(dst)
        o.log_severity_level = 4
        ort.InferenceSession(str(src), o, providers=["CPUExecutionProvider"])

    return step


MODEL_TYPE = {"vit": "vit", "clip": "clip", "gpt2": "gpt2"}


def ort_transformers(**options):
    """onnxruntime.transformers.optimizer: the fusions of com.microsoft."""

    def step(src, dst, family):
        from onnxruntime.transformers.fusion_options import FusionOptions
        from onnxruntime.transformers.optimizer import optimize_model

        kind = MODEL_TYPE.get(family.name, "bert")
        o = FusionOptions(kind)
        for k, v in options.items():
            setattr(o, k, v)
        m = optimize_model(str(src), model_type=kind, num_heads=4, hidden_size=32, optimization_options=o, opt_level=0)
        m.save_model_to_file(str(dst))

    return step


def float16(keep_io):
    def step(src, dst, family):
        from onnxruntime.transformers.float16 import convert_float_to_float16

        onnx.save(convert_float_to_float16(onnx.load(src), keep_io_types=keep_io), dst)

    return step


def dynamic(weights):
    """Dynamic quantisation as transformers.js does it: constant matrices only, per channel."""

    def step(src, dst, family):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(
            str(src),
            str(dst),
            per_channel=True,
            weight_type=getattr(QuantType, weights),
            extra_options={"MatMulConstBOnly": True, "EnableSubgraph": True},
        )

    return step


def qdq(src, dst, family):
    """Static quantisation with Q/DQ around every operator, calibrated on the family's own inputs."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Once(CalibrationDataReader):
        def __init__(self):
            self.left = [{k: v.numpy() for k, v in family.inputs().items()}]

        def get_next(self):
            return self.left.pop() if self.left else None

    quantize_static(
        str(src),
        str(dst),
        Once(),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=False,
    )


def four_bit(gather):
    def step(src, dst, family):
        from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

        kw = {"op_types_to_quantize": ("MatMul", "Gather"), "quant_axes": (("MatMul", 0), ("Gather", 1))} if gather else {}
        q = MatMulNBitsQuantizer(onnx.load(src), block_size=16, is_symmetric=True, **kw)
        q.process()
        q.model.save_model_to_file(str(dst))

    return step


def bfloat16(src, dst, family):
    """Matrices stored as bfloat16 and cast to float32 at the start of the graph (the values are bfloat16 anyway)."""
    m = onnx.load(src)
    casts = []
    for t in m.graph.initializer:
        if t.data_type == TensorProto.FLOAT and len(t.dims) >= 2:
            bits = numpy_helper.to_array(t).astype(np.float32).view(np.uint32) >> 16
            name = t.name
            t.CopyFrom(helper.make_tensor(name + "_bf16", TensorProto.BFLOAT16, t.dims, bits.astype(np.uint16).tobytes(), raw=True))
            casts.append(helper.make_node("Cast", [name + "_bf16"], [name], to=TensorProto.FLOAT, name=name + "/Cast"))
    nodes = list(m.graph.node)
    del m.graph.node[:]
    m.graph.node.extend([*casts, *nodes])
    onnx.save(m, dst)


# ---------------------------------------------------------------- functions and If, by hand

LAYER = re.compile(r"^(.*?/(?:layers?|blocks|h|encoder_layer)[._]?\w*\.(\d+))/")


def layer_of(node):
    found = LAYER.match(node.name)
    return found.group(1) if found else None


def functions(src, dst, family):
    """Each layer's nodes become one call of a model-local function; equal bodies share one function."""
    m = onnx.load(src)
    opset = [o for o in m.opset_import if o.domain == ""][0]
    runs = []
    for n in m.graph.node:
        k = layer_of(n)
        if k is not None and runs and runs[-1][0] == k:
            runs[-1][1].append(n)
        else:
            runs.append((k, [n]))
    made, nodes = {}, []
    for i, (k, group) in enumerate(runs):
        if k is None or len(group) < 20:
            nodes += group
            continue
        later = {x for _, g in runs[i + 1 :] for n in g for x in n.input} | {o.name for o in m.graph.output}
        inside = {x for n in group for x in n.output}
        ins = list(dict.fromkeys(x for n in group for x in n.input if x and x not in inside))
        outs = [x for n in group for x in n.output if x in later]
        names = {x: f"v{j}" for j, x in enumerate([*ins, *(x for n in group for x in n.output if x)])}
        body = []
        for n in group:
            c = onnx.NodeProto()
            c.CopyFrom(n)
            c.name = ""
            c.input[:] = [names.get(x, x) for x in n.input]
            c.output[:] = [names.get(x, x) for x in n.output]
            body.append(c)
        key = b"".join(n.SerializeToString() for n in body) + repr([names[x] for x in outs]).encode()
        if key not in made:
            made[key] = helper.make_function(
                "model.layers", f"Layer{len(made)}", [names[x] for x in ins], [names[x] for x in outs], body, [opset]
            )
        nodes.append(helper.make_node(made[key].name, ins, outs, domain="model.layers", name=f"{k}/{i}"))
    if not made:
        raise RuntimeError("no layers found by node names")
    del m.graph.node[:], m.graph.value_info[:]
    m.graph.node.extend(nodes)
    m.functions.extend(made.values())
    m.opset_import.append(helper.make_opsetid("model.layers", 1))
    m.ir_version = max(m.ir_version, 8)
    onnx.save(m, dst)


def outline(m, name, seeds):
    """Moves each set of nodes in `seeds` into one shared function (their bodies must be equal) and calls it."""
    opset = [o for o in m.opset_import if o.domain == ""][0]
    made, calls = None, {}
    for group in seeds:
        order = [n for n in m.graph.node if any(n is g for g in group)]
        inside = {x for n in order for x in n.output}
        used = {x for n in m.graph.node if not any(n is g for g in order) for x in n.input} | {o.name for o in m.graph.output}
        ins = list(dict.fromkeys(x for n in order for x in n.input if x and x not in inside))
        outs = [x for n in order for x in n.output if x in used]
        names = {x: f"x{j}" for j, x in enumerate(ins)} | {x: f"y{j}" for j, x in enumerate(y for n in order for y in n.output)}
        body = []
        for n in order:
            c = onnx.NodeProto()
            c.CopyFrom(n)
            c.name, c.input[:], c.output[:] = "", [names.get(x, x) for x in n.input], [names[x] for x in n.output]
            body.append(c)
        key = [n.SerializeToString() for n in body]
        if made is None:
            made = (key, helper.make_function("shared", name, [names[x] for x in ins], [names[x] for x in outs], body, [opset]))
        elif made[0] != key:
            raise RuntimeError(f"{name}: bodies differ")
        calls[id(order[-1])] = helper.make_node(name, ins, outs, domain="shared", name=f"{name}_{len(calls)}")
        calls |= {id(n): None for n in order[:-1]}
    nodes = [calls.get(id(n), n) for n in m.graph.node]
    keep = [n for n in nodes if n is not None]
    copies = [onnx.NodeProto.FromString(n.SerializeToString()) for n in keep]
    del m.graph.node[:]
    m.graph.node.extend(copies)
    m.functions.append(made[1])
    return made[1]


def shared(src, dst, family):
    """The attention core and GELU as functions that every layer calls; the core's Softmax is a function with an attribute inside it."""
    m = onnx.load(src)
    del m.graph.value_info[:]

    def producer(x):
        return next((n for n in m.graph.node if x in n.output), None)

    def consumer(x):
        return next((n for n in m.graph.node if x in n.input), None)

    def core(softmax):
        group, n = [softmax], producer(softmax.input[0])
        while n.op_type != "MatMul":
            group.append(n)
            n = producer(n.input[0])
        group.append(n)
        n = consumer(softmax.output[0])
        while n.op_type != "MatMul":
            group.append(n)
            n = consumer(n.output[0])
        return [*group, n]

    def gelu(erf):
        group = [producer(erf.input[0]), erf]
        for _ in range(3):
            group.append(consumer(group[-1].output[0]))
        return group

    function = outline(m, "Core", [core(n) for n in m.graph.node if n.op_type == "Softmax"])
    outline(m, "Gelu", [gelu(n) for n in m.graph.node if n.op_type == "Erf"])
    for n in function.node:
        if n.op_type == "Softmax":
            n.op_type, n.domain = "Probabilities", "shared"
    function.opset_import.append(helper.make_opsetid("shared", 1))
    inner = helper.make_node("Softmax", ["x"], ["y"])
    inner.attribute.append(onnx.AttributeProto(name="axis", ref_attr_name="axis", type=onnx.AttributeProto.INT))
    opset = [o for o in m.opset_import if o.domain == ""][0]
    m.functions.append(helper.make_function("shared", "Probabilities", ["x"], ["y"], [inner], [opset], attributes=["axis"]))
    m.opset_import.append(helper.make_opsetid("shared", 1))
    m.ir_version = max(m.ir_version, 8)
    onnx.save(m, dst)


def constant_if(src, dst, family):
    """Every Softmax goes into the branch of an If whose condition is an initializer; the other branch is an Identity."""
    m = onnx.load(src)
    m.graph.initializer.append(numpy_helper.from_array(np.array(True), "always"))
    nodes = []
    for i, n in enumerate(m.graph.node):
        if n.op_type != "Softmax":
            nodes.append(n)
            continue
        inner = onnx.NodeProto()
        inner.CopyFrom(n)
        inner.output[0] = f"if{i}_then"
        value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        then = helper.make_graph([inner], f"then{i}", [], [value(f"if{i}_then")])
        other = helper.make_graph([helper.make_node("Identity", [n.input[0]], [f"if{i}_else"])], f"else{i}", [], [value(f"if{i}_else")])
        nodes.append(helper.make_node("If", ["always"], [n.output[0]], name=f"If{i}", then_branch=then, else_branch=other))
    del m.graph.node[:]
    m.graph.node.extend(nodes)
    onnx.save(m, dst)


STEPS = {
    "slim": slim,
    "ortbasic": ort_graph("BASIC"),
    "ortext": ort_graph("EXTENDED"),
    "ortopt": ort_transformers(),
    "ortoptmha": ort_transformers(use_multi_head_attention=True),
    "ortopttanh": ort_transformers(enable_gelu_approximation=True),
    "fp16": float16(False),
    "fp16io": float16(True),
    "int8": dynamic("QInt8"),
    "uint8": dynamic("QUInt8"),
    "qdq": qdq,
    "q4": four_bit(False),
    "q4gather": four_bit(True),
    "bf16": bfloat16,
    "functions": functions,
    "shared": shared,
    "if": constant_if,
    "external": lambda src, dst, family: shutil.copy(src, dst),
}
