"""Runs the load generator once against a broker that stands."""

import json
import subprocess

import brokers

GENERATOR_CORE = 1
PATIENCE_SECONDS = 90


def run(binaries, broker, shape, payload, seconds, pinned=True, extra=()):
    """What sluice_load measured, or None when it failed; then its complaint is returned too."""
    command = [binaries / "sluice_load", "--peer", broker.name, "--port", str(broker.port),
               "--broker-pid", str(broker.pid), "--shape", shape, "--payload", str(payload),
               "--seconds", str(seconds), *extra]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=seconds + PATIENCE_SECONDS,
                              preexec_fn=brokers.pin(GENERATOR_CORE if pinned else None))
    except subprocess.TimeoutExpired:
        return None, "the generator did not come to an end"
    if done.returncode != 0:
        return None, done.stderr.strip()
    return json.loads(done.stdout), ""
