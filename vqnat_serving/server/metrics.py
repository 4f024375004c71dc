"""What Prometheus reads at ``/metrics``."""

import os
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # where several worker processes add up; prometheus_client's own name
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
SIZES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one process; with several processes what is read is the sum over all of them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        seconds = partial(Histogram, buckets=SECONDS, registry=own)
        gauge = partial(Gauge, multiprocess_mode="livesum", registry=own)
        self.requests = Counter("vqnat_requests", "Requests answered.", ["path", "status"], registry=own)
        self.seconds = seconds("vqnat_request_seconds", "Time to answer.", ["path"])
        self.in_flight = gauge("vqnat_requests_in_flight", "Requests being answered.")
        self.inside = gauge("vqnat_sentences_inside", "Sentences that wait or are translated.")
        self.sentences = Counter("vqnat_sentences", "Sentences translated.", registry=own)
        self.batch_size = Histogram("vqnat_batch_sentences", "Sentences in a batch.", buckets=SIZES, registry=own)
        self.batch_seconds = seconds("vqnat_batch_seconds", "Time of a batch in the model.")
        self.waited = seconds("vqnat_queue_seconds", "Time a sentence waited.")

    def batch(self, size: int, waited: list[float], ran: float) -> None:
        """Count a batch: its sentences, the seconds that each waited, and the seconds that it ran."""
        self.sentences.inc(size)
        self.batch_size.observe(size)
        self.batch_seconds.observe(ran)
        for seconds in waited:
            self.waited.observe(seconds)

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return bytes(generate_latest(all_workers() if FOLDER in os.environ else self.registry))


def all_workers() -> CollectorRegistry:
    """The counters of several worker processes, added up."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return registry


def answered(registry: CollectorRegistry) -> int:
    """How many requests were answered, whatever the answer."""
    samples = (sample for metric in registry.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name == "vqnat_requests_total"))
