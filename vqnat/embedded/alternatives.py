"""Compact sets of word sequences, which can be sampled, matched and enumerated.

An expression is a word (a string without spaces), a ``Sequence`` or a ``Choice`` of expressions. It stands
for the set of word sequences that it can yield.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Sequence:
    """Expressions in a row; without parts, the empty word sequence."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several expressions; ``weights`` are the odds in ``draw``, uniform if None."""

    options: tuple["Expression", ...]
    weights: tuple[float, ...] | None = None


Expression = str | Sequence | Choice
EMPTY = Sequence(())


def words(text: str) -> Expression:
    """Returns the expression for words separated by spaces."""
    split = text.split()
    return split[0] if len(split) == 1 else Sequence(tuple(split))


def choice(options: list[Expression], weights: list[float] | None = None) -> Expression:
    """Returns a choice, or the only option itself."""
    if len(options) == 1:
        return options[0]
    return Choice(tuple(options), tuple(weights) if weights else None)


def draw(expression: Expression, rng: random.Random) -> list[str]:
    """Draws one word sequence, by an independent draw at every choice."""
    if isinstance(expression, str):
        return [expression]
    if isinstance(expression, Choice):
        return draw(rng.choices(expression.options, expression.weights)[0], rng)
    return [word for part in expression.parts for word in draw(part, rng)]


def matches(expression: Expression, sequence: list[str]) -> bool:
    """Tells whether the expression can yield the word sequence."""
    # Memoized, for the same expression object occurs in many word orders.
    known: dict[tuple[int, int], frozenset[int]] = {}

    def ends(node: Expression, start: int) -> frozenset[int]:
        if isinstance(node, str):
            return frozenset((start + 1,)) if start < len(sequence) and sequence[start] == node else frozenset()
        key = (id(node), start)
        if key not in known:
            if isinstance(node, Choice):
                known[key] = frozenset().union(*(ends(option, start) for option in node.options))
            else:
                reached = frozenset((start,))
                for part in node.parts:
                    reached = frozenset().union(*(ends(part, position) for position in reached))
                    if not reached:
                        break
                known[key] = reached
        return known[key]

    return len(sequence) in ends(expression, 0)


class Automaton:
    """A deterministic acyclic automaton of an expression, for counting and enumeration; built lazily.

    Two paths through an expression may yield the same words; the subset construction merges them, so that
    counts and enumerations are of distinct word sequences.
    """

    def __init__(self, expression: Expression) -> None:
        """Builds the nondeterministic automaton of ``expression``."""
        self._edges: list[list[tuple[str | None, int]]] = [[]]
        self._final = self._build(expression, 0)
        self._counts: dict[frozenset[int], int] = {}
        self._followers: dict[frozenset[int], dict[str, frozenset[int]]] = {}
        self._start = self._closure({0})

    def _state(self) -> int:
        self._edges.append([])
        return len(self._edges) - 1

    def _build(self, node: Expression, start: int) -> int:
        """Adds ``node`` after the state ``start`` and returns the state that it ends in."""
        if isinstance(node, str):
            end = self._state()
            self._edges[start].append((node, end))
            return end
        if isinstance(node, Sequence):
            for part in node.parts:
                start = self._build(part, start)
            return start
        end = self._state()
        for option in node.options:
            begin = self._state()
            self._edges[start].append((None, begin))
            self._edges[self._build(option, begin)].append((None, end))
        return end

    def _closure(self, states: set[int]) -> frozenset[int]:
        """Returns the epsilon closure: ``states`` and all that can be reached from them without a word."""
        reached, waiting = set(states), list(states)
        while waiting:
            for word, target in self._edges[waiting.pop()]:
                if word is None and target not in reached:
                    reached.add(target)
                    waiting.append(target)
        return frozenset(reached)

    def _follow(self, states: frozenset[int]) -> dict[str, frozenset[int]]:
        """Returns the next state for each next word, in a fixed order."""
        if states not in self._followers:
            targets: dict[str, set[int]] = {}
            for state in sorted(states):
                for word, target in self._edges[state]:
                    if word is not None:
                        targets.setdefault(word, set()).add(target)
            self._followers[states] = {word: self._closure(following) for word, following in targets.items()}
        return self._followers[states]

    def count(self) -> int:
        """Returns the number of distinct word sequences."""
        return self._count(self._start)

    def _count(self, states: frozenset[int]) -> int:
        if states not in self._counts:
            following = self._follow(states).values()
            self._counts[states] = (self._final in states) + sum(map(self._count, following))
        return self._counts[states]

    def __iter__(self) -> Iterator[list[str]]:
        """Yields every distinct word sequence once, lazily."""
        yield from self._enumerate(self._start, [])

    def _enumerate(self, states: frozenset[int], prefix: list[str]) -> Iterator[list[str]]:
        if self._final in states:
            yield list(prefix)
        for word, following in self._follow(states).items():
            prefix.append(word)
            yield from self._enumerate(following, prefix)
            prefix.pop()
