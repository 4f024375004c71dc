#!/usr/bin/env python3
"""Raw parallel text -> joint subword vocabulary (sentencepiece) -> fairseq's binary format.

Reads ``RAW/{train,valid,test}.{SOURCE,TARGET}`` and writes under OUT:

    spm.model            joint BPE model, trained on both sides of train, without text normalization
    pieces/              the text in subwords, one sentence per line
    bin/                 what fairseq-train reads: binarized splits, one dictionary for both sides
    data.json            checksums and lengths of the raw text, vocabulary size, command

Nothing is done when OUT is already up to date with the raw text.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import sentencepiece as spm

SPLITS = ("train", "valid", "test")
SPECIALS = 3  # sentencepiece's <unk>, <s>, </s>: fairseq has its own


def fail(message: str) -> None:
    sys.exit(f"binarize: {message}")


def check_raw(raw: Path, languages: tuple[str, str]) -> dict:
    """Check that all files are there, parallel and without empty lines; return the checksum and length of each."""
    found = {}
    for split in SPLITS:
        for language in languages:
            path = raw / f"{split}.{language}"
            if not path.is_file():
                fail(f"{path}: no such file (needed: {{train,valid,test}}.{{{','.join(languages)}}} in {raw})")
            content = path.read_bytes()
            try:
                lines = content.decode("utf-8").splitlines()
            except UnicodeDecodeError as error:
                fail(f"{path}: not UTF-8 at byte {error.start}")
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    fail(f"{path}, line {number}: empty line; remove the pair from both sides")
            found[path.name] = {"sha256": hashlib.sha256(content).hexdigest(), "lines": len(lines)}
        counts = [found[f"{split}.{language}"]["lines"] for language in languages]
        if counts[0] != counts[1]:
            names = [str(raw / f"{split}.{language}") for language in languages]
            fail(f"{names[0]} has {counts[0]} lines and {names[1]} has {counts[1]}: they must be equal")
    return found


def sentences(path: Path) -> list[str]:
    """The lines with runs of whitespace as one space: a tab inside a subword would split it in fairseq's dictionary."""
    return [" ".join(line.split()) for line in path.read_text(encoding="utf-8").splitlines()]


def train_vocabulary(raw: Path, languages: tuple[str, str], prefix: Path, size: int) -> None:
    """Train one BPE model on both sides of train."""
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter([s for language in languages for s in sentences(raw / f"train.{language}")]),
        model_prefix=str(prefix),
        vocab_size=size,
        model_type="bpe",  # unigram splits even frequent words when the corpus has few types
        character_coverage=1.0,
        normalization_rule_name="identity",  # decoding restores the text exactly
        hard_vocab_limit=False,  # a small corpus may not have that many subwords
        num_threads=2,
        minloglevel=1,
    )


def write_dictionary(model: Path, path: Path) -> None:
    """Write all subwords of the model, so that both directions and later data share one dictionary."""
    processor = spm.SentencePieceProcessor(model_file=str(model))
    pieces = [processor.id_to_piece(i) for i in range(SPECIALS, processor.get_piece_size())]
    path.write_text("".join(f"{piece} 1\n" for piece in pieces), encoding="utf-8")


def encode(model: Path, raw: Path, pieces: Path) -> None:
    """Split one file into subwords."""
    processor = spm.SentencePieceProcessor(model_file=str(model))
    lines = processor.encode(sentences(raw), out_type=str)
    pieces.write_text("".join(" ".join(line) + "\n" for line in lines), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, required=True, help="folder with {train,valid,test}.{SOURCE,TARGET}")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--source", default="en", help="source language, the file suffix (default: en)")
    parser.add_argument("--target", default="de", help="target language, the file suffix (default: de)")
    parser.add_argument("--vocabulary", type=int, default=8000, help="subwords in the joint vocabulary (default: 8000)")
    parser.add_argument("--workers", type=int, default=2, help="processes of fairseq-preprocess (default: 2)")
    args = parser.parse_args()
    if args.vocabulary < 32:
        fail(f"--vocabulary {args.vocabulary} is too small: at least 32")
    languages = (args.source, args.target)

    record = {"raw": check_raw(args.raw, languages), "vocabulary": args.vocabulary, "languages": list(languages)}
    manifest = args.out / "data.json"
    if manifest.is_file():
        old = json.loads(manifest.read_text())
        if {key: old.get(key) for key in record} == record:
            print(f"binarize: {args.out} is up to date")
            return

    args.out.mkdir(parents=True, exist_ok=True)
    for stale in ("pieces", "bin"):
        shutil.rmtree(args.out / stale, ignore_errors=True)
    (args.out / "pieces").mkdir()
    try:
        train_vocabulary(args.raw, languages, args.out / "spm", args.vocabulary)
    except RuntimeError as error:
        fail(f"--vocabulary {args.vocabulary}: sentencepiece refuses it for {args.raw}: {str(error).splitlines()[-1]}")
    model, dictionary = args.out / "spm.model", args.out / "dict.txt"
    write_dictionary(model, dictionary)
    for split in SPLITS:
        for language in languages:
            encode(model, args.raw / f"{split}.{language}", args.out / "pieces" / f"{split}.{language}")
    prefixes = {f"--{split}pref": str(args.out / "pieces" / split) for split in SPLITS}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fairseq_cli.preprocess", "--joined-dictionary"),
            *("--source-lang", args.source, "--target-lang", args.target, "--srcdict", str(dictionary)),
            *[word for pair in prefixes.items() for word in pair],
            *("--destdir", str(args.out / "bin"), "--workers", str(args.workers)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        fail("fairseq-preprocess failed:\n" + "\n".join(done.stdout.splitlines()[-20:]))
    record["command"] = sys.argv
    record["spm_sha256"] = hashlib.sha256(model.read_bytes()).hexdigest()
    temporary = manifest.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=1) + "\n")
    os.replace(temporary, manifest)
    print(f"binarize: {args.out}/bin, {sum(1 for _ in dictionary.open())} subwords")


if __name__ == "__main__":
    main()
