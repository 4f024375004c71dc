"""``python -m vqnat.commands.collect_results``: ``results.json`` and ``report.html`` of a run's experiment."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from vqnat.silence import silence_imports
from vqnat_serving.arguments import CommandParser
from vqnat_serving.console import run_program


def parser() -> CommandParser:
    """All options."""
    p = CommandParser(
        "collect_results", "Gathers what a run has measured in one JSON file and one page.", extra="train"
    )
    p.add_argument("--config", type=Path, required=True, metavar="FILE.yaml", help="the experiment")
    p.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of the configuration to override")
    p.add_argument("--run", type=Path, default=Path(), metavar="DIR", help="folder of the run (default: this folder)")
    p.add_argument("--at", default="", metavar="seedN/", help="the seed's folder in it, if there are several")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Collect. Returns the exit status."""
    return run_program(parser(), _collect, argv)


def _collect(options: argparse.Namespace) -> None:
    silence_imports()
    from vqnat.experiments.config import load
    from vqnat.experiments.layout import Layout
    from vqnat.experiments.results import collect
    from vqnat.records.results import write_json
    from vqnat.reporting.html_report import write_report

    overrides = {key: yaml.safe_load(value) for key, value in (word.split("=", 1) for word in options.set)}
    config = load(options.config, overrides)
    layout, run, at = Layout(config), options.run, options.at
    results = collect(config, run, at)
    trainings = {system["training"]["name"] for system in results["systems"]}
    logs = {name: run / f"{layout.place(name, at)}logs/train_{name}.log" for name in trainings}
    checkpoints = {name: run / layout.checkpoint(name, at) for name in trainings}
    path = run / f"{at}results.json"
    write_json(path, results)
    write_report(path, logs, checkpoints, path.with_name("report.html"))


if __name__ == "__main__":
    sys.exit(main())
