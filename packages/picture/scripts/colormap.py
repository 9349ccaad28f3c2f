"""Writes src/colormap-data.ts. Needs numpy and matplotlib (pip install matplotlib); run from packages/picture.

viridis, magma, inferno and cividis are read from matplotlib (CC0). "blue-white-red" is our own: two arms in OKLab with the same lightness at the same distance
from the middle, so that +x and -x look equally strong, and hues (blue 258, red-orange 35 degrees) that stay apart for
people with red-green colour blindness.
"""
import numpy as np
from matplotlib import colormaps


def table(name):
    return np.round(colormaps[name](np.arange(256))[:, :3] * 255).astype(int)


def oklch(lightness, chroma, hue):
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    s = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    rgb = np.stack([
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    ], -1)
    return np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * np.maximum(rgb, 0) ** (1 / 2.4) - 0.055)


def in_gamut(rgb):
    return ((rgb >= -1e-6) & (rgb <= 1 + 1e-6)).all(-1)


def diverging():
    out = np.zeros((256, 3))
    for i in range(256):
        t = (i - 127.5) / 127.5
        lightness = 0.975 - 0.555 * abs(t)
        wanted = 0.19 * min(1.0, abs(t) ** 0.8 * 1.15)
        hue = 258 if t < 0 else 32
        for chroma in np.linspace(wanted, 0, 400):
            rgb = oklch(np.array(lightness), chroma, hue)
            if in_gamut(rgb):
                break
        out[i] = np.clip(rgb, 0, 1)
    return np.round(out * 255).astype(int)


def literal(values):
    text = "".join("%02x%02x%02x" % tuple(v) for v in values)
    rows = [text[i:i + 108] for i in range(0, len(text), 108)]
    return " +\n    ".join('"%s"' % r for r in rows)


tables = {n: table(n) for n in ["viridis", "magma", "inferno", "cividis"]}
tables["blue-white-red"] = diverging()
tables["greys"] = np.repeat(np.arange(256)[:, None], 3, 1)
with open("src/colormap-data.ts", "w") as f:
    f.write("""/**
 * Colour tables, 256 entries of RGB as hexadecimal text. Written by scripts/colormap.py: do not edit.
 * viridis, magma, inferno: Nathaniel J. Smith, Stefan van der Walt, Eric Firing, CC0 (matplotlib).
 * cividis: Jamie R. Nunez, Christopher R. Anderton, Ryan S. Renslow, PLoS ONE 13(7), 2018 (matplotlib, CC0).
 * blue-white-red and greys: this project.
 */
// biome-ignore format: generated
export const colormapData = {
""")
    for name, values in tables.items():
        f.write('  "%s":\n    %s,\n' % (name, literal(values)))
    f.write("} as const;\n")
