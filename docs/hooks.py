"""What MkDocs cannot do by itself: formulas as MathML, and the options of every command from its parser.

A page says where generated text goes by a line that is a comment elsewhere: ``<!-- commands -->``,
``<!-- training options -->`` or ``<!-- notebook FILE -->``; and a page that is a link to a file outside of docs/ shows
that file.
"""

import argparse
import html
import importlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from latex2mathml.converter import convert

REPOSITORY = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[[^]]*\]\((?:\.\./)+([^)]+)\)")
sys.path.insert(0, str(REPOSITORY))


def on_config(config):
    """Blocks fenced as ``math`` become formulas that browsers draw by themselves."""
    fences = config.mdx_configs.setdefault("pymdownx.superfences", {}).setdefault("custom_fences", [])
    fences.append({"name": "math", "class": "math", "format": formula})
    return config


def formula(source, language, css_class, options, md, **_):
    """LaTeX, one formula or several lines of them, as MathML."""
    lines = [line for line in source.strip().splitlines() if line.strip()]
    return "".join(convert(line, display="block") for line in lines)


def on_page_markdown(markdown, page, config, files):
    """Fill in what is generated."""
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", "\n".join(command_pages()))
    if "<!-- training options -->" in markdown:
        markdown = markdown.replace("<!-- training options -->", "\n".join(training_options()))
    folder = Path(page.file.abs_src_path).parent
    to_root = "../" * page.file.src_uri.count("/")
    if link := LINK.fullmatch(markdown.strip()):
        markdown = included(link[1], to_root)
    return re.sub(r"<!-- notebook (\S+) -->", lambda match: notebook(folder / match[1]), markdown)


def on_page_content(content, page, config, files):
    """Names in docstrings as plain code: their Sphinx roles (``:class:`X```) mean nothing here."""
    return re.sub(r":(?:class|meth|func|mod|attr|data):<code>~?", "<code>", content)


def included(name: str, to_root: str) -> str:
    """A file of the repository, its links to pages of docs/ as links from a page that many folders down."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return text.replace("](docs/", f"]({to_root}")


def notebook(path: Path) -> str:
    """The cells of a notebook, which is kept without outputs, as Markdown."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(parts)


def command_pages() -> Iterator[str]:
    """A section for each command of ``vqnat``."""
    from vqnat.cli import COMMANDS

    for name, command in COMMANDS.items():
        yield f"## vqnat {name}\n"
        yield from options_table(importlib.import_module(command.module).parser())


def options_table(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Usage, description and one row for each option."""
    parser.prog = parser.prog.strip()
    if parser.description:
        yield f"{html.escape(parser.description.strip(), quote=False)}\n"
    yield f"```text\n{parser.format_usage().strip()}\n```\n"
    yield "| option | what it is |\n| --- | --- |"
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
            continue
        names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
        values = f" `{value_of(action)}`" if action.option_strings and action.nargs != 0 else ""
        help_text = " ".join(parser._get_formatter()._expand_help(action).split()) if action.help else ""
        if action.required and action.option_strings:
            help_text += " (required)"
        yield f"| {names}{values} | {cell(help_text)} |"
    yield ""
    if parser.epilog:
        yield f"```text\n{parser.epilog.strip()}\n```\n"


def value_of(action: argparse.Action) -> str:
    """What an option takes, as ``--help`` has it."""
    if action.metavar:
        return " ".join(action.metavar) if isinstance(action.metavar, tuple) else action.metavar
    return "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()


def cell(text: str) -> str:
    """Text that a table cell shows as it is."""
    return html.escape(re.sub(r"\s+", " ", text), quote=False).replace("|", "&#124;").replace("*", "&#42;")


def training_options() -> Iterator[str]:
    """One table for each configuration that fairseq-train reads: models, bottlenecks, criteria, tasks."""
    import dataclasses

    logging.getLogger("MARKDOWN").setLevel(logging.WARNING)  # importing fairseq turns on every library's messages
    from fairseq.criterions import CRITERION_DATACLASS_REGISTRY
    from fairseq.models import MODEL_DATACLASS_REGISTRY
    from fairseq.tasks import TASK_DATACLASS_REGISTRY

    import vqnat.plugin  # noqa: F401

    groups = [
        ("--arch latent_transformer", MODEL_DATACLASS_REGISTRY["latent_transformer"]),
        ("--arch parallel_transformer", MODEL_DATACLASS_REGISTRY["parallel_transformer"]),
        ("--criterion latent_transformer_loss", CRITERION_DATACLASS_REGISTRY["latent_transformer_loss"]),
        ("--criterion parallel_loss", CRITERION_DATACLASS_REGISTRY["parallel_loss"]),
        ("--task latent_translation", TASK_DATACLASS_REGISTRY["latent_translation"]),
    ]
    for title, config in groups:
        yield f"### `{title}`\n\n| option | default | what it is |\n| --- | --- | --- |"
        for field in dataclasses.fields(config):
            if field.name == "_name" or not field.metadata.get("help"):
                continue
            default = field.default if field.default is not dataclasses.MISSING else ""
            shown = "" if default is None or "${" in str(default) or "???" in str(default) else f"`{default}`"
            if "FileContentsAction" in str(default):
                shown = ""
            option = "--" + field.name.replace("_", "-")
            yield f"| `{option}` | {shown} | {cell(str(field.metadata['help']))} |"
        yield ""


def nav_pages() -> set[str]:
    """The pages of the navigation, for the tests."""

    def walk(entries) -> Iterator[str]:
        for entry in entries:
            for value in entry.values() if isinstance(entry, dict) else [entry]:
                yield from walk(value) if isinstance(value, list) else [value]

    return set(walk(yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
