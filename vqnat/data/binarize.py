"""Raw parallel text -> joint sentencepiece vocabulary -> fairseq's binary format.

Reads ``RAW/{train,valid,test}.{SOURCE,TARGET}`` and writes under OUT:

    spm.model            joint byte-pair model, trained on both sides of train (no text normalization)
    pieces/              the text in subwords, one sentence per line
    bin/                 what fairseq-train reads: one dictionary for both sides, binarized splits
    data.json            checksums of the raw text, sizes, vocabulary size, command

Nothing is repeated if the output exists for the same raw text and is whole. ``bin/SHA256SUMS`` has the checksums.
"""

import argparse
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import Path
from typing import Any

import sentencepiece as spm

from vqnat.errors import UserError, run_command
from vqnat.records.atomic import replacing, replacing_folder
from vqnat.records.checksums import SUMS, check_sums, read_sums, sealed, sha256, unsealed, write_sums
from vqnat_serving.json_files import read_object
from vqnat_serving.text_lines import BadLines, read_lines

SPLITS = ("train", "valid", "test")
Dropped = dict[str, set[int]]  # split -> numbers of the lines that are left out
LEARNED_FROM = 1_000_000  # sentences of both languages at most: sentencepiece holds them all in memory
SPECIALS = 3  # sentencepiece's <unk>, <s>, </s>: fairseq has its own


def check_raw(raw: Path, languages: tuple[str, str], bad: BadLines) -> tuple[dict, Dropped]:
    """Checksum and number of lines of each raw file, and the pairs of each split that have a bad line.

    A line is bad if it is empty, not UTF-8, or longer than any sentence.

    Raises:
        UserError: a file is missing, or is not as long as its other side; a line is bad and ``bad`` does not go on.
    """
    found = {}
    dropped: Dropped = {split: set() for split in SPLITS}
    for split in SPLITS:
        for language in languages:
            path = raw / f"{split}.{language}"
            if not path.is_file():
                needed = f"{{train,valid,test}}.{{{','.join(languages)}}}"
                raise UserError(f"{path}: no such file (needed: {needed} in {raw})")
            number = 0
            with path.open("rb") as stream:
                for number, line in enumerate(read_lines(stream, str(path), bad), 1):
                    if line is None:
                        dropped[split].add(number)
                    elif not line.text.strip():
                        bad.meet(f"{line.where}: empty line; remove the pair from both sides (--bad-lines drop)")
                        dropped[split].add(number)
            found[path.name] = {"sha256": sha256(path), "lines": number}
        counts = [found[f"{split}.{language}"]["lines"] for language in languages]
        if counts[0] != counts[1]:
            names = [str(raw / f"{split}.{language}") for language in languages]
            raise UserError(f"{names[0]} has {counts[0]} lines and {names[1]} has {counts[1]}: they must be equal")
        if counts[0] == len(dropped[split]):
            raise UserError(f"{raw / split}.{{{','.join(languages)}}}: no pair is left")
    return found, dropped


def sentences(path: Path, dropped: AbstractSet[int]) -> Iterator[str]:
    """The lines with single spaces: a tab would become part of a subword, and fairseq splits at any space."""
    with path.open("rb") as stream:
        # What becomes of bad lines was decided before; the other side of a bad one is left out here.
        for number, line in enumerate(read_lines(stream, str(path), BadLines(lambda note: None)), 1):
            if line is not None and number not in dropped:
                yield " ".join(line.text.split())


