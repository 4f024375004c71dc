"""The package as pip installs it: what is in it, and what works with the smallest installation."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import bitext
import fairseq
import pytest
from bitext import REPO
from running import run
from shared import made_once

pytestmark = pytest.mark.slow

PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
TRAINING = ("torch", "fairseq", "matplotlib", "yaml", "sacrebleu")


def build(folder):
    """The sdist, and the wheel that is built from it."""
    source = folder / "source"  # setuptools builds inside the source folder
    for name in ("vqnat", "vqnat_serving"):
        shutil.copytree(REPO / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in REPO.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copy(path, source)
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    [found] = made_once(tmp_path_factory, "packages", build).glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """The interpreter of a new environment with ``vqnat[serving]``."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    done = run(python, *PIP, "-c", REPO / "constraints.txt", f"{wheel}[serving]")
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip(f"the package registry cannot be reached: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return python


def alone(*words, **options):
    """A program that does not see the checkout."""
    return run(*words, env={"PYTHONPATH": ""}, **options)


def test_the_wheel_holds_the_packages_and_their_data_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("vqnat", "vqnat_serving"):
        files = (path for path in (REPO / package).rglob("*") if path.is_file() and path.suffix != ".pyc")
        kept = (path for path in files if path.parent.name != "src")  # of the engine, which the wheel holds compiled
        assert {str(path.relative_to(REPO)) for path in kept} <= names
    others = {name for name in names if name.split("/")[0] not in ("vqnat", "vqnat_serving")}
    assert {name.split("/")[0] for name in others} == {f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"}
    assert any(name.endswith("LICENSE") for name in others)


def test_the_light_commands_need_nothing_else(python, tmp_path):
    vqnat = python.parent / "vqnat"
    done = alone(python, "-c", f"import importlib.util as u; print([n for n in {TRAINING!r} if u.find_spec(n)])")
    assert done.stdout == "[]\n"
    assert alone(vqnat, "--version").stdout.startswith("vqnat ")
    assert "distill" in alone(vqnat, "--help").stdout
    assert alone(vqnat, "distill", "--help").returncode == alone(vqnat, "latency", "--help").returncode == 0
    corpus = alone(vqnat, "embedded", "--out", tmp_path / "corpus", "--train", 3, "--valid", 0, "--test", 0)
    assert corpus.returncode == 0 and (tmp_path / "corpus" / "train.en").read_text().count("\n") == 3


def test_translate_answers_where_torch_and_fairseq_are_not_installed(python, tmp_path):
    sentence = "The old woman wanted to buy three books."
    done = alone(python.parent / "vqnat", "translate", "--verdict", sentence, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\tright\n")


@pytest.mark.parametrize(
    "words",
    [
        ("distill", "data", "--path", "teacher.pt", "--out", "out"),
        ("average", "--inputs", "a.pt", "--output", "b.pt"),
        ("diagnose", "a.pt", "data"),
        ("latency", "data", "--system", "a=b.pt"),
        ("translate", "--engine", "torch", "--model", "a.pt", "text"),
    ],
)
def test_what_is_not_installed_is_said_in_one_line(python, words):
    done = alone(python, "-m", "vqnat", *words)
    assert (done.returncode, done.stdout) == (2, "")
    line = rf"vqnat {words[0]}: (torch|fairseq) is not installed: pip install 'vqnat\[train\]'\n"
    assert re.fullmatch(line, done.stderr)


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A site-packages with the installed package and fairseq side by side, as pip leaves them."""
    site = tmp_path_factory.mktemp("site")
    assert run(sys.executable, *PIP, "--no-deps", "--target", site, wheel).returncode == 0
    theirs = Path(fairseq.__file__).parent
    shutil.copytree(theirs, site / "fairseq", ignore=shutil.ignore_patterns("examples"))
    return site


REGISTERED = (
    "import sys; sys.path.insert(0, sys.argv[1]); from argparse import Namespace; "
    "from fairseq import utils, tasks, models, criterions; utils.import_user_module(Namespace(user_dir=sys.argv[2])); "
    "assert 'latent_translation' in tasks.TASK_REGISTRY; "
    "assert 'latent_transformer_tiny' in models.ARCH_MODEL_REGISTRY; "
    "assert 'parallel_loss' in criterions.CRITERION_REGISTRY; import vqnat; print(vqnat.__file__)"
)


def test_user_dir_of_an_installed_package_from_any_folder(site, tmp_path):
    """fairseq looks for ``vqnat`` beside its own package when the working folder has none."""
    done = alone(sys.executable, "-c", REGISTERED, site, "vqnat", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert os.path.realpath(done.stdout.strip()) == os.path.realpath(site / "vqnat" / "__init__.py")


def test_the_sdist_builds_and_has_the_citation(wheel):
    [sdist] = wheel.parent.glob("*.tar.gz")
    names = {name.partition("/")[2] for name in bitext.run("tar", "-tzf", sdist).stdout.splitlines()}
    assert {"CITATION.cff", "LICENSE", "README.md", "constraints.txt", "pyproject.toml", "vqnat/cli.py"} <= names
