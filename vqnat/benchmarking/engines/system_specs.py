"""Which systems to measure, as users write them: ``--system NAME=PATH[,key=value...]`` or YAML."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vqnat.errors import UserError

TASKS = ("translation", "latent_translation", "translation_lev", "nat_translation")
PRECISIONS = ("fp32", "bf16", "fp16", "int8", "int8_dynamic")  # no engine has all of them
NAT_TASKS = ("translation_lev", "nat_translation")  # fairseq's own, and the same with vqnat's batching
# fairseq-generate's names of the same settings; "-" and "_" are equal.
ALIASES = {"iter_decode_max_iter": "iter", "iter_decode_with_beam": "beam"}


@dataclass(frozen=True)
class SystemSpec:
    """A model and its decoding settings; None means fairseq-generate's default.

    Attributes:
        name: its name in the results.
        checkpoint: a fairseq checkpoint or a model folder, which torch runs; a folder that vqnat export or
            ct2-fairseq-converter wrote, such as ``onnx`` and ``ctranslate2`` in a model folder.
        beam: beam size, of words, of codes (latent_translation) or of lengths (translation_lev).
        task: task to use instead of the checkpoint's.
        lenpen: exponent of the length penalty.
        max_len_a: a in the limit of ``a * source length + b`` target tokens.
        max_len_b: b in that limit.
        iter: refinement steps after the first pass of translation_lev; 0 is one-shot.
        iter_decode_eos_penalty: as in fairseq-generate (translation_lev).
        iter_decode_force_max_iter: 1 makes all refinement steps (translation_lev).
        rescore_with: checkpoint of the teacher that reranks the beam, or ``helper`` (latent_translation).
        threads: threads of this system, instead of ``--threads``.
        precision: of the weights and linear layers; None means fp32.
        packed: 1 gives the decoder of an autoregressive fairseq model the prepacked linear layers that a latent
            transformer always has on a CPU, so that only the algorithms differ.
        compiled: 1 compiles a latent transformer (--decode-compile).
        cuda_graphs: 1 replays a latent transformer's greedy search on a GPU (--decode-cuda-graphs).
        ctc_blank_penalty: as in fairseq-generate (latent_translation).
        dag_search: as in fairseq-generate (latent_translation).
        engine: native or onnx, of an exported model; torch or native, of a checkpoint (latent_translation).
        shortlist: 1 has an exported model, or CTranslate2, choose from the words of its shortlist.
    """

    name: str
    checkpoint: Path
    beam: int | None = None
    task: str | None = None
    lenpen: float | None = None
    max_len_a: float | None = None
    max_len_b: int | None = None
    iter: int | None = None
    iter_decode_eos_penalty: float | None = None
    iter_decode_force_max_iter: int | None = None
    rescore_with: str | None = None
    threads: int | None = None
    precision: str | None = None
    packed: int | None = None
    compiled: int | None = None
    cuda_graphs: int | None = None
    ctc_blank_penalty: float | None = None
    dag_search: str | None = None
    engine: str | None = None
    shortlist: int | None = None

    def decoding(self) -> dict[str, Any]:
        """The settings that are not None, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)[2:]}
        return {key: value for key, value in values.items() if value is not None}


