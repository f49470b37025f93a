"""A coordinator and two nodes of this machine, and a client whose progress is timed."""
from __future__ import annotations

import re
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from processes import ROOT, Failed, run, stop

BIN = ROOT / "build" / "release" / "bin"


class Training(NamedTuple):
    """Seconds from the client's start: of each round with its error, and of the exit."""
    course: list[tuple[float, float]]
    seconds: float

    def reached(self, error: float) -> float:
        return next((seconds for seconds, now in self.course if now <= error), float("inf"))


class Cluster:
    """Fresh servers on free ports; everything ends with the context."""

    def __init__(self, nodes: int = 2) -> None:
        self.nodes = nodes
        self.servers: list[subprocess.Popen[str]] = []
        self.folder = tempfile.TemporaryDirectory(prefix="gradmill-bench-")

    def __enter__(self) -> Cluster:
        try:
            listed = Path(self.folder.name, "compute_nodes.txt")
            addresses = [self._server("compute_node", "0", "0") for _ in range(self.nodes)]
            listed.write_text("".join(f"{host},{port}\n" for host, port in addresses))
            self.address = self._server("coordinator", "0", "load-balancing", "--nodes", str(listed),
                                        "--state-dir", str(Path(self.folder.name, "state")))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self.servers):
            stop(server)
        self.folder.cleanup()

    def _server(self, *command: str) -> tuple[str, str]:
        """Starts a server; its log goes to a file, which is read until it says where it listens."""
        log = Path(self.folder.name, f"log-{len(self.servers)}")
        try:
            with log.open("w") as stream:
                server = subprocess.Popen([BIN / command[0], *command[1:]], stderr=stream,
                                          stdout=stream, text=True)
        except OSError as error:
            raise Failed(str(error)) from error
        self.servers.append(server)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and server.poll() is None:
            found = re.search(r"listening on (\S+):(\d+)\n", log.read_text())
            if found:
                return found.group(1), found.group(2)
            time.sleep(0.01)
        raise Failed(f"{command[0]} does not listen: {log.read_text()[-400:]}")

    def client(self, *words: str) -> str:
        """What a verb of the client prints."""
        return run([str(BIN / "client"), *words, "--coordinator", ":".join(self.address)]).stdout

    def train(self, *options: str, timeout: float = 120) -> Training:
        """Runs the client on the letters."""
        command = [BIN / "client", *self.address, "data/letters", *options, "--format", "json"]
        start = time.perf_counter()
        client = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True,
                                  stdout=subprocess.DEVNULL)
        alarm = threading.Timer(timeout, client.kill)
        alarm.start()
        course: list[tuple[float, float]] = []
        other: list[str] = []
        try:
            for line in client.stderr:
                now = time.perf_counter() - start
                found = re.match(r"round \d+/\d+: validation error ([0-9.eE+-]+)", line)
                if found:
                    course.append((now, float(found.group(1))))
                else:
                    other.append(line)
            client.wait()
            seconds = time.perf_counter() - start
        finally:
            alarm.cancel()
            if client.poll() is None:
                stop(client)
            client.stderr.close()
        if client.returncode != 0 or not course:
            raise Failed(f"client: exit code {client.returncode}: {''.join(other)[-400:]}")
        return Training(course, seconds)
