"""scripts/diagnose.py as a user runs it."""

import json
import shutil

import bitext
import pytest
from quantizing import SMALL

from vqnat.benchmarking.engines.untrained import save_untrained
from vqnat.commands.diagnose import main
from vqnat.diagnosis.diagnose_options import parse_options
from vqnat.diagnosis.study import diagnose

pytestmark = pytest.mark.slow

QUICK = ("--cpu", "--training-sentences", 40, "--threads", 1)
TEST = ("--gen-subset", "test", "--sentences", 30, *QUICK)


def options(*words):
    return parse_options([str(word) for word in words])


@pytest.fixture(scope="module")
def with_distilled(digits, tmp_path_factory):
    """The digits with a distilled validation set: as if the teacher had written the raw targets."""
    folder = shutil.copytree(digits, tmp_path_factory.mktemp("diagnosis") / "bin")
    for path in folder.glob("valid.en-de.*"):
        shutil.copyfile(path, path.with_name(path.name.replace("valid.", "valid1.")))
    return folder


@pytest.fixture(scope="module")
def result(digits, latent_checkpoint, teacher_checkpoint):
    """Of the test set, with a teacher."""
    return diagnose(options(latent_checkpoint, digits, "--teacher", teacher_checkpoint, *TEST))


def rows(result, key):
    return {row["name"]: row for row in result[key]}


