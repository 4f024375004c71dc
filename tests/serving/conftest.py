"""Exported models of several kinds."""

import bitext
import pytest
from exporting import UNTRAINED, make


@pytest.fixture(scope="session")
def trained(digits, latent_checkpoint, tmp_path_factory):
    """nc = 1, trained; every precision."""
    folder = tmp_path_factory.mktemp("exported") / "trained"
    return make(latent_checkpoint, digits, folder, "--precision", "fp32", "int8", count=60)


@pytest.fixture(scope="session")
def pieces(tmp_path_factory):
    """nc = 2, random weights, sentencepiece, a shallow predictor, other embeddings for each side."""
    folder = tmp_path_factory.mktemp("pieces")
    bitext.write(folder / "raw", {"train": 300, "valid": 5, "test": 5})
    bitext.run("data-prep/binarize.py", "--raw", folder / "raw", "--out", folder, "--vocabulary", 60, "--workers", 1)
    options = ("--compression-steps", 2, "--decoder-layers", 2, "--predictor-layers", 1, *UNTRAINED)
    options = (*options, "--tie-predictor-output", "--helper-layers", 1, "--seed", 6)  # not all the same words
    checkpoint = bitext.train_latent(folder / "bin", folder / "run", *options, "--disable-validation", updates=1)
    return make(checkpoint, folder / "bin", folder / "exported", "--precision", "fp32")


@pytest.fixture(scope="session")
def ratio(digits, tmp_path_factory):
    """nc = 3, random weights, the number of codes a multiple of the source length."""
    folder = tmp_path_factory.mktemp("ratio")
    options = ("--compression-steps", 3, "--length-mode", "ratio", "--length-ratio", 1.7, "--encoder-normalize-before")
    checkpoint = bitext.train_latent(digits, folder / "run", *options, *UNTRAINED, "--disable-validation", updates=1)
    return make(checkpoint, digits, folder / "exported", "--precision", "fp32")


@pytest.fixture(scope="session")
def ctc(digits, tmp_path_factory):
    """CTC over codes."""
    return _with_output_layer("ctc", True, digits, tmp_path_factory)


@pytest.fixture(scope="session")
def expecting(digits, tmp_path_factory):
    """CTC over codes, of which the decoder reads expectations."""
    more = ("--decoder-reads", "expectation", "--predicted-codes", 0.5)
    return _with_output_layer("ctc", True, digits, tmp_path_factory, *more)


@pytest.fixture(scope="session")
def dag(digits, tmp_path_factory):
    """A graph of words over codes."""
    return _with_output_layer("dag", True, digits, tmp_path_factory)


@pytest.fixture(scope="session")
def parallel_ctc(digits, tmp_path_factory):
    """CTC without latents."""
    return _with_output_layer("ctc", False, digits, tmp_path_factory)


@pytest.fixture(scope="session")
def parallel_dag(digits, tmp_path_factory):
    """A graph of words without latents."""
    return _with_output_layer("dag", False, digits, tmp_path_factory)


def _with_output_layer(layer, latents, digits, tmp_path_factory, *more):
    folder = tmp_path_factory.mktemp(layer)
    options = ("--output-layer", layer, "--output-upsample", 1.5 if latents else 2.5, "--disable-validation", *more)
    if latents:
        options += ("--compression-steps", 2, *UNTRAINED)
    train = bitext.train_latent if latents else bitext.train_parallel
    checkpoint = train(digits, folder / "run", *options, updates=60)
    return make(checkpoint, digits, folder / "exported", "--precision", "fp32", "int8")
