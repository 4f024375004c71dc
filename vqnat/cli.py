"""The console program ``vqnat``: finds a command by its name and imports nothing else.

A command is a module with ``parser() -> ArgumentParser``, which imports nothing heavy, and ``main(argv) -> int``, the
exit status: 0 done, 1 failed, 2 a user's mistake.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vqnat import __version__


class Command(NamedTuple):
    """A row of the table: where the command is and what it does, in one line."""

    module: str
    help: str


GROUPS: dict[str, dict[str, Command]] = {
    "translate": {
        "translate": Command("vqnat.commands.translate", "translate text, with your model or the small one inside"),
        "serve": Command("vqnat_serving.server.command", "answer translations over HTTP, with a page"),
    },
    "train": {
        "distill": Command("vqnat.commands.distill", "rewrite the training targets with a teacher's beam search"),
        "average": Command("vqnat.commands.average", "average the checkpoints of a training"),
    },
    "measure": {
        "diagnose": Command("vqnat.commands.diagnose", "show where a model loses quality: codes, decoder, lengths"),
        "latency": Command("vqnat.commands.latency", "time translation systems side by side"),
    },
    "publish": {
        "package": Command("vqnat.commands.package", "make a model folder of a checkpoint"),
        "export": Command("vqnat.commands.export", "export a checkpoint to ONNX, in fp32 and int8"),
    },
    "more": {
        "embedded": Command("vqnat.embedded.__main__", "write the embedded corpus, or judge translations of it"),
        "completion": Command("vqnat.commands.completion", "print the completion script of your shell"),
    },
}
COMMANDS: dict[str, Command] = {name: row for group in GROUPS.values() for name, row in group.items()}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    name, *rest = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in ("-h", "--help"):
        print(usage())
        return 0
    if name in ("-V", "--version") or rest == ["--version"]:
        print(f"vqnat {__version__}")
        return 0
    if name == "--user-dir":
        print(Path(__file__).resolve().parent)
        return 0
    if name not in COMMANDS:
        print(f"vqnat: {_unknown(name)}", file=sys.stderr)
        return 2
    status: int = importlib.import_module(COMMANDS[name].module).main(rest)
    return status


def usage() -> str:
    """What ``vqnat --help`` prints."""
    from vqnat_serving.console import styled

    width = 15
    lines = ["usage: vqnat COMMAND ...", "", "Non-autoregressive translation with discrete latents."]
    for title, commands in GROUPS.items():
        lines += ["", styled(f"{title}:", 1)]
        lines += [f"  {styled(name.ljust(width), 36)}{command.help}" for name, command in commands.items()]
    lines += ["", styled("options:", 1)]
    for option, text in (
        ("-h, --help", "show this; 'vqnat COMMAND --help' shows a command's options"),
        ("-V, --version", "show the version"),
        ("--user-dir", 'print the folder of the plug-in: fairseq-train DATA --user-dir "$(vqnat --user-dir)" ...'),
    ):
        lines.append(f"  {styled(option.ljust(width), 36)}{text}")
    return "\n".join(lines)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    kind = "option" if name.startswith("-") else "command"
    return f"{name}: no such {kind}; {hint}valid: {', '.join(COMMANDS)}"


if __name__ == "__main__":
    sys.exit(main())
