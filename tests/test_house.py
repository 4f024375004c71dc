"""What importing costs, and that ``--user-dir vqnat`` registers whatever was imported before."""

import subprocess
import sys

import pytest
from bitext import REPO

LOADED = "; import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
REGISTERED = (
    "from argparse import Namespace; from fairseq import utils, tasks, models, criterions; "
    "utils.import_user_module(Namespace(user_dir={folder!r})); "
    "assert 'latent_translation' in tasks.TASK_REGISTRY; "
    "assert 'latent_transformer_tiny' in models.ARCH_MODEL_REGISTRY; "
    "assert 'parallel_loss' in criterions.CRITERION_REGISTRY; "
    "import torch, argparse; assert argparse.Namespace in torch.serialization.get_safe_globals()"
)


def python(program: str, **options) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, timeout=300, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "module, never",
    [
        ("vqnat", {"torch", "numpy", "fairseq", "vqnat_serving"}),
        ("vqnat.bottlenecks", {"fairseq", "omegaconf", "sentencepiece", "onnxruntime"}),
        ("vqnat.modules.transformer", {"fairseq", "omegaconf", "sentencepiece"}),
        ("vqnat_serving.errors", {"torch", "numpy", "fairseq", "sentencepiece", "vqnat"}),
        ("vqnat_serving.model_folder", {"torch", "numpy", "fairseq", "sentencepiece", "onnxruntime", "vqnat"}),
        ("vqnat_serving.onnx_translator", {"torch", "fairseq", "vqnat", "huggingface_hub"}),
    ],
)
def test_what_an_import_does_not_load(module, never):
    assert not never & set(python(f"import {module}{LOADED}").split())


def test_the_grammar_needs_the_standard_library_only():
    before = set(python(f"pass{LOADED}").split())
    loaded = set(python(f"import vqnat.embedded.__main__{LOADED}").split()) - before
    assert loaded - sys.stdlib_module_names == {"vqnat", "vqnat_serving"}


@pytest.mark.parametrize("before", ["", "import vqnat; ", "import vqnat.bottlenecks; ", "import vqnat.plugin; "])
def test_user_dir_registers_whatever_was_imported_before(before):
    python(before + REGISTERED.format(folder="vqnat"))
