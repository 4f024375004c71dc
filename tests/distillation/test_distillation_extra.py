"""Extra source text and the distilled validation set: exactly what distilling them as a bitext gives."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import bitext
import pytest
from distilling import command, distill_here, files
from fairseq.data import Dictionary, data_utils
from test_distillation_resume import SINGLE, finished_batches, kill_after

pytestmark = pytest.mark.slow
DROPPED = 7  # of the lines in extra.en: blank, in valid, in test, in train (twice), repeated (twice)


def pairs(folder: Path, split: str = "train") -> list[tuple[str, str]]:
    """Both sides of a split as text."""
    sides = []
    for language in ("en", "de"):
        dictionary = Dictionary.load(str(folder / f"dict.{language}.txt"))
        dataset = data_utils.load_indexed_dataset(str(folder / f"{split}.en-de.{language}"))
        sides.append([dictionary.string(dataset[i]) for i in range(len(dataset))])
    return list(zip(*sides, strict=True))


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def manifest(folder: Path) -> dict:
    return json.loads((folder / "distillation.json").read_text())


@pytest.fixture(scope="module")
def extra(root: Path) -> tuple[Path, list[str]]:
    """extra.en, and those of its lines that are new."""
    bitext.write(root / "more", {"train": 40}, shortest=4, longest=9, seed=5)
    known = {line for split in ("train", "valid", "test") for line in lines(root / "raw" / f"{split}.en")}
    new = [line for line in dict.fromkeys(lines(root / "more" / "train.en")) if line not in known]
    raw = {split: lines(root / "raw" / f"{split}.en") for split in ("train", "valid", "test")}
    # known lines that are in no other set, so that each is dropped for one reason only
    in_train = next(line for line in raw["train"] if line not in raw["valid"] + raw["test"])
    text = [new[0], "", raw["valid"][3].upper(), *new[1:5], raw["test"][2].replace(" ", "  "), in_train]
    text += [in_train, new[2].title(), new[0], *new[5:]]
    (root / "extra.en").write_text("\n".join(text) + "\n", encoding="utf-8")
    return root / "extra.en", new


@pytest.fixture(scope="module")
def both(root: Path, extra: tuple[Path, list[str]]) -> Path:
    """The result with the extra text and the distilled validation set, of one undisturbed process."""
    bitext.run(*command(root, root / "both", "--source-text", extra[0], "--valid-too"))
    return root / "both"


def distilled_as_bitext(root: Path, distill: Callable, folder: Path, sources: list[str]) -> Path:
    """``sources`` binarized by fairseq-preprocess as a train split of their own, then distilled."""
    (folder / "raw").mkdir(parents=True)
    for language, text in (("en", sources), ("de", ["null"] * len(sources))):
        (folder / "raw" / f"train.{language}").write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    dictionaries = [word for x in ("src", "tgt") for word in (f"--{x}dict", root / "bin" / "dict.en.txt")]
    languages = ("--source-lang", "en", "--target-lang", "de", *dictionaries, "--workers", 1)
    bitext.run("fairseq-preprocess", *languages, "--trainpref", folder / "raw" / "train", "--destdir", folder / "bin")
    done = distill_here(folder, folder / "out", teacher=str(root / "teacher.pt"))
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_extra_lines_follow_the_bitext_as_if_distilled_alone(
    root: Path, reference: Path, distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path
) -> None:
    _, new = extra
    alone = distilled_as_bitext(root, distill, tmp_path / "alone", new)
    assert [source for source, _ in pairs(alone)] == new
    assert pairs(both) == pairs(reference) + pairs(alone)
    for language in ("en", "de"):  # the tokens themselves: an unknown word would look the same as text
        name = f"train.en-de.{language}.bin"
        assert (both / name).read_bytes() == (reference / name).read_bytes() + (alone / name).read_bytes()
    found = manifest(both)["source_text"]
    assert (found["lines"], found["translated"], found["pairs"]) == (len(new) + DROPPED, len(new), len(new))
    dropped = {"blank": 1, "in_valid_or_test": 2, "in_train": 2, "repeated": 2, "too_long": 0, "no_hypothesis": 0}
    assert {key: found[f"dropped_{key}"] for key in dropped} == dropped


def test_valid1_is_the_validation_set_distilled(
    root: Path, distill: Callable, both: Path, tmp_path: Path, reference: Path
) -> None:
    sources = lines(root / "raw" / "valid.en")
    alone = distilled_as_bitext(root, distill, tmp_path / "alone", sources)
    assert pairs(both, "valid1") == pairs(alone)
    assert pairs(both, "valid1") != pairs(both, "valid")
    for ending in ("bin", "idx"):
        assert (both / f"valid1.en-de.en.{ending}").read_bytes() == (both / f"valid.en-de.en.{ending}").read_bytes()
    added = {f"valid1.en-de.{language}.{ending}" for language in ("en", "de") for ending in ("bin", "idx")}
    before, after = files(reference), files(both)
    assert after.keys() == before.keys() | added
    assert added <= manifest(both)["outputs"].keys()
    same = [name for name in before if not name.startswith("train") and name != "SHA256SUMS"]
    assert all(before[name] == after[name] for name in same)


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_and_in_two_processes(
    root: Path, distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path, jobs: int
) -> None:
    words = ("--source-text", extra[0], "--valid-too", *(("--jobs", 2) if jobs == 2 else ()))
    total = 200 + 10 + len(extra[1])
    first = kill_after(root, tmp_path, 30, *words)
    assert first < total
    if jobs == 2:
        time.sleep(1)  # the children leave by themselves
        first = len(finished_batches(tmp_path))
    other = distill(tmp_path, *SINGLE, *words[2:])
    assert other.returncode == 2 and "source_text sha256" in other.stderr
    last = distill(tmp_path, *SINGLE, *words)
    assert last.returncode == 0, last.stderr
    assert f"{first} of {total} sentences were done before" in last.stderr
    assert files(tmp_path) == files(both)


def test_shards_by_hand(distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path) -> None:
    words = ("--source-text", extra[0], "--valid-too", "--num-shards", 3)
    for last in (("--shard", 2), ("--shard", 0), ("--shard", 1), ("--merge",)):
        done = distill(tmp_path, *words, *last)
        assert done.returncode == 0, done.stderr
    assert files(tmp_path) == files(both)
    assert f"{manifest(both)['counts']['pairs']} pairs from 200 sentences and {len(extra[1])} extra" in done.stderr


def test_raw_pairs_and_several_hypotheses(
    distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path
) -> None:
    options = ("--k-best", 2, "--mix-raw", 0.1)
    for out, more in ((tmp_path / "plain", ()), (tmp_path / "more", ("--source-text", extra[0], "--valid-too"))):
        done = distill(out, *options, *more)
        assert done.returncode == 0, done.stderr
    plain, more = pairs(tmp_path / "plain"), pairs(tmp_path / "more")
    assert len(plain) == 420 and more[:420] == plain
    assert [source for source, _ in more[420::2]] == [source for source, _ in more[421::2]] == extra[1]
    assert more[420::2] == pairs(both)[200:]
    assert pairs(tmp_path / "more", "valid1") == pairs(both, "valid1")


def test_lines_that_the_teacher_cannot_take(
    distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path
) -> None:
    done = distill(tmp_path, "--source-text", extra[0], "--valid-too", teacher="short.pt")  # 6 tokens at most
    assert done.returncode == 0, done.stderr
    kept = [pair for pair in pairs(both)[200:] if len(pair[0].split()) < 6]
    assert pairs(tmp_path)[200:] == kept and 0 < len(kept) < len(extra[1])
    numbers = [n for n, line in enumerate(lines(extra[0]), 1) if line in extra[1] and len(line.split()) >= 6]
    numbers = [n for n in numbers if lines(extra[0]).index(lines(extra[0])[n - 1]) == n - 1]
    found = manifest(tmp_path)["source_text"]
    assert found["dropped_too_long"] == len(extra[1]) - len(kept) == len(numbers)
    assert found["dropped_too_long_lines"] == numbers[:20]
    shown = ", ".join(map(str, numbers[:20]))
    assert f"{len(numbers)} dropped, longer than the teacher's 6 positions: line {shown}" in done.stderr
    raw, best, mixed = (
        dict(pairs(folder, split)) for folder, split in ((both, "valid"), (both, "valid1"), (tmp_path, "valid1"))
    )
    assert mixed == {source: (raw if len(source.split()) >= 6 else best)[source] for source in raw}


def test_finished_folders_are_not_mistaken(
    root: Path, reference: Path, distill: Callable, extra: tuple[Path, list[str]], both: Path, tmp_path: Path
) -> None:
    text = ("--source-text", extra[0])
    assert "nothing to do" in distill(both, *text, "--valid-too").stderr
    other = tmp_path / "other.en"
    other.write_text("nine eight seven six five four three two one\n", encoding="utf-8")
    for folder, words, key in (
        (reference, ("--valid-too",), "valid_too = None, asked for True"),
        (reference, text, "source_text sha256 = None"),
        (both, text, "valid_too = True, asked for None"),
        (both, ("--valid-too",), "source_text sha256"),
        (both, ("--source-text", other, "--valid-too"), "source_text sha256"),
        (both, (*text, "--valid-too", "--bpe", "none"), "bpe = auto, asked for none"),
    ):
        before = files(folder)
        done = distill(folder, *words)
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert key in done.stderr
        assert files(folder) == before


def test_fairseq_train_validates_on_both(both: Path, tmp_path: Path) -> None:
    small = "--encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 16 --decoder-embed-dim 16"
    heads = "--encoder-attention-heads 2 --decoder-attention-heads 2 --optimizer adam --batch-size 8"
    words = f"--task translation --arch transformer {small} {heads} --max-update 1 --log-format json".split()
    words += ["--valid-subset", "valid,valid1", "--ignore-unused-valid-subsets"]
    more = ["--user-dir", "vqnat", "--cpu", "--num-workers", 0, "--save-dir", tmp_path]
    log = bitext.run("fairseq-train", both, *words, *more)
    assert "| valid | {" in log.stdout + log.stderr and "| valid1 | {" in log.stdout + log.stderr
