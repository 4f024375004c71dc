"""The options of one distillation, from the command line."""

import argparse
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from vqnat.errors import UserError
from vqnat_serving.arguments import CommandParser

EPILOG = """\
examples
  one process               vqnat distill data-bin --path teacher.pt --out distilled
  four processes, one box   vqnat distill data-bin --path teacher.pt --out distilled --jobs 4
  more source text          vqnat distill data-bin --path teacher.pt --out distilled --source-text captions.en
                            (one file; put several together with cat)
  three machines            vqnat distill data-bin --path teacher.pt --out distilled --num-shards 3 --shard 0
                            (and --shard 1, --shard 2 elsewhere, with --out on a shared disk or its folder
                            shards/ copied together afterwards), then once, when all have ended,
                            vqnat distill data-bin --path teacher.pt --out distilled --num-shards 3 --merge

Killed at any point, the same command continues where it stopped; on a finished folder it does nothing.
"""

SOURCE_TEXT = (
    "also translate this text, one sentence per line, and add the pairs to train: plain text, split into subwords "
    "here; blank lines and lines that the data or the file already has (ignoring case and spaces) are dropped"
)
ENGINES = ("fairseq", "ctranslate2")
ENGINE = "what searches: fairseq, or CTranslate2 (CPU only, faster there; one stock transformer, no ensemble)"
BPE_MODEL = "sentencepiece model or subword-nmt codes (default: spm.model in DATA_BIN or in its parent)"


def _option(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class Options:
    """Everything that a user chooses. Lengths are in tokens, end-of-sentence included."""

    data: Path
    path: str
    out: Path
    source_lang: str | None = _option(None, "source language (default: from the file names)")
    target_lang: str | None = _option(None, "target language (default: from the file names)")
    user_dir: str | None = _option(None, "folder of plug-in code that the teacher needs besides vqnat")
    engine: str = field(default="fairseq", metadata={"help": ENGINE, "choices": ENGINES})
    beam: int = _option(4, "beam size")
    lenpen: float = _option(1.0, "length penalty: below 1 favors short, above 1 long output")
    max_len_a: float = _option(1.2, "at most max-len-a * source length + max-len-b tokens of output")
    max_len_b: int = _option(10, "see --max-len-a")
    max_tokens: int = _option(8000, "maximum number of source tokens in a batch")
    batch_size: int = _option(512, "maximum number of sentences in a batch")
    k_best: int = _option(1, "write the K best hypotheses of each source as K pairs")
    source_text: Path | None = field(default=None, metadata={"help": SOURCE_TEXT})
    bpe: str = _option("auto", "how --source-text is split: sentencepiece, subword_nmt, none (it is in subwords), auto")
    bpe_model: Path | None = field(default=None, metadata={"help": BPE_MODEL})
    valid_too: bool = _option(False, "also write valid1: the validation sources with the teacher's translations")
    mix_raw: float = _option(0.0, "add this fraction of the original pairs at the end, from 0 to 1")
    seed: int = _option(1, "which original pairs --mix-raw takes")
    jobs: int = _option(1, "number of shards to run at the same time on this machine")
    num_shards: int = _option(1, "number of shards, if each is started by hand")
    shard: int | None = _option(None, "the shard to run, from 0 to num-shards - 1")
    merge: bool = _option(False, "write the result of shards that were started by hand")
    threads: int = _option(0, "CPU threads per process (default: 1 with --jobs, else torch's choice)")
    cpu: bool = _option(False, "do not use a GPU")
    fp16: bool = _option(False, "half precision; GPU only")

    @property
    def teachers(self) -> list[Path]:
        """The checkpoints of the ensemble."""
        return [Path(name) for name in self.path.split(":") if name]

    @property
    def shards(self) -> int:
        """The number of shards, however they are started."""
        return self.jobs if self.jobs > 1 else self.num_shards

    def check(self) -> None:
        """Raise UserError for a value out of range or options that contradict each other."""

        def require(good: bool, name: str, valid: str) -> None:
            if not good:
                value = getattr(self, name)
                raise UserError(f"--{name.replace('_', '-')} {value}: must be {valid}")

        for name in ("beam", "max_tokens", "batch_size", "k_best", "jobs", "num_shards", "max_len_b"):
            require(getattr(self, name) >= 1, name, "at least 1")
        for name in ("lenpen", "max_len_a", "threads", "seed"):
            require(getattr(self, name) >= 0, name, "at least 0")
        require(self.k_best <= self.beam, "k_best", f"at most --beam, which is {self.beam}")
        require(0 <= self.mix_raw <= 1, "mix_raw", "from 0 to 1")
        require(bool(self.teachers), "path", "a checkpoint, or several separated by ':'")
        if self.engine != "fairseq":
            require(len(self.teachers) == 1, "path", f"one checkpoint with --engine {self.engine}")
        if self.shard is not None:
            require(
                0 <= self.shard < self.num_shards,
                "shard",
                f"from 0 to {self.num_shards - 1}, as --num-shards is {self.num_shards}",
            )
            require(not self.merge, "shard", "left out with --merge")
        elif self.num_shards > 1 and not self.merge:
            require(False, "num_shards", "given together with --shard I or --merge (on one machine, use --jobs)")
        if self.jobs > 1:
            require(self.num_shards == 1 and not self.merge, "jobs", "given without --num-shards and --merge")
        if self.out.resolve() == self.data.resolve():
            require(False, "out", "another folder than the data")
        if self.source_text is None:
            require(self.bpe == "auto", "bpe", "given together with --source-text")
            require(self.bpe_model is None, "bpe_model", "given together with --source-text")


def parser() -> CommandParser:
    """All options, from the fields of :class:`Options`.

    fairseq's ``gen_parser_from_dataclass`` would do most of this, but not paths, required options, metavars or the
    defaults in ``--help``.
    """
    description = "Replaces the train targets of a binarized bitext with a teacher's beam search output."
    parser = CommandParser("vqnat distill", description, EPILOG, extra="train")
    parser.add_argument("data", type=Path, metavar="DATA_BIN", help="folder that fairseq-preprocess wrote")
    parser.add_argument("--path", required=True, metavar="PT[:PT...]", help="teacher checkpoint(s)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    types = {"source_lang": str, "target_lang": str, "user_dir": str, "shard": int}
    types |= {"source_text": Path, "bpe_model": Path}
    for item in fields(Options)[3:]:
        flag, text = "--" + item.name.replace("_", "-"), item.metadata["help"]
        if isinstance(item.default, bool):
            parser.add_argument(flag, action="store_true", help=text)
            continue
        if item.default is not None and "(default" not in text:
            text += " (default: %(default)s)"
        if choices := item.metadata.get("choices"):
            parser.add_argument(flag, choices=choices, default=item.default, help=text)
            continue
        kind = types.get(item.name, type(item.default))
        meta = {int: "N", float: "X", str: "NAME", Path: "FILE"}[kind]
        parser.add_argument(flag, type=kind, default=item.default, metavar=meta, help=text)
    return parser


def checked(parsed: argparse.Namespace) -> Options:
    """The options of a parsed command line. Raises UserError."""
    options = Options(**{item.name: getattr(parsed, item.name) for item in fields(Options)})
    options.check()
    return options
