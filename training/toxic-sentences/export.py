"""Writes the model folder: python export.py --data FOLDER --run FOLDER --out FOLDER (--run is what train.py wrote)."""

import argparse
import json
import warnings
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from tokenizers import Tokenizer

from data import Sentence, load_all, shipped
from metrics import scores
from model import Bert
from rationale import marked, token_auprc
from tokens import PAD, SPECIAL

SAMPLES = (
    # Chosen by hand: plain words, no slurs, no names, both labels; 469-1 has a word that often counts as toxic and is not marked.
    "test-981-0",
    "test-1094-0",
    "test-362-1",
    "test-1815-0",
    "test-1701-0",
    "test-883-5",
    "test-438-2",
    "test-1830-2",
    "test-469-1",
    "test-21-1",
)


def export(model: Bert, path: Path):
    ids = torch.tensor([[2, 7, 8, 9, 3], [2, 7, 3, 0, 0]])
    mask = (ids != PAD).long()
    axes = {0: "batch", 1: "sequence"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, mask),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"}},
        )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def padded(rows: list[list[int]]):
    ids = numpy.full((len(rows), max(map(len, rows))), PAD, dtype=numpy.int64)
    for row, tokens in zip(ids, rows):
        row[: len(tokens)] = tokens
    return ids, (ids != PAD).astype(numpy.int64)


def run(session, tokenizer: Tokenizer, sentences: list[Sentence]):
    rows = [tokenizer.encode(s.text).ids for s in sentences]
    parts = []
    for i in range(0, len(rows), 64):
        ids, mask = padded(rows[i : i + 64])
        parts.append(session.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0])
    return numpy.concatenate(parts)


def write(path: Path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fill(card: Path, record: dict):
    """Writes the numbers into the marked place of the model card."""
    rows = [
        ("trial split", record["trial"]),
        ("test split, all sentences", record["onnx"]["test"]),
        ("the part in `test-split/`", record["onnx"]["test-split"]),
    ]
    table = ["| sentences | n | accuracy | F1 (toxic) | AUC | majority |", "|---|---|---|---|---|---|"]
    for name, r in rows:
        table.append(f"| {name} | {r['n']:,} | {r['accuracy']:.3f} | {r['f1']:.3f} | {r['auc']:.3f} | {r['majority']:.3f} |")
    text = card.read_text(encoding="utf-8")
    before, rest = text.split("<!-- generated:metrics -->")
    after = rest.split("<!-- /generated:metrics -->")[1]
    table += ["", "| rationales: token AUPRC, this script's own | n | attention rollout | generic attention |", "|---|---|---|---|"]
    for name, r in record["rationales"].items():
        table.append(f"| {name} | {r['n']:,} | {r['rollout']:.3f} | {r['generic']:.3f} |")
    lines = "\n".join(table)
    card.write_text(f"{before}<!-- generated:metrics -->\n{lines}\n<!-- /generated:metrics -->{after}", encoding="utf-8")


def write_lines(path: Path, sentences: list[Sentence]):
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        json.dumps({"id": s.id, "text": s.text, "label": s.label, "spans": s.utf16_spans()}, ensure_ascii=False)
        for s in sentences
    )
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    saved = torch.load(args.run / "best.pt")
    model = Bert(**saved["config"])
    model.load_state_dict(saved["weights"])
    model.eval()
    (args.out / "onnx").mkdir(parents=True, exist_ok=True)
    export(model, args.out / "onnx" / "model.onnx")

    size = saved["config"]
    write(args.out / "config.json", {
        "architectures": ["BertForSequenceClassification"],
        "model_type": "bert",
        "task": "text-classification",
        "id2label": {"0": "not toxic", "1": "toxic"},
        "label2id": {"not toxic": 0, "toxic": 1},
        "vocab_size": size["vocabulary"],
        "max_position_embeddings": size["positions"],
        "hidden_size": size["width"],
        "num_hidden_layers": size["depth"],
        "num_attention_heads": size["heads"],
        "intermediate_size": size["width"] * size["ratio"],
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "pad_token_id": PAD,
    })
    tokenizer = Tokenizer.from_file(str(args.run / "tokenizer.json"))
    tokenizer.no_truncation()  # tokenizer_config.json has the limit; a caller may prefer windows to cutting
    tokenizer.save(str(args.out / "tokenizer.json"))
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL))
    write(args.out / "special_tokens_map.json", names)
    write(args.out / "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": size["positions"],
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": True,
        **names,
    })

    data = load_all(args.data)
    test = data["test"]
    part = shipped(test, 600, seed=0)
    write_lines(args.out / "test-split" / "sentences.jsonl", part)
    known = {s.id: s for split in data.values() for s in split}
    write_lines(args.out / "samples" / "sentences.jsonl", [known[name] for name in SAMPLES])

    tokenizer.enable_truncation(size["positions"])
    session = onnxruntime.InferenceSession(str(args.out / "onnx" / "model.onnx"), providers=["CPUExecutionProvider"])
    logits = run(session, tokenizer, test)
    ids, mask = padded([tokenizer.encode(s.text).ids for s in test[:64]])
    with torch.no_grad():
        expected = model(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    record = json.loads((args.run / "metrics.json").read_text())
    own = run(session, tokenizer, part)
    flagged = [s for s, (clean, toxic) in zip(part, own) if s.label == 1 and toxic > clean]
    write_lines(args.out / "flagged" / "sentences.jsonl", flagged)
    record["rationales"] = {
        name: {"n": len(rows), **token_auprc(model, rows)}
        for name, rows in (
            ("all toxic sentences of `test-split/`", marked(tokenizer, part)),
            ("those that the model calls toxic", marked(tokenizer, flagged)),
        )
    }
    record["onnx"] = {
        "bytes": (args.out / "onnx" / "model.onnx").stat().st_size,
        "largest difference to PyTorch": float(abs(expected - logits[:64]).max()),
        "test": scores(logits, [s.label for s in test]),
        "test-split": scores(own, [s.label for s in part]),
    }
    unknown = [tokenizer.encode(s.text, add_special_tokens=False).tokens for s in test]
    total = sum(map(len, unknown))
    record["onnx"]["unknown tokens"] = sum(tokens.count("[UNK]") for tokens in unknown) / total
    record["onnx"]["longest"] = max(map(len, unknown)) + 2
    write(args.out / "metrics.json", record)
    if (args.out / "README.md").exists():
        fill(args.out / "README.md", record)
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
