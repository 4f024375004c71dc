"""fairseq's models read some options with ``eval``; a checkpoint, whose options they are, must not bring code.

``--encoder-layers "[(512, 3)] * 20"`` is such an option of fconv. A checkpoint that loads with ``weights_only=True``
can still name that architecture and hold any text there. What such options need is literals, sums and repetitions.
"""

import ast
import operator
import sys
from typing import Any

from vqnat.errors import UserError

_OPERATORS = {ast.Add: operator.add, ast.Mult: operator.mul}
_LONGEST = 10_000  # characters of an option, items of a value


def literal(text: Any) -> Any:
    """The value of an option's text, as ``eval`` gives it, without names and calls.

    Raises:
        UserError: it is anything but numbers, texts, lists, tuples and dictionaries, and their sums and repetitions.
        TypeError: not a text, as from ``eval``.
    """
    if not isinstance(text, str):
        raise TypeError(f"an option is a text, not {type(text).__name__}")
    try:
        if len(text) > _LONGEST:
            raise ValueError
        return _value(ast.parse(text.strip(), mode="eval").body)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise UserError(f"an option is refused: {text[:80]!r}: needed a literal such as [(512, 3)] * 20") from error


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = _value(node.left), _value(node.right)
        repeated = isinstance(node.op, ast.Mult) and (hasattr(left, "__len__") or hasattr(right, "__len__"))
        if repeated:
            items, times = (left, right) if hasattr(left, "__len__") else (right, left)
            if not isinstance(times, int) or len(items) * times > _LONGEST:
                raise ValueError
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.List | ast.Tuple):
        items = [_value(one) for one in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    return ast.literal_eval(node)


def evaluate_literals_only() -> None:
    """Let every module of fairseq that is loaded find :func:`literal` under the name ``eval``; twice is harmless."""
    for name, module in list(sys.modules.items()):
        if name.startswith("fairseq.") and module is not None:
            module.__dict__["eval"] = literal
