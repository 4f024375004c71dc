"""A small configuration, and a results file as a run writes it."""

import copy
from pathlib import Path

import pytest
import yaml

CONFIG = {
    "name": "tiny",
    "data": {"kind": "embedded"},
    "vocabulary": 100,
    "common": {"task": "translation", "lr": 0.005},
    "trainings": {
        "teacher": {"updates": 10, "average": 2, "options": {"arch": "transformer"}},
        "nat": {"updates": 10, "text": "distilled", "options": {"arch": "nonautoregressive_transformer"}},
        "nat_raw": {"updates": 10, "options": {"arch": "nonautoregressive_transformer"}},
    },
    "systems": [
        {"name": "teacher_beam4", "training": "teacher", "decoding": {"beam": 4}},
        {"name": "teacher_greedy", "training": "teacher", "decoding": {"beam": 1}},
        {"name": "nat_distilled", "training": "nat", "decoding": {"rescore-with": "{teacher}"}},
        {"name": "nat_raw", "training": "nat_raw", "full_only": True},
    ],
}


@pytest.fixture
def content() -> dict:
    """What the YAML file says; a test changes its copy."""
    return copy.deepcopy(CONFIG)


@pytest.fixture
def write(tmp_path):
    """Writes a configuration and returns its path."""

    def write(content: dict) -> Path:
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return path

    return write


def system(name: str, training: str, bleu: float, ms: float, rate: float | None) -> dict:
    return {
        "name": name,
        "sacrebleu": bleu,
        "signature": "nrefs:1|case:mixed",
        "chrf": bleu + 10,
        "bleu_tokenised_lowercased": {"score": bleu + 1, "how": "..."},
        "right_translation_rate": rate,
        "latency_ms": {"mean": ms, "p50": ms, "p95": 2 * ms},
        "speedup_over_beam4": 40 / ms,
        "speedup_over_beam4_spread": [39 / ms, 41 / ms],
        "speedup_over_greedy": 30 / ms,
        "speedup_over_greedy_spread": None,
        "training": {"name": training, "text": "raw", "arch": "x", "updates": 100, "seconds": 61.0},
    }


@pytest.fixture
def results() -> dict:
    """A results file of three systems on the embedded corpus."""
    systems = [
        system("teacher_beam4", "teacher", 60.0, 40.0, 0.91),
        system("teacher_greedy", "teacher", 59.5, 30.0, 0.9),
        system("lt_soft_em_distilled", "lt", 58.25, 8.0, 0.875),
    ]
    outputs = {
        s["name"]: {"text": f"Ausgabe <{s['name']}> | §", "right": s["name"] != "teacher_greedy"} for s in systems
    }
    return {
        "name": "tiny run",
        "corpus": "embedded",
        "direction": "en-de",
        "vocabulary": 100,
        "sentences": {"test": 500, "latency": 100},
        "latency_min_target_words": 20,
        "systems": systems,
        "samples": [{"line": 26, "source": "The dog.", "reference": "Der Hund.", "outputs": outputs}],
        "command": ["run_workflow.py", "--full"],
        "commit": "0123456789abcdef",
        "seed": 1,
        "date": "2026-11-21T05:00:00",
        "machine": {"cpu": "Some CPU", "logical_cores": 2, "accelerator": None},
        "versions": {"torch": "2.13.0"},
        "data": {"train.en": "abc"},
    }
