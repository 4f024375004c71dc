"""The command line of every translator: lines of text in, translations to standard output."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from vqnat_serving.arguments import at_least
from vqnat_serving.console import say
from vqnat_serving.errors import UserError
from vqnat_serving.text_lines import BadLines, Line, read_lines

if TYPE_CHECKING:  # a command line is read before numpy and sentencepiece are imported
    from vqnat_serving.hypothesis import Hypothesis
    from vqnat_serving.translator import Translator

SHORTLIST_HELP = "a sentence uses only words of the model's shortlist (vqnat export --shortlist): faster"


def add_options(parser: argparse.ArgumentParser, max_tokens: int | None) -> None:
    """Options of every translator; ``max_tokens``: of a batch, None if that depends on the engine."""
    number = at_least(1)
    parser.add_argument("--interactive", action="store_true", help="answer every --buffer-size lines, not at the end")
    parser.add_argument("--buffer-size", type=number, metavar="N", help="lines read before translating (default: 1)")
    parser.add_argument("--beam", type=number, default=1, metavar="N", help="candidates per sentence (default: 1)")
    parser.add_argument(
        "--n-best",
        type=number,
        default=1,
        metavar="N",
        help="translations to print per sentence, with line numbers (default: 1, without)",
    )
    parser.add_argument("--scores", action="store_true", help="print the score before the text, and a tab")
    parser.add_argument("--codes", action="store_true", help="print a tab and the latent codes after the text")
    about = f"the most source tokens times beam in a batch (default: {max_tokens or '256 with onnx, 1024 with torch'})"
    parser.add_argument("--max-tokens", type=number, default=max_tokens, metavar="N", help=about)
    about = "the most sentences in a batch (default: 64)"
    parser.add_argument("--batch-size", type=number, default=64, metavar="N", help=about)
    about = "not UTF-8, or longer than the model reads; stop: an error; empty: named, counted, translated as empty"
    parser.add_argument(
        "--bad-lines", choices=("stop", "empty"), default="stop", metavar="WHAT", help=f"{about} (default: stop)"
    )


def check(options: argparse.Namespace) -> None:
    """Raises UserError for options that do nothing or contradict each other, before a model is loaded."""
    if options.buffer_size is not None and not options.interactive:
        raise UserError(f"--buffer-size {options.buffer_size}: needs --interactive; otherwise all lines are read first")
    if not 1 <= options.n_best <= options.beam:
        raise UserError(f"--beam {options.beam} --n-best {options.n_best}: needed 1 <= n-best <= beam")


Judge = Callable[[str, "Hypothesis"], Sequence[str]]  # source and translation -> more fields for the line
Reader = Callable[[BadLines], Iterator[Line | None]]  # lines, None for each bad one


def translate_lines(
    translator: "Translator",
    options: argparse.Namespace,
    read: Reader | None = None,
    judge: Judge = lambda source, hypothesis: (),
) -> None:
    """Translate and print line by line, in order.

    Args:
        translator: of the command.
        options: those of :func:`add_options`.
        read: None: the lines of standard input.
        judge: what else to print of a translation, after tabs.
    """
    bad = BadLines(partial(say, "translate") if options.bad_lines == "empty" else None)
    lines = read_lines(sys.stdin.buffer, "standard input", bad) if read is None else read(bad)
    size = (options.buffer_size or 1) if options.interactive else None
    number = 1  # of the next line
    while buffer := list(islice((_readable(line, translator, bad) for line in lines), size)):
        scored = options.scores or options.beam > 1
        found = translator.hypotheses(buffer, options.beam, options.n_best, number, scored)
        for source, hypotheses in zip(buffer, found, strict=True):
            for hypothesis in hypotheses:
                fields = [str(number)] if options.n_best > 1 else []
                fields += [f"{hypothesis.score:.4f}"] if options.scores else []
                fields += [hypothesis.text]
                fields += [" ".join(map(str, hypothesis.codes or ()))] if options.codes else []
                print(*fields, *judge(source, hypothesis), sep="\t")
            number += 1
        sys.stdout.flush()
    bad.sum_up("translated as empty lines")


def _readable(line: Line | None, translator: "Translator", bad: BadLines) -> str:
    """The text of a line that the model can read; empty for any other."""
    if line is None:
        return ""
    try:
        translator.encode(line.text)
    except UserError as error:
        bad.meet(f"{line.where} {error}")
        return ""
    return line.text
