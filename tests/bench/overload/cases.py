"""The brokers that the scenario is run against, each in a configuration that is fair to it.

Every broker gets the same publisher, healthy subscribers and stalled ones. None is given less than
its defaults; where a default is known to be in the way of the healthy ones, it is raised, and the
reason stands beside it.
"""

import dataclasses
import re
from typing import Callable

import brokers

BROKER_CORE = 0


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    peer: str                 # of sluice_overload
    make: Callable            # (binaries, core) -> Broker
    arguments: tuple = ()     # of sluice_overload, in both runs of a pair
    watched: str = "healthy"  # whose speed must stay
    log_pattern: str = "$^"   # lines of the broker's log that are about the stalled ones
    settings: str = ""        # in words, for the table

    def log_lines(self, log):
        """(how many lines are about it, the first of them)"""
        lines = [line.strip() for line in log.splitlines() if re.search(self.log_pattern, line)]
        return {"lines": len(lines), "first": lines[0] if lines else ""}


def sluice(binaries, core):
    return brokers.Sluice(binaries, core)


SLUICE_LOG = "losing messages|slow consumer"
QUEUE = ("--queue-messages", "10000", "--queue-bytes", str(16 << 20))

CASES = {case.name: case for case in [
    Case("sluice-drop_oldest", "sluice", sluice, ("--overflow", "drop_oldest", *QUEUE),
         log_pattern=SLUICE_LOG,
         settings="defaults: drop_oldest, 10 000 messages or 16 MiB for each subscription"),
    Case("sluice-block", "sluice", sluice,
         ("--overflow", "block", *QUEUE, "--other", "100", "--slow", "10", "--slow-rate", "500"),
         watched="other", log_pattern=SLUICE_LOG,
         settings="block; the publisher sends to a second topic on the same connection"),
    Case("nats", "nats", lambda _, core: brokers.Nats(core),
         log_pattern="Slow Consumer|Readloop",
         settings="core, defaults: max_pending 64 MB, write_deadline 10 s"),
    # Cut off sooner, so that the healthy ones wait less for a write that goes nowhere.
    Case("nats-strict", "nats",
         lambda _, core: brokers.Nats(core, ['write_deadline: "1s"', "max_pending: 16MB"]),
         log_pattern="Slow Consumer|Readloop",
         settings="core, max_pending 16 MB as much as our queue, write_deadline 1 s"),
    Case("mosquitto-qos0", "mqtt-qos0", lambda _, core: brokers.Mosquitto(core),
         log_pattern="dropped",
         settings="MQTT 5, QoS 0, defaults: max_queued_messages 1000"),
    # At the default of 20 messages in flight, every subscriber would wait for its own PUBACKs.
    Case("mosquitto-qos1", "mqtt-qos1",
         lambda _, core: brokers.Mosquitto(core, ["max_inflight_messages 1000"]),
         log_pattern="dropped",
         settings="MQTT 5, QoS 1, max_queued_messages 1000 (default), max_inflight_messages 1000"),
    Case("redis", "redis", lambda _, core: brokers.Redis(core),
         log_pattern="output buffer limits",
         settings="Pub/Sub, defaults: client-output-buffer-limit pubsub 32mb 8mb 60"),
]}
