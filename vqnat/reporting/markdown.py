"""Rendered results between two markers of a Markdown file."""

import re
from collections.abc import Callable, Mapping
from typing import Any

Template = Callable[[Any], str]  # from one result file, or from several, to Markdown
MARKER = re.compile(r"(<!-- results: (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_markdown(text: str, load: Callable[[str], Any], templates: Mapping[str, Template]) -> str:
    """Render what stands between ``<!-- results: PATH.json TEMPLATE -->`` and ``<!-- end -->``.

    Args:
        text: a Markdown file.
        load: from the path in a marker to the results.
        templates: name -> renderer.

    Raises:
        ValueError: an unknown template, or a marker without its end.
    """
    starts = text.count("<!-- results:")
    if starts != len(MARKER.findall(text)):
        raise ValueError("a line '<!-- results: PATH.json TEMPLATE -->' without a line '<!-- end -->' after it")

    def rendered(match: re.Match) -> str:
        template = templates.get(match[3])
        if template is None:
            raise ValueError(f"template {match[3]!r} is not valid; must be one of {', '.join(templates)}")
        return f"{match[1]}{template(load(match[2]))}\n{match[4]}"

    return MARKER.sub(rendered, text)
