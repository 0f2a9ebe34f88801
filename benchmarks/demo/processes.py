"""Start the secretariat and the trustees as real processes on loopback, by the commands an operator would use."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 120.0
STOP_SECONDS = 10.0


@dataclass
class Server:
    """A running server."""

    name: str
    home: Path
    url: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes]

    def peak_memory(self) -> int:
        """Return the largest resident size so far, in bytes."""
        return peak_memory(self.process.pid)

    def stop(self) -> None:
        """Ask it to stop, and insist when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def run(*arguments: str | Path) -> str:
    """Run ``tacit-server`` with arguments and return what it prints; raises with its message when it fails."""
    command = [sys.executable, "-m", "tacit_server.cli", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if result.returncode != 0:
        raise RuntimeError(
            f"tacit-server {' '.join(map(str, arguments[:2]))} failed:\n{result.stderr or result.stdout}"
        )
    return result.stdout


@dataclass
class Parties:
    """A secretariat and its trustees under one folder."""

    folder: Path
    threshold: int
    trustee_count: int
    back_end: str
    secretariat: Server | None = None
    trustees: list[Server] = field(default_factory=list)

    def start(self) -> None:
        """Initialise every party, introduce them to each other, start them and wait until they answer."""
        ports = free_ports(1 + self.trustee_count)
        home = self.folder / "secretariat"
        url = f"http://127.0.0.1:{ports[0]}"
        card = home / "card.json"
        run("secretariat", "init", "--home", home, "--url", url)
        if not card.exists():
            raise RuntimeError("the secretariat wrote no card")
        indices = range(1, self.trustee_count + 1)
        with ThreadPoolExecutor(self.trustee_count) as pool:
            cards = list(pool.map(lambda index: self._init_trustee(index, ports[index], card), indices))
        for trustee_card in cards:
            run("secretariat", "add-trustee", "--home", self.home, trustee_card)
        self.secretariat = self._spawn("secretariat", home, url, ["secretariat", "run", "--port", str(ports[0])])
        for index in indices:
            arguments = ["trustee", "run", "--port", str(ports[index]), "--back-end", self.back_end, "--poll", "0.2"]
            trustee_url = f"http://127.0.0.1:{ports[index]}"
            server = self._spawn(f"trustee {index}", self.folder / f"trustee-{index}", trustee_url, arguments)
            self.trustees.append(server)
        wait_until_healthy(self.servers())

    def restart(self, server: Server) -> Server:
        """Start a party that has stopped again, on its old port."""
        return self._spawn(server.name, server.home, server.url, server.arguments)

    def stop(self) -> None:
        """Stop every party."""
        for server in self.servers():
            server.stop()

    def servers(self) -> Sequence[Server]:
        """Return all running parties, the secretariat first."""
        return [*([self.secretariat] if self.secretariat else []), *self.trustees]

    @property
    def home(self) -> Path:
        """Return the secretariat's folder."""
        return self.folder / "secretariat"

    def _init_trustee(self, index: int, port: int, card: Path) -> Path:
        home = self.folder / f"trustee-{index}"
        url = f"http://127.0.0.1:{port}"
        run("trustee", "init", "--home", home, "--index", str(index), "--url", url, "--secretariat", card)
        return home / "card.json"

    def _spawn(self, name: str, home: Path, url: str, arguments: Sequence[str]) -> Server:
        with (self.folder / f"{name.replace(' ', '-')}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tacit_server.cli", *arguments, "--home", str(home)],
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        return Server(name, home, url, arguments, process)


def wait_until_healthy(servers: Sequence[Server]) -> None:
    """Wait until every server answers; raises with the name of the one that does not."""
    deadline = time.monotonic() + START_SECONDS
    for server in servers:
        while True:
            if server.process.poll() is not None:
                raise RuntimeError(f"{server.name} stopped while starting: read its log beside {server.home}")
            try:
                with urllib.request.urlopen(f"{server.url}/v1/health", timeout=2) as answer:
                    json.load(answer)
                    break
            except (OSError, ValueError) as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{server.name} does not answer: read its log beside {server.home}") from error
                time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Return ports that are free on loopback right now."""
    sockets = []
    for _ in range(count):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        sockets.append(listener)
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def peak_memory(pid: int) -> int:
    """Return VmHWM of a process in bytes, 0 where the system does not tell."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
