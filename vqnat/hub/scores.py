"""``scores.json`` of a model folder: what was measured, on which data, and where the figures come from."""

from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat_serving.json_files import read_object

# Of a row of a results file, what belongs to the model and not to the comparison.
MEASURES = ("sacrebleu", "signature", "chrf", "chrf_signature", "right_translation_rate", "decoding", "latency_ms")
ORIGIN = ("command", "commit", "seed", "machine", "versions", "date")
FIGURES = ("sacrebleu", "chrf", "right_translation_rate")


def read_scores(path: Path, training: str, system: str | None = None) -> dict[str, Any]:
    """The content of ``scores.json``: ``data``, ``sentences``, ``rows`` (one a way of decoding) and ``measured``.

    Args:
        path: ``results.json`` of an experiment, ``scores.json`` of a folder, or an object with figures of one model
            (``sacrebleu``, ``chrf``, ``right_translation_rate``) and, if known, ``data``.
        training: name of the training, which finds its rows in a results file.
        system: the row to take instead.

    Raises:
        UserError: the file is missing or something else, or has no such row.
    """
    return check_scores(f"--scores {path}", _read_scores(path, training, system))


def check_scores(where: str, scores: dict[str, Any]) -> dict[str, Any]:
    """The content of ``scores.json`` if a model card can show it. Raises UserError, whose message ``where`` begins."""
    rows = scores.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UserError(f"{where}: rows: needed a list of objects, one a way of decoding")
    for row in rows:
        for name in FIGURES:
            if row.get(name) is not None and not _is_figure(row[name]):
                raise UserError(f"{where}: {name} {str(row[name])[:40]}: needed a number")
        if not isinstance(row.get("decoding") or {}, dict):
            raise UserError(f"{where}: decoding {str(row['decoding'])[:40]}: needed an object")
    return scores


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _read_scores(path: Path, training: str, system: str | None) -> dict[str, Any]:
    needed = "an object with sacrebleu, chrf, ..., or an experiment's results.json"
    try:
        values = read_object(path, needed)
    except UserError as error:
        raise UserError(f"--scores {error}") from error
    if "systems" in values:
        return _of_results(path, values, training, system)
    if system is not None:
        raise UserError(f"--system {system}: {path} has no systems; leave the option out")
    if isinstance(values.get("rows"), list):
        return values
    if not values.keys() & set(FIGURES):
        raise UserError(f"--scores {path}: has none of {', '.join(FIGURES)}, and no systems")
    row = {name: values[name] for name in MEASURES if name in values}
    return {
        "data": values.get("data"),
        "sentences": values.get("sentences"),
        "rows": [row],
        "measured": {name: values[name] for name in ORIGIN if name in values},
    }


def _of_results(path: Path, results: dict[str, Any], training: str, system: str | None) -> dict[str, Any]:
    try:
        found = [
            row
            for row in results["systems"]
            if (row["training"]["name"] == training if system is None else row["name"] == system)
        ]
        if not found:
            names = ", ".join(row["name"] for row in results["systems"])
            what = f"no system of training {training!r}" if system is None else f"no system {system!r}"
            raise UserError(f"--scores {path}: {what}; choose one with --system: {names}")
        return {
            "data": f"{results['corpus']}, test set",
            "sentences": results["sentences"]["test"],
            "rows": [{"name": row["name"], **{name: row[name] for name in MEASURES if name in row}} for row in found],
            "training": found[0]["training"],
            "measured": {name: results[name] for name in ORIGIN if name in results},
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise UserError(f"--scores {path}: not an experiment's results.json ({repr(error)[:100]})") from error
