"""``vqnat translate``: text with an exported model, a model folder, a checkpoint, or the small model inside.

Exported models run in an engine of our own or on onnxruntime, without torch and fairseq being imported.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import vqnat_serving
from vqnat.choices import PRECISIONS
from vqnat.errors import UserError
from vqnat.hub.checkpoint_options import add_checkpoint_options, load_checkpoint
from vqnat_serving.arguments import CommandParser, at_least, is_terminal, number_at_least
from vqnat_serving.command_line import SHORTLIST_HELP, Reader, add_options, check, translate_lines
from vqnat_serving.console import run_program, say, styled
from vqnat_serving.text_lines import BadLines, Line, read_lines

if TYPE_CHECKING:
    from vqnat_serving.hypothesis import Hypothesis
    from vqnat_serving.translator import Translator

SMALL_MODEL = Path(vqnat_serving.__file__).with_name("small_model")  # ships with the package
EXPORTED = ("fp32", "int8")  # precisions of exported models
MAX_TOKENS = {"native": 256, "onnx": 256, "torch": 1024}  # of a batch, unless the user says otherwise
EXAMPLES = """\
examples
  vqnat translate "The old woman wanted to buy three books."
  vqnat translate --model exported < input.en > output.de
  vqnat translate --model average.pt --data DATA --beam 4 --n-best 4 --scores "A sentence."
"""


def parser() -> CommandParser:
    """All options."""
    description = "Translates text: arguments, files or standard input, one sentence a line."
    p = CommandParser("vqnat translate", description, EXAMPLES, extra="serving")
    p.add_argument("text", nargs="*", metavar="TEXT", help="a sentence each (default: the lines of standard input)")
    p.add_argument("-i", "--input", type=Path, action="append", metavar="FILE", help="text to translate; repeatable")
    about = "export, model folder or checkpoint (default: the small model inside, English to German)"
    p.add_argument("-m", "--model", metavar="PATH", help=about)
    about = "native: our own, onnx: onnxruntime, torch: fairseq (default: auto, the first that runs the model)"
    p.add_argument("--engine", choices=("auto", "native", "onnx", "torch"), default="auto", help=about)
    about = f"exported: {', '.join(EXPORTED)}; torch: {', '.join(PRECISIONS)} (default: the export's first, or fp32)"
    p.add_argument("--precision", choices=dict.fromkeys((*EXPORTED, *PRECISIONS)), metavar="NAME", help=about)
    p.add_argument("--threads", type=at_least(0), metavar="N", help="of the engine (default: 1, torch its own)")
    p.add_argument("--shortlist", action="store_true", help=SHORTLIST_HELP)
    p.add_argument(
        "--verdict",
        action=argparse.BooleanOptionalAction,
        help="whether the embedded grammar finds a translation right (default: with the small model, on a terminal)",
    )
    add_options(p, max_tokens=None)
    p.add_argument("--lenpen", type=number_at_least(0), metavar="X", help="length penalty of the search (default: 1)")
    p.add_argument(
        "--max-len-a", type=number_at_least(0), metavar="A", help="at most A * |x| + B target tokens (default: 0)"
    )
    p.add_argument("--max-len-b", type=at_least(1), metavar="B", help="see --max-len-a (default: 200)")
    add_checkpoint_options(p.add_argument_group("checkpoints (torch)"))
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Translate."""
    return run_program(parser(), _translate, argv)


def _translate(options: argparse.Namespace) -> None:
    if options.text and options.input:
        raise UserError(f"--input {options.input[0]}: not together with text as arguments")
    waiting = not options.text and not options.input and is_terminal(sys.stdin)
    options.interactive |= waiting
    check(options)
    read = _reader(options)
    translator = _load(options)
    if waiting:
        say("translate", "type a sentence; Ctrl-D ends")
    shown = options.verdict
    if shown is None:
        shown = options.model is None and is_terminal(sys.stdout)
    translate_lines(translator, options, read, _verdict if shown else lambda source, hypothesis: ())


def _reader(options: argparse.Namespace) -> Reader | None:
    """The sentences of arguments or files; None: standard input."""
    if options.text:
        return lambda bad: (Line(text, f"TEXT {number}") for number, text in enumerate(options.text, 1))
    if not options.input:
        return None
    for path in options.input:
        if not path.is_file():
            raise UserError(f"--input {path}: no such file")
    return lambda bad: (line for path in options.input for line in _read(path, bad))


def _read(path: Path, bad: BadLines) -> Iterator[Line | None]:
    with path.open("rb") as stream:
        yield from read_lines(stream, str(path), bad)


def _load(options: argparse.Namespace) -> "Translator":
    engine = options.engine if options.engine != "auto" else _engine(options.model)
    options.max_tokens = options.max_tokens or MAX_TOKENS[engine]
    valid = PRECISIONS if engine == "torch" else EXPORTED
    if options.precision not in (None, *valid):
        raise UserError(f"--precision {options.precision}: not with {engine}; choose from: {', '.join(valid)}")
    names = {"lenpen": "length_penalty", "max_len_a": "max_len_a", "max_len_b": "max_len_b"}
    search = {name: getattr(options, option) for option, name in names.items() if getattr(options, option) is not None}
    if engine == "torch":
        if options.model is None:
            raise UserError("--engine torch: needs --model; the small model inside is an export")
        if options.shortlist:
            raise UserError("--shortlist: not with torch, only with native")
        return load_checkpoint(options.model, options, options.precision or "fp32", **search)
    _refuse_checkpoint_options(options)
    from vqnat_serving.onnx_translator import OnnxTranslator

    if options.precision:
        search["precision"] = options.precision
    return OnnxTranslator(
        options.model or SMALL_MODEL,
        threads=1 if options.threads is None else options.threads,
        max_tokens=options.max_tokens,
        max_sentences=options.batch_size,
        engine=None if options.engine == "auto" else engine,
        shortlist=options.shortlist,
        **search,
    )


def _engine(model: str | None) -> str:
    """onnx for exports and for what is not on this machine by that name; torch for checkpoints and other folders."""
    if model is None:
        return "onnx"
    path = Path(model)
    exported = any((path / place / "export.json").is_file() for place in ("", "onnx"))
    return "torch" if not exported and (path.exists() or path.suffix == ".pt") else "onnx"


def _refuse_checkpoint_options(options: argparse.Namespace) -> None:
    group = argparse.ArgumentParser(add_help=False)
    add_checkpoint_options(group)
    for name, default in vars(group.parse_args([])).items():
        value = getattr(options, name)
        if value != default:
            raise UserError(f"--{name.replace('_', '-')} {value}: only with a checkpoint; an export has its own")


def _verdict(source: str, hypothesis: "Hypothesis") -> tuple[str]:
    """One field: right, wrong, or unknown for a source that the grammar does not have."""
    from vqnat.embedded import is_right

    try:
        right = is_right(" ".join(source.split()), hypothesis.text)
    except ValueError:
        return (styled("? not in the grammar", 2) if is_terminal(sys.stdout) else "unknown",)
    if not is_terminal(sys.stdout):
        return ("right" if right else "wrong",)
    return (styled("✓ right", 32) if right else styled("✗ wrong", 31),)


if __name__ == "__main__":
    sys.exit(main())
