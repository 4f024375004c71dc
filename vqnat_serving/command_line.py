"""The command line of every translator: text from standard input, translations to standard output."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import BinaryIO

from vqnat_serving.errors import UserError, run_command
from vqnat_serving.translator import Translator


def add_options(parser: argparse.ArgumentParser, max_tokens: int) -> None:
    """Options of every translator; ``max_tokens``: of a batch, unless the user says otherwise."""
    parser.add_argument("--interactive", action="store_true", help="answer every --buffer-size lines, not at the end")
    parser.add_argument("--buffer-size", type=int, metavar="N", help="lines read before translating (default: 1)")
    parser.add_argument("--beam", type=int, default=1, help="candidates per sentence (default: 1)")
    parser.add_argument(
        "--n-best",
        type=int,
        default=1,
        metavar="N",
        help="translations to print per sentence, with line numbers",
    )
    parser.add_argument("--scores", action="store_true", help="print the score before the text, and a tab")
    parser.add_argument("--codes", action="store_true", help="print a tab and the latent codes after the text")
    about = f"the most source tokens times beam in a batch (default: {max_tokens})"
    parser.add_argument("--max-tokens", type=int, default=max_tokens, help=about)
    parser.add_argument("--batch-size", type=int, default=64, help="the most sentences in a batch (default: 64)")


def run(name: str, parser: argparse.ArgumentParser, load: Callable[[argparse.Namespace], Translator]) -> None:
    """Parse, load, translate; a user's mistake ends the program with one line and exit status 2."""

    def main() -> None:
        options = parser.parse_args()
        check(options)
        serve(load(options), options)

    try:
        run_command(name, main)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader has enough; keep Python from flushing into the closed pipe at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check(options: argparse.Namespace) -> None:
    """Raises UserError for options that do nothing or contradict each other, before a model is loaded."""
    if options.buffer_size is not None and not options.interactive:
        raise UserError(f"--buffer-size {options.buffer_size}: needs --interactive; otherwise all lines are read first")
    for option in ("buffer_size", "beam", "max_tokens", "batch_size"):
        value = getattr(options, option)
        if value is not None and value < 1:
            raise UserError(f"--{option.replace('_', '-')} {value}: needed 1 or more")
    if not 1 <= options.n_best <= options.beam:
        raise UserError(f"--beam {options.beam} --n-best {options.n_best}: needed 1 <= n-best <= beam")


def serve(translator: Translator, options: argparse.Namespace) -> None:
    """Translate standard input line by line, in order."""
    lines = read_lines(sys.stdin.buffer)
    size = (options.buffer_size or 1) if options.interactive else None
    number = 1  # of the next line
    while buffer := list(islice(lines, size)):
        scored = options.scores or options.beam > 1
        found = translator.hypotheses(buffer, options.beam, options.n_best, number, scored)
        for hypotheses in found:
            for hypothesis in hypotheses:
                fields = [str(number)] if options.n_best > 1 else []
                fields += [f"{hypothesis.score:.4f}"] if options.scores else []
                fields += [hypothesis.text]
                fields += [" ".join(map(str, hypothesis.codes or ()))] if options.codes else []
                print(*fields, sep="\t")
            number += 1
        sys.stdout.flush()


def read_lines(stream: BinaryIO | Iterable[bytes], name: str = "standard input") -> Iterator[str]:
    """Lines of UTF-8 text without their ends; only a line feed ends a line. Raises UserError for other bytes."""
    for number, line in enumerate(stream, 1):
        try:
            yield line.decode("utf-8").removesuffix("\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: not UTF-8 at byte {error.start}") from error
