"""Files that would run code, read others or fill the memory: each is refused by its name, by the real commands."""

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

import bitext
import hostile
import pictures
import pytest

PREPARE = bitext.REPO / "data-prep"


@pytest.fixture
def marker(tmp_path):
    """What hostile code would make; that it did not is checked at the end."""
    path = tmp_path / "code-was-run"
    yield path
    assert not path.exists()


def refused(*words: object, status: int = 2) -> str:
    """The only line with which a command line refuses."""
    program = [str(word) for word in words]
    done = bitext.forks().run(program, bitext.REPO, "one\n")
    assert done.returncode == status, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    if program[0].startswith("fairseq-"):  # which says more
        lines = [line for line in lines if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "option"])
def test_checkpoints_run_no_code(kind, digits, tmp_path, marker):
    path = hostile.checkpoints(tmp_path / "hostile", marker, digits)[kind]
    data, out = ("--data", digits, "--bpe", "none"), ("--out", tmp_path / "out")
    commands = [
        ("vqnat", "translate", "--model", path, *data),
        ("vqnat", "package", path, *out, *data),
        ("vqnat", "export", path, *out, *data),
        ("vqnat", "distill", digits, "--path", path, *out, "--cpu"),
    ]
    if kind != "option":  # whose weights could be averaged, as nothing is built
        commands.append(("vqnat", "average", "--inputs", path, "--output", tmp_path / "average.pt"))
        images = ("--path", path, "--out", tmp_path / "x.png", pictures.write(tmp_path / "images"))
        commands.append((bitext.REPO / "scripts" / "image_reconstruct.py", *images))
    for command in commands:
        line = refused(*command)
        assert str(path) in line and ("readable" in line or "an option is refused" in line), line
    generate = ("fairseq-generate", digits, "--user-dir", "vqnat", "--task", "translation", "--cpu", "--path", path)
    line = refused(*generate, status=1)
    assert line.startswith("error: ") and (str(path) in line or "an option is refused" in line), line


def test_torch_cannot_be_told_to_run_code(digits, tmp_path, marker, monkeypatch):
    path = hostile.checkpoints(tmp_path / "hostile", marker, digits)["zip"]
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    line = refused("fairseq-generate", digits, "--user-dir", "vqnat", "--cpu", "--path", path, status=1)
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set" in line
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD is set" in refused("vqnat", "translate", "--model", path)


def runners(folder: Path) -> list[str]:
    """What each program that serves or runs exports says of a folder."""
    serve = ("vqnat", "serve", "--port", 0, "--model", folder)
    return [
        refused("vqnat", "translate", "--model", folder),
        refused("-m", "vqnat_serving", "--model", folder),
        refused(*serve),
    ]


@pytest.mark.parametrize("location", ["../../../secret", "/etc/hostname", "weights.bin"])
def test_graphs_whose_tensors_lie_elsewhere(location, tmp_path):
    changes = {"onnx/int8/encoder.onnx": hostile.graph_elsewhere(location)}
    folder = hostile.model_folder(tmp_path / "model", changes)
    (folder / "onnx" / "int8" / "weights.bin").write_bytes(bytes(16))  # which no checksum covers
    for line in runners(folder):
        assert f"{folder}/onnx/int8/encoder.onnx: refused: its tensors lie in other files" in line


def test_other_graphs_than_the_exports(tmp_path):
    import onnx

    text = '<ir_version: 9, opset_import: ["" : 20]> g (float[2] x) => (float[2] y) {y = Abs(x)}'
    graph = onnx.parser.parse_model(text)
    folder = hostile.model_folder(tmp_path / "model", {"onnx/int8/encoder.onnx": graph.SerializeToString()})
    for line in runners(folder):
        assert f"{folder}/onnx/int8/encoder.onnx: does not run; export the model again" in line


