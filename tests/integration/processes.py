"""Starting sluiced and sluice in tests, and ending them whatever happens.

Every server listens on 127.0.0.1 with port 0; every wait has an end.
"""

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

DEADLINE_S = 60
POLL_S = 0.05


class Daemon:
    """sluiced with a data directory of its own: `with Daemon(program) as daemon:`"""

    def __init__(self, program, *arguments):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.log_path = Path(self.folder.name) / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir",
                 str(Path(self.folder.name) / "data"), *arguments],
                stdout=subprocess.PIPE, stderr=log, text=True)
        ready = self.process.stdout.readline()
        if not ready.startswith("ready "):
            self.stop()
            raise AssertionError(f"sluiced said {ready!r}; its log: {self.log()}")
        words = dict(word.split("=", 1) for word in ready.split()[1:])
        self.native, self.http = words["native"], words["http"]

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self):
        """Drains it; returns its exit status and what it printed last."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            rest, _ = self.process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            rest, _ = self.process.communicate()
        return self.process.returncode, rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()


class Sluice:
    """The command line, talking to one server."""

    def __init__(self, program, server=None):
        self.program = str(program)
        self.environment = {name: value for name, value in os.environ.items()
                            if name != "SLUICE_SERVER"}
        if server is not None:
            self.environment["SLUICE_SERVER"] = server

    def run(self, *arguments, stdin=b"", timeout=DEADLINE_S):
        """Runs to the end; output and errors are bytes."""
        return subprocess.run([self.program, *arguments], input=stdin, env=self.environment,
                              capture_output=True, timeout=timeout)

    def start(self, *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
        return subprocess.Popen([self.program, *arguments], stdin=stdin, stdout=stdout,
                                stderr=subprocess.PIPE, env=self.environment)

    def subscriber(self, *arguments, name="sub", **options):
        """A `sluice sub` that is in force when this returns; its --name is `name`."""
        process = self.start("sub", "--name", name, *arguments, **options)
        until(f"subscription {name}", lambda: self.is_subscribed(name, process))
        return process

    def is_subscribed(self, name, process):
        if process.poll() is not None:
            raise AssertionError(f"ended early: {process.communicate()}")
        return any(row["name"] == name for row in self.status()["subscription_list"])

    def status(self):
        result = self.run("-o", "json", "status")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


def until(what, is_so, deadline_s=DEADLINE_S):
    """Waits until is_so() gives something true, and returns it."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        result = is_so()
        if result:
            return result
        time.sleep(POLL_S)
    raise AssertionError(f"{what}: not within {deadline_s} s")
