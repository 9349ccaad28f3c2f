"""Writes the pictures that are shipped with the model: a few samples, and the whole evaluation split at 96 pixels.

    python pictures.py --data PATH/bccd --out ../../models/blood-cells

Both come from the test photographs only. The notes beside the pictures are part of this script, so that they stay true.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

from bccd import ABSENT, BOX_CLASSES, CROP, LABELS, PRESENT, SIZE, Crop, grid_crops, load_split

SAMPLES = [  # photograph and upper left corner of the crop
    ("BloodImage_00031", (176, 0)),  # white cell and platelets
    ("BloodImage_00366", (0, 0)),  # white cell and one platelet
    ("BloodImage_00407", (352, 192)),  # white cell and one platelet
    ("BloodImage_00068", (176, 0)),  # platelets alone
    ("BloodImage_00226", (176, 0)),  # white cell alone
    ("BloodImage_00180", (352, 192)),  # neither
]
COLUMNS = 24  # tiles in a row of the contact sheet
WORDS = {PRESENT: "present", ABSENT: "absent"}

SPLIT_NOTE = f"""# The test split

Six crops of each of the 72 test photographs of BCCD (MIT, see `../samples/LICENSE`): three columns by two rows, each
{CROP} x {CROP} source pixels, flush with the photograph's borders and overlapping.

- `crops.png`: the crops, scaled to {SIZE} x {SIZE} with an antialiased bilinear filter, which is what the model's own
  preprocessing makes of a {CROP} x {CROP} picture. Lossless. Tile i is in column `i mod {COLUMNS}`, row `i div {COLUMNS}`, without gaps.
- `crops.json`: `crops[i]` describes tile i. `photo` is the name in the data set, `crop` is [x, y, width, height] in the
  photograph, `boxes` are [x0, y0, x1, y1] in pixels of the {CROP} px crop (divide by {CROP // SIZE} for the tile), cut off at its border; red cells
  are left out. `labels` says of each label: *present* (at least half of one of its boxes is visible), *absent* (less
  than a tenth of each is), or *uncounted* (between the two; such crops belong in no score of that label).

`training/blood-cells/pictures.py` writes this folder, `training/blood-cells/evaluate.py` reads it.
"""


def named_boxes(crop: Crop, classes: list[str]) -> list[dict]:
    names = [BOX_CLASSES[i] for i in crop.classes]
    return [{"label": n, "box": [int(v) for v in b]} for n, b in zip(names, crop.boxes) if n in classes]


def write_samples(crops: list[Crop], images: dict[str, Image.Image], out: Path, licence: Path):
    out.mkdir(parents=True, exist_ok=True)
    index = {}
    for name, corner in SAMPLES:
        crop = next(c for c in crops if c.photograph == name and c.window[:2] == corner)
        x, y = corner
        file = f"{name}-{x}-{y}.png"
        images[name].crop(crop.window).save(out / file, optimize=True)
        index[file] = {"source": name, "crop": [x, y, CROP, CROP], "boxes": named_boxes(crop, LABELS)}
    lines = ",\n".join(f"  {json.dumps(file)}: {json.dumps(entry)}" for file, entry in index.items())
    (out / "boxes.json").write_text("{\n" + lines + "\n}\n")
    note = "The pictures in this folder and in ../test-split are cut from the BCCD data set, under this licence:\n\n"
    (out / "LICENSE").write_text(note + licence.read_text())


def write_split(crops: list[Crop], out: Path):
    out.mkdir(parents=True, exist_ok=True)
    sheet = np.zeros((-(-len(crops) // COLUMNS) * SIZE, COLUMNS * SIZE, 3), dtype=np.uint8)
    lines = []
    for i, crop in enumerate(crops):
        x, y = i % COLUMNS * SIZE, i // COLUMNS * SIZE
        sheet[y : y + SIZE, x : x + SIZE] = crop.pixels
        entry = {
            "photo": crop.photograph,
            "crop": [*crop.window[:2], CROP, CROP],
            "labels": {name: WORDS.get(int(v), "uncounted") for name, v in zip(LABELS, crop.labels)},
            "boxes": named_boxes(crop, LABELS),
        }
        lines.append("  " + json.dumps(entry))
    Image.fromarray(sheet).save(out / "crops.png", optimize=True)
    head = json.dumps({"sheet": "crops.png", "tile": SIZE, "columns": COLUMNS, "side": CROP, "labels": LABELS})
    (out / "crops.json").write_text(head[:-1] + ', "crops": [\n' + ",\n".join(lines) + "\n]}\n")
    (out / "README.md").write_text(SPLIT_NOTE)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set, the one that holds BCCD/")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()

    photographs = load_split(options.data, "test")
    crops = grid_crops(photographs)
    images = {photo.name: photo.image for photo in photographs}
    write_samples(crops, images, options.out / "samples", options.data / "LICENSE")
    write_split(crops, options.out / "test-split")


if __name__ == "__main__":
    main()
