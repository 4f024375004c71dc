"""The options of one diagnosis, from the command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from vqnat.choices import SUBWORDS, TOKENIZERS
from vqnat.errors import UserError
from vqnat.hub.search_options import add_search_options
from vqnat_serving.arguments import CommandParser

DESCRIPTION = """\
Shows where a latent transformer loses quality. It translates a set from codes of the reference, of the teacher's
translation and of its own predictor, and reports BLEU, bits per code on training and validation text, right codes by
position, wrong words by place within a code, repetitions and lengths.
"""


@dataclass(frozen=True)
class Options:
    """Everything that a user chooses; see :func:`parser`."""

    checkpoint: Path
    data: Path
    teacher: Path | None
    gen_subset: str
    source_lang: str | None
    target_lang: str | None
    references: Path | None
    sentences: int | None
    training_sentences: int
    beam: int
    lenpen: float
    max_len_a: float
    max_len_b: int
    bpe: str
    bpe_model: Path | None
    tokenizer: str | None
    ctc_blank_penalty: float
    dag_search: str
    user_dir: str | None
    json: Path | None
    plot: Path | None
    seed: int
    max_tokens: int
    batch_size: int
    threads: int
    cpu: bool

    def check(self) -> None:
        """Raise UserError for a value out of range."""
        least = {"beam": 2, "max_len_b": 1, "max_tokens": 1, "batch_size": 1}
        least |= dict.fromkeys(("lenpen", "max_len_a", "threads", "seed", "training_sentences"), 0)
        least |= {} if self.sentences is None else {"sentences": 1}
        for name, value in least.items():
            if not getattr(self, name) >= value:
                given = getattr(self, name)
                raise UserError(f"--{name.replace('_', '-')} {given} is not possible; valid: {value} or more")


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat diagnose", DESCRIPTION, extra="train")
    p.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a trained latent transformer")
    p.add_argument("data", type=Path, metavar="DATA", help="what fairseq-preprocess or vqnat distill wrote")
    p.add_argument("--teacher", type=Path, metavar="PT", help="autoregressive model that distilled the training text")
    p.add_argument(
        "--gen-subset",
        default="valid",
        metavar="NAME",
        help="the split to translate (default: valid; keep test for the final model)",
    )
    p.add_argument("-s", "--source-lang", metavar="LANG", help="default: as in the file names")
    p.add_argument("-t", "--target-lang", metavar="LANG", help="default: as in the file names")
    p.add_argument("--references", type=Path, metavar="FILE", help="reference text (default: DATA's, subwords joined)")
    p.add_argument(
        "--sentences",
        type=int,
        metavar="N",
        help="number of sentences of the set and of validation, sampled with --seed (default: all)",
    )
    p.add_argument("--training-sentences", type=int, default=1000, metavar="N", help="sampled likewise (default: 1000)")
    p.add_argument("--beam", type=int, default=4, metavar="N", help="beam of predictor and teacher (default: 4)")
    p.add_argument("--lenpen", type=float, default=1.0, metavar="X", help="length penalty of beam search (default: 1)")
    p.add_argument(
        "--max-len-a", type=float, default=1.2, metavar="X", help="at most A * |x| + B tokens (default: 1.2)"
    )
    p.add_argument("--max-len-b", type=int, default=10, metavar="N", help="see --max-len-a (default: 10)")
    p.add_argument("--bpe", choices=SUBWORDS, default="auto", help="subwords (default: auto, told by the dictionary)")
    p.add_argument(
        "--bpe-model",
        "--sentencepiece",
        type=Path,
        metavar="FILE",
        help="sentencepiece model or subword-nmt codes (default: spm.model beside DATA or CHECKPOINT)",
    )
    p.add_argument("--tokenizer", choices=TOKENIZERS, help="of text that was tokenized before subwords")
    add_search_options(p)
    p.add_argument("--user-dir", metavar="DIR", help="plug-in code that the teacher needs besides vqnat")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    p.add_argument("--plot", type=Path, metavar="FILE.png", help="plot the figures")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="of the samples (default: 1)")
    p.add_argument("--max-tokens", type=int, default=4000, metavar="N", help="source tokens in a batch (default: 4000)")
    p.add_argument("--batch-size", type=int, default=128, metavar="N", help="sentences in a batch (default: 128)")
    p.add_argument("--threads", type=int, default=0, metavar="N", help="of torch (default: torch's)")
    p.add_argument("--cpu", action="store_true", help="do not use a GPU")
    return p


def checked(parsed: argparse.Namespace) -> Options:
    """The options of a parsed command line. Raises UserError."""
    options = Options(**{field.name: getattr(parsed, field.name) for field in fields(Options)})
    options.check()
    return options


def parse_options(arguments: Sequence[str] | None = None) -> Options:
    """Read and check the command line. Raises UserError."""
    return checked(parser().parse_args(arguments))
