#!/usr/bin/python3
"""A queue that spills: the receipt, the ledger and the subscriber of a real daemon.

usage: spill_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]
from processes import DEADLINE_S, Daemon, Sluice, until

COUNT = 200
NAME = "billing"


class Spill(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        self.addCleanup(folder.cleanup)
        config = Path(folder.name) / "broker.toml"
        config.write_text(
            '[subscription]\nspill_bytes = "256KiB"\nspill_bytes_max = "1MiB"\n')
        self.daemon = Daemon(SLUICED, "--config", str(config))
        self.addCleanup(self.daemon.__exit__)
        self.sluice = Sluice(SLUICE, self.daemon.native)

    def succeed(self, *arguments, stdin=None):
        result = self.sluice.run(*arguments, stdin=stdin)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.decode()

    def ledger(self):
        return json.loads(self.succeed("-o", "json", "audit"))["rows"][0]["ledger"]

    def paused(self, overflow):
        subscriber = self.sluice.subscriber("orders", "--queue-messages", "10", "--overflow",
                                            overflow, "--count", str(COUNT), name=NAME)
        self.addCleanup(subscriber.kill)
        self.succeed("subscription", "pause", NAME)
        return subscriber

    def publish(self):
        lines = "".join(f"{n}\n" for n in range(COUNT))
        result = self.sluice.run("-o", "json", "pub", "orders", "--lines", stdin=lines.encode())
        return json.loads(result.stderr.splitlines()[0])["copies"]

    def test_what_is_spilled_is_told_counted_and_delivered_in_order(self):
        subscriber = self.paused("spill:512KiB,drop_newest")
        copies = self.publish()
        self.assertEqual((copies["matched"], copies["accepted"]), (COUNT, 10))
        self.assertEqual((copies["spilled"], copies["dropped"]), (COUNT - 10, 0))
        ledger = self.ledger()
        self.assertEqual((ledger["queued"], ledger["spilled"]), (10, COUNT - 10))
        self.assertIn("spilled 190", self.succeed("explain", "subscription", NAME))
        self.succeed("subscription", "resume", NAME)
        out, err = subscriber.communicate(timeout=DEADLINE_S)
        self.assertEqual(out.decode().splitlines(), [f"orders {n}" for n in range(COUNT)])
        self.assertIn(b"0 gaps, 0 missing", err)

    def test_a_full_spill_hands_over(self):
        subscriber = self.paused("spill:300B,drop_newest")
        copies = self.publish()
        self.assertGreater(copies["spilled"], 0)
        self.assertEqual(copies["accepted"] + copies["spilled"] + copies["dropped"], COUNT)
        self.assertEqual(self.ledger()["dropped_by"]["dropped_newest"], copies["dropped"])
        self.succeed("subscription", "resume", NAME)
        until("all but what is in the gap is delivered", lambda: self.ledger()["delivered"] ==
              copies["accepted"] + copies["spilled"])
        subscriber.kill()
        self.assertIn(b"dropped_newest", subscriber.communicate()[1])

    def test_what_cannot_be_is_refused_with_its_reason(self):
        for overflow, why in (
                ("spill:2MiB,reject", "spill of 2MiB where this broker allows 1MiB"),
                ("spill", "once it is full something must follow"),
                ("spill:much,reject", "its size"),
                ("spill,conflate,reject", "cannot stand beside spill")):
            result = self.sluice.run("sub", "orders", "--overflow", overflow)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(why, result.stderr.decode())


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    SLUICED, SLUICE = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
