"""Command line of the embedded corpus: write a corpus, or rate translations of one."""

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.embedded.corpus import SPLITS, generate, is_right
from vqnat.errors import UserError
from vqnat.records.atomic import replacing
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program

_LANGUAGES = ("en", "de")
EXAMPLES = """\
examples
  vqnat embedded --out corpus --train 24000
  vqnat embedded --check corpus/test.en output.de
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Write a corpus, or print what share of translations is right."""
    return run_program(parser(), _run, argv)


def _run(options: argparse.Namespace) -> None:
    try:
        if options.check:
            print(check(*options.check))
        else:
            write(options.out, options.seed, {name: getattr(options, name) for name in SPLITS}, options.more)
    except (OSError, ValueError) as error:
        raise UserError(str(error)) from error


def parser() -> CommandParser:
    """All options."""
    description = "Writes the embedded English-German corpus, or judges translations of its sentences."
    parser = CommandParser("vqnat embedded", description, EXAMPLES)
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("--out", type=Path, metavar="DIR", help="folder to write the corpus to")
    task.add_argument(
        "--check",
        nargs=2,
        type=Path,
        metavar=("SOURCE_FILE", "OUTPUT_FILE"),
        help="print what share of the lines of OUTPUT_FILE are right translations of the lines of SOURCE_FILE",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the corpus (default: %(default)s)")
    for name, size in zip(SPLITS, (24000, 500, 500), strict=True):
        parser.add_argument(
            f"--{name}", type=int, default=size, metavar="N", help=f"pairs in {name} (default: %(default)s)"
        )
    help_text = "also write N more sources, without translations, to more.en: for distill --source-text"
    parser.add_argument("--more", type=int, default=0, metavar="N", help=f"{help_text} (default: %(default)s)")
    return parser


def write(folder: Path, seed: int, sizes: dict[str, int], more: int = 0) -> None:
    """Write ``train.en``, ``train.de`` and so on, then ``corpus.json``, which describes them.

    Args:
        folder: where to write; created if it does not exist.
        seed: seed of the corpus.
        sizes: number of pairs of each split.
        more: number of sources without translations, for ``more.en``.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    corpus = generate(seed, **sizes, more=more)
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, pairs in corpus.items():
        languages = _LANGUAGES if name in SPLITS else _LANGUAGES[:1]
        for language, sentences in zip(languages, zip(*pairs, strict=True) if pairs else ((), ()), strict=False):
            data = "".join(f"{sentence}\n" for sentence in sentences).encode()
            digests[f"{name}.{language}"] = hashlib.sha256(data).hexdigest()
            with replacing(folder / f"{name}.{language}") as temporary:
                temporary.write_bytes(data)
    command = ["python", "-m", "vqnat.embedded", "--seed", str(seed)]
    sizes = sizes | ({"more": more} if more else {})
    for name, size in sizes.items():
        command += [f"--{name}", str(size)]
    # The folder is left out, so that the description is the same wherever the corpus is written.
    description = {"seed": seed, "sizes": sizes, "command": " ".join(command), "sha256": digests}
    with replacing(folder / "corpus.json") as temporary:
        temporary.write_bytes((json.dumps(description, indent=2) + "\n").encode())


def check(source_file: Path, output_file: Path) -> str:
    """Return one line with the share of lines of ``output_file`` that are right translations."""
    sources, outputs = _lines(source_file), _lines(output_file)
    if len(sources) != len(outputs):
        raise ValueError(f"{source_file} has {len(sources)} lines, but {output_file} has {len(outputs)}")
    if not sources:
        raise ValueError(f"{source_file} is empty")
    right = 0
    for number, (source, output) in enumerate(zip(sources, outputs, strict=True), 1):
        try:
            right += is_right(source, output)
        except ValueError as error:
            raise ValueError(f"{source_file}, line {number}: {error}") from error
    return f"{100 * right / len(sources):.2f}% right translations ({right} of {len(sources)})"


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines and read_text, for which Unicode separators and carriage returns end lines too.
        lines = path.read_bytes().decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text") from error
    return lines[:-1] if lines[-1] == "" else lines


if __name__ == "__main__":
    sys.exit(main())
