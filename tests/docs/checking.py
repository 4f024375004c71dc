"""Checks a documented command without running it: its program exists, and has the options it is given."""

import argparse
import importlib
import re
import shlex
from functools import cache
from pathlib import Path

from bitext import REPO

SHELL = {"source", "cd", "export", "git", "pip", "mkdocs"}  # not ours


def commands(text: str) -> list[list[str]]:
    """The commands of a block as words, without comments, pipes and redirections."""
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), "|"]:
            if word in ("|", "&&", ";"):
                found += [words] if words else []
                words = []
            else:
                words.append(word)
    return [words[: next((i for i, word in enumerate(words) if word in ("<", ">")), len(words))] for words in found]


def check(words: list[str]) -> None:
    """AssertionError if the program does not exist or does not have an option that it is given."""
    program, *rest = words
    if program in SHELL:
        return
    if program == "vqnat":
        from vqnat.cli import COMMANDS

        importlib.import_module(COMMANDS[rest[0]].module).parser().parse_args(rest[1:])
    elif program.startswith("fairseq-"):
        fairseq_options(program, rest)
    else:
        path = REPO / program.removeprefix(".venv/bin/")
        if program.startswith(".venv/bin/"):
            return  # pre-commit and the like
        assert path.is_file() and path.stat().st_mode & 0o100, f"{program}: no such program"
        known = source_of(path)
        for word in rest:
            option = word.split("=")[0]
            if re.fullmatch(r"--?[a-z][a-z-]*", option):
                assert option in known or f'"{option.removeprefix("--")}"' in known, f"{program} has no {option}"


def fairseq_options(program: str, rest: list[str]) -> None:
    """Parse as fairseq does, with our plug-in. AssertionError for an option that it refuses."""
    from fairseq import options

    kind = {"train": "training", "validate": "validation"}.get(program.removeprefix("fairseq-"), "generation")
    parser = getattr(options, f"get_{kind}_parser")()
    try:
        options.parse_args_and_arch(parser, rest)
    except SystemExit as error:
        raise AssertionError(f"{program} refuses {shlex.join(rest)}") from error


@cache
def source_of(path: Path) -> str:
    """A script's text and that of the modules and programs it hands its arguments to."""
    text = path.read_text(encoding="utf-8")
    for module in re.findall(r"from (vqnat[\w.]*) import", text):
        for candidate in (f"{module.replace('.', '/')}.py", f"{module.replace('.', '/')}/__init__.py"):
            if (REPO / candidate).is_file():
                text += (REPO / candidate).read_text(encoding="utf-8")
    for program in re.findall(r"(?:scripts|examples/\w+)/\w+\.(?:py|sh)", text):
        other = REPO / program
        if other.is_file() and other != path:
            text += other.read_text(encoding="utf-8")
            text += "".join(
                (REPO / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
                for module in re.findall(r"from (vqnat[\w.]*) import", other.read_text(encoding="utf-8"))
                if (REPO / f"{module.replace('.', '/')}.py").is_file()
            )
    return text


def parser_options(parser: argparse.ArgumentParser) -> set[str]:
    """Every option of a parser."""
    return {name for action in parser._actions for name in action.option_strings}
