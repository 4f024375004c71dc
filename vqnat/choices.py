"""Values that options may have, where both a command line and the code behind it know them.

Standard library only: a command line must not import torch or fairseq to say what is valid.
"""

SUBWORDS = ("auto", "sentencepiece", "subword_nmt", "none")
TOKENIZERS = ("moses",)
PRECISIONS = ("fp32", "bf16", "fp16", "int8_dynamic")
DECODE_ENGINES = ("torch", "native")
OLD_PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}  # of version 0.1, still accepted
DAG_SEARCHES = ("greedy", "lookahead", "beam")
