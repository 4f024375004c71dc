"""Every choice and every limit of the server in one place."""

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import Any

VARIABLE = "VQNAT_SERVER_SETTINGS"  # how worker processes get them


@dataclass(frozen=True)
class Settings:
    """What ``vqnat serve`` was asked for.

    Attributes:
        model: folder of the model, or its name on the Hugging Face Hub; None: the small one that comes along.
        teacher: folder of the teacher; None: none.
        precision: ``fp32`` or ``int8``; None: the first that the model has.
        threads: of each model in one operation.
        shortlist: whether a sentence may use only the words that the model's shortlist allows.
        allowed_hosts: names that a request's Host may have; empty: any.
        max_body: bytes of a request.
        max_lines: texts of a request.
        max_length: characters of a text.
        max_beam: candidates of a text.
        max_queue: sentences that wait or are translated, of all requests; beyond it a request is refused.
        max_batch: candidates (sentences times beam) that are decoded together.
        batch_wait: ms that a sentence waits for others while the model is idle; 0: a batch is what arrived together, or
            while the one before ran.
        max_connections: that are open at a time, of one process; the one that has waited longest for its request is
            closed for a new one.
        timeout: seconds that a request may take, and its body to arrive.
    """

    model: str | None = None
    teacher: str | None = None
    precision: str | None = None
    threads: int = 1
    shortlist: bool = False
    allowed_hosts: tuple[str, ...] = ()
    max_body: int = 65536
    max_lines: int = 64
    max_length: int = 2000
    max_beam: int = 16
    max_queue: int = 512
    max_batch: int = 64
    batch_wait: float = 0.0
    max_connections: int = 512  # in many shells a process may open 1024 files
    timeout: float = 30.0

    def to_environment(self) -> None:
        """Leave them for processes that are started from now on."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> "Settings":
        """What :meth:`to_environment` left."""
        values: dict[str, Any] = json.loads(os.environ[VARIABLE])
        values["allowed_hosts"] = tuple(values["allowed_hosts"])
        return cls(**{one.name: values[one.name] for one in fields(cls)})
