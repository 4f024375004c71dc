"""The options of the latency benchmark, from the command line."""

from pathlib import Path
from textwrap import fill

from vqnat.benchmarking.engines.system_specs import CONVERTERS
from vqnat_serving.arguments import CommandParser, at_least

EPILOG = f"""\
keys of --system
{fill(", ".join(CONVERTERS), 100, initial_indent="  ", subsequent_indent="  ")}
  The defaults are fairseq-generate's, but task translation_lev needs iter=N (0 is one-shot).

example
  vqnat latency DATA --system beam4=teacher.pt,beam=4 --system latent=average.pt,task=latent_translation,beam=1
"""
SYSTEM = "a fairseq checkpoint, or a folder written by vqnat export or ct2-fairseq-converter (CTranslate2)"


def parser() -> CommandParser:
    """All options."""
    description = "Times translation systems: synchronized, warmed up, interleaved on the same sentences."
    p = CommandParser("vqnat latency", description, EPILOG, extra="train")
    p.add_argument("data", type=Path, metavar="DATA_BIN", help="folder written by fairseq-preprocess --destdir")
    p.add_argument("--gen-subset", default="test", metavar="NAME", help="split to translate (default: test)")
    p.add_argument("-s", "--source-lang", metavar="LANG", help="default: from the file names")
    p.add_argument("-t", "--target-lang", metavar="LANG", help="default: from the file names")
    p.add_argument("--user-dir", type=Path, metavar="DIR", help="another fairseq plug-in to import")
    p.add_argument("--system", action="append", default=[], metavar="NAME=PATH[,key=value...]", help=SYSTEM)
    p.add_argument("--systems", type=Path, metavar="FILE.yaml", help="systems as a YAML list of mappings")
    p.add_argument("--baseline", metavar="NAME", help="system that speed-ups are relative to (default: the first)")
    text = "sentences per batch (default: 1); if several are given, phases and memory are measured for the first only"
    p.add_argument("--batch-size", type=at_least(1), nargs="+", default=[1], metavar="N", help=text)
    text = "make every system write the mean length of the batch's references; for untrained models"
    p.add_argument("--force-lengths", action="store_true", help=text)
    text = "number of sentences, sampled evenly after sorting by source length; one number, or one per batch size"
    p.add_argument("--sentences", type=at_least(1), nargs="+", metavar="N", help=text)
    for side in ("source", "target"):
        text = f"skip sentences with fewer {side} words, counted after joining subwords"
        p.add_argument(f"--min-{side}-words", type=at_least(0), default=0, metavar="N", help=text)
    p.add_argument("--repeats", type=at_least(1), default=5, metavar="N", help="rounds over all sentences (default: 5)")
    p.add_argument("--warmup", type=at_least(0), default=3, metavar="N", help="untimed batches per system (default: 3)")
    p.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each engine (default: 1)")
    p.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda if available")
    p.add_argument("--cpu", dest="device", action="store_const", const="cpu", help="the same as --device cpu")
    p.add_argument("--no-memory", action="store_true", help="skip peak memory, which takes a process per system")
    p.add_argument(
        "--seed", type=int, default=1, metavar="N", help="seed of the measuring order and of the bootstrap (default: 1)"
    )
    text = "also score every system on the whole split: DIR has it as text, as SUBSET.LANG"
    p.add_argument("--raw", type=Path, metavar="DIR", help=text)
    p.add_argument(
        "--corpus", default="", choices=("", "embedded"), help="embedded: also the share of right translations"
    )
    p.add_argument("--json", type=Path, metavar="OUT.json", help="write all figures to this file")
    p.add_argument("--plot", type=Path, metavar="OUT.png", help="plot latency by length, and phases")
    text = "plot quality against latency and against throughput, with the Pareto front; needs --raw"
    p.add_argument("--plot-quality", type=Path, metavar="OUT.png", help=text)
    return p
