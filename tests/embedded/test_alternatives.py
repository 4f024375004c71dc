"""Expressions of alternatives against brute-force enumeration."""

import itertools
import random

from vqnat.embedded.alternatives import Automaton, Choice, Expression, Sequence, draw, matches


def all_words(expression: Expression) -> list[tuple[str, ...]]:
    """Returns the word sequences of an expression, with repeats, by plain recursion."""
    if isinstance(expression, str):
        return [(expression,)]
    if isinstance(expression, Choice):
        return [words for option in expression.options for words in all_words(option)]
    products = itertools.product(*map(all_words, expression.parts))
    return [tuple(itertools.chain(*parts)) for parts in products]


def random_expression(rng: random.Random, depth: int) -> Expression:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice("abc")
    parts = tuple(random_expression(rng, depth - 1) for _ in range(rng.randint(1, 3)))
    return Choice(parts) if rng.random() < 0.5 else Sequence(parts)


def test_against_brute_force() -> None:
    rng = random.Random(0)
    for _ in range(200):
        expression = random_expression(rng, 4)
        expected = set(all_words(expression))
        enumerated = [tuple(words) for words in Automaton(expression)]
        assert len(enumerated) == len(set(enumerated)) == Automaton(expression).count()
        assert set(enumerated) == expected
        assert tuple(draw(expression, rng)) in expected
        for words in rng.sample(sorted(expected), min(5, len(expected))):
            assert matches(expression, list(words))
            other = [*words[:-1], rng.choice("abc"), *rng.choice(["", "a"])]
            assert matches(expression, other) == (tuple(other) in expected)


def test_weights_steer_draws() -> None:
    rng = random.Random(0)
    expression = Choice(("a", "b"), (1.0, 0.0))
    assert {draw(expression, rng)[0] for _ in range(50)} == {"a"}
