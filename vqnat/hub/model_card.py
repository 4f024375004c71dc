"""The model card: ``README.md`` of a model folder, in the Hugging Face Hub's form."""

from typing import Any

import yaml

from vqnat.records.tables import markdown_table, number, percent
from vqnat_serving.model_folder import CTRANSLATE2, LATENT, ONNX, STOCK_CHECKPOINT, TEACHER, ModelFolder

WHAT = {
    LATENT: (
        "A latent transformer (Roy et al. 2018, arXiv:1805.11063). It predicts a short sequence of discrete codes, one "
        "for {stride} target tokens, and then writes all tokens at once."
    ),
    "parallel_transformer": "A non-autoregressive Transformer without latents: it writes all tokens at once.",
    TEACHER: "An autoregressive Transformer: the teacher that non-autoregressive models are distilled from.",
}
LIMITS = {
    LATENT: (
        "- It is semi-autoregressive: its codes are predicted one after the other, in about |y| / {stride} steps.\n"
        "- Tokens are written independently given the codes. It may repeat or drop a word, most often where two codes "
        "meet.\n"
    ),
    "parallel_transformer": (
        "- Tokens are written independently of each other: where a source has several right translations, it may mix "
        "them, repeat or drop words.\n"
    ),
    TEACHER: "- It writes one token at a time; its students are faster on single sentences.\n",
}
METRICS = {  # measure -> the Hub's name, ours, and from our figure to the Hub's
    "sacrebleu": ("bleu", "sacreBLEU", 1),
    "chrf": ("chrf", "chrF", 1),
    "right_translation_rate": ("accuracy", "right translations", 100),
}
USE = """\
```python
from vqnat.hub import LatentTranslator

translator = LatentTranslator.from_pretrained("{name}")  # this folder, or its name on the Hub
print(translator.translate(["{example}"]))
```

```bash
vqnat translate --model {name} "{example}"
```

"""
USE_ONNX = """\
```python
from vqnat_serving import OnnxTranslator  # onnxruntime; neither torch nor fairseq

print(OnnxTranslator("{name}").translate(["{example}"]))
```
"""
USE_FAIRSEQ = """\
```bash
fairseq-generate DATA_BIN --user-dir vqnat --task latent_translation --path {name}
```
"""
USE_STOCK = """\
```bash
ct2-fairseq-converter --model_path {name}/{stock} --data_dir {name} --output_dir converted  # CTranslate2
fairseq-generate DATA_BIN --path {name}/{stock} --beam 4                                    # fairseq without vqnat
```
"""


def model_card(
    folder: ModelFolder,
    scores: dict[str, Any] | None,
    license: str | None = None,
    data_note: str | None = None,
    dataset: str | None = None,
    example: str = "A sentence.",
) -> str:
    """The text of the card.

    Args:
        folder: what ``config.json`` says.
        scores: the content of ``scores.json``, None if nothing was measured.
        license: the Hub's identifier, such as ``mit``; None leaves it open.
        data_note: what the model was trained on, in a sentence or two.
        dataset: identifier of the training data.
        example: a source sentence.
    """
    matter = yaml.safe_dump(_front_matter(folder, scores, license, dataset), sort_keys=False, allow_unicode=True)
    stride = 2 ** int(folder.options.get("compression_steps") or 0)
    names = {"name": folder.name, "example": example, "stock": STOCK_CHECKPOINT}
    uses = [USE.format(**names)]
    if folder.kind != TEACHER:
        uses.append((USE_ONNX if folder.has(ONNX) else USE_FAIRSEQ).format(**names))
    elif folder.has(STOCK_CHECKPOINT):
        uses.append(USE_STOCK.format(**names))
    parts = [
        f"---\n{matter}---\n",
        f"# {folder.name}\n",
        f"{WHAT[folder.kind].format(stride=stride)} It translates {folder.source_lang} to {folder.target_lang}.\n",
        _scores_section(scores),
        "## How to use it\n",
        "`pip install vqnat` first; the README of vqnat says which extras each way needs.\n",
        "".join(uses),
        _training_section(folder, data_note),
        "## Limits\n",
        LIMITS[folder.kind].format(stride=stride) + _common_limits(folder, scores, license),
    ]
    return "\n".join(part for part in parts if part)


