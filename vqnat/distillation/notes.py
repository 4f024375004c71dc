"""Notes of the distillation for the user."""

from functools import partial

from vqnat_serving.console import say as say_of

say = partial(say_of, "distill")
