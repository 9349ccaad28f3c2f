"""Which family is written in which spellings, and what a test may expect of each."""

PLAN = {
    "vit": """ts-op17-eager ts-op11-eager ts-op14-sdpa ts-op20-sdpa dynamo-op18-sdpa dynamo-op20-eager dynamo-op23-sdpa
        ts-op17-eager+slim ts-op17-eager-static ts-op14-eager-inits dynamo-op18-sdpa-noopt
        ts-op17-eager+bf16 ts-op17-eager+ortbasic ts-op14-eager+ortext ts-op17-eager+ortopt
        ts-op17-eager+functions ts-op17-eager+shared ts-op17-eager+if ts-op17-eager+external
        ts-op17-eager+fp16 ts-op17-eager+fp16io ts-op17-eager+slim+uint8 ts-op17-eager+qdq ts-op17-eager+q4""",
    "deit_distilled": "ts-op13-eager ts-op14-sdpa+slim dynamo-op18-sdpa dynamo-op20-eager",
    "beit": "dynamo-op18-eager dynamo-op20-sdpa dynamo-op23-sdpa ts-op17-eager+slim",
    "dinov2": "ts-op17-eager ts-op14-sdpa+slim dynamo-op18-sdpa dynamo-op23-sdpa",
    "dinov3": "dynamo-op18-sdpa dynamo-op20-eager",
    "cosine_vit": "ts-op17-plain ts-op14-plain+slim dynamo-op18-plain",
    "qwen3_cls": "ts-op17-eager+slim dynamo-op18-sdpa",
    "gemma_cls": "ts-op17-eager+slim dynamo-op18-sdpa",
    "gpt_neox_cls": "ts-op17-eager+slim dynamo-op18-sdpa",
    "bloom_cls": "ts-op17-eager dynamo-op18-eager",
    "dinov2_reg": "dynamo-op18-sdpa dynamo-op23-sdpa",
    "swin": "dynamo-op18-eager dynamo-op23-sdpa ts-op17-eager+slim ts-op14-eager-sizes dynamo-op18-eager-sizes",
    "swin_sizes": "ts-op17-eager ts-op14-sdpa+slim dynamo-op20-eager dynamo-op23-sdpa",
    "swinv2": "dynamo-op18-eager dynamo-op20-eager ts-op17-eager-static+slim ts-op17-eager-sizes+slim",
    "swinv2_sizes": "ts-op17-eager+slim ts-op14-eager",
    "pvt": "ts-op17-eager ts-op14-eager+slim dynamo-op18-eager ts-op17-eager-sizes",
    "segformer": "ts-op17-eager dynamo-op20-eager ts-op17-eager-sizes",
    "mobilevit": "dynamo-op18-eager dynamo-op18-eager+uint8 ts-op17-eager-sizes",
    "mobilevit_sizes": "ts-op17-eager",
    "siglip_cls": "ts-op17-eager dynamo-op18-sdpa dynamo-op23-sdpa",
    "bert": """ts-op17-eager ts-op11-eager ts-op14-sdpa dynamo-op18-sdpa dynamo-op20-eager dynamo-op23-sdpa
        ts-op17-eager+ortbasic ts-op14-eager+ortext ts-op17-eager+ortopt ts-op17-eager+ortoptmha
        ts-op17-eager+ortopttanh dynamo-op18-sdpa+ortopt
        ts-op17-eager+functions dynamo-op20-eager+if dynamo-op18-eager+shared ts-op17-eager+fp16 ts-op17-eager+fp16io
        ts-op17-eager+int8 ts-op17-eager+slim+q4 ts-op17-eager+q4gather""",
    "bert_qa": "ts-op17-eager dynamo-op18-sdpa",
    "bert_token_cls": "ts-op17-eager dynamo-op18-sdpa ts-op13-eager+slim",
    "distilbert": "ts-op14-sdpa dynamo-op18-sdpa dynamo-op23-sdpa ts-op17-eager+ortopt",
    "roberta": "ts-op17-eager dynamo-op18-sdpa dynamo-op23-sdpa ts-op11-eager+slim",
    "xlm_roberta": "ts-op17-eager+slim dynamo-op18-sdpa",
    "electra": "ts-op17-eager dynamo-op18-sdpa",
    "albert": "ts-op17-eager ts-op14-sdpa+slim dynamo-op18-sdpa",
    "mpnet": "ts-op17-eager dynamo-op18-eager",
    "deberta_v2": "ts-op17-eager dynamo-op18-eager dynamo-op20-eager ts-op17-eager+slim+int8",
    "modernbert": "ts-op17-eager ts-op17-sdpa+slim dynamo-op18-sdpa dynamo-op23-sdpa",
    "t5_encoder": "ts-op17-eager dynamo-op18-sdpa dynamo-op23-sdpa",
    "sentence": "ts-op17-eager dynamo-op18-sdpa ts-op17-eager+fp16io",
    "bart_cls": "ts-op17-eager dynamo-op18-eager dynamo-op23-sdpa",
    "gpt2": """ts-op17-eager ts-op14-sdpa+slim dynamo-op18-sdpa dynamo-op23-sdpa ts-op17-eager+ortopt ts-op17-eager+slim+int8
        ts-op17-eager-double""",
    "gpt2_lm": "ts-op17-eager+slim dynamo-op23-sdpa",
    "llama_cls": "ts-op17-eager ts-op14-sdpa+slim dynamo-op18-sdpa dynamo-op23-sdpa",
    "llama_lm": "ts-op17-eager+slim dynamo-op20-eager",
    "clip": "ts-op17-eager dynamo-op18-sdpa dynamo-op23-sdpa ts-op17-eager+ortopt ts-op17-eager+fp16io",
    "clip_vision": "ts-op17-eager dynamo-op18-sdpa",
    "clip_text": "ts-op17-eager dynamo-op18-sdpa",
    "siglip": "ts-op17-eager+slim dynamo-op18-sdpa dynamo-op23-sdpa",
    "timm_vit": "ts-op17-eager ts-op14-sdpa ts-op11-eager+slim dynamo-op18-sdpa dynamo-op23-sdpa ts-op17-eager+fp16",
    "torchvision_vit": "ts-op17-plain dynamo-op18-plain dynamo-op23-plain ts-op17-plain+functions",
    "torch_encoder_vit": "ts-op17-plain dynamo-op18-plain dynamo-op23-plain",
    "torch_encoder_prenorm": "ts-op17-plain dynamo-op18-plain",
    "einsum_vit": "ts-op17-plain dynamo-op18-plain ts-op12-plain+ortext",
    "swiglu_rms_vit": "ts-op17-plain dynamo-op18-plain dynamo-op23-plain ts-op14-plain+ortext",
    "mha_text": "ts-op17-plain dynamo-op18-plain dynamo-op23-plain",
    "dense_vit": "ts-op17-plain dynamo-op18-plain dynamo-op23-plain ts-op17-plain+uint8",
}


