"""Trains the tiny tokenizers of the tests and writes what the Python library says about some texts.

    pip install tokenizers==0.23.3 && python make.py && npx biome format --write .

Writes one <name>.json per tokenizer and offsets.json: for every tokenizer and text the tokens and their offsets, as UTF-16
indices. The Python library is an independent witness: the TypeScript code works spans out by itself.
"""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "The house by the river was painted blue, and its door was never locked.",
    "He didn't say what he wanted; she couldn't guess either.",
    "A model reads tokens, not words: the letters are cut into pieces before anything else happens.",
    "Painters paint paintings. Readers read. The reader rereads what was written, unhappily and slowly.",
    "In 1984 there were 27 windows; 12 of them (nearly half) had been broken.",
    "Le café était fermé, mais la crème brûlée valait l'attente.",
    "Über den Dächern der Stadt hört man die Glocken läuten.",
    "Небо над морем было серым, и чайки молчали.",
    "Ο ήλιος έδυσε πίσω από τους λόφους.",
    "שלום לכם, מה שלומכם היום?",
    "السماء صافية والبحر هادئ.",
    "今日は天気がいいですね。散歩に行きましょう。",
    "我们在河边走了很久。",
    "The train leaves at noon 🚆 and the party starts at eight 🎉🎂.",
    "Numbers like 3.14 and 2,718 stay whole where they can.",
]
TEXTS = [
    "The painter's door was unlocked, wasn't it?",
    "  leading and   inner    spaces\tand a tab\n\nnew lines  ",
    "Crème brûlée, cafe\u0301 & Über-Dächer",
    "我们 read 今日 tokens",
    "emoji 🎉 family 👨‍👩‍👧 flag 🇫🇷 done",
    "שלום world السماء",
    "ﬁne ½ ① Ｆｕｌｌ",
    "Небо над морем",
    "quantum xylophones zigzag",
    "e\u0301e\u0301e\u0301 naïve",
    "İstanbul ΣΊΣΥΦΟΣ",
    "a",
    "",
    "   ",
    "hello[MASK]there [SEP] end",
    "soft\u00adhyphen zero\u200bwidth",
]
HERE = Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEMPLATE = dict(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
)
SENTENCE_PIECE = dict(
    single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
)


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=True)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.post_processor = processors.TemplateProcessing(**TEMPLATE)
    return t, trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIAL, limit_alphabet=90, show_progress=False)


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=True)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return t, trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.post_processor = processors.TemplateProcessing(**SENTENCE_PIECE)
    return t, trainers.UnigramTrainer(
        vocab_size=320, special_tokens=["<s>", "<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False
    )


def clip():
    t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", 1), ("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False
    )
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return t, trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )


def byte_fallback():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    t.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256))]
    return t, trainers.BpeTrainer(
        vocab_size=480, special_tokens=special, limit_alphabet=70, max_token_length=12, show_progress=False
    )


def units(text, n):
    return len(text[:n].encode("utf-16-le")) // 2


def main():
    known = {}
    for make in (wordpiece, byte_level, unigram, clip, byte_fallback):
        name = make.__name__.replace("_", "-")
        tokenizer, trainer = make()
        tokenizer.train_from_iterator(CORPUS, trainer)
        saved = json.loads(tokenizer.to_str())
        if name == "byte-fallback":
            # Bytes are ordinary entries of the vocabulary; as special tokens they would be found in the text itself.
            saved["added_tokens"] = saved["added_tokens"][:3]
            saved["model"]["ignore_merges"] = False
        (HERE / f"{name}.json").write_text(json.dumps(saved, ensure_ascii=False) + "\n", encoding="utf-8")
        tokenizer = Tokenizer.from_str(json.dumps(saved))
        known[name] = []
        for text in TEXTS:
            out = tokenizer.encode(text, add_special_tokens=False)
            offsets = [[units(text, a), units(text, b)] for a, b in out.offsets]
            known[name].append({"text": text, "ids": out.ids, "tokens": out.tokens, "offsets": offsets})
    (HERE / "offsets.json").write_text(
        "{\n" + ",\n".join(
            f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]"
            for name, cases in known.items()
        ) + "\n}\n", encoding="utf-8",
    )


if __name__ == "__main__":
    main()