@pytest.mark.parametrize("content", [b"", b"\x00" * 400, b"no model", hostile.SMALL_MODEL.joinpath("spm.model")])
def test_sentencepiece_models(content, tmp_path):
    if isinstance(content, Path):
        content = content.read_bytes()[:5000]
    folder = hostile.model_folder(tmp_path / "model", {"spm.model": content})
    for line in runners(folder):
        assert f"{folder}/spm.model: not a sentencepiece model" in line


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("config.json", "source_lang", "../../../etc/x"),
        ("config.json", "files", {"../../etc/hostname": "0"}),
        ("config.json", "files", {"/etc/hostname": "0"}),
        ("onnx/export.json", "sentencepiece", "../../../../../etc/hostname"),
        ("onnx/export.json", "source_dictionary", "/etc/hostname"),
        ("onnx/export.json", "precisions", ["../../elsewhere"]),
        ("onnx/export.json", "stride", 0),
        ("onnx/export.json", "cache", [10**30, 1, 1]),
        ("onnx/export.json", "upsample", [1, 0]),
    ],
)
def test_descriptions_stay_in_their_folder(name, key, value, tmp_path):
    folder = hostile.model_folder(tmp_path / "model", {})
    described = json.loads((folder / name).read_text(encoding="utf-8")) | {key: value}
    (folder / name).write_text(json.dumps(described), encoding="utf-8")
    if name != "config.json":
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        config["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    line = refused("vqnat", "translate", "--model", folder)
    assert f"{folder / name}: not the description of " in line and (key in line or "file " in line), line


def test_configurations_build_nothing_and_stay_small(tmp_path, marker):
    commands = {
        "latency": ("vqnat", "latency", tmp_path, "--systems"),
        "make_untrained.py": ("scripts/make_untrained.py", tmp_path, "--out", tmp_path / "out", "--models"),
        "workflow": ("scripts/run_workflow.py", "--run", tmp_path / "run", "--config"),
    }
    code = f"!!python/object/apply:os.mkdir ['{marker}']\n"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    for name, content, said in (
        ("code", code, "not YAML: could not determine a constructor"),
        ("bomb", bomb, "more than 200000 values"),
        ("deep", "[" * 5000, "not YAML: nested too deeply"),
        ("date", "2020-13-45", "not YAML: month must be in 1..12"),
        ("number", "9" * 5000, "not YAML: Exceeds the limit"),
    ):
        path = tmp_path / f"{name}.yaml"
        path.write_text(content, encoding="utf-8")
        for command in commands.values():
            line = refused(*command, path)
            assert f"{path}: {said}" in line, line


def test_archives_are_read_in_place(tmp_path):
    names = ["../../outside.png", "/tmp/outside-vqnat.png", "a.png", "b.png"]
    path = hostile.archive(tmp_path / "slip.zip", {name: hostile.picture(n + 4) for n, name in enumerate(names)})
    options = ("--size", 4, "--valid", 0.25, "--test", 0.25)
    before = set(tmp_path.rglob("*"))
    bitext.run(PREPARE / "prepare-images.py", "--from", path, "--out", tmp_path / "out", *options)
    new = {one.relative_to(tmp_path).parts[0] for one in set(tmp_path.rglob("*")) - before}
    assert (
        new <= {"out"}
        and not Path("/tmp/outside-vqnat.png").exists()
        and not (tmp_path.parent / "outside.png").exists()
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("z-large.png", hostile.picture(9000, 9000), "z-large.png has 9000 x 9000 pixels, at most 67108864 are read"),
        ("z-huge.png", hostile.picture(20_000, 20_000), "z-huge.png is not a readable picture (DecompressionBombError"),
        ("z-zeros.png", bytes(300 << 20), "z-zeros.png has 314572800 bytes, at most 268435456 are read"),
        ("z-text.png", b"no picture", "z-text.png is not a readable picture"),
        (
            "z-program.png",
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
            "z-program.png is not a readable picture",
        ),
    ],
)
def test_bombs_in_archives(name, content, said, tmp_path):
    others = {"x.png": hostile.picture(5, 5), "y.png": hostile.picture(6, 6)}
    path = hostile.archive(tmp_path / "bomb.zip", {name: content, **others})
    assert path.stat().st_size < 1 << 20
    line = refused(PREPARE / "prepare-images.py", "--from", path, "--out", tmp_path / "out", "--size", 4)
    assert line.startswith(f"prepare-images: {path}: {said}"), line
    assert not list((tmp_path / "out").glob("*.npy"))


def test_an_archive_with_another_checksum_is_not_unpacked(tmp_path):
    raw = tmp_path / "cifar10" / "raw"
    raw.mkdir(parents=True)
    path = raw / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo("../../../slipped")
        member.size = 4
        tar.addfile(member, io.BytesIO(b"text"))
    line = refused(PREPARE / "prepare-cifar10.py", "--out", tmp_path / "cifar10")
    assert f"{path}: damaged: its md5 is" in line
    assert [one.name for one in raw.iterdir()] == [path.name] and not (tmp_path / "slipped").exists()


@pytest.mark.parametrize("kind", ["no-checksums", "other-content"])
def test_what_comes_from_the_hub_is_used_as_far_as_checksums_cover_it(kind, tmp_path, monkeypatch):
    """The cache of huggingface_hub, as a download leaves it."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    model = tmp_path / "models--org--evil"
    folder = model / "snapshots" / commit
    folder.parent.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(commit)
    shutil.copytree(hostile.SMALL_MODEL, folder)
    if kind == "no-checksums":
        for path in (folder / "onnx").iterdir():
            shutil.move(path, folder / path.name)
        (folder / "config.json").unlink()
        said = "org/evil: refused: no config.json of vqnat with checksums"
    else:
        (folder / "onnx" / "int8" / "decoder.onnx").write_bytes(hostile.graph_elsewhere("x"))
        said = "decoder.onnx: its SHA-256 is"
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    with tempfile.TemporaryDirectory() as elsewhere:
        words = (sys.executable, "-m", "vqnat", "translate", "--model", "org/evil", "one")
        done = bitext.run(*words, check=False, env={**environment, "PYTHONPATH": str(bitext.REPO)})
        assert elsewhere
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1, done.stderr
