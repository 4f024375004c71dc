"""Text of one's own, and WMT'14 from small archives: what is cleaned, counted, held out, and refused."""

import gzip
import json
import subprocess
import tarfile
from pathlib import Path

import bitext
import pytest
import zstandard

from vqnat.data import prepare_bitext
from vqnat.data.cleaning import Limits, clean

PREPARE = bitext.REPO / "data-prep"
GOOD = [
    ("The house on the corner was sold last week.", "Das Haus an der Ecke wurde letzte Woche verkauft."),
    ("We do not know where the children are today.", "Wir wissen nicht, wo die Kinder heute sind."),
    ("She reads the newspaper every morning.", "Sie liest jeden Morgen die Zeitung."),
]
BAD = {
    "empty": ("", "Nichts."),
    "too_long": ("word " * 300, "Wort " * 300),
    "ratio": ("One two three.", "Eins zwei drei vier fünf sechs sieben acht."),
    "language": ("This sentence is English on both sides here.", "This sentence is English on both sides here."),
    "duplicate": ("the  HOUSE on the corner was sold last week.", "Das Haus an der Ecke wurde letzte Woche verkauft."),
}


def prepared(folder: Path, *words: object) -> int:
    options = ["--source", "en", "--target", "de", "--out", folder, "--raw-only", "--jobs", 1, *words]
    return prepare_bitext.main([str(word) for word in options])


def moses(folder: Path, name: str, pairs, pack=lambda text: text, ending: str = "") -> list[Path]:
    """The two files of a text."""
    paths = [folder / f"{name}.{language}{ending}" for language in ("en", "de")]
    for side, path in enumerate(paths):
        path.write_bytes(pack("".join(f"{pair[side]}\n" for pair in pairs).encode()))
    return paths


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_each_reason_is_counted_and_the_text_may_be_packed(tmp_path, capsys):
    valid = moses(tmp_path, "valid", [("One more pair.", "Noch ein Paar.")], gzip.compress, ".gz")
    test = tmp_path / "test.tsv"
    test.write_text("A last pair.\tEin letztes Paar.\n", encoding="utf-8")
    pairs = [*GOOD, *BAD.values(), ("one more pair.", "Noch ein  Paar.")]
    train = tmp_path / "train.tsv.zst"
    train.write_bytes(zstandard.compress("".join(f"{s}\t{t}\n" for s, t in pairs).encode()))
    out = tmp_path / "out"
    words = ("--train", train, "--valid", *valid, "--test", test, "--language")
    assert prepared(out, *words) == 0
    record = json.loads((out / "cleaning.json").read_text(encoding="utf-8"))
    assert record["counts"] == {"read": 9, **dict.fromkeys(BAD, 1), "held_out": 1, "kept": 3}
    assert list(zip(lines(out / "train.en"), lines(out / "train.de"), strict=True)) == GOOD
    assert lines(out / "valid.de") == ["Noch ein Paar."] and lines(out / "test.en") == ["A last pair."]
    assert "3 of 9 pairs kept (1 empty, 1 too long, 1 ratio, 1 language, 1 duplicate" in capsys.readouterr().out
    stamp = (out / "train.en").stat().st_mtime_ns
    assert prepared(out, *words) == 0 and (out / "train.en").stat().st_mtime_ns == stamp
    assert "nothing to do" in capsys.readouterr().out
    assert prepared(out, *words[:-1]) == 0  # other options: again
    assert len(lines(out / "train.en")) == 4


def test_held_out_pairs_are_not_trained_on_and_do_not_depend_on_order(tmp_path):
    pairs = [(f"sentence number {n} is here", f"Satz Nummer {n} ist hier") for n in range(200)]
    tests = []
    for name, order in (("a", pairs), ("b", pairs[::-1])):
        assert prepared(tmp_path / name, "--train", *moses(tmp_path, name, order), "--hold-out", 10, "--jobs", 2) == 0
        splits = {split: set(lines(tmp_path / name / f"{split}.en")) for split in ("train", "valid", "test")}
        assert [len(splits[split]) for split in ("train", "valid", "test")] == [180, 10, 10]
        assert set.union(*splits.values()) == {source for source, _ in pairs}
        tests.append(splits["test"])
        assert {path.name for path in (tmp_path / name).iterdir()} == {
            "cleaning.json",
            *(f"{split}.{language}" for split in splits for language in ("en", "de")),
        }
    assert tests[0] == tests[1]