OPTIMUM = {  # steps after optimum-onnx; transformers.js publishes slimmed and quantised files
    "vit": ["", "+ortopt", "+slim+uint8", "+slim+fp16io"],
    "bert": ["", "+slim+int8", "+ortopt"],
    "distilbert": ["", "+ortopt"],
    "clip": ["", "+ortopt"],
    "deberta_v2": ["", "+slim"],
}


def spellings_of(family):
    if family.source is not None:
        import numpy as np

        made = np.load(family.source.with_suffix(".npz"))
        base = f"optimum-op{int(made['opset'])}-{made['attention']}"
        return [base + s for s in OPTIMUM.get(family.source.stem, [""])]
    return PLAN[family.name].split()


FORMATS = {
    "fp16": "float16",
    "fp16io": "float16",
    "int8": "int8",
    "uint8": "uint8",
    "qdq": "qdq",
    "q4": "int4",
    "q4gather": "int4",
    "double": "float64",
    "bf16": "bfloat16",
}
NOTES = {
    "static": "fixed shapes",
    "sizes": "height and width dynamic",
    "inits": "keep_initializers_as_inputs",
    "double": "every tensor float64",
    "noopt": "dynamo exporter with optimize=False",
    "slim": "onnxslim",
    "ortbasic": "saved by onnxruntime, level basic",
    "ortext": "saved by onnxruntime, level extended",
    "ortopt": "onnxruntime.transformers optimizer",
    "ortoptmha": "onnxruntime.transformers optimizer, MultiHeadAttention",
    "ortopttanh": "onnxruntime.transformers optimizer, GELU approximated by tanh (another function)",
    "functions": "layers moved into model-local functions by hand",
    "shared": "attention core, Softmax and GELU as functions that every layer calls",
    "if": "every Softmax inside an If whose condition is constant true",
    "external": "weights in a second file",
    "bf16": "matrices stored as bfloat16, cast to float32",
    "fp16": "float16, inputs and outputs too",
    "fp16io": "float16, float32 inputs and outputs",
    "int8": "onnxruntime dynamic quantisation, int8 weights",
    "uint8": "onnxruntime dynamic quantisation, uint8 weights",
    "qdq": "onnxruntime static quantisation, QuantizeLinear and DequantizeLinear",
    "q4": "MatMulNBits, 4 bit",
    "q4gather": "MatMulNBits and GatherBlockQuantized, 4 bit",
}


def format_of(flags, steps):
    return next((FORMATS[x] for x in [*steps, *flags] if x in FORMATS), "float32")


def notes(flags, steps):
    return [NOTES[x] for x in [*flags, *steps]]


def expectation(entry):
    """What a float64 evaluation of the same rules on this file gives against the family's golden.

    exact: 1e-6. folded: constants folded or stored in float32 where others compute them, up to 1e-2. half: float16. correlation:
    another function (quantised, tanh GELU): compare with the file's own golden (own.<file>...), with the family's by rank only.
    forward: the interpreter does not run it.
    """
    f = entry["float64"]
    if f is None:
        return "forward"
    if f["E"] < 1e-6 and f["map"] < 1e-6:
        return "exact"
    if entry["format"] == "float16":
        return "half"
    if "ortopttanh" in entry["spelling"]:
        return "correlation"
    return "folded" if f["E"] < 1e-2 and f["map"] < 1e-2 else "correlation"
