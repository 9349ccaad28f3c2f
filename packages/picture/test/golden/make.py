"""Writes resample.json and preprocess.json beside this file: what Pillow and transformers make of synthetic pictures.

Needs Python 3.11, pillow==13.0.0, numpy and transformers==4.46.3 (without torch: the image processors only need numpy and
Pillow). Run: python make.py. The tests read the JSON only.

The pictures come from a linear congruential generator, blended with a gradient, so that the tests can make them, too:
  s = (s * 1103515245 + 12345) mod 2^31, one step for each sample in storage order;
  sample = ((s >> 16) & 255) for "noise", and ((s >> 16) & 63) + (x * 3 + y * 2 + c * 40) mod 192 for "soft".
"""
import base64
import json
import os

import numpy as np
import transformers
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def picture(kind, width, height, channels, seed):
    out, s = np.zeros((height, width, channels), np.uint8), seed
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                s = (s * 1103515245 + 12345) % 2**31
                v = (s >> 16) & 255
                out[y, x, c] = v if kind == "noise" else (v & 63) + (x * 3 + y * 2 + c * 40) % 192
    return out


def image(array):
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def text(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def fnv(data):
    h = 2166136261
    for b in data:
        h = ((h ^ b) * 16777619) % 2**32
    return h


resample = []
for kind, w, h, c, to in [
    ("noise", 37, 23, 3, (11, 9)), ("noise", 37, 23, 1, (50, 40)), ("noise", 13, 41, 3, (12, 10)),
    ("soft", 40, 30, 4, (17, 13)), ("noise", 9, 9, 3, (9, 4)), ("soft", 16, 16, 1, (5, 16)), ("noise", 5, 7, 4, (12, 3)),
    ("noise", 3, 200, 1, (3, 7)), ("soft", 1, 1, 3, (4, 3)),
]:
    for name, code in FILTERS.items():
        out = np.array(image(picture(kind, w, h, c, w * h + c)).resize(to, code))
        resample.append({"kind": kind, "width": w, "height": h, "channels": c, "to": to, "filter": name, "data": text(out)})
for w, h, to in [(640, 480, (224, 224)), (480, 640, (256, 341)), (96, 96, (224, 224)), (1000, 667, (335, 224))]:
    for name, code in FILTERS.items():
        out = np.array(image(picture("soft", w, h, 3, w * h + 3)).resize(to, code))
        resample.append({"kind": "soft", "width": w, "height": h, "channels": 3, "to": to, "filter": name, "fnv": fnv(out.tobytes())})
with open(os.path.join(HERE, "resample.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(r) for r in resample) + "\n]\n")

CASES = [
    ("ViT", {"size": {"height": 8, "width": 12}}), ("ViT", {"size": 10, "resample": 3}),
    ("ViT", {"size": 10, "do_rescale": False}), ("ViT", {"size": 10, "do_normalize": False}), ("ViT", {"do_resize": False}),
    ("DeiT", {"size": 14, "crop_size": 10}), ("DeiT", {"size": 14, "crop_size": {"height": 9, "width": 10}}),
    ("Beit", {"size": 8, "crop_size": 11}), ("Beit", {"size": 12, "do_center_crop": False}),
    ("CLIP", {"size": 12, "crop_size": 9}), ("CLIP", {"size": {"shortest_edge": 9}, "crop_size": {"height": 9, "width": 9}}),
    ("CLIP", {"size": {"shortest_edge": 8}, "crop_size": 13}),
    ("Bit", {"size": {"shortest_edge": 13}, "crop_size": 10}), ("Siglip", {"size": {"height": 10, "width": 10}}),
    ("ConvNext", {"size": {"shortest_edge": 10}, "crop_pct": 0.8}), ("ConvNext", {"size": 10, "crop_pct": 0.875}),
    ("Levit", {"size": {"shortest_edge": 10}, "crop_size": 9}), ("Pvt", {"size": 9}), ("Segformer", {"size": 9}),
    ("PoolFormer", {"size": {"shortest_edge": 9}, "crop_size": 9, "crop_pct": 0.9}),
    ("MobileViT", {"size": {"shortest_edge": 12}, "crop_size": 10}), ("Blip", {"size": {"height": 9, "width": 9}}),
    ("Detr", {"size": {"shortest_edge": 10, "longest_edge": 14}, "do_pad": False}),
    ("Detr", {"size": {"shortest_edge": 6, "longest_edge": 40}, "do_pad": False}),
    ("Sam", {"size": {"longest_edge": 12}, "pad_size": {"height": 12, "width": 13}}),
]
preprocess = []
for name, settings in CASES:
    for w, h in [(23, 17), (15, 22)]:
        processor = getattr(transformers, name + "ImageProcessor")(**settings)
        out = processor(image(picture("soft", w, h, 3, w * h + 3)), return_tensors="np")["pixel_values"]
        config = processor.to_dict()
        raw = {**settings, "image_processor_type": name + "ImageProcessor"}
        preprocess.append({"config": config, "raw": raw, "width": w, "height": h, "dims": out.shape, "data": text(out.astype("<f4"))})
with open(os.path.join(HERE, "preprocess.json"), "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(r) for r in preprocess) + "\n]\n")