def _front_matter(
    folder: ModelFolder, scores: dict[str, Any] | None, license: str | None, dataset: str | None
) -> dict[str, Any]:
    rows = (scores or {}).get("rows", [])
    metrics = [name for name in METRICS if any(row.get(name) is not None for row in rows)]
    matter: dict[str, Any] = {
        "language": list(dict.fromkeys((folder.source_lang, folder.target_lang))),
        "license": license,
        "library_name": "vqnat",
        "pipeline_tag": "translation",
        "tags": ["translation", "fairseq", folder.kind.replace("_", "-")],
        "datasets": [dataset] if dataset else None,
        "metrics": [METRICS[name][0] for name in metrics] or None,
    }
    if folder.kind != TEACHER:
        matter["tags"].append("non-autoregressive")
    for what in (ONNX, CTRANSLATE2):
        if folder.has(what):
            matter["tags"].append(what)
    if metrics:
        best = rows[0]
        data = str((scores or {}).get("data") or "test set")
        matter["model-index"] = [
            {
                "name": folder.name,
                "results": [
                    {
                        "task": {"type": "translation", "name": f"{folder.source_lang}-{folder.target_lang}"},
                        "dataset": {"name": data, "type": dataset or data},
                        "metrics": [
                            {
                                "type": METRICS[name][0],
                                "name": METRICS[name][1],
                                "value": round(METRICS[name][2] * best[name], 2),
                            }
                            for name in metrics
                            if best.get(name) is not None
                        ],
                    }
                ],
            }
        ]
    return {name: value for name, value in matter.items() if value is not None}


def _scores_section(scores: dict[str, Any] | None) -> str:
    if not scores:
        return ""
    header = ("decoding", "sacreBLEU", "chrF", "right translations")
    rows = []
    for row in scores["rows"]:
        decoding = ", ".join(f"{name} {value}" for name, value in (row.get("decoding") or {}).items())
        figures = (number(row.get("sacrebleu")), number(row.get("chrf")), percent(row.get("right_translation_rate")))
        rows.append((decoding or "as measured", *figures))
    signature = scores["rows"][0].get("signature")
    data = f"On {scores.get('data') or 'its test set'}"
    data += f" ({scores['sentences']} sentences)." if scores.get("sentences") else "."
    data += f" BLEU: `{signature}`." if signature else ""
    data += " `scores.json` has the figures and where they come from."
    return f"## Scores\n\n{markdown_table(header, rows)}\n\n{data}\n"


def _training_section(folder: ModelFolder, data_note: str | None) -> str:
    training = {name: value for name, value in folder.training.items() if not isinstance(value, dict)}
    lines = [f"- {name.replace('_', ' ')}: {value}" for name, value in training.items() if value is not None]
    if distilled := folder.training.get("distillation"):
        beam = distilled.get("beam")
        lines.insert(0, f"- trained on a teacher's translations (sequence-level distillation, beam {beam})")
    model = ", ".join(f"{name} {folder.options[name]}" for name in _SHOWN if folder.options.get(name) is not None)
    lines.append(f"- model: {folder.arch}" + (f" ({model})" if model else ""))
    commit = folder.made.get("commit")
    lines.append(f"- packaged by vqnat {folder.made.get('vqnat')}" + (f", commit {commit}" if commit else ""))
    note = f"{data_note}\n\n" if data_note else ""
    return f"## How it was trained\n\n{note}" + "\n".join(lines) + "\n\n`config.json` has every option.\n"


# Options that the card names.
_SHOWN = ("bottleneck", "codebook_size", "compression_steps", "output_layer", "encoder_layers", "decoder_layers")


def _common_limits(folder: ModelFolder, scores: dict[str, Any] | None, license: str | None) -> str:
    longest = folder.task.get("max_source_positions")
    lines = ["- It translates single sentences, and text like what it was trained on."]
    if longest:
        lines.append(f"- It reads at most {longest} tokens a sentence, its end included.")
    if not scores:
        lines.append("- Nothing was measured.")
    if license is None:
        lines.append("- No license was given: ask its authors before you use it.")
    return "\n".join(lines) + "\n"