def test_processes_change_nothing():
    from collections import Counter

    pairs = [(f"a sentence {n % 4000} of some words", f"ein Satz {n % 4000} aus Wörtern") for n in range(12000)]
    found = []
    for jobs in (1, 3):
        counts: Counter[str] = Counter()
        found.append((list(clean(iter(pairs), Limits(), counts, jobs=jobs)), counts))
    assert found[0] == found[1] and found[0][1]["duplicate"] == 8000


def test_moses_tokens(tmp_path):
    assert prepared(tmp_path / "out", "--train", *moses(tmp_path, "t", GOOD * 3), "--hold-out", 1, "--moses") == 0
    text = [line for split in ("train", "valid", "test") for line in lines(tmp_path / "out" / f"{split}.en")]
    assert "She reads the newspaper every morning ." in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda en, de: de.write_text("Eine Zeile.\n"), "must have as many lines, but"),
        (lambda en, de: en.write_bytes(b"\xff\xfe\n"), "not UTF-8"),
        (lambda en, de: de.unlink(), "no such file"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, capsys, change, message):
    paths = moses(tmp_path, "t", GOOD)
    change(*paths)
    assert prepared(tmp_path / "out", "--train", *paths, "--hold-out", 1) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and said.startswith("prepare-bitext: ")
    assert not list((tmp_path / "out").glob("train*"))


def test_too_little_to_hold_out_and_nothing_said_of_it(tmp_path, capsys):
    paths = moses(tmp_path, "t", GOOD)
    assert prepared(tmp_path / "out", "--train", *paths, "--hold-out", 2) == 2
    assert "--hold-out 2: the training text has only 3 pairs" in capsys.readouterr().err
    assert prepared(tmp_path / "out", "--train", *paths) == 2
    assert "--valid: missing; give it, or --hold-out N" in capsys.readouterr().err
    (tmp_path / "cut.tsv.gz").write_bytes(gzip.compress(b"a\tb\n" * 500)[:-20])
    assert prepared(tmp_path / "out", "--train", tmp_path / "cut.tsv.gz", "--hold-out", 1) == 2
    assert "cut.tsv.gz, after line" in capsys.readouterr().err


def test_wmt14_from_a_folder(tmp_path):
    text, source = tmp_path / "text", tmp_path / "from"
    for folder in (text / "training", source):
        folder.mkdir(parents=True)
    names = {
        "training-parallel-europarl-v7.tgz": "training/europarl-v7.de-en",
        "training-parallel-commoncrawl.tgz": "commoncrawl.de-en",
        "training-parallel-nc-v9.tgz": "training/news-commentary-v9.de-en",
    }
    for (archive, member), pair in zip(names.items(), GOOD, strict=True):
        moses(text, member, [pair])
        with tarfile.open(source / archive, "w:gz") as packed:
            for language in ("en", "de"):
                packed.add(text / f"{member}.{language}", f"{member}.{language}")
    moses(source, "newstest2013", [("One more pair.", "Noch ein Paar.")], gzip.compress, ".gz")
    moses(source, "newstest2014", [(f"Line {n}.", f"Zeile {n}.") for n in range(3003)], gzip.compress, ".gz")
    words = [PREPARE / "prepare-wmt14-en2de.sh", "--from", source, "--raw-only", tmp_path / "raw", "--jobs", "1"]
    refused = subprocess.run(words, capture_output=True, text=True)
    assert refused.returncode == 2 and "training-parallel-europarl-v7.tgz has checksum" in refused.stderr
    done = subprocess.run([*words, "--unchecked"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(zip(lines(tmp_path / "raw/train.en"), lines(tmp_path / "raw/train.de"), strict=True)) == GOOD
    assert len(lines(tmp_path / "raw/test.de")) == 3003 and lines(tmp_path / "raw/valid.en") == ["One more pair."]
    wrong = subprocess.run([*words, "--test-lines", "3000"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "--test-lines 3000: must be 3003 or 2737" in wrong.stderr
