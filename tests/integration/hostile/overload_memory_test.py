"""A small deliberate overload: resident memory stays within the budget and what the guide states,
publishers are told why they are refused, and the broker is itself again afterwards."""

import sys
import time
import unittest

from native_client import SANITIZED, WAIT, Daemon, HealthyPair
from overload import Publisher, Stalled, memory_of, rss_bytes

PROGRAM = sys.argv.pop(1)

MIB = 1 << 20
BUDGET = 64 * MIB
OVERHEAD = BUDGET // 8 + 8 * MIB  # docs/guide/memory.md, section How true it is
ENOUGH = 4 * BUDGET
SECONDS = 8
REJECTED, MEMORY_BUDGET = 2, 206

# Subscribers, their topics, ladder, messages of a batch, bytes of a message.
OVERLOADS = [
    (1, 1, "drop_oldest", 1, 1000),
    (100, 100, "drop_oldest", 1, 1000),
    (100, 100, "drop_newest", 60, 1000),
    (100, 100, "block", 60, 1000),
    (500, 1, "block", 1, 100),
    (500, 1, "drop_oldest", 1, 100),
]


class OverloadMemory(unittest.TestCase):
    def overload(self, subscribers, topics, ladder, messages, payload):
        settings = {"node": {"memory_budget": f'"{BUDGET // MIB}MiB"'}}
        with Daemon(PROGRAM, **settings) as daemon:
            stalled = Stalled(daemon, subscribers, ladder, topics, (100, 100_000))
            publisher = Publisher(daemon, topics, messages, payload)
            publisher.publish_for(SECONDS, ENOUGH)
            peak = rss_bytes(daemon.process.pid, "VmHWM")
            stalled.close()
            publisher.close()
            end = time.monotonic() + WAIT
            while memory_of(daemon.http_port)["used_bytes"] > BUDGET // 2:
                self.assertLess(time.monotonic(), end, "memory was not given back")
                time.sleep(0.05)
            healthy = self.new_clients(daemon, end)
            healthy.goes_on()
            healthy.publisher.close()
            healthy.subscriber.close()
            if not SANITIZED:
                self.assertLess(peak, BUDGET + OVERHEAD)
        return publisher

    def new_clients(self, daemon, end):
        """As soon as a shard that had nothing to do has heard that there is room."""
        while True:
            try:
                return HealthyPair(daemon)
            except (AssertionError, TypeError):
                self.assertLess(time.monotonic(), end, "new clients are refused")
                time.sleep(0.05)

    def test_resident_memory_stays_within_the_budget(self):
        for case in OVERLOADS:
            with self.subTest(case=case):
                self.overload(*case)

    def test_publishers_are_told_that_it_is_the_budget(self):
        publisher = self.overload(200, 200, "block", 60, 1000)
        self.assertIn((REJECTED, MEMORY_BUDGET), publisher.outcomes)
        self.assertEqual(publisher.pressure, 255)


if __name__ == "__main__":
    unittest.main()
