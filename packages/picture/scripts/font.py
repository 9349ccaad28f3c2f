"""Writes src/font-data.ts from Spleen's PSF2 files (https://github.com/fcambus/spleen, BSD-2-Clause; Debian: fonts-spleen).
Run from packages/picture: python scripts/font.py FOLDER, where FOLDER holds spleen-6x12.psfu.gz and so on.

Code points that Spleen lacks are made here: dashes, ellipsis, the minus sign, quotes and the box for unknown characters.
"""
import base64
import gzip
import struct
import sys

CODES = list(range(32, 127)) + list(range(0xA0, 0x100))
SIZES = [(6, 12), (8, 16), (12, 24), (16, 32)]


def glyphs(path, width, height):
    """{code point: rows of bits} of a PSF1 or PSF2 font with a Unicode table."""
    data = gzip.open(path).read()
    old = data[:2] == b"\x36\x04"
    if old:
        mode, size = data[2:4]
        header, count, w, h = 4, 512 if mode & 1 else 256, 8, size
        assert mode & 2
    else:
        magic, _, header, flags, count, size, h, w = struct.unpack("<8I", data[:32])
        assert magic == 0x864AB572 and flags & 1
    assert (w, h) == (width, height)
    stride = (w + 7) // 8
    bitmaps = []
    for i in range(count):
        raw = data[header + i * size:header + (i + 1) * size]
        bitmaps.append([[raw[y * stride + x // 8] >> (7 - x % 8) & 1 for x in range(w)] for y in range(h)])
    table, at = {}, header + count * size
    for i in range(count):
        if old:
            while (code := struct.unpack_from("<H", data, at)[0]) != 0xFFFF:
                table.setdefault(code, bitmaps[i])
                at += 2
            at += 2
        else:
            end = data.index(0xFF, at)
            for ch in data[at:end].split(b"\xfe")[0].decode("utf-8"):
                table.setdefault(ord(ch), bitmaps[i])
            at = end + 1
    return table


def blank(w, h):
    return [[0] * w for _ in range(h)]


def extra(table, w, h):
    dash = table[ord("-")]
    rows = [y for y in range(h) if any(dash[y])]
    def bar(left, right):
        g = blank(w, h)
        for y in rows:
            for x in range(left, right):
                g[y][x] = 1
        return g
    table[0x2013] = bar(max(0, w // 8 - 0), w - w // 8)
    table[0x2014] = bar(0, w)
    table[0x2212] = bar(w // 8, w - w // 8)
    dot = table[ord(".")]
    ys = [y for y in range(h) if any(dot[y])]
    size = max(1, w // 6)
    g = blank(w, h)
    for k in range(3):
        x0 = round((k + 0.5) * w / 3 - size / 2)
        for y in ys[-size:] if len(ys) >= size else ys:
            for x in range(x0, min(w, x0 + size)):
                g[y][x] = 1
    table[0x2026] = g
    ge = blank(w, h)
    sign = table[ord(">")]
    under = max(y for y in range(h) if any(sign[y])) + max(2, h // 12)
    for y in range(h):
        for x in range(w):
            ge[y][x] = sign[y][x]
    for y in range(under, under + len(rows)):
        for x in range(w // 8, w - w // 8):
            ge[y][x] = 1
    table[0x2265] = ge
    for code, ascii in [(0x2018, "'"), (0x2019, "'"), (0x201C, '"'), (0x201D, '"')]:
        table[code] = table[ord(ascii)]
    box = blank(w, h)
    top, bottom = h // 6, h - h // 4
    for y in range(top, bottom):
        for x in range(w // 8, w - w // 8):
            edge = y < top + max(1, h // 16) or y >= bottom - max(1, h // 16)
            side = x < w // 8 + max(1, w // 12) or x >= w - w // 8 - max(1, w // 12)
            box[y][x] = int(edge or side)
    table[0xFFFD] = box


MORE = [0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x2212, 0x2265, 0xFFFD]


def pack(table, w, h):
    bits = []
    for code in CODES + MORE:
        for row in table[code]:
            bits.extend(row)
    bits += [0] * (-len(bits) % 8)
    raw = bytes(int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, len(bits), 8))
    return base64.b64encode(raw).decode()


with open("src/font-data.ts", "w") as f:
    f.write('''/*!
 * Glyphs of the bitmap font Spleen in four sizes: width x height bits each, row-major, most significant bit first, packed without
 * gaps, as base64. Written by scripts/font.py: do not edit. Dashes, ellipsis, quotes, the >= sign and the box are ours.
 *
 * Spleen: Copyright (c) 2018-2020, Frederic Cambus. BSD-2-Clause:
 * Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following
 * conditions are met: 1. Redistributions of source code must retain the above copyright notice, this list of conditions and the
 * following disclaimer. 2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and
 * the following disclaimer in the documentation and/or other materials provided with the distribution.
 * THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT
 * NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL
 * THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
 * (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS
 * INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE
 * OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
 */
// biome-ignore-all format: generated

''')
    f.write("/** The code points, in the order of the glyphs: two ranges (inclusive), then single ones; the last is the box. */\n")
    f.write("export const fontRanges = [[32, 126], [160, 255]] as const;\n")
    f.write("export const fontSingles = [%s] as const;\n" % ", ".join("0x%04x" % c for c in MORE))
    f.write("export const fontData = {\n")
    for w, h in SIZES:
        table = glyphs("%s/spleen-%dx%d.psfu.gz" % (sys.argv[1], w, h), w, h)
        extra(table, w, h)
        text = pack(table, w, h)
        rows = [text[i:i + 116] for i in range(0, len(text), 116)]
        f.write('  "%dx%d":\n    %s,\n' % (w, h, " +\n    ".join('"%s"' % r for r in rows)))
    f.write("} as const;\n")