def _whole(least: int) -> Callable[[str], int]:
    def convert(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError
        return value

    convert.__doc__ = f"a whole number, {least} or more"
    return convert


def _number(text: str) -> float:
    """a number"""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _task(text: str) -> str:
    if text not in TASKS:
        raise ValueError
    return text


_task.__doc__ = f"one of {', '.join(TASKS)}"


def _precision(text: str) -> str:
    if text not in PRECISIONS:
        raise ValueError
    return text


_precision.__doc__ = f"one of {', '.join(PRECISIONS)}"


def _flag(text: str) -> int:
    """0 or 1"""
    return ["0", "1"].index(text)


CONVERTERS: dict[str, Callable[[str], Any]] = {
    "beam": _whole(1),
    "task": _task,
    "lenpen": _number,
    "max_len_a": _number,
    "max_len_b": _whole(0),
    "iter": _whole(0),
    "iter_decode_eos_penalty": _number,
    "iter_decode_force_max_iter": _flag,
    "rescore_with": str,
    "threads": _whole(1),
    "precision": _precision,
    "packed": _flag,
    "compiled": _flag,
    "cuda_graphs": _flag,
    "ctc_blank_penalty": _number,
    "dag_search": str,
    "engine": str,
    "shortlist": _flag,
}


def parse_system(text: str) -> SystemSpec:
    """Parse ``NAME=CHECKPOINT[,key=value...]``; a checkpoint with a comma in its name must be given in YAML.

    Raises:
        UserError: the text is something else.
    """
    name, equals, rest = text.partition("=")
    checkpoint, *settings = rest.split(",")
    if not (equals and name and checkpoint):
        raise UserError(f"--system {text}: needed NAME=CHECKPOINT[,key=value...]")
    values: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise UserError(f"--system {name}: {setting!r} is not key=value ({_valid()})")
        if key in values:
            raise UserError(f"--system {name}: {key} is given twice")
        values[key] = value
    return build(f"--system {name}", name, checkpoint, values)


def read_systems(path: Path) -> list[SystemSpec]:
    """Read a YAML list of mappings with ``name``, ``checkpoint`` and the keys of ``--system``.

    Raises:
        UserError: the file is missing or something else.
    """
    from vqnat.records.yaml_files import read_yaml  # not for everyone who asks for --help

    try:
        entries = read_yaml(path)
    except UserError as error:
        raise UserError(f"--systems {path}: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise UserError(f"--systems {path}: needed a list of systems, each with name and checkpoint")
    specs = []
    for number, entry in enumerate(entries, 1):
        where = f"--systems {path}, system {number}"
        if not isinstance(entry, Mapping) or None in (entry.get("name"), entry.get("checkpoint")):
            raise UserError(f"{where}: needed a mapping with name and checkpoint")
        settings = {str(key): str(value) for key, value in entry.items() if value is not None}
        name, checkpoint = settings.pop("name"), settings.pop("checkpoint")
        specs.append(build(where, name, checkpoint, settings))
    return specs


def build(where: str, name: str, checkpoint: str, settings: Mapping[str, str]) -> SystemSpec:
    """Check and convert the settings of one system; error messages begin with ``where``."""
    values: dict[str, Any] = {}
    for written, text in settings.items():
        key = written.replace("-", "_")
        key = ALIASES.get(key, key)
        if key not in CONVERTERS:
            raise UserError(f"{where}: unknown key {written!r} ({_valid()})")
        if key in values:
            raise UserError(f"{where}: {written} sets {key} a second time")
        try:
            values[key] = CONVERTERS[key](text)
        except ValueError as error:
            raise UserError(f"{where}: {written}={text}: needed {CONVERTERS[key].__doc__}") from error
    return SystemSpec(name, Path(checkpoint), **values)


def refuse_useless(spec: SystemSpec, what: str, useful: set[str]) -> None:
    """Raise UserError for a setting that ``what``, which reads only the ``useful`` ones, would ignore."""
    useless = spec.decoding().keys() - useful - {"threads", "precision"}
    if useless:
        raise UserError(
            f"system {spec.name}: {sorted(useless)[0]} does nothing with {what} (it has: {', '.join(sorted(useful))})"
        )


def check_names(specs: Iterable[SystemSpec], baseline: str | None) -> str:
    """Return the baseline's name, by default the first system's.

    Raises:
        UserError: there is no system, a name is given twice, or the baseline is unknown.
    """
    names = [spec.name for spec in specs]
    if not names:
        raise UserError("no system: give --system NAME=CHECKPOINT or --systems FILE.yaml")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"--system {twice[0]}: the name is given {names.count(twice[0])} times")
    if baseline is not None and baseline not in names:
        raise UserError(f"--baseline {baseline}: no such system (there are {', '.join(names)})")
    return baseline or names[0]


def _valid() -> str:
    return f"valid keys: {', '.join(CONVERTERS)}"
