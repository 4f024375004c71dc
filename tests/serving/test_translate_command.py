"""``vqnat translate``: arguments, files and standard input; an export without torch, a checkpoint with it; verdicts."""

import json
import sys

import bitext
import pytest

LINES = ["one two three", "", "nine nine four", "unheard", "seven"]
LOADED = (
    "import sys; from vqnat.cli import main; status = main(sys.argv[1:]); "
    "print([name for name in ('torch', 'fairseq') if name in sys.modules], file=sys.stderr); sys.exit(status)"
)


def translate(*words, **options):
    return bitext.run(sys.executable, "-m", "vqnat", "translate", *words, **options)


def test_text_comes_from_arguments_files_or_standard_input(trained, tmp_path):
    expected = trained.runner.translate(LINES)
    file = tmp_path / "input.en"
    file.write_text("\n".join(LINES[:2]) + "\n", encoding="utf-8")
    rest = tmp_path / "rest.en"
    rest.write_text("\n".join(LINES[2:]), encoding="utf-8")
    model = ("--model", trained.folder)
    for words, text in (
        (LINES, None),
        (("--input", file, "--input", rest), None),
        ((), "\n".join(LINES) + "\n"),
        (("--interactive", "--buffer-size", 2), "\n".join(LINES)),
    ):
        done = translate(*model, *words, input=text)
        assert done.stdout.split("\n") == [*expected, ""]
        assert done.stderr == ""
    done = translate(*model, "--precision", "int8", "--beam", 3, "--n-best", 2, "--scores", "--codes", *LINES)
    found = trained.onnx(precision="int8").hypotheses(LINES, beam=3, n_best=2)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[0], row[2], row[3]) for row in rows] == [
        (str(number), one.text, " ".join(map(str, one.codes or ())))
        for number, group in enumerate(found, 1)
        for one in group
    ]


def test_an_export_needs_neither_torch_nor_fairseq_and_a_checkpoint_both(trained):
    done = bitext.run(sys.executable, "-c", LOADED, "translate", "--model", trained.folder, "one two")
    assert (done.stdout, done.stderr) == ("eins zwei\n", "[]\n")
    checkpoint = ("--model", trained.checkpoint, "--data", trained.data)
    done = bitext.run(sys.executable, "-c", LOADED, "translate", *checkpoint, "--beam", 2, "one two", "three four")
    assert (done.stdout, done.stderr) == ("eins zwei\ndrei vier\n", "['torch', 'fairseq']\n")


def test_the_longest_translation_is_an_option(trained):
    long = "one " * 12
    [whole] = translate("--model", trained.folder, long).stdout.splitlines()
    # nc = 1: an even number of words, the end of sentence among them
    [cut] = translate("--model", trained.folder, "--max-len-a", 0, "--max-len-b", 4, long).stdout.splitlines()
    assert len(cut.split()) <= 4 < len(whole.split()) and whole.startswith(cut)


def test_the_grammar_judges_if_it_is_asked(trained):
    done = translate("--model", trained.folder, "--verdict", "one two", "The old woman bought three books.")
    assert [line.split("\t")[1] for line in done.stdout.splitlines()] == ["unknown", "wrong"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "nowhere", "x"), "vqnat translate: nowhere: no such folder"),
        (("--model", "README.md", "x"), "vqnat translate: README.md: not a readable fairseq checkpoint"),
        (("--model", "EXPORT", "--bpe", "none", "x"), "vqnat translate: --bpe none: only with a checkpoint"),
        (("--model", "EXPORT", "one " * 2000), "vqnat translate: TEXT 1 has 2001 tokens"),
    ],
)
def test_mistakes_are_one_line(trained, words, message):
    done = translate(*(trained.folder if word == "EXPORT" else word for word in words), check=False)
    assert done.returncode == 2 and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith(message)


def test_the_small_model_inside():
    sentence = "The old woman wanted to buy three books."
    done = bitext.run(sys.executable, "-c", LOADED, "translate", "--verdict", sentence)
    text, verdict = done.stdout.rstrip("\n").split("\t")
    assert verdict == "right" and "Frau" in text
    assert json.loads(done.stderr.replace("'", '"')) == []
