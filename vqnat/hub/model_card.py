"""The model card: ``README.md`` of a model folder, in the Hugging Face Hub's form."""

from typing import Any

import yaml

from vqnat.hub.scores import check_scores
from vqnat.records.tables import markdown_table, number, percent
from vqnat_serving.model_folder import (
    CTRANSLATE2,
    LATENT,
    ONNX,
    PARALLEL,
    SCORES,
    STOCK_CHECKPOINT,
    TEACHER,
    WEIGHTS,
    ModelFolder,
)

WHAT = {
    LATENT: (
        "A latent transformer (Roy et al. 2018, arXiv:1805.11063): it predicts a short sequence of discrete codes, one "
        "for {stride} target tokens, and then writes all tokens at once."
    ),
    PARALLEL: "A non-autoregressive Transformer without latents: it writes all tokens at once.",
    TEACHER: "An autoregressive Transformer, the kind of model that non-autoregressive ones are distilled from.",
}
LIMITS = {
    LATENT: (
        "It is semi-autoregressive: codes are predicted one after the other, |y| / {stride} steps for |y| tokens.",
        "Once the codes are chosen, tokens are written independently of each other: a word may be repeated or dropped.",
    ),
    PARALLEL: (
        "Tokens are written independently of each other: of several right translations it may write a mixture.",
    ),
    TEACHER: ("It writes one token at a time.",),
}
METRICS = {  # measure -> the Hub's identifier, its name, and the factor from our figure to the Hub's
    "sacrebleu": ("bleu", "sacreBLEU", 1),
    "chrf": ("chrf", "chrF", 1),
    "right_translation_rate": ("accuracy", "right translations", 100),
}
PYTHON = """\
```python
from vqnat.hub import LatentTranslator  # torch and fairseq: pip install 'vqnat[train]'

translator = LatentTranslator.from_pretrained("{name}")  # this folder, or its name on the Hub
print(translator.translate(["{example}"]))
```
"""
COMMAND = """\
```bash
vqnat translate --model {name} "{example}"
```
"""
RUNNER = """\
```python
from vqnat_serving import OnnxTranslator  # onnxruntime alone: pip install 'vqnat[serving]'

print(OnnxTranslator("{name}").translate(["{example}"]))
```
"""
EXPORT = "`vqnat export {name}` writes `onnx/`, which the ONNX runner and `vqnat serve` need.\n"
FAIRSEQ = """\
```bash
fairseq-generate DATA_BIN --user-dir vqnat --task latent_translation --path {name}
```
"""
STOCK = """\
```bash
ct2-fairseq-converter --model_path {name}/{stock} --data_dir {name} --output_dir converted  # CTranslate2
fairseq-generate DATA_BIN --path {name}/{stock}                                             # fairseq without vqnat
```
"""
# Options that the card names.
SHOWN = ("bottleneck", "codebook_size", "compression_steps", "output_layer", "encoder_layers", "decoder_layers")
# What the card names of the training.
TRAINING = {
    "updates": "updates",
    "max_tokens": "tokens in a batch",
    "batch_size": "sentences in a batch",
    "update_freq": "batches an update",
    "optimizer._name": "optimizer",
    "lr": "learning rate",
    "lr_scheduler._name": "its schedule",
    "lr_scheduler.warmup_updates": "updates of warm-up",
    "seed": "seed",
}


