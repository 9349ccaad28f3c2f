"""A float32 or float16 ONNX model, a compiled one too, as a float64 one for onnx's reference evaluator.

Every float tensor, declared type, Cast target and scalar constant becomes double; integers stay. What the file rounded when it was
written (a scale of 1/sqrt(d) stored in float32) stays rounded; nothing is rounded any further. `feeds` does the same to inputs.
"""

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

REAL = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}


def to_double(model):
    """Changes the model in place and returns it."""
    _graph(model.graph)
    for function in model.functions:
        _nodes(function.node)
    return model


def feeds(arrays):
    return {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in arrays.items()}


def _tensor(t):
    if t.data_type in REAL:
        t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(t).astype(np.float64), t.name))


def _graph(graph):
    for t in graph.initializer:
        _tensor(t)
    for v in [*graph.input, *graph.output, *graph.value_info]:
        if v.type.tensor_type.elem_type in REAL:
            v.type.tensor_type.elem_type = TensorProto.DOUBLE
    _nodes(graph.node)


def _nodes(nodes):
    for n in nodes:
        for a in n.attribute:
            _attribute(n, a)
        if n.op_type == "ConstantOfShape" and not n.attribute:  # the default is a float32 zero
            n.attribute.append(helper.make_attribute("value", numpy_helper.from_array(np.zeros(1))))


def _attribute(node, a):
    if node.op_type == "Cast" and a.name == "to" and a.i in REAL:
        a.i = TensorProto.DOUBLE
    elif a.type == AttributeProto.TENSOR:
        _tensor(a.t)
    elif a.type == AttributeProto.GRAPH:
        _graph(a.g)
    elif node.op_type == "Constant" and a.name in ("value_float", "value_floats"):
        value = np.float64(a.f) if a.name == "value_float" else np.array(a.floats, np.float64)
        a.CopyFrom(helper.make_attribute("value", numpy_helper.from_array(np.asarray(value))))
