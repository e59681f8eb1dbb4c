"""Starts and stops what the benchmarks measure: sluiced, other brokers, and the bare relay.

Each is a context manager with `port` and `pid`. It ends only the process that it started. A broker
is pinned to one core when asked; NATS then also gets GOMAXPROCS=1, since a Go program with more
threads than cores to run on only loses by it.
"""

import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

READY_SECONDS = 10
STOP_SECONDS = 10


class BrokerError(Exception):
    """A broker did not start; the text says why."""


def pin(core):
    """What a child does before it becomes the program; None lets it run anywhere."""
    if core is None or core not in os.sched_getaffinity(0):
        return None
    return lambda: os.sched_setaffinity(0, {core})


def free_port():
    """A port of 127.0.0.1 that nobody listens on, at or above 20000."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Broker:
    """A process, and a folder that is gone when it ends."""

    name = ""

    def __init__(self, core=None):
        self.core = core
        self.port = 0
        self.process = None
        self.folder = None

    @property
    def pid(self):
        return self.process.pid

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def await_ready(self):
        raise NotImplementedError

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-bench-"))
        with open(self.folder / "stderr", "wb") as stderr:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=stderr, preexec_fn=pin(self.core))
        try:
            self.await_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        """What it has written to standard error so far."""
        return (self.folder / "stderr").read_text(errors="replace")

    def await_line(self, pattern):
        """The match of the first line of standard output."""
        line = self.process.stdout.readline().decode(errors="replace")
        match = re.search(pattern, line)
        if match is None:
            raise BrokerError(f"{self.name} did not start: {line.strip()} {self.log()[-2000:]}")
        return match


class Sluice(Broker):
    name = "sluice"

    def __init__(self, binaries, core=None, shards=1):
        super().__init__(core)
        self.program = binaries / "sluiced"
        self.shards = shards

    def command(self):
        return [self.program, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
                "--shards", str(self.shards), "--data-dir", self.folder / "data"]

    def await_ready(self):
        self.port = int(self.await_line(r"ready native=127\.0\.0\.1:(\d+) ")[1])

    def version(self):
        return first_line([self.program, "--version"])


class PortBroker(Broker):
    """One of the others: it is told its port, and says nothing when it listens."""

    program = ""

    def arguments(self):
        raise NotImplementedError

    def command(self):
        self.port = free_port()
        return [self.program, *self.arguments()]

    def await_ready(self):
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise BrokerError(f"{self.program} does not listen on port {self.port}: {self.log()}")

    def version(self):
        return first_line([self.program, "--version"])


def program(name):
    """Debian keeps servers where not everybody's PATH looks."""
    return shutil.which(name) or f"/usr/sbin/{name}"


class Nats(PortBroker):
    name = "nats"
    program = program("nats-server")

    def __init__(self, core=None, settings=()):
        super().__init__(core)
        self.settings = settings

    def arguments(self):
        path = self.folder / "nats.conf"
        path.write_text("\n".join(["# settings", *self.settings]) + "\n")
        return ["-a", "127.0.0.1", "-p", str(self.port), "-c", path]

    def environment(self):
        return dict(os.environ, **({} if self.core is None else {"GOMAXPROCS": "1"}))


class Mosquitto(PortBroker):
    name = "mosquitto"
    program = program("mosquitto")

    def __init__(self, core=None, settings=()):
        super().__init__(core)
        self.settings = settings

    def arguments(self):
        path = self.folder / "mosquitto.conf"
        path.write_text("\n".join([
            f"listener {self.port} 127.0.0.1", "allow_anonymous true", "persistence false",
            "user root", "log_dest stderr", "log_type error", "log_type warning",
            "log_type notice", *self.settings]) + "\n")
        return ["-c", path]

    def version(self):
        return first_line([self.program, "-h"])


class Redis(PortBroker):
    name = "redis"
    program = program("redis-server")

    def arguments(self):
        return ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly",
                "no", "--dir", self.folder, "--logfile", self.folder / "stderr"]


class Relay(Broker):
    name = "relay"

    def __init__(self, binaries, core=None, payload_bytes=128):
        super().__init__(core)
        self.program = binaries / "sluice_relay"
        # Reads that hold several messages; beyond 64 KiB only large messages gain by it.
        self.read_bytes = max(64 << 10, 16 * payload_bytes)

    def command(self):
        return [self.program, "0", str(self.read_bytes)]

    def await_ready(self):
        self.port = int(self.await_line(r"ready relay=127\.0\.0\.1:(\d+)")[1])


def first_line(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError as error:
        return str(error)
    return (done.stdout or done.stderr).strip().split("\n")[0]
