"""Rendered results between two markers of a Markdown file."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Template = Callable[[Any], str]  # from one result file, or from several, to Markdown
MARKER = re.compile(r"(<!-- results: (\S+) (\S+)((?: \w+=\S+)*) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_markdown(text: str, load: Callable[[str], Any], templates: Mapping[str, Template]) -> str:
    """Render what stands between ``<!-- results: PATH.json TEMPLATE -->`` and ``<!-- end -->``.

    After the template a marker may say which part of the results is wanted: ``only=NAME,...`` for systems and
    ``lines=N,...`` for samples.

    Args:
        text: a Markdown file.
        load: from the path in a marker to the results.
        templates: name -> renderer.

    Raises:
        ValueError: an unknown template or selection, or a marker without its end.
    """
    starts = text.count("<!-- results:")
    if starts != len(MARKER.findall(text)):
        raise ValueError("a line '<!-- results: PATH.json TEMPLATE -->' without a line '<!-- end -->' after it")

    def rendered(match: re.Match) -> str:
        template = templates.get(match[3])
        if template is None:
            raise ValueError(f"template {match[3]!r} is not valid; must be one of {', '.join(templates)}")
        results = load(match[2])
        for word in match[4].split():
            results = _select_each(results, *word.split("=", 1))
        return f"{match[1]}{template(results)}\n{match[5]}"

    return MARKER.sub(rendered, text)


def _select_each(results: Any, key: str, value: str) -> Any:
    """As :func:`select`, or of several files of which not every one has each name, as with rows of some seeds only."""
    if isinstance(results, Mapping):
        return select(results, key, value)
    if key != "only":
        return [select(run, key, value) for run in results]
    wanted = value.split(",")
    have = [[system["name"] for system in run["systems"]] for run in results]
    _check(wanted, list(dict.fromkeys(name for names in have for name in names)), "system")
    parts = [[name for name in wanted if name in names] for names in have]
    return [select(run, key, ",".join(part)) for run, part in zip(results, parts, strict=True) if part]


def select(results: Mapping[str, Any], key: str, value: str) -> dict[str, Any]:
    """A part of one result file.

    Args:
        results: systems, and samples where it has any.
        key: ``only`` for systems by name, in the order of the file; ``lines`` for samples by their line.
        value: names or lines, separated by commas.

    Raises:
        ValueError: an unknown key, or a name or line that the file does not have.
    """
    wanted = value.split(",")
    if key == "only":
        _check(wanted, [system["name"] for system in results["systems"]], "system")
        systems = [system for system in results["systems"] if system["name"] in wanted]
        samples = [
            sample | {"outputs": {name: out for name, out in sample["outputs"].items() if name in wanted}}
            for sample in results.get("samples", [])
        ]
        return {**results, "systems": systems, "samples": samples}
    if key == "lines":
        _check(wanted, [str(sample["line"]) for sample in results["samples"]], "sample of line")
        return {**results, "samples": [sample for sample in results["samples"] if str(sample["line"]) in wanted]}
    raise ValueError(f"{key}={value}: {key!r} is not valid; must be one of only, lines")


def _check(wanted: list[str], found: list[str], what: str) -> None:
    for name in wanted:
        if name not in found:
            raise ValueError(f"no {what} {name!r}; there are {', '.join(found)}")
