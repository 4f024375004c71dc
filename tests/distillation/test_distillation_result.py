"""What a distilled folder holds."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import bitext
import pytest
from distilling import files
from fairseq.data import Dictionary, data_utils

from vqnat.distillation.journal import read_header, scan

pytestmark = pytest.mark.slow


def read(folder: Path, language: str) -> list[str]:
    """The train split of a folder as text."""
    dictionary = Dictionary.load(str(folder / f"dict.{language}.txt"))
    dataset = data_utils.load_indexed_dataset(str(folder / f"train.en-de.{language}"))
    return [dictionary.string(dataset[i]) for i in range(len(dataset))]


def counts(folder: Path) -> dict[str, int]:
    return json.loads((folder / "distillation.json").read_text())["counts"]


def generate(root: Path, path: str, nbest: int = 1) -> list[list[str]]:
    """The hypotheses of fairseq-generate for the train split, one sentence at a time."""
    search = f"--beam 4 --lenpen 1 --max-len-a 1.2 --max-len-b 10 --nbest {nbest} --batch-size 1".split()
    # with the default multiple of 8 fairseq drops the last batch, the longest sentences, unless it is full
    search += ["--required-batch-size-multiple", "1"]
    where = ["--path", path, "--gen-subset", "train", "--user-dir", "vqnat", "--cpu", "--num-workers", 0]
    found = bitext.hypotheses(bitext.run("fairseq-generate", root / "bin", *where, *search).stdout)
    return [[text for _, text in found[i]] for i in range(200)]


def test_targets_are_those_of_fairseq_generate(root: Path, reference: Path) -> None:
    expected = generate(root, str(root / "teacher.pt"))
    assert read(reference, "de") == [best for (best,) in expected]
    assert read(reference, "de") != read(root / "bin", "de")
    assert read(reference, "en") == read(root / "bin", "en")


def test_everything_but_the_train_targets_is_copied_byte_for_byte(root: Path, reference: Path) -> None:
    before, after = files(root / "bin"), files(reference)
    del before["preprocess.log"], after["SHA256SUMS"]
    assert before.keys() == after.keys()
    assert {name for name in before if before[name] != after[name]} <= {
        "train.en-de.de.bin",
        "train.en-de.de.idx",
    }


def test_ensemble_k_best_and_raw_pairs(root: Path, distill: Callable, tmp_path: Path) -> None:
    path = f"{root}/teacher.pt:{root}/other.pt"
    done = distill(tmp_path, "--k-best", 3, "--mix-raw", 0.25, "--path", path)
    assert done.returncode == 0, done.stderr
    expected = generate(root, path, nbest=3)
    source, target = read(tmp_path, "en"), read(tmp_path, "de")
    assert len(source) == len(target) == 650
    assert target[:600] == [text for texts in expected for text in texts]
    raw = list(zip(read(root / "bin", "en"), read(root / "bin", "de"), strict=True))
    assert source[:600:3] == source[2:600:3] == [english for english, _ in raw]
    mixed = list(zip(source[600:], target[600:], strict=True))
    rest = iter(raw)
    assert all(pair in rest for pair in mixed), "the raw pairs must keep the order of the document"
    assert counts(tmp_path)["distilled_pairs"] == 600
    assert counts(tmp_path)["raw_mixed_in"] == 50


def test_too_long_sources_keep_their_raw_target(root: Path, reference: Path, distill: Callable, tmp_path: Path) -> None:
    done = distill(tmp_path, teacher="short.pt")
    assert done.returncode == 0, done.stderr
    raw, full = read(root / "bin", "de"), read(reference, "de")
    long = [len(line.split()) + 1 > 6 for line in read(root / "bin", "en")]
    assert 0 < sum(long) < 200
    assert read(tmp_path, "de") == [raw[i] if long[i] else full[i] for i in range(200)]
    assert counts(tmp_path)["raw_kept_source_too_long"] == sum(long)
    assert f"warning: {sum(long)} sources keep their raw target" in done.stderr


def test_batch_size_changes_nothing(reference: Path, distill: Callable, tmp_path: Path) -> None:
    done = distill(tmp_path, "--max-tokens", 8000, "--batch-size", 512)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == files(reference)


def test_fairseq_train_reads_the_result(reference: Path, tmp_path: Path) -> None:
    small = "--encoder-layers 1 --decoder-layers 1 --encoder-embed-dim 16 --decoder-embed-dim 16"
    heads = "--encoder-attention-heads 2 --decoder-attention-heads 2 --optimizer adam --batch-size 8"
    words = f"--task translation --arch transformer {small} {heads} --max-update 1 --no-save".split()
    more = ["--user-dir", "vqnat", "--cpu", "--num-workers", 0, "--save-dir", tmp_path]
    bitext.run("fairseq-train", reference, *words, *more)


def test_finished_folder(root: Path, reference: Path, distill: Callable) -> None:
    before = files(reference)
    again = distill(reference)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr
    assert files(reference) == before
    assert distill(reference, "--quiet") == (0, "")
    other = distill(reference, "--beam", 2)
    assert other.returncode == 2
    assert other.stderr.count("\n") == 1
    assert "beam = 4, asked for 2" in other.stderr
    manifest = json.loads((reference / "distillation.json").read_text())
    assert manifest["counts"]["pairs"] == 200
    assert manifest["teachers"][0]["path"] == str(root / "teacher.pt")
    assert manifest["sentences_per_process_second"] > 0


def journaled(out: Path) -> tuple[list[list[int]], list[float]]:
    """Tokens and scores of all hypotheses in the journals of an unmerged distillation, by sentence."""
    [path] = (out / "shards").glob("*.journal")
    _, first = read_header(path)
    rows = []
    for _, _, record in scan(path, first):
        ends = record.lengths.cumsum()
        tokens = [record.tokens[end - n : end].tolist() for end, n in zip(ends, record.lengths, strict=True)]
        rows += zip(record.ids.tolist(), tokens, record.scores.tolist(), strict=True)
    rows.sort(key=lambda row: row[0])
    return [tokens for _, tokens, _ in rows], [score for _, _, score in rows]


@pytest.mark.parametrize("search", [["--beam", 1], ["--beam", 4, "--lenpen", 0.6]], ids=str)
def test_ctranslate2_finds_what_fairseq_finds_or_better(distill: Callable, tmp_path: Path, search: list) -> None:
    pytest.importorskip("ctranslate2")
    found = []
    for engine in ("fairseq", "ctranslate2"):
        out = tmp_path / engine
        done = distill(out, "--engine", engine, "--num-shards", 2, "--shard", 1, *search)
        assert done.returncode == 0, done.stderr
        found.append(journaled(out))
    (ours, scores), (theirs, other_scores) = found
    differ = [i for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)) if mine != other]
    assert len(differ) <= (0 if "4" not in map(str, search) else 0.03 * len(ours)), differ
    # CTranslate2 takes the end of sentence out of the first softmax, which this little teacher gives some weight
    assert all(other > mine - 1e-3 for mine, other in zip(scores, other_scores, strict=True))


def test_the_engine_is_a_setting_of_the_result(reference: Path, distill: Callable, tmp_path: Path) -> None:
    shutil.copytree(reference, tmp_path / "out")
    done = distill(tmp_path / "out", "--engine", "ctranslate2")
    assert done.returncode == 2
    assert "made with engine = None, asked for ctranslate2" in done.stderr
