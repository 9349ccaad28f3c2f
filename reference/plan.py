"""Which family is written in which spellings, and what a test may expect of each."""

PLAN = {
    "vit": "ts-op17-eager ts-op11-eager ts-op14-sdpa dynamo-op18-sdpa dynamo-op20-eager dynamo-op23-sdpa ts-op17-eager+slim",
    "beit": "dynamo-op18-eager dynamo-op20-sdpa ts-op17-eager+slim ts-op14-sdpa+slim",
    "clip": "ts-op17-eager ts-op14-sdpa+slim dynamo-op18-sdpa dynamo-op20-eager",
    "dinov2_reg": "dynamo-op18-sdpa dynamo-op20-eager dynamo-op23-sdpa",
    "default": "ts-op17-eager ts-op14-sdpa dynamo-op18-sdpa dynamo-op20-eager",
    "plain": "ts-op17-plain ts-op14-plain dynamo-op18-plain dynamo-op23-plain",
}


def spellings_of(family):
    return PLAN.get(family.name, PLAN["plain" if family.attention == ("plain",) else "default"]).split()


FORMATS = {"fp16": "float16", "fp16io": "float16", "int8": "int8", "uint8": "uint8", "qdq": "qdq", "q4": "int4", "double": "float64", "bf16": "bfloat16"}


def format_of(flags, steps):
    return next((FORMATS[x] for x in [*steps, *flags] if x in FORMATS), "float32")


NOTES = {"slim": "onnxslim", "ortbasic": "saved by onnxruntime, level basic", "ortext": "saved by onnxruntime, level extended"}


def notes(flags, steps):
    return [NOTES[x] for x in [*flags, *steps] if x in NOTES]


def expectation(entry):
    """exact: 1e-6 in float64; folded: constants folded in float32, 1e-3; correlation: another function, compare ranks only."""
    f = entry["float64"]
    if f is None:
        return "forward"
    if f["E"] < 1e-6 and f["map"] < 1e-6:
        return "exact"
    return "folded" if f["E"] < 1e-2 and f["map"] < 1e-2 else "correlation"