def model_card(folder: ModelFolder) -> str:
    """The text of the card, from ``config.json`` and ``scores.json``."""
    scores = folder.scores()
    if scores is not None:
        check_scores(str(folder.path / SCORES), scores)
    matter = yaml.safe_dump(_front_matter(folder, scores), sort_keys=False, allow_unicode=True, width=120)
    what = WHAT[folder.kind].format(stride=_stride(folder))
    parts = [
        f"---\n{matter}---",
        f"# {folder.name}",
        f"{what} It translates from {folder.source_lang} to {folder.target_lang}.",
        *_scores(scores),
        "## How to use it",
        *_uses(folder),
        "## How it was trained",
        *_training(folder),
        "## Limits",
        "\n".join(f"- {line}" for line in _limits(folder, scores)),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _stride(folder: ModelFolder) -> int:
    steps = folder.options.get("compression_steps")
    return 2**steps if isinstance(steps, int) and 0 <= steps <= 16 else 1


def _front_matter(folder: ModelFolder, scores: dict[str, Any] | None) -> dict[str, Any]:
    dataset = folder.card.get("dataset")
    tags = ["translation", "fairseq", folder.kind.replace("_", "-")]
    tags += ["non-autoregressive"] if folder.kind != TEACHER else []
    tags += [what for what in (ONNX, CTRANSLATE2) if folder.has(what)]
    matter: dict[str, Any] = {
        "language": list(dict.fromkeys((folder.source_lang, folder.target_lang))),
        "license": folder.card.get("license"),
        "library_name": "vqnat",
        "pipeline_tag": "translation",
        "tags": tags,
        "datasets": [dataset] if dataset else None,
    }
    if scores and (metrics := _metrics(scores["rows"][0])):
        data = str(scores.get("data") or "test set")
        result = {
            "task": {"type": "translation", "name": f"Translation {folder.source_lang}-{folder.target_lang}"},
            "dataset": {"name": data, "type": dataset or data},
            "metrics": metrics,
        }
        matter["metrics"] = [metric["type"] for metric in metrics]
        matter["model-index"] = [{"name": folder.name, "results": [result]}]
    return {name: value for name, value in matter.items() if value is not None}


def _metrics(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": kind, "name": name, "value": round(factor * row[measure], 2)}
        for measure, (kind, name, factor) in METRICS.items()
        if row.get(measure) is not None
    ]


def _scores(scores: dict[str, Any] | None) -> list[str]:
    if not scores:
        return []
    rows = []
    for row in scores["rows"]:
        decoding = ", ".join(f"{name} {value}" for name, value in (row.get("decoding") or {}).items())
        figures = (number(row.get("sacrebleu")), number(row.get("chrf")), percent(row.get("right_translation_rate")))
        rows.append((decoding or "as measured", *figures))
    where = f"Measured on {scores.get('data') or 'its test set'}"
    where += f", {scores['sentences']} sentences." if scores.get("sentences") else "."
    if signature := scores["rows"][0].get("signature"):
        where += f" BLEU: `{signature}`."
    where += " `scores.json` says how and on what machine."
    return ["## Scores", markdown_table(("decoding", "sacreBLEU", "chrF", "right translations"), rows), where]


def _uses(folder: ModelFolder) -> list[str]:
    parts = [PYTHON] if folder.has(WEIGHTS) else []
    parts.append(COMMAND)
    if folder.kind == TEACHER:
        parts += [STOCK] if folder.has(STOCK_CHECKPOINT) else [FAIRSEQ]
    elif folder.has(ONNX):
        parts.append(RUNNER)
    else:
        parts += [FAIRSEQ, EXPORT]
    example = folder.card.get("example", "A sentence.").replace('"', "'")  # it stands between quotes
    return [part.format(name=folder.name, example=example, stock=STOCK_CHECKPOINT) for part in parts]


def _training(folder: ModelFolder) -> list[str]:
    lines = []
    distilled = folder.training.get("distillation")
    if isinstance(distilled, dict):
        beam = distilled.get("beam")
        lines.append(f"trained on a teacher's translations: sequence-level distillation, beam {beam}")
    model = ", ".join(f"{name} {folder.options[name]}" for name in SHOWN if folder.options.get(name) is not None)
    lines.append(f"model: {folder.arch}" + (f" ({model})" if model else ""))
    lines += [
        f"{label}: {_shown(folder.training[name])}" for name, label in TRAINING.items() if folder.training.get(name)
    ]
    commit = folder.made.get("commit")
    lines.append(f"packaged by vqnat {folder.made.get('vqnat')}" + (f", commit {commit}" if commit else ""))
    note = folder.card.get("data_note")
    return [*([note] if note else []), "\n".join(f"- {line}" for line in lines), "`config.json` has every option."]


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _limits(folder: ModelFolder, scores: dict[str, Any] | None) -> list[str]:
    lines = [line.format(stride=_stride(folder)) for line in LIMITS[folder.kind]]
    lines.append("It translates single sentences, and text like what it was trained on.")
    if longest := folder.task.get("max_source_positions"):
        lines.append(f"It reads at most {longest} tokens a sentence, its end included.")
    if not scores:
        lines.append("Nothing was measured.")
    if not folder.card.get("license"):
        lines.append("No license was given: ask its authors before you use it.")
    return lines
