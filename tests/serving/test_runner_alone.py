"""The runner as a program of its own: no torch, no fairseq, no pickle, one line for a mistake."""

import json
import shutil
import sys

import bitext
import pytest

ALONE = """
import json, pickle, sys

def refuse(*args, **kwargs):
    raise AssertionError("something was unpickled")

pickle.load = pickle.loads = pickle.Unpickler = refuse
from vqnat_serving import OnnxTranslator

for precision in ("fp32", "int8"):
    translator = OnnxTranslator(sys.argv[1], precision=precision)
    print(json.dumps(translator.translate(["one two three", "", "nine nine four"], beam=2)))
print(json.dumps(sorted(name for name in ("torch", "fairseq", "vqnat", "omegaconf") if name in sys.modules)))
"""


def python(*words, **options):
    return bitext.run(sys.executable, *words, **options)


def serve(folder, *more, text="", **options):
    return python("-m", "vqnat_serving", "--model", folder, *more, input=text, **options)


def test_the_runner_imports_neither_torch_nor_fairseq_and_unpickles_nothing(trained):
    lines = python("-c", ALONE, trained.folder).stdout.splitlines()
    assert [json.loads(line) for line in lines] == 2 * [["eins zwei drei", "", "neun neun vier"]] + [[]]


def test_the_package_alone_is_enough(trained, tmp_path):
    shutil.copytree(bitext.REPO / "vqnat_serving", tmp_path / "vqnat_serving")
    code = "import sys; sys.path.insert(0, sys.argv[2]); " + ALONE + "print(sys.modules['vqnat_serving'].__file__)"
    lines = python("-c", code, trained.folder, tmp_path).stdout.splitlines()
    assert lines[-1] == str(tmp_path / "vqnat_serving" / "__init__.py")


def test_standard_input_keeps_its_order(trained):
    lines = trained.sentences
    expected = trained.torch().translate(lines)
    text = "\n".join(lines) + "\n"
    for options in ((), ("--interactive",), ("--interactive", "--buffer-size", 7), ("--batch-size", 1)):
        assert serve(trained.folder, *options, text=text).stdout.split("\n")[:-1] == expected
    # A last line without its end, and nothing at all.
    assert serve(trained.folder, text="one two").stdout == "eins zwei\n"
    assert serve(trained.folder, text="").stdout == ""


def test_n_best_scores_and_codes(trained):
    lines = ["one two three", "", "four"]
    done = serve(trained.folder, "--beam", 3, "--n-best", 2, "--scores", "--codes", text="\n".join(lines))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    expected = trained.torch().hypotheses(lines, beam=3, n_best=2)
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3"]
    for row, hypothesis in zip(rows, [h for one in expected for h in one], strict=True):
        assert float(row[1]) == pytest.approx(hypothesis.score, abs=2e-3)
        assert row[2:] == [hypothesis.text, " ".join(map(str, hypothesis.codes or ()))]


def last_line(done):
    assert done.returncode == 2
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    [line] = done.stderr.strip().splitlines()
    return line


def test_mistakes_are_one_line(trained, tmp_path):
    def wrong(folder, *more, **options):
        return last_line(serve(folder, *more, check=False, **options))

    assert wrong(tmp_path / "none").startswith(f"vqnat_serving: {tmp_path / 'none'}: no such folder")
    assert "not an exported model: it has no export.json" in wrong(tmp_path)
    assert "needs --interactive" in wrong(trained.folder, "--buffer-size", 3)
    assert "--beam 1 --n-best 2: needed 1 <= n-best <= beam" in wrong(trained.folder, "--n-best", 2)
    assert "--beam 0" in wrong(trained.folder, "--beam", 0)
    longest = "one two\n" + "one " * 1024 + "\n"
    assert "standard input, line 2 has 1025 tokens" in wrong(trained.folder, text=longest)
    assert "standard input, line 2 has 1025 tokens" in wrong(trained.folder, "--interactive", text=longest)
    done = python(
        "-m", "vqnat_serving", "--model", trained.folder, check=False, input="one\nb\udcffd\n", errors="surrogateescape"
    )
    assert last_line(done) == "vqnat_serving: standard input, line 2: not UTF-8 at byte 1"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("export.json", b"[]", "export.json: not the description of an exported model"),
        ("export.json", b"{", "export.json: not the description of an exported model"),
        ("export.json", b'{"format": "vqnat-onnx-0"}', "format 'vqnat-onnx-0', this runner reads 'vqnat-onnx-3'"),
        ("fp32/greedy.onnx", b"no graph", "greedy.onnx: damaged: export.json has another checksum"),
        ("fp32/beam.onnx", None, "beam.onnx: cannot be read"),
        ("fp32/weights.safetensors", b"x", "weights.safetensors: damaged: export.json has another checksum"),
        ("fp32/weights.safetensors", None, "weights.safetensors: cannot be read"),
        ("dict.de.txt", None, "dict.de.txt: cannot be read"),
        ("spm.model", b"no model", "spm.model: damaged: export.json has another checksum"),
        ("spm.model", None, "spm.model: cannot be read"),
    ],
)
def test_damaged_exports_are_named(pieces, tmp_path, name, content, message):
    from vqnat_serving import OnnxTranslator
    from vqnat_serving.errors import UserError

    folder = shutil.copytree(pieces.folder, tmp_path / "damaged")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        OnnxTranslator(folder, engine="onnx" if name.endswith(".onnx") else None)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"precision 'int8': not in .*; it has fp32"):
        OnnxTranslator(pieces.folder, precision="int8")
