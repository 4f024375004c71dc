"""The small model that ships with the package, from a run of the quickstart on the embedded corpus."""

import json
import tempfile
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat.experiments.scores import right_rate, score
from vqnat.experiments.translations import read_lines, write_lines
from vqnat.export.model_folder import export_for_serving
from vqnat.hub.folder_files import relisted
from vqnat.hub.packaging import About, check_replaceable, package
from vqnat.hub.translator import LatentTranslator
from vqnat.records.results import provenance, write_json
from vqnat_serving.model_folder import SCORES, ModelFolder
from vqnat_serving.onnx_translator import OnnxTranslator

NAME = "vqnat-small-en-de"
CORPUS = "embedded"
PRECISION = "int8"
CODE_WORDS_LINES = 5000  # sentences of the training text that are translated to see what each code writes
CARD = {
    "license": "mit",
    "dataset": "vqnat-embedded",
    "data_note": (
        "Trained on the embedded corpus: English sentences that a small grammar generates (`vqnat embedded`) and German"
        " translations of them. It knows the few hundred words of that grammar and nothing else: it shows how a latent "
        "transformer works, and does not translate English at large. `scripts/make_small_model.sh` makes it."
    ),
    "example": "The old woman wanted to buy three books.",
}


def make_small_model(run: Path, out: Path, system: str) -> ModelFolder:
    """Package a run's latent transformer as int8 ONNX, without weights, and measure what was packaged.

    Args:
        run: folder of a finished run on the embedded corpus.
        out: model folder to write; an earlier one is replaced.
        system: row of the run's table, a latent transformer.

    Raises:
        UserError: not such a run, or no such system.
    """
    results = _read(run)
    row = _choose(run, results, system)
    source, target = results["direction"].split("-")
    check_replaceable(out)
    with tempfile.TemporaryDirectory() as work:
        folder, text = Path(work) / NAME, Path(work) / "text"
        checkpoint = _checkpoint(run, row["training"]["name"])
        given = {"data": run / "prep" / "bin", "bpe_model": run / "prep" / "spm.model"}
        translator = LatentTranslator.from_pretrained(checkpoint, packed=False, **given)
        package(translator, checkpoint, folder, About(NAME, CARD))
        write_lines(text, read_lines(run / "raw" / f"train.{source}")[:CODE_WORDS_LINES])
        translator = LatentTranslator.from_pretrained(folder, packed=False)
        made = export_for_serving(translator, [PRECISION], out, text)
    write_json(out / SCORES, _measure(out, run / "raw", source, target) | {"training": row["training"]})
    return relisted(made)


def _read(run: Path) -> dict[str, Any]:
    path = run / "results.json"
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if results["corpus"] != CORPUS:
            raise UserError(f"--run {run}: its corpus is {results['corpus']}, not {CORPUS}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"--run {run}: not a finished run of scripts/quickstart.sh ({path})") from error
    return results


def _choose(run: Path, results: dict[str, Any], system: str) -> dict[str, Any]:
    for row in results["systems"]:
        if row["name"] == system and row["training"]["arch"].startswith("latent_transformer"):
            return dict(row)
    names = ", ".join(row["name"] for row in results["systems"])
    raise UserError(f"--run {run}: --system {system}: no such latent transformer (systems there: {names})")


def _checkpoint(run: Path, training: str) -> Path:
    averaged = run / "averaged" / f"{training}.pt"
    return averaged if averaged.is_file() else run / "models" / training / "checkpoint_best.pt"


def _measure(model: Path, raw: Path, source: str, target: str) -> dict[str, Any]:
    """``scores.json`` of the exported model on the test set, which it translates greedily."""
    files = {path.name: path for path in (raw / f"test.{source}", raw / f"test.{target}")}
    sources, references = (read_lines(path) for path in files.values())
    outputs = OnnxTranslator(model).translate(sources)
    row = score(sources, outputs, references, target, right_rate(CORPUS))
    return {
        "data": "the embedded corpus, test set",
        "sentences": len(sources),
        "rows": [{"name": f"onnx_{PRECISION}", "decoding": {"beam": 1, "precision": PRECISION}, **row}],
        "measured": provenance(None, files),
    }
