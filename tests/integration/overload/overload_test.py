#!/usr/bin/python3
"""Subscribers that stop reading: the others are served, and every message is accounted for.

Counts are exact; nothing here depends on how fast the machine is. How fast it goes is measured by
tests/bench/overload.

usage: overload_test.py SLUICED SLUICE_OVERLOAD [unittest arguments]
"""

import json
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from processes import Daemon

PATIENCE_S = 200
# About 30 MB for each subscriber: many times what the kernel, the broker's output and a queue of
# 64 messages hold for one that does not read.
RATE, PAYLOAD, LEAD_S, WINDOW_S = 2000, 8192, 0.5, 1.5


def overload(daemon, ladder, *arguments):
    """What sluice_overload found, with subscribers that read from nothing on."""
    done = subprocess.run(
        [GENERATOR, "--port", daemon.native.rsplit(":", 1)[1], "--rate", str(RATE),
         "--payload", str(PAYLOAD), "--warmup", "0", "--lead", str(LEAD_S), "--seconds",
         str(WINDOW_S), "--drain", "30", "--healthy", "4", "--stalled", "2",
         "--queue-messages", "64", "--overflow", ladder, *arguments],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class OverloadTest(unittest.TestCase):
    def assert_accounted(self, result):
        """Everything was delivered once and in order, or told in its place; nobody was cut off."""
        self.assertTrue(result["settled"], result)
        self.assertEqual(result["publisher_over"], "", result)
        for group, sent in (("healthy", "sent"), ("stalled", "sent"), ("other", "other_sent")):
            one = result[group]
            for wrong in ("missing", "holes_untold", "misplaced", "closed"):
                self.assertEqual(one[wrong], 0, (group, wrong, result))
            self.assertEqual(one["delivered"] + one["lost_and_told"],
                             result[sent] * one["readers"], (group, result))
        self.assertGreaterEqual(result["sent"], RATE * (LEAD_S + WINDOW_S))
        self.assertEqual(result["healthy"]["lost_and_told"], 0, result)
        self.assertEqual(result["answers"]["receipt not accepted"], 0, result)

    def check_drop_oldest(self, *daemon_arguments):
        with Daemon(SLUICED, *daemon_arguments) as daemon:
            result = overload(daemon, "drop_oldest")
            self.assert_accounted(result)
            self.assertGreater(result["stalled"]["lost_and_told"], 0, result)
            self.assertIn("subscription is losing messages", daemon.log())

    def check_block(self, *daemon_arguments):
        with Daemon(SLUICED, *daemon_arguments) as daemon:
            result = overload(daemon, "block", "--other", "3", "--slow", "1", "--slow-rate", "500")
            self.assert_accounted(result)
            self.assertEqual(result["stalled"]["lost_and_told"], 0, result)
            # The topic was held back, and the other one of the same connection was not.
            self.assertGreater(result["unsent_at_window_end"], 0, result)
            self.assertLess(result["other_unsent_at_window_end"],
                            result["unsent_at_window_end"], result)

    def test_drop_oldest_on_one_shard(self):
        self.check_drop_oldest("--shards", "1")

    def test_drop_oldest_on_two_shards(self):
        self.check_drop_oldest("--shards", "2")

    def test_block_on_one_shard(self):
        self.check_block("--shards", "1")

    def test_block_on_two_shards(self):
        self.check_block("--shards", "2")


if __name__ == "__main__":
    SLUICED, GENERATOR = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
