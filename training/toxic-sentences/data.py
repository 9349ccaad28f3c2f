"""Posts with toxic spans (SemEval-2021 task 5, CC0) cut into sentences: toxic = the sentence touches a gold span."""

import ast
import csv
import random
import re
from dataclasses import dataclass
from pathlib import Path

SPLITS = ("train", "trial", "test")
# A sentence ends after . ! ? or an ellipsis (with the quotes and brackets that close it) before white space, or at a line break.
END = re.compile(r"(?<=[.!?…])[\"')\]”’]*\s+|\n+")


@dataclass(frozen=True)
class Sentence:
    id: str
    text: str
    spans: tuple[tuple[int, int], ...]  # gold spans as code points of `text`, end exclusive

    @property
    def label(self) -> int:
        return int(bool(self.spans))

    def utf16_spans(self) -> list[list[int]]:
        """The gold spans as UTF-16 indices, which is how JavaScript counts."""

        def units(n: int) -> int:
            return len(self.text[:n].encode("utf-16-le")) // 2

        return [[units(start), units(end)] for start, end in self.spans]


def runs(marked: list[bool]) -> tuple[tuple[int, int], ...]:
    """The maximal runs of True as (start, end) pairs."""
    edges = [i for i in range(len(marked) + 1) if (i < len(marked) and marked[i]) != (i > 0 and marked[i - 1])]
    return tuple(zip(edges[::2], edges[1::2]))


def sentences(post: str, marked: set[int], name: str) -> list[Sentence]:
    found, start = [], 0
    ends = [(m.start() + len(m.group().rstrip()), m.end()) for m in END.finditer(post)] + [(len(post), len(post))]
    for end, after in ends:
        text = post[start:end]
        left = start + len(text) - len(text.lstrip())
        text = text.strip()
        if re.search(r"\w", text):
            # White space and dashes alone do not make a sentence toxic.
            spans = runs([left + i in marked for i in range(len(text))])
            spans = tuple((a, b) for a, b in spans if re.search(r"\w", text[a:b]))
            found.append(Sentence(f"{name}-{len(found)}", text, spans))
        start = after
    return found


def load(folder: Path, split: str) -> list[Sentence]:
    """The sentences of one split. Posts without any span are left out: the annotators could not agree on which words
    made them toxic, which says nothing about their sentences being clean."""
    with open(folder / f"tsd_{split}.csv", encoding="utf-8", newline="") as file:
        posts = [(row["text"], set(ast.literal_eval(row["spans"]))) for row in csv.DictReader(file)]
    return [s for i, (text, marked) in enumerate(posts) if marked for s in sentences(text, marked, f"{split}-{i}")]


def load_all(folder: Path) -> dict[str, list[Sentence]]:
    """All three splits; a sentence that also stands in a later split is dropped from the earlier one."""
    data = {split: load(folder, split) for split in SPLITS}
    held_out = {s.text.casefold() for s in data["test"]}
    data["trial"] = [s for s in data["trial"] if s.text.casefold() not in held_out]
    held_out |= {s.text.casefold() for s in data["trial"]}
    data["train"] = [s for s in data["train"] if s.text.casefold() not in held_out]
    return data


def shipped(test: list[Sentence], per_label: int, seed: int) -> list[Sentence]:
    """The part of the test split that stands beside the model: as many toxic as clean sentences, in their order."""
    rng = random.Random(seed)
    chosen = set()
    for label in (0, 1):
        # One word cannot be ranked, so it says nothing about an explanation.
        pool = [s for s in test if s.label == label and 3 <= len(s.text.split()) <= 60]
        chosen |= set(rng.sample(pool, per_label))
    return [s for s in test if s in chosen]
