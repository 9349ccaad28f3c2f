"""The BCCD photographs, their boxes, and the square crops that the classifier sees.

A crop is 288 source pixels wide. A class is *present* in it when at least half of one of its boxes is visible, *absent*
when less than a tenth of each of them is, and otherwise *uncounted*: a sliver of a cell is neither a fair positive nor
a fair negative.
"""

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from PIL import Image

LABELS = ["WBC", "Platelets"]  # the outputs of the model, in this order
BOX_CLASSES = [*LABELS, "RBC"]  # red cells are no label (nearly every crop has some), but their boxes help training
CROP = 288  # source pixels
SIZE = 96  # pixels of the model's input
GRID = SIZE // 8  # patches along one side

PRESENT, ABSENT, UNCOUNTED = 1, 0, -1


@dataclass
class Photograph:
    name: str
    image: Image.Image
    boxes: np.ndarray  # [n, 4] as x0, y0, x1, y1 in source pixels
    classes: np.ndarray  # [n] indices into BOX_CLASSES


def load_split(data: Path, split: str) -> list[Photograph]:
    """All photographs of one of the data set's own splits: train, val or test."""
    root = data / "BCCD"
    names = (root / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
    return [load_photograph(root, name) for name in names]


def load_photograph(root: Path, name: str) -> Photograph:
    image = Image.open(root / "JPEGImages" / f"{name}.jpg").convert("RGB")
    boxes, classes = [], []
    for item in ElementTree.parse(root / "Annotations" / f"{name}.xml").iter("object"):
        corner = item.find("bndbox")
        box = [float(corner.findtext(key)) for key in ("xmin", "ymin", "xmax", "ymax")]
        if box[2] > box[0] and box[3] > box[1]:  # a few annotations have no area
            boxes.append(box)
            classes.append(BOX_CLASSES.index(item.findtext("name")))
    return Photograph(name, image, np.array(boxes).reshape(-1, 4), np.array(classes, dtype=int))


def area(boxes: np.ndarray) -> np.ndarray:
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def clip(boxes: np.ndarray, window) -> np.ndarray:
    """The part of each box that lies inside the window (x0, y0, x1, y1); a box outside keeps no area."""
    x0, y0, x1, y1 = window
    return np.stack([boxes[:, 0].clip(x0, x1), boxes[:, 1].clip(y0, y1), boxes[:, 2].clip(x0, x1), boxes[:, 3].clip(y0, y1)], 1)


def label(visible: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """PRESENT, ABSENT or UNCOUNTED for each label, from the visible fraction and the class of each box."""
    most = [visible[classes == i].max(initial=0) for i in range(len(LABELS))]
    return np.array([PRESENT if m >= 0.5 else ABSENT if m < 0.1 else UNCOUNTED for m in most])


def mask(boxes: np.ndarray) -> np.ndarray:
    """The union of boxes (in units of the crop's side) as the model's pixels that have their centre in one of them."""
    at = (np.arange(SIZE) + 0.5) / SIZE
    inside = np.zeros((SIZE, SIZE), dtype=bool)
    for x0, y0, x1, y1 in boxes:
        inside |= ((at >= y0) & (at < y1))[:, None] & ((at >= x0) & (at < x1))[None, :]
    return inside


def per_patch(pixels: np.ndarray) -> np.ndarray:
    """Means over the patches: [..., 96, 96] to [..., 12, 12]."""
    side = SIZE // GRID
    return pixels.reshape(*pixels.shape[:-2], GRID, side, GRID, side).mean((-3, -1))


def resize(image: Image.Image, window) -> Image.Image:
    """Crop, then scale to the model's input: exactly what a 288 x 288 picture of the crop goes through later."""
    return image.crop(window).resize((SIZE, SIZE), Image.Resampling.BILINEAR)


def grid_windows(image: Image.Image) -> list[tuple[int, int, int, int]]:
    """The six evaluation crops of a photograph: three columns, two rows, flush with its borders."""
    xs = [round(i * (image.width - CROP) / 2) for i in range(3)]
    ys = [0, image.height - CROP]
    return [(x, y, x + CROP, y + CROP) for y in ys for x in xs]


@dataclass
class Crop:
    """One evaluation crop."""

    photograph: str
    window: tuple[int, int, int, int]
    pixels: np.ndarray  # [96, 96, 3] uint8
    labels: np.ndarray  # [2]
    boxes: np.ndarray  # [n, 4] in pixels of the 288 px crop: the visible part of each box
    classes: np.ndarray


def grid_crops(photographs: list[Photograph]) -> list[Crop]:
    crops = []
    for photo in photographs:
        for window in grid_windows(photo.image):
            inside = clip(photo.boxes, window)
            seen = area(inside) > 0
            offset = np.array([window[0], window[1]] * 2)
            crops.append(
                Crop(
                    photo.name,
                    window,
                    np.asarray(resize(photo.image, window)),
                    label(area(inside) / area(photo.boxes), photo.classes),
                    inside[seen] - offset,
                    photo.classes[seen],
                )
            )
    return crops
