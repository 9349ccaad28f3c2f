"""Random training crops: where they are cut, what is pasted into them, and how their colours vary."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from bccd import BOX_CLASSES, CROP, LABELS, SIZE, Photograph, area, clip, label, mask, per_patch, resize

AT_LABEL = (0.2, 0.3)  # how often a crop is placed around a white cell, around a platelet; else anywhere
MIX = 0.25  # how often a rectangle of another crop is pasted in


@dataclass
class Cut:
    pixels: np.ndarray  # [96, 96, 3] uint8
    masks: np.ndarray  # [3, 96, 96] bool: the boxes of each class
    boxes: np.ndarray  # [n, 4] visible part of each box, in units of the crop's side
    visible: np.ndarray  # [n] visible fraction of each box
    classes: np.ndarray  # [n]


class Crops:
    """An endless source of training crops with labels and per-patch occupancy."""

    def __init__(self, photographs: list[Photograph], rng: np.random.Generator):
        self.photographs, self.rng = photographs, rng
        self.of_label = [[(p, box) for p in photographs for box in p.boxes[p.classes == i]] for i in range(len(LABELS))]

    def batch(self, n: int):
        """Pixels [n, 96, 96, 3] uint8, labels [n, 2], occupancy [n, 144, 3] in 0..1."""
        pixels, labels, occupancy = (np.stack(part) for part in zip(*(self.sample() for _ in range(n))))
        occupancy = occupancy.reshape(n, len(BOX_CLASSES), -1).transpose(0, 2, 1)
        return torch.from_numpy(pixels), torch.from_numpy(labels), torch.from_numpy(occupancy).float()

    def sample(self):
        crop = self.cut()
        if self.rng.random() < MIX:
            crop = self.paste(crop, self.cut())
        pixels, masks = crop.pixels, crop.masks
        turns = self.rng.integers(4)
        pixels, masks = np.rot90(pixels, turns), np.rot90(masks, turns, (1, 2))
        if self.rng.random() < 0.5:
            pixels, masks = pixels[:, ::-1], masks[:, :, ::-1]
        return pixels, label(crop.visible, crop.classes), per_patch(masks)

    def cut(self) -> Cut:
        photo, window = self.window()
        inside = clip(photo.boxes, window)
        visible = area(inside) / area(photo.boxes)
        some = visible > 0
        origin, side = np.array(window[:2] * 2), np.array([window[2] - window[0], window[3] - window[1]] * 2)
        boxes, classes = (inside[some] - origin) / side, photo.classes[some]
        masks = np.stack([mask(boxes[classes == i]) for i in range(len(BOX_CLASSES))])
        return Cut(np.asarray(resize(photo.image, window)), masks, boxes, visible[some], classes)

    def window(self) -> tuple[Photograph, tuple[int, int, int, int]]:
        """A photograph and a window of about the size of an evaluation crop, wholly inside the photograph."""
        rng = self.rng
        size = np.round(CROP * np.exp(rng.uniform(-0.3, 0.3) + np.array([1, -1]) * rng.uniform(-0.1, 0.1)))
        choice = np.searchsorted(np.cumsum(AT_LABEL), rng.random())
        if choice < len(LABELS):
            photo, box = self.of_label[choice][rng.integers(len(self.of_label[choice]))]
            corner = (box[:2] + box[2:]) / 2 - size * rng.random(2)
        else:
            photo = self.photographs[rng.integers(len(self.photographs))]
            corner = (np.array(photo.image.size) - size) * rng.random(2)
        corner = np.round(corner).clip(0, np.array(photo.image.size) - size)
        return photo, tuple(int(v) for v in (*corner, *(corner + size)))

    def paste(self, a: Cut, b: Cut) -> Cut:
        """A rectangle of b at the same place in a; each box keeps what can still be seen of it."""
        sides = np.round(SIZE * self.rng.uniform(0.3, 0.75, 2))
        corner = np.round((SIZE - sides) * self.rng.random(2))
        x0, y0, x1, y1 = (int(v) for v in (*corner, *(corner + sides)))
        pixels, masks = a.pixels.copy(), a.masks.copy()
        pixels[y0:y1, x0:x1], masks[:, y0:y1, x0:x1] = b.pixels[y0:y1, x0:x1], b.masks[:, y0:y1, x0:x1]
        window = np.array([x0, y0, x1, y1]) / SIZE
        under, over = (area(clip(c.boxes, window)) / area(c.boxes) for c in (a, b))
        visible = np.concatenate([a.visible * (1 - under), b.visible * over])
        return Cut(pixels, masks, np.concatenate([a.boxes, b.boxes]), visible, np.concatenate([a.classes, b.classes]))


def recolour(pixels, generator: torch.Generator):
    """Other stains, lamps and cameras: [n, 96, 96, 3] uint8 to the same as floats 0..255."""

    def random(*shape, scale):
        return scale * torch.randn(len(pixels), *shape, generator=generator)

    x = pixels.float() / 255
    x = x.clamp(min=1e-3) ** random(1, 1, 1, scale=0.2).exp()  # gamma
    x = x @ (torch.eye(3) + random(3, 3, scale=0.08))[:, None]  # hue, saturation and white balance in one
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * random(1, 1, 1, scale=0.25).exp() + mean + random(1, 1, 1, scale=0.08)  # contrast, brightness
    soft = F.avg_pool2d(x.movedim(-1, 1), 3, 1, 1, count_include_pad=False).movedim(1, -1)
    x = torch.lerp(x, soft, random(1, 1, 1, scale=0.5))  # blurs or sharpens
    x = x + 0.02 * torch.randn(x.shape, generator=generator) * random(1, 1, 1, scale=1)
    return 255 * x.clamp(0, 1)
