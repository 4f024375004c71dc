"""What the server answers, address by address."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from vqnat_serving.errors import UserError
from vqnat_serving.server import messages as m
from vqnat_serving.server.batcher import Batcher, QueueFull
from vqnat_serving.server.engine import RUNS, Engine, Sentence
from vqnat_serving.server.guards import Guards, problem
from vqnat_serving.server.metrics import CONTENT_TYPE, Metrics
from vqnat_serving.server.page_files import PageFile, page_files
from vqnat_serving.server.settings import Settings
from vqnat_serving.translator import Decoded

VERSION = "1"  # of the API
CHOICES = 5  # codes that are shown of each step
Value = TypeVar("Value")

ERRORS: dict[int | str, dict[str, object]] = {
    status: {"model": m.Problem, "description": text}
    for status, text in {
        413: "The body is too large.",
        422: "Something in the request is not possible; the message says what is.",
        503: "Too many requests wait, or this one took too long. Try again later.",
    }.items()
}


class Refused(Exception):
    """A request that cannot be answered."""

    def __init__(self, status: int, code: str, error: str, **headers: str):
        super().__init__(error)
        self.status, self.code, self.headers = status, code, headers


def from_environment() -> Guards:
    """The application of a worker process, which loads its own models."""
    settings = Settings.from_environment()
    return create(settings, Engine(settings))


def create(settings: Settings, engine: Engine) -> Guards:
    """The application.

    Args:
        settings: limits.
        engine: the loaded models.
    """
    metrics = Metrics()
    service = Service(settings, engine, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.open()
        yield
        await service.close()

    app = FastAPI(
        title="vqnat",
        version=VERSION,
        description="Translation with a latent transformer: a few codes, then all words at once.",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page loads scripts from elsewhere
        redoc_url=None,
    )
    _add_api(app, service)
    _add_observation(app, service, metrics)
    paths = {"/openapi.json", *(route.path for route in app.routes if hasattr(route, "path"))}
    paths |= _add_page(app)
    _add_errors(app)
    limits = settings.max_body, settings.timeout, settings.max_connections
    return Guards(app, metrics, paths, settings.allowed_hosts, *limits)


class Service:
    """Checks requests, has them translated, and makes answers of what comes back."""

    def __init__(self, settings: Settings, engine: Engine, metrics: Metrics):
        self.settings, self.engine, self.metrics = settings, engine, metrics
        self.translator, self.about = engine.translator, engine.translator.description
        self._batcher: Batcher[Sentence, list[Decoded]] | None = None

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self._batcher is not None

    @property
    def batcher(self) -> Batcher[Sentence, list[Decoded]]:
        """The queue to the model."""
        if self._batcher is None:
            raise Refused(503, "not_ready", "the server is starting or stopping", **{"Retry-After": "1"})
        return self._batcher

    def open(self) -> None:
        """Begin to take requests."""
        limits, seen = self.settings, self.metrics
        wait = limits.batch_wait / 1000
        self._batcher = Batcher(self.engine.run, limits.max_batch, wait, limits.max_queue, seen.batch, seen.inside.inc)

    async def close(self) -> None:
        """Answer what waits, then end."""
        batcher, self._batcher = self._batcher, None
        if batcher is not None:
            await batcher.close()

    async def translate(self, request: m.TranslateRequest) -> m.TranslateAnswer:
        """Search, or decode given codes."""
        texts = [request.text] if isinstance(request.text, str) else request.text
        limits = self.settings
        if len(texts) > limits.max_lines:
            raise Refused(422, "too_many_texts", f"{len(texts)} texts; a request may have {limits.max_lines}")
        most = limits.max_beam if self.about.latents else 1
        if request.beam > most:
            raise Refused(422, "beam_too_large", f"beam {request.beam}: this server's largest is {most}")
        if request.n_best > request.beam:
            raise Refused(422, "n_best", f"n_best {request.n_best}: needed at most beam, {request.beam}")
        given = self._given(request, len(texts))
        sources = [self.tokens(text, number) for number, text in enumerate(texts, 1)]
        scored = request.scores or request.beam > 1
        filled = [row for row, tokens in enumerate(sources) if len(tokens) > 1]
        jobs = [Sentence(sources[row], request.beam, scored, given[row] if given else None) for row in filled]
        found = await self._in_time(self.batcher.submit([(job, job.cost) for job in jobs]))
        nothing = Decoded((), 0.0, () if self.about.latents else None)
        decoded = [[nothing] for _ in texts]
        for row, one in zip(filled, found, strict=True):
            decoded[row] = one[: request.n_best]
        wanted = (request.scores, request.codes, request.alignment)
        answer = [m.Translated(candidates=[self.candidate(one, *wanted) for one in row]) for row in decoded]
        return m.TranslateAnswer(translations=answer)

    async def propose(self, request: m.CodesRequest) -> m.CodesAnswer:
        """Other codes for a place."""
        tokens = self._one(request.text)
        self._check_codes(request.codes)
        if request.place >= len(request.codes):
            raise Refused(422, "place", f"place {request.place}: needed 0 to {len(request.codes) - 1}")
        found = await self._alone(lambda: self.engine.propose(tokens, request.codes, request.place, request.count))
        proposals = [
            m.Proposal(
                code=code,
                probability=probability,
                often=self.engine.often(code),
                candidate=self.candidate(one, True, True, True),
            )
            for code, probability, one in found
        ]
        return m.CodesAnswer(place=request.place, proposals=proposals)

    async def explain(self, request: m.ExplainRequest) -> m.Explanation:
        """A translation step by step."""
        tokens = self._one(request.text)
        if request.codes is not None:
            self._check_codes(request.codes)
        steps, decoded = await self._alone(lambda: self.engine.explain(tokens, request.codes, CHOICES))
        choices = [
            [m.Choice(code=code, probability=share, often=self.engine.often(code)) for code, share in step]
            for step in steps
        ]
        source = self.translator.source.decode(tokens)
        return m.Explanation(source=source, steps=choices, candidate=self.candidate(decoded, True, True, True))

    async def compare(self, request: m.CompareRequest) -> m.CompareAnswer:
        """Model and teacher, each alone."""
        self._one(request.text)
        found = await self._alone(lambda: self.engine.compare(request.text))
        timed = [m.Timed(text=text, ms=round(ms, 3), how=how) for text, ms, how in found]
        return m.CompareAnswer(model=timed[0], teacher=timed[1] if len(timed) > 1 else None, runs=RUNS)

    def model(self) -> m.ModelAnswer:
        """What is served."""
        about, limits = self.about, self.settings
        return m.ModelAnswer(
            name=self.engine.name,
            source_lang=about.source_lang,
            target_lang=about.target_lang,
            precision=self.engine.precision,
            threads=self.engine.threads,
            latents=about.latents,
            codebook=about.end,
            words_per_code=about.stride,
            output_layer=about.output_layer,
            likely_codes=self.translator.models.scores_codes,
            teacher=self.engine.teacher is not None,
            limits=m.Limits(
                body=limits.max_body,
                lines=limits.max_lines,
                length=limits.max_length,
                beam=limits.max_beam if about.latents else 1,
                timeout=limits.timeout,
            ),
        )

    def tokens(self, text: str, number: int = 1) -> list[int]:
        """Tokens of a text that the model can read."""
        if len(text) > self.settings.max_length:
            limit = f"this server reads at most {self.settings.max_length}"
            raise Refused(422, "text_too_long", f"text {number} has {len(text)} characters; {limit}")
        try:
            return self.translator.encode(text)
        except UserError as error:
            raise Refused(422, "text_too_long", f"text {number} {error}") from error

    def candidate(self, decoded: Decoded, score: bool, codes: bool, alignment: bool) -> m.Candidate:
        """A translation with what is wanted of it."""
        found = self.translator.align(decoded) if alignment else None
        return m.Candidate(
            text=self.translator.hypothesis(decoded).text,
            score=round(decoded.score, 5) if score else None,
            codes=list(decoded.codes) if codes and decoded.codes is not None else None,
            alignment=None if found is None else m.Alignment(**asdict(found)),
        )

    def _one(self, text: str) -> list[int]:
        """Tokens of a text that is not empty."""
        tokens = self.tokens(text)
        if len(tokens) < 2:
            raise Refused(422, "empty_text", "the text is empty")
        return tokens

    def _given(self, request: m.TranslateRequest, texts: int) -> list[tuple[int, ...]] | None:
        """Given codes, a sequence for each text."""
        if request.given_codes is None:
            return None
        if request.beam > 1:
            raise Refused(422, "given_codes", f"beam {request.beam}: given codes are decoded, not searched; needed 1")
        one = bool(request.given_codes) and isinstance(request.given_codes[0], int)
        given = [request.given_codes] if one else request.given_codes
        if len(given) != texts:
            raise Refused(422, "given_codes", f"{len(given)} code sequences for {texts} texts; needed one for each")
        for codes in given:
            self._check_codes(codes)  # type: ignore[arg-type]
        return [tuple(codes) for codes in given]  # type: ignore[arg-type]

    def _check_codes(self, codes: list[int]) -> None:
        try:
            self.translator.check_codes(codes)
        except UserError as error:
            raise Refused(422, "codes", str(error)) from error

    async def _alone(self, function: Callable[[], Value]) -> Value:
        return await self._in_time(self.batcher.alone(function))

    async def _in_time(self, work: Awaitable[Value]) -> Value:
        try:
            async with asyncio.timeout(self.settings.timeout):
                return await work
        except TimeoutError:
            error = f"no answer within {self.settings.timeout:g} seconds; the server is busy"
            raise Refused(503, "timeout", error, **{"Retry-After": "5"}) from None
        except QueueFull:
            error = f"{self.settings.max_queue} sentences are waiting; try again later"
            raise Refused(503, "queue_full", error, **{"Retry-After": "1"}) from None


def _add_api(app: FastAPI, service: Service) -> None:
    options = {"responses": ERRORS, "response_model_exclude_none": True, "tags": ["translation"]}

    @app.post("/translate", summary="Translate texts, or decode given codes", **options)  # type: ignore[arg-type]
    async def translate(request: m.TranslateRequest) -> m.TranslateAnswer:
        return await service.translate(request)

    @app.post("/codes", summary="Other codes for a place, and what they would write", **options)  # type: ignore[arg-type]
    async def codes(request: m.CodesRequest) -> m.CodesAnswer:
        return await service.propose(request)

    @app.post("/explain", summary="A translation step by step", **options)  # type: ignore[arg-type]
    async def explain(request: m.ExplainRequest) -> m.Explanation:
        return await service.explain(request)

    @app.post("/compare", summary="Translate with model and teacher, and time both", **options)  # type: ignore[arg-type]
    async def compare(request: m.CompareRequest) -> m.CompareAnswer:
        return await service.compare(request)

    @app.get("/model", summary="What is served", tags=["translation"])
    async def model() -> m.ModelAnswer:
        return service.model()


def _add_observation(app: FastAPI, service: Service, metrics: Metrics) -> None:
    @app.get("/healthz", summary="Whether the process is alive", tags=["observation"], response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok\n"

    @app.get(
        "/readyz",
        summary="Whether requests are taken",
        tags=["observation"],
        response_class=PlainTextResponse,
        responses={503: {"description": "Starting or stopping."}},
    )
    async def readyz() -> Response:
        return PlainTextResponse("ready\n" if service.ready else "not ready\n", 200 if service.ready else 503)

    @app.get(
        "/metrics",
        summary="Counters for Prometheus",
        tags=["observation"],
        response_class=PlainTextResponse,
    )
    async def read_metrics() -> Response:
        return Response(metrics.render(), headers={"Content-Type": CONTENT_TYPE})


def _add_page(app: FastAPI) -> set[str]:
    """The page's files, each at an address of its own; returns the addresses."""
    files = page_files()
    for path, file in files.items():
        app.add_route(path, _sender(file), ["GET", "HEAD"], include_in_schema=False)
    return set(files)


def _sender(file: PageFile) -> Callable[[Request], Awaitable[Response]]:
    """Sends a file, unless the browser has it."""

    async def send(request: Request) -> Response:
        headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return send


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> JSONResponse:
        return problem(error.status, error.code, str(error), **error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        return problem(422, "invalid_request", f"{place or 'body'}: {first['msg']}"[:500])

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "http", str(error.detail), **(error.headers or {}))


logging.getLogger("vqnat_serving.server").addHandler(logging.NullHandler())
