#!/usr/bin/python3
"""`sluice plan`: what it prints is a configuration that sluiced takes and runs with.

usage: plan_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import SLUICE, SLUICED, run
from processes import DEADLINE_S, Daemon, Sluice

WISHES = [
    (),
    ("--memory", "2GiB", "--subscriptions", "5000", "--message", "1KiB"),
    ("--memory", "64MiB", "--subscriptions", "10", "--message", "100KiB", "--shards", "1",
     "--connections", "10"),
    ("--memory", "1TiB", "--subscriptions", "1000000", "--message", "10", "--shards", "16",
     "--connections", "500000", "--publishers", "1000", "--topics", "100000"),
]


class Plan(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="sluice-plan-")
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "broker.toml"
        self.sluice = Sluice(SLUICE)

    def plan(self, *wish):
        result = self.sluice.run("plan", *wish)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.file.write_bytes(result.stdout)
        return result.stdout.decode()

    def check(self):
        return subprocess.run([SLUICED, "--config", str(self.file), "--check-config"],
                              capture_output=True, text=True, timeout=DEADLINE_S)

    def test_the_daemon_finds_that_even_the_worst_case_fits(self):
        for wish in WISHES:
            with self.subTest(wish=wish):
                self.plan(*wish)
                checked = self.check()
                self.assertEqual(checked.returncode, 0, checked.stderr)
                self.assertIn("Even the worst case fits.", checked.stdout)

    def test_the_daemon_runs_with_it(self):
        self.plan(*WISHES[1])
        with Daemon(SLUICED, "--config", str(self.file)) as daemon:
            status = Sluice(SLUICE, daemon.native).status()
            self.assertEqual(status["memory"]["budget_bytes"], 2 << 30)
            self.assertLess(status["memory"]["used_bytes"], 64 << 20)

    def test_a_wish_that_cannot_come_true_is_refused_with_the_arithmetic(self):
        result = self.sluice.run("plan", "--memory", "64MiB", "--subscriptions", "50000")
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertIn(b"50010 connections x 8KiB", result.stderr)
        self.assertIn(b"This cannot fit", result.stderr)

    def test_json_has_every_line(self):
        result = self.sluice.run("-o", "json", "plan")
        plan = json.loads(result.stdout)
        self.assertTrue(plan["fits"])
        self.assertEqual(sum(line["bytes"] for line in plan["lines"]), plan["sum_bytes"])
        self.file.write_text(plan["configuration"])
        self.assertEqual(self.check().returncode, 0)

    def test_a_configuration_that_cannot_fit_is_refused_at_the_start(self):
        self.file.write_text("[node]\nmemory_budget = \"32MiB\"\n[subscription]\n"
                             "queue_bytes = \"64MiB\"\n")
        checked = self.check()
        self.assertEqual(checked.returncode, 3, checked.stderr)
        self.assertIn("cannot fit into node.memory_budget", checked.stderr)
        self.assertIn("one default queue, full", checked.stderr)


if __name__ == "__main__":
    run(__doc__)
