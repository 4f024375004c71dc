"""A diagnosis as tables: for the terminal and for Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vqnat.records.tables import machine_name, markdown_table, number, percent, text_table
from vqnat.terminal.tables import Table

Result = Mapping[str, Any]
POSITIONS = 10  # shown one by one; later ones together


class Section(NamedTuple):
    """Rows of cells below a header, and what their columns mean."""

    header: list[str]
    rows: list[list[str]]
    note: str


def sections(result: Result) -> list[Section]:
    """All that was measured, a dash for what could not be.

    Only where each position has a word of its own can words be wrong by their place.
    """
    found = [_texts(result), _codes(result), _positions(result), _first_codes(result)]
    return found if result["wrong_words"] is None else [*found, _wrong_words(result)]


def _texts(result: Result) -> Section:
    header = ["text", "BLEU", "chrF", "BLEU to teacher", "BP", "length", "to teacher's", "dropped", "repeated"]
    header += ["loops", "codes to teacher's", "code ppl", "at limit"]
    rows = []
    for text in result["texts"]:
        itself = text["name"] == "reference"  # against itself: 100
        row = [text["name"], *("–" if itself else number(text.get(name)) for name in ("sacrebleu", "chrf"))]
        own = text.get("bleu_to_teacher")
        row.append("–" if text["name"] == f"teacher, beam {result['beam']}" else number(own))
        row += [number(text.get(name), 3) for name in ("brevity_penalty", "length_ratio", "length_ratio_to_teacher")]
        row += [_share(text.get(name)) for name in ("dropped_words", "repeated_words", "loops")]
        row += [number(text.get("codes_ratio"), 3), number(text.get("perplexity"), 0), percent(text.get("at_limit"))]
        rows.append(row)
    return Section(
        header,
        rows,
        "length: words over the reference's; dropped: words too few, over the teacher's; repeated: words equal to the "
        "one before; loops: texts with an n-gram three times in a row; at limit: as long as --max-len allows",
    )


def _codes(result: Result) -> Section:
    header = ["codes of", "sentences", "codes", "bits a code", "guessed right", "words right", "code ppl"]
    header += ["posterior, bits", "its best code", "all samples agree"]
    rows = []
    for text in result["codes"]:
        row = [text["name"], number(text.get("sentences"), 0), number(text.get("codes"), 0)]
        row += [number(text.get("bits"), 2), percent(text.get("right")), percent(text.get("words_right"))]
        row += [number(text.get("perplexity"), 0), number(text.get("entropy_bits"), 2)]
        row += [percent(text.get("best")), percent(text.get("agree"))]
        rows.append(row)
    return Section(
        header,
        rows,
        "bits a code, guessed right: the predictor, given the true codes before, the end counted as a code; "
        "words right: written from true codes; its best code: mean probability of it, the share of samples that are it",
    )


def _positions(result: Result) -> Section:
    found = result["positions"]
    lines = {
        "guessed right, distilled validation": found["right_on_distilled_validation"],
        f"greedy as the teacher's, {result['subset']}": found["greedy_as_teachers"],
    }
    longest = max((len(line) for line in lines.values() if line), default=0)
    header = ["code", *(str(n + 1) for n in range(min(longest, POSITIONS)))]
    header += [f"{POSITIONS + 1} and after"] if longest > POSITIONS else []
    rows = [[name, *_filled([_share(one) for one in grouped(line)], len(header) - 1)] for name, line in lines.items()]
    ends = found["ends_right_on_distilled_validation"]
    return Section(header, rows, f"the end of the codes guessed right on distilled validation: {percent(ends)}")


def grouped(line: Sequence[Mapping[str, Any]] | None, positions: int = POSITIONS) -> list[float | None]:
    """Shares at the first positions, then one of all after them."""
    if not line:
        return []
    shares = [one["share"] for one in line[:positions]]
    rest = line[positions:]
    if rest:
        shares.append(sum(one["share"] * one["count"] for one in rest) / sum(one["count"] for one in rest))
    return shares


def _first_codes(result: Result) -> Section:
    lines = result["from_teachers_first_codes"]
    header = ["first codes the teacher's", *("all" if one["first"] is None else str(one["first"]) for one in lines)]
    rows = [
        [label, *(number(one[name]) for one in lines)]
        for label, name in (("BLEU", "sacrebleu"), ("BLEU to teacher", "bleu_to_teacher"))
    ]
    return Section(header, rows, "so many codes of the teacher's translation, then those of the predictor, greedily")


def _wrong_words(result: Result) -> Section:
    wrong, stride = result["wrong_words"], 2 ** result["model"]["compression_steps"]
    header = ["place in a code", *(str(n + 1) for n in range(stride)), "edges", "inside"]
    shares = [*(one["share"] for one in wrong["by_offset"]), wrong["edge"], wrong["inside"]]
    row = ["wrong words", *map(_share, shares)]
    return Section(header, [row], "written from codes of the teacher's translation, against that translation")


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %" if value < 0.1 else percent(value)


def _filled(cells: list[str], length: int) -> list[str]:
    return [*cells, *["–"] * (length - len(cells))]


def head(result: Result) -> str:
    """The model, the set and the search, in one line."""
    model = result["model"]
    length = f"{result['max_len_a']:g} |x| + {result['max_len_b']} tokens at most"
    return (
        f"{model['bottleneck']}, {model['codes']} codes, {2 ** model['compression_steps']} words a code, output layer "
        f"{model['output_layer']}; {result['sentences']} sentences of {result['subset']}, {result['direction']}, "
        f"{length}"
    )


def terminal(result: Result) -> str:
    """As plain text."""
    parts = [head(result)]
    for section in sections(result):
        parts.append(f"{text_table(section.header, section.rows)}\n({section.note})")
    return "\n\n".join(parts)


def parts(result: Result) -> list[str | Table]:
    """The same as paragraphs and tables."""
    found: list[str | Table] = [head(result)]
    for section in sections(result):
        found += [Table(section.header, section.rows), section.note]
    return found


def markdown_diagnosis(result: Result) -> str:
    """For a README."""
    parts = []
    for section in sections(result):
        table = markdown_table(section.header, section.rows)
        parts.append(f"{table}\n\n{section.note[0].upper()}{section.note[1:]}.")
    commit, day = str(result.get("commit") or "unknown")[:12], str(result.get("date", "date unknown"))[:10]
    origin = f"Measured on {machine_name(result.get('machine'))}, commit {commit}, seed {result['seed']}, {day}."
    return "\n\n".join([*parts, f"{head(result)}. {origin} BLEU: `{result['signature']}`."])


TEMPLATES = {"diagnosis": markdown_diagnosis}