def train_vocabulary(
    raw: Path, languages: tuple[str, str], prefix: Path, size: int, dropped: AbstractSet[int], pairs: int
) -> None:
    """Train ``prefix.model``, one subword model for both languages; the file does not say where it was made.

    Of more pairs than ``LEARNED_FROM`` allows, every second one is read, or every third, and so on.
    """
    model = io.BytesIO()
    step = -(-len(languages) * pairs // LEARNED_FROM)
    texts = (sentences(raw / f"train.{language}", dropped) for language in languages)
    spm.SentencePieceTrainer.train(
        sentence_iterator=(sentence for text in texts for sentence in islice(text, 0, None, step)),
        model_writer=model,
        vocab_size=size,
        model_type="bpe",  # unigram splits even frequent words of a corpus with few types
        character_coverage=1.0,
        normalization_rule_name="identity",  # decoding gives back the text exactly as it was
        hard_vocab_limit=False,  # a small corpus may not have that many subwords
        num_threads=2,
        minloglevel=1,
    )
    prefix.with_suffix(".model").write_bytes(model.getvalue())


def write_dictionary(model: Path, path: Path) -> None:
    """Write every subword of the model, so that both directions and later data share one dictionary."""
    processor = spm.SentencePieceProcessor(model_file=str(model))
    pieces = [processor.id_to_piece(i) for i in range(SPECIALS, processor.get_piece_size())]
    path.write_text("".join(f"{piece} 1\n" for piece in pieces), encoding="utf-8")


def encode(model: Path, raw: Path, pieces: Path, dropped: AbstractSet[int]) -> None:
    """Write a raw file in subwords."""
    processor = spm.SentencePieceProcessor(model_file=str(model))
    lines = sentences(raw, dropped)
    with pieces.open("w", encoding="utf-8", newline="\n") as file:
        while some := list(islice(lines, 10_000)):  # memory does not grow with the file
            file.writelines(" ".join(line) + "\n" for line in processor.encode(some, out_type=str))


def main() -> None:
    """The command line. Raises UserError."""
    parser = argparse.ArgumentParser(prog="binarize", description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, required=True, help="folder with {train,valid,test}.{SOURCE,TARGET}")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--source", default="en", help="source language, the file's ending (default: en)")
    parser.add_argument("--target", default="de", help="target language, the file's ending (default: de)")
    parser.add_argument("--vocabulary", type=int, default=8000, help="subwords in the joint vocabulary")
    parser.add_argument("--workers", type=int, default=2, help="processes of fairseq-preprocess")
    text = "empty, not UTF-8, or longer than 1 MiB; stop: an error; drop: named, counted, left out with the other side"
    parser.add_argument("--bad-lines", choices=("stop", "drop"), default="stop", help=f"{text} (default: stop)")
    args = parser.parse_args()
    if args.vocabulary < 32:
        raise UserError(f"--vocabulary {args.vocabulary} is too small: at least 32")
    bad = BadLines((lambda note: print(f"binarize: {note}", file=sys.stderr)) if args.bad_lines == "drop" else None)
    try:
        binarize(args.raw, args.out, (args.source, args.target), args.vocabulary, args.workers, bad)
    except OSError as error:
        raise UserError(f"{error.filename or args.out}: {error.strerror or error}") from error


def binarize(
    raw: Path, out: Path, languages: tuple[str, str], vocabulary: int, workers: int, bad: BadLines | None = None
) -> None:
    """Write the joint vocabulary, the text in subwords and its binary form, unless they are there already.

    Raises:
        UserError: the raw text cannot be used, or not with so small or large a vocabulary.
    """
    bad = bad or BadLines()
    found, dropped = check_raw(raw, languages, bad)
    bad.sum_up(f"{sum(map(len, dropped.values()))} pairs dropped")
    record: dict[str, Any] = {"raw": found, "vocabulary": vocabulary, "languages": list(languages)}
    if bad.count:
        record["dropped"] = {split: sorted(numbers) for split, numbers in dropped.items()}
    manifest = out / "data.json"
    if manifest.is_file():
        old = read_manifest(manifest)
        if {key: old.get(key) for key in record} == record:
            damage = damaged(out, old)
            if damage is None:
                print(f"binarize: {out} is up to date")
                return
            print(f"binarize: {damage}")

    out.mkdir(parents=True, exist_ok=True)
    manifest.unlink(missing_ok=True)  # first: whoever finds it finds the rest
    shutil.rmtree(out / "pieces", ignore_errors=True)
    (out / "pieces").mkdir()
    pairs = found[f"train.{languages[0]}"]["lines"] - len(dropped["train"])
    try:
        train_vocabulary(raw, languages, out / "spm", vocabulary, dropped["train"], pairs)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1]
        raise UserError(f"--vocabulary {vocabulary}: sentencepiece refuses it for {raw}: {reason}") from error
    model, dictionary = out / "spm.model", out / "dict.txt"
    write_dictionary(model, dictionary)
    for split in SPLITS:
        for language in languages:
            encode(model, raw / f"{split}.{language}", out / "pieces" / f"{split}.{language}", dropped[split])
    with replacing_folder(out / "bin") as temporary:
        _preprocess(out / "pieces", temporary, languages, dictionary, workers)
        named = {path.name for path in temporary.iterdir()} - {"preprocess.log"}
        write_sums(temporary, {name: sha256(temporary / name) for name in named})
    record |= {"command": sys.argv, "spm_sha256": sha256(model)}
    with replacing(manifest) as temporary:
        temporary.write_text(json.dumps(sealed(record), indent=1) + "\n")
    print(f"binarize: {out}/bin, {sum(1 for _ in dictionary.open())} subwords")


def read_manifest(path: Path) -> dict:
    """The content of ``data.json``; nothing if it is damaged."""
    try:
        return unsealed(read_object(path, "what binarize wrote"))
    except ValueError:
        return {}


def damaged(out: Path, record: dict) -> str | None:
    """What is wrong with the files of an earlier run, by their checksums; None if nothing is."""
    model = out / "spm.model"
    if not model.is_file() or sha256(model) != record.get("spm_sha256"):
        return f"{model}: missing or damaged; making everything again"
    if not read_sums(out / "bin"):
        return f"{out / 'bin' / SUMS}: no such file; making everything again"
    try:
        check_sums(out / "bin", lambda name: name.endswith((".bin", ".idx", ".txt")))
    except UserError as error:
        return str(error)
    return None


def _preprocess(pieces: Path, folder: Path, languages: tuple[str, str], dictionary: Path, workers: int) -> None:
    """Run fairseq-preprocess. Raises UserError with the end of its output if it fails."""
    prefixes = [word for split in SPLITS for word in (f"--{split}pref", str(pieces / split))]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "fairseq_cli.preprocess", "--joined-dictionary", "--srcdict", str(dictionary)),
            *("--source-lang", languages[0], "--target-lang", languages[1], *prefixes),
            *("--destdir", str(folder), "--workers", str(workers)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise UserError("fairseq-preprocess failed:\n" + "\n".join(done.stdout.splitlines()[-20:]))


if __name__ == "__main__":
    run_command("binarize", main)
