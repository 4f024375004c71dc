"""The JSON of requests and answers; FastAPI checks it, and ``/docs`` shows it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Codes = Annotated[list[int], Field(min_length=1, description="One code after the other, as `codes` in an answer.")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")  # a misspelled option is an error, not silence


class TranslateRequest(_Request):
    """Texts, and what is wanted beside their translations."""

    text: str | list[str] = Field(description="A text, or a list of texts; each is one sentence.", min_length=1)
    beam: int = Field(1, ge=1, description="Candidates that the search keeps; 1 is greedy.")
    n_best: int = Field(1, ge=1, description="Translations of each text, at most `beam`.")
    scores: bool = Field(False, description="Whether scores are wanted: log-probability over length, in nats.")
    codes: bool = Field(False, description="Whether the codes are wanted.")
    alignment: bool = Field(False, description="Whether it is wanted which codes wrote which words.")
    given_codes: list[Codes] | Codes | None = Field(
        None, description="Decode these codes instead of searching: a sequence, or one for each text."
    )


class Word(BaseModel):
    """A word and the codes that wrote it."""

    text: str
    start: int = Field(description="Its first character in the translation.")
    end: int = Field(description="After its last character.")
    codes: list[int] = Field(description="Places of its codes in the sequence, from 0.")


class Position(BaseModel):
    """What one output position wrote."""

    piece: str = Field(description="A piece of a word, or a special symbol.")
    code: int | None = Field(description="Place of its code.")
    kept: bool = Field(description="Whether it is in the translation: not a repeat, a blank, or off the path.")


class Alignment(BaseModel):
    """How a translation was written."""

    words: list[Word]
    positions: list[Position]


class Candidate(BaseModel):
    """One translation."""

    text: str
    score: float | None = Field(None, description="Log-probability over length, the codes' included; in nats.")
    codes: list[int] | None = None
    alignment: Alignment | None = None


class Translated(BaseModel):
    """The translations of one text, best first."""

    candidates: list[Candidate]


class TranslateAnswer(BaseModel):
    """One entry for each text, in order."""

    translations: list[Translated]


class CodesRequest(_Request):
    """A sentence, its codes, and the place where another code is wanted."""

    text: str = Field(min_length=1)
    codes: Codes
    place: int = Field(ge=0, description="Which of the codes, from 0.")
    count: int = Field(8, ge=1, le=32, description="How many codes are proposed.")


class Proposal(BaseModel):
    """A code that could stand at the place, and what would change."""

    code: int
    probability: float | None = Field(description="By the predictor, after the codes before; null where unknown.")
    often: list[str] = Field(description="What this code most often writes; empty where unknown.")
    candidate: Candidate


class CodesAnswer(BaseModel):
    """Codes for the place, the most probable first."""

    place: int
    proposals: list[Proposal]


class ExplainRequest(_Request):
    """A sentence, and the codes to explain; without them those that the model finds."""

    text: str = Field(min_length=1)
    codes: Codes | None = None


class Choice(BaseModel):
    """A code that the predictor could have chosen."""

    code: int
    probability: float
    often: list[str]


class Explanation(BaseModel):
    """A translation step by step."""

    source: list[str] = Field(description="The pieces that the encoder reads, its end last.")
    steps: list[list[Choice]] = Field(description="For each code the likeliest choices; empty where unknown.")
    candidate: Candidate


class CompareRequest(_Request):
    """A sentence for model and teacher."""

    text: str = Field(min_length=1)


class Timed(BaseModel):
    """A translation and its time."""

    text: str
    ms: float = Field(description="Median of the runs, from text to text, in the server.")
    how: str = Field(description="Search, precision and threads.")


class CompareAnswer(BaseModel):
    """Model and teacher, one after the other with nothing beside them."""

    model: Timed
    teacher: Timed | None = None
    runs: int


class Limits(BaseModel):
    """What a request may be."""

    body: int = Field(description="Bytes.")
    lines: int
    length: int = Field(description="Characters of a text.")
    beam: int
    timeout: float = Field(description="Seconds.")


class ModelAnswer(BaseModel):
    """What is served."""

    name: str
    source_lang: str
    target_lang: str
    precision: str
    threads: int
    latents: bool
    codebook: int = Field(description="How many codes there are.")
    words_per_code: int = Field(description="Target positions of a code.")
    output_layer: str
    likely_codes: bool = Field(description="Whether the model tells which codes are likely.")
    teacher: bool
    limits: Limits


class Problem(BaseModel):
    """Why a request was not answered."""

    error: str = Field(description="For people.")
    code: str = Field(description="For programs.")
