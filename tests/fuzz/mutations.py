"""Inputs of readers of bytes without a measure of coverage, for a short run."""

import random


def mutated(seeds: list[bytes], count: int, seed: int = 1) -> list[bytes]:
    """The seeds, and ``count`` changes of them: bits, bytes, cuts, repetitions, numbers at the limits."""
    numbers, found = random.Random(seed), [*seeds, b""]
    limits = [bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f", b"\n", b"\r\n", b"\x00", b"\xed\xa0\x80", b"9" * 30]
    for _ in range(count):
        content = bytearray(numbers.choice(seeds))
        for _ in range(numbers.randint(1, 4)):
            at = numbers.randrange(len(content) + 1)
            match numbers.randrange(5):
                case 0 if content:
                    content[at % len(content)] ^= 1 << numbers.randrange(8)
                case 1:
                    content[at : at + 4] = numbers.choice(limits)
                case 2:
                    del content[at : at + numbers.randint(1, 40)]
                case 3:
                    content[at:at] = content[: numbers.randint(1, 60)]
                case _:
                    content[at : at + 3] = numbers.randbytes(3)
        found.append(bytes(content))
    return found
