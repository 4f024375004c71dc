"""``vqnat completion``: the completion script of a shell."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from vqnat.cli import COMMANDS
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program

SHELLS = ("bash", "zsh", "tcsh")
FOLDERS, FILES = ("DIR", "DATA", "DATA_BIN"), ("PATH", "FILE", "CKPT")  # metavars of what is completed as such
EXAMPLES = """\
examples
  eval "$(vqnat completion bash)"               in ~/.bashrc
  vqnat completion zsh > "${fpath[1]}/_vqnat"   once; then start a new shell
  vqnat completion tcsh > ~/.vqnat.tcsh         once, and in ~/.tcshrc: source ~/.vqnat.tcsh
"""


def parser() -> CommandParser:
    """All options."""
    p = CommandParser("vqnat completion", "Prints the completion script of a shell.", EXAMPLES)
    p.add_argument("shell", choices=SHELLS, metavar="SHELL", help=f"one of {', '.join(SHELLS)}")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Print."""
    return run_program(parser(), _print_completion, argv)


def _print_completion(options: argparse.Namespace) -> None:
    import shtab

    # The name of a shell; none is started.
    print(shtab.complete(_whole(shtab), shell=options.shell))  # nosec B604


def _whole(shtab: object) -> argparse.ArgumentParser:
    """One parser of all commands, as shtab wants it."""
    top = argparse.ArgumentParser(prog="vqnat", description="Non-autoregressive translation with discrete latents.")
    top.add_argument("-V", "--version", action="store_true", help="show the version")
    top.add_argument("--user-dir", action="store_true", help="print the folder of the plug-in")
    commands = top.add_subparsers()
    for name, command in COMMANDS.items():
        one = importlib.import_module(command.module).parser()
        for action in one._actions:
            if action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY
            elif action.type is Path or action.metavar in FILES:
                action.complete = shtab.FILE
        commands.add_parser(name, help=command.help, parents=[one], add_help=False)
    return top


if __name__ == "__main__":
    sys.exit(main())
