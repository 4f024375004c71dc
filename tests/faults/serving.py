"""The server is killed under load: what it has answered is right, and the next one answers again."""

import http.client
import random
import signal
import threading
import time

from killing import Outcome
from serving_process import Served

from vqnat_serving.model_folder import SMALL_MODEL

TEXTS = ["The small dog sees a cat.", "A man reads the book.", "The women drink water.", "I see the house."]
CLIENTS = 4
SECONDS = 1.0


def answers(server: Served, text: str) -> str:
    found = server.post("/translate", text=[text])
    return found["translations"][0]["candidates"][0]["text"]


def expected() -> dict[str, str]:
    """The right answers."""
    with Served(SMALL_MODEL) as server:
        return {text: answers(server, text) for text in TEXTS}


def kill_trial(right: dict[str, str], numbers: random.Random, number: int = signal.SIGKILL) -> Outcome:
    """Kill a server while clients ask it; then ask another."""
    wrong: list[str] = []
    count = 0

    def client(server: Served, text: str) -> None:
        nonlocal count
        while True:
            try:
                found = answers(server, text)
            except (OSError, http.client.HTTPException):
                return
            except AssertionError as error:  # another status than 200
                wrong.append(str(error)[:200])
                return
            count += 1
            if found != right[text]:
                wrong.append(f"{text}: {found}")

    server = Served(SMALL_MODEL)
    try:
        clients = [threading.Thread(target=client, args=(server, numbers.choice(TEXTS))) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        time.sleep(numbers.uniform(0, SECONDS))
        server.process.send_signal(number)
        server.process.wait(60)
        for one in clients:
            one.join(60)
    finally:
        server.process.kill()
        server.process.communicate()
    with Served(SMALL_MODEL) as server:
        for text in TEXTS:
            if answers(server, text) != right[text]:
                wrong.append(f"after the kill, {text}: another answer")
    return Outcome("lost" if wrong else "same", 1, "; ".join(wrong)[:300])
