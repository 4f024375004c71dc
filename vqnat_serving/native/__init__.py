"""A small engine of our own: a whole greedy translation in one call, without padding and without a graph of operators.

A sentence of a small model needs some 300 operators of a few microseconds each; what a library spends around each of
them is then most of the time. The engine computes the same as the exported graphs, which remain where it was not built,
and for what it lacks: beams, given codes, and the output layer ``dag``.
"""
