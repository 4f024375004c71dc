"""Where a distillation comes from: the settings that all shards share, and the record of the result."""

import json
import sys
from pathlib import Path
from typing import Any

from vqnat.checkpoints.reading import checkpoint_file
from vqnat.data.bitext import Bitext
from vqnat.distillation.disk_errors import writing
from vqnat.distillation.distill_options import Options
from vqnat.distillation.source_text import find_pieces
from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat.records.checksums import sealed, sha256, unsealed
from vqnat.records.results import command_line, commit, machine, versions
from vqnat_serving.json_files import read_object

NAME = "distillation.json"
SEARCH = ("beam", "lenpen", "max_len_a", "max_len_b", "k_best", "fp16")  # options that affect the hypotheses
PLAN = ("max_tokens", "batch_size")  # options that affect the batches, and the result only through ties


def shard_settings(options: Options, bitext: Bitext) -> dict[str, Any]:
    """What all shards of one distillation share, flat: ``{field: value}``."""
    return {
        "teacher sha256": ":".join(sha256(checkpoint_file(path)) for path in options.teachers),
        "direction": f"{bitext.source}-{bitext.target}",
        **{f"{path.name} sha256": sha256(path) for path in (*bitext.split_files("train"), *bitext.dictionary_files())},
        **{name: getattr(options, name) for name in SEARCH + PLAN},
        "num_shards": options.shards,
        **_more_settings(options, bitext),
    }


def _more_settings(options: Options, bitext: Bitext) -> dict[str, Any]:
    """The same for the engine and for what is translated besides the train split; empty by default, as it was."""
    more: dict[str, Any] = {} if options.engine == "fairseq" else {"engine": options.engine}
    if options.source_text:
        _, model = find_pieces(options, bitext)
        more["source_text sha256"] = sha256(options.source_text)
        more["bpe"] = options.bpe
        more["bpe_model sha256"] = sha256(model) if model else None
        held_out = [path for split in bitext.held_out() for path in bitext.split_files(split, bitext.source)]
        more |= {f"{path.name} sha256": sha256(path) for path in held_out}
    if options.valid_too:
        more["valid_too"] = True
        more |= {f"{path.name} sha256": sha256(path) for path in bitext.split_files("valid")}
    return more


def result_settings(options: Options, settings: dict[str, Any]) -> dict[str, Any]:
    """What determines the result: the shards' settings without the division of the work, plus the mixture."""
    kept = {key: value for key, value in settings.items() if key not in (*PLAN, "num_shards")}
    return kept | {"mix_raw": options.mix_raw, "seed": options.seed if options.mix_raw else None}


def require_same(path: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raise UserError naming the first field in which ``found``, read from ``path``, differs."""
    for key in dict.fromkeys([*asked, *found]):
        if found.get(key) != asked.get(key):
            raise UserError(
                f"{path}: made with {key} = {found.get(key)}, asked for {asked.get(key)}; "
                "give the same settings or another --out"
            )


def finished(options: Options, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of a complete result for these settings in ``--out``, if there is one.

    Raises:
        UserError: other settings, a damaged result, or train files of unknown origin.
    """
    path = options.out / NAME
    if not path.is_file():
        if any(options.out.glob("train.*.idx")) and not (options.out / "shards").is_dir():
            raise UserError(f"--out {options.out}: already holds a train split; choose another folder")
        return None
    try:
        manifest = unsealed(read_object(path, "the manifest of a distillation"))
        found, outputs = manifest["settings"], manifest["outputs"]
        if not isinstance(found, dict) or not _are_checksums(outputs):
            raise ValueError
    except (ValueError, KeyError) as error:
        raise UserError(f"{path}: not the manifest of a distillation; choose another --out") from error
    require_same(path, found, result_settings(options, settings))
    for name, checksum in outputs.items():
        if not (options.out / name).is_file() or sha256(options.out / name) != checksum:
            raise UserError(f"{options.out / name}: differs from {path}; remove the folder and run again")
    return manifest


def _are_checksums(outputs: Any) -> bool:
    """Whether these are checksums of files in this folder, by their names."""
    return isinstance(outputs, dict) and all(
        name and Path(name).name == name and isinstance(checksum, str) for name, checksum in outputs.items()
    )


def write_manifest(
    options: Options,
    bitext: Bitext,
    settings: dict[str, Any],
    figures: dict[str, Any],
    outputs: dict[str, str],
) -> None:
    """Write the record of a finished result, atomically."""
    manifest = {
        "settings": result_settings(options, settings),
        "teachers": [
            {"path": str(path), "sha256": digest}
            for path, digest in zip(options.teachers, settings["teacher sha256"].split(":"), strict=True)
        ],
        "data": str(bitext.folder),
        **{name: settings[name] for name in (*PLAN, "num_shards")},
        **figures,
        "outputs": outputs,
        "command": command_line(sys.argv),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
    }
    path = options.out / NAME
    with writing(path), replacing(path) as temporary:
        temporary.write_text(json.dumps(sealed(manifest), indent=1) + "\n", encoding="utf-8")
