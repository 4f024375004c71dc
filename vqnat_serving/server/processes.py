"""One process or several, on uvicorn; none of them loses an accepted request when it stops."""

import socket

import uvicorn
from uvicorn.supervisors import Multiprocess

from vqnat_serving.server.app import create
from vqnat_serving.server.connections import Connection
from vqnat_serving.server.engine import Engine
from vqnat_serving.server.metrics import all_workers, answered
from vqnat_serving.server.settings import Settings

FACTORY = "vqnat_serving.server.app:from_environment"


class Workers(Multiprocess):
    """uvicorn's, but for the stop: it would keep the socket open, and new connections waiting for nobody."""

    def terminate_all(self) -> None:
        """Stop all workers, and listen no more."""
        for one in self.sockets:
            one.close()
        super().terminate_all()


def run(settings: Settings, engine: Engine | None, listening: socket.socket, workers: int) -> int:
    """Serve until a signal comes; returns how many requests were answered.

    Args:
        settings: of the server.
        engine: what is loaded; None: worker processes load it.
        listening: the socket.
        workers: processes.
    """
    if engine is not None:
        app = create(settings, engine)
        uvicorn.Server(_config(app, settings, 1)).run([listening])
        return answered(app.metrics.registry)
    settings.to_environment()
    Workers(_config(FACTORY, settings, workers), [listening]).run()
    return answered(all_workers())


def _config(app: object, settings: Settings, workers: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=isinstance(app, str),
        workers=workers,
        http=Connection,
        ws="none",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=min(10, settings.timeout),  # type: ignore[arg-type]
        timeout_graceful_shutdown=int(settings.timeout) + 5,
        backlog=1024,
    )