def same(one, other, path=""):
    """Equal, figures up to rounding; that may also choose between two codes that are as good as one another."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            same(one[key], other[key], f"{path}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), path
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            same(a, b, f"{path}/{number}")
    else:
        assert one == (pytest.approx(other, rel=0.02, abs=1e-5) if isinstance(other, float) else other), path


def test_the_command_line(digits, with_distilled, latent_checkpoint, teacher_checkpoint, tmp_path):
    (tmp_path / "out").mkdir()
    done = bitext.run(
        *("scripts/diagnose.py", latent_checkpoint, with_distilled, "--teacher", teacher_checkpoint, "--beam", 3),
        *("--json", tmp_path / "out" / "result.json", "--plot", tmp_path / "out" / "picture.png", *QUICK),
        *("--references", digits.parent / "raw" / "valid.de"),
    )
    assert "Traceback" not in done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert (tmp_path / "out" / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert {"command", "commit", "machine", "versions", "date", "seed"} <= result.keys()
    assert {"checkpoint", "teacher", "references", "valid.en-de.en.bin"} <= result["data"].keys()
    assert str(tmp_path) not in json.dumps(result)
    assert result["subset"] == "valid" and result["sentences"] == 60 and result["beam"] == 3
    assert result["distilled_validation_from"] == "valid1" and result["teachers_translation_from"] == "teacher"
    texts = rows(result, "texts")
    for name, row in texts.items():
        assert 0 <= row["sacrebleu"] <= 100.001 and name in done.stdout
    assert texts["codes of the reference"]["sacrebleu"] > 90 and texts["predictor, greedy"]["sacrebleu"] > 80
    assert texts["reference"]["sacrebleu"] == pytest.approx(100)
    assert texts["teacher, beam 3"]["bleu_to_teacher"] == pytest.approx(100)
    codes = rows(result, "codes")
    assert codes["training"]["sentences"] == 40 and codes["raw validation"] == {
        **codes["reference"],
        "name": "raw validation",
    }
    page = tmp_path / "README.md"
    page.write_text("<!-- results: out/result.json diagnosis -->\n<!-- end -->\n", encoding="utf-8")
    bitext.run("scripts/render_tables.py", page)
    assert f"| codes of the reference | {texts['codes of the reference']['sacrebleu']:.1f} |" in page.read_text("utf-8")


def test_figures_do_not_depend_on_batches(digits, latent_checkpoint, teacher_checkpoint, result):
    command = (latent_checkpoint, digits, "--teacher", teacher_checkpoint, *TEST)
    other = diagnose(options(*command, "--batch-size", 1, "--max-tokens", 50))
    for record in (result, other):
        assert record["distilled_validation_from"] == "teacher"  # no valid1 there
    changing = ("command", "date")
    same(*({k: v for k, v in record.items() if k not in changing} for record in (result, other)))


def test_figures_agree_with_each_other(result):
    texts, first = rows(result, "texts"), result["from_teachers_first_codes"]
    assert [one["first"] for one in first] == [0, 1, 2, 4, 8, None]
    assert first[0]["sacrebleu"] == texts["predictor, greedy"]["sacrebleu"]
    if len(result["positions"]["greedy_as_teachers"]) <= 8:  # eight codes are all of them
        assert first[4]["sacrebleu"] == first[5]["sacrebleu"]
    assert first[5]["sacrebleu"] == texts["codes of the teacher's"]["sacrebleu"]
    codes = rows(result, "codes")
    places = result["wrong_words"]["by_offset"]
    wrong = sum(one["share"] * one["count"] for one in places) / sum(one["count"] for one in places)
    assert codes["teacher's translation"]["words_right"] == pytest.approx(1 - wrong)
    positions = result["positions"]
    distilled = codes["distilled validation"]
    assert sum(one["count"] for one in positions["right_on_distilled_validation"]) == distilled["codes"]
    right = sum(one["share"] * one["count"] for one in positions["right_on_distilled_validation"])
    ends = positions["ends_right_on_distilled_validation"] * distilled["sentences"]
    assert (right + ends) / (distilled["codes"] + distilled["sentences"]) == pytest.approx(distilled["right"])


def test_without_a_teacher(digits, with_distilled, latent_checkpoint):
    found = diagnose(options(latent_checkpoint, digits, "--sentences", 20, *QUICK))
    texts, codes = rows(found, "texts"), rows(found, "codes")
    assert found["sentences"] == 20 and found["wrong_words"] is None and found["distilled_validation_from"] is None
    assert texts["predictor, greedy"]["bleu_to_teacher"] is None
    for missing in (texts["teacher, greedy"], texts["codes of the teacher's"], codes["distilled validation"]):
        assert missing.keys() == {"name"}
    # A distilled validation set is the teacher's translation of that set.
    found = diagnose(options(latent_checkpoint, with_distilled, "--sentences", 20, *QUICK))
    texts, codes = rows(found, "texts"), rows(found, "codes")
    assert found["teachers_translation_from"] == found["distilled_validation_from"] == "valid1"
    assert texts["codes of the teacher's"]["sacrebleu"] == texts["codes of the reference"]["sacrebleu"]
    assert codes["distilled validation"]["bits"] == codes["raw validation"]["bits"]


def test_a_second_validation_set_of_other_sources_is_left_aside(digits, latent_checkpoint, tmp_path, capsys):
    folder = shutil.copytree(digits, tmp_path / "bin")
    for path in folder.glob("test.en-de.*"):
        shutil.copyfile(path, path.with_name(path.name.replace("test.", "valid1.")))
    found = diagnose(options(latent_checkpoint, folder, "--sentences", 10, *QUICK))
    assert found["distilled_validation_from"] is None
    assert "valid1 of" in capsys.readouterr().err


@pytest.mark.parametrize("number, name", enumerate(SMALL))
def test_any_bottleneck(digits, tmp_path, capsys, number, name):
    """Untrained, with 2, 4 or 8 words a code and both ways to set the number of codes."""
    words = ["--task", "latent_translation", "--arch", "latent_transformer_tiny", *map(str, bitext.TINY)]
    words += ["--criterion", "latent_transformer_loss", "--share-all-embeddings", "--bottleneck", name]
    words += ["--compression-steps", str(1 + number % 3), "--length-mode", ("predictor", "ratio")[number % 2]]
    for option, value in SMALL[name].items():
        words += [f"--{option.replace('_', '-')}", str(value)]
    save_untrained(words, digits, tmp_path / "untrained.pt")
    more = ("--sentences", 8, "--beam", 2, "--json", tmp_path / "result.json")
    assert main([str(w) for w in (tmp_path / "untrained.pt", digits, *more, *QUICK)]) == 0, capsys.readouterr().err
    assert name in capsys.readouterr().out
    found = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    [reference] = [row for row in found["codes"] if row["name"] == "reference"]
    # A posterior is told by its probabilities, and where there is none, by dashes.
    probabilistic = name in ("soft_em", "gumbel_softmax", "gumbel_vqvae", "gm_vq", "sq_vae")
    assert (reference["best"] is not None) == (reference["entropy_bits"] is not None) == probabilistic
    assert (reference["agree"] is not None) == (name == "soft_em")
    if probabilistic:
        assert 1 / 16 <= reference["best"] <= 1 + 1e-6 and 0 <= reference["entropy_bits"] <= 4 + 1e-6
    for text in found["texts"]:
        assert ("at_limit" in text) == (text["name"].startswith("predictor") and number % 2 == 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere.pt", "DATA"), "nowhere.pt: no such file"),
        (("README.md", "DATA"), "README.md: not a readable fairseq checkpoint"),
        (("TEACHER", "DATA"), "a TransformerModel; needed a latent transformer"),
        (("LATENT", "nowhere"), "nowhere: no such folder"),
        (("LATENT", "DATA", "--gen-subset", "dev"), "--gen-subset dev: not in "),
        (("LATENT", "DATA", "--teacher", "nowhere.pt"), "--teacher nowhere.pt: no such file"),
        (("LATENT", "DATA", "--teacher", "LATENT"), "a latent transformer; needed an autoregressive model"),
        (("LATENT", "DATA", "--references", "LICENSE"), "--references LICENSE: "),
        (("LATENT", "DATA", "--references", "nowhere.txt"), "--references nowhere.txt: not a readable text"),
        (("LATENT", "DATA", "--ctc-blank-penalty", 1), "--ctc-blank-penalty 1: only with --output-layer ctc"),
        (("LATENT", "DATA", "--beam", 1), "--beam 1 is not possible; valid: 2 or more"),
        (("LATENT", "DATA", "--sentences", 0), "--sentences 0 is not possible; valid: 1 or more"),
        (("LATENT", "DATA", "--json", "vqnat"), "vqnat: cannot be written"),
        (("LATENT", "DATA", "-s", "fr", "-t", "de"), "--source-lang fr --target-lang de: not one pair"),
    ],
)
def test_mistakes_are_named_in_one_line(
    digits, latent_checkpoint, teacher_checkpoint, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(bitext.REPO)
    paths = {"LATENT": latent_checkpoint, "TEACHER": teacher_checkpoint, "DATA": digits}
    assert main([str(paths.get(word, word)) for word in (*words, "--cpu")]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("vqnat diagnose: ") and message in line


def test_another_vocabulary_is_named(digits, latent_checkpoint, tmp_path, capsys):
    bitext.write(tmp_path / "raw", {"train": 30, "valid": 5, "test": 5})
    for path in (tmp_path / "raw").iterdir():
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("zero", "nought"), encoding="utf-8")
    other = bitext.binarize(tmp_path / "raw", tmp_path / "bin")
    teacher = bitext.train_teacher(other, tmp_path / "teacher", updates=2)
    assert main([str(w) for w in (latent_checkpoint, digits, "--teacher", teacher, "--cpu")]) == 2
    assert main([str(w) for w in (latent_checkpoint, other, "--cpu")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ")[2] for line in lines] == ["--teacher", f"{latent_checkpoint}:"]
    assert all("of its dictionary" in line for line in lines)


def test_a_damaged_split_is_named(digits, latent_checkpoint, tmp_path, capsys):
    folder = shutil.copytree(digits, tmp_path / "bin")
    shutil.copyfile(folder / "train.en-de.de.idx", folder / "valid.en-de.de.idx")
    shutil.copyfile(folder / "train.en-de.de.bin", folder / "valid.en-de.de.bin")
    assert main([str(w) for w in (latent_checkpoint, folder, "--cpu")]) == 2
    assert "60 sentences in en, 2000 in de: must be equal" in capsys.readouterr().err
    (folder / "valid.en-de.de.idx").write_bytes(b"")
    assert main([str(w) for w in (latent_checkpoint, folder, "--cpu")]) == 2
    assert "valid.en-de.de.idx: damaged: empty" in capsys.readouterr().err
