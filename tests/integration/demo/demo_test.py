#!/usr/bin/python3
"""The demo as a test: every message is delivered or in a gap, for every subscription.

usage: demo_test.py FOLDER_OF_PROGRAMS

Runs demo.sh on the first part of the index. Its own check of the sums must pass, and must fail on
outputs in which one message is missing, came twice, or is told at the wrong place.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
RECORDS = 20_000
DEADLINE_S = 240


def check(folder):
    return subprocess.run(["/usr/bin/python3", "-B", HERE / "report.py", "check", folder],
                          capture_output=True, text=True)


class DemoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory(prefix="sluice-demo-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)
        environment = {**os.environ, "SLUICE_BIN_DIR": PROGRAMS, "SLUICE_DEMO_DIR": temporary.name,
                       "SLUICE_DEMO_RECORDS": str(RECORDS)}
        cls.demo = subprocess.run([HERE.parent / "demo.sh"], env=environment, text=True,
                                  capture_output=True, timeout=DEADLINE_S)

    def setUp(self):
        if self.demo.returncode != 0:
            self.fail(f"demo.sh ended with {self.demo.returncode}:\n{self.demo.stdout}\n"
                      f"{self.demo.stderr}")

    def test_the_sums_add_up(self):
        self.assertIn("every message was delivered or named in a gap", self.demo.stdout)
        self.assertIn("drained messages_left=0 publishes_left=0 (exit 0)", self.demo.stdout)
        self.assertEqual(self.demo.stderr, "")

    def test_the_slow_subscriber_missed_some_and_knows_which(self):
        self.assertRegex(self.demo.stdout,
                         r"gap: \d+ messages, sequence \d+ to \d+: dropped_oldest")

    def test_the_libraries_are_only_a_part(self):
        lines = (self.folder / "libraries.out").read_text().splitlines()
        self.assertTrue(0 < len(lines) < RECORDS)

    def spoiled(self, name, change):
        """What the check says when the lines of one output have been changed."""
        path = self.folder / name
        before = path.read_text()
        lines = before.splitlines(keepends=True)
        change(lines)
        path.write_text("".join(lines))
        try:
            result = check(self.folder)
        finally:
            path.write_text(before)
        self.assertEqual(result.returncode, 1, result.stdout)
        return result.stdout

    def test_a_lost_message_is_found(self):
        for name in ("everything.out", "libraries.out", "shared-1.out", "slow.out"):
            self.assertIn("WRONG", self.spoiled(name, lambda lines: lines.pop(len(lines) // 2)))

    def test_a_message_that_came_twice_is_found(self):
        for name in ("everything.out", "shared-2.out"):
            self.assertIn("WRONG", self.spoiled(name, lambda lines: lines.append(lines[0])))

    def test_an_exchanged_message_is_found(self):
        def exchange(lines):
            lines[3] = f"{lines[3].split()[0]} {lines[4].split()[1]}\n"
        self.assertIn("WRONG", self.spoiled("everything.out", exchange))

    def test_a_gap_that_was_not_told_is_found(self):
        def forget(lines):
            del lines[next(at for at, line in enumerate(lines) if "gap:" in line)]
        self.assertIn("WRONG", self.spoiled("slow.err", forget))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PROGRAMS = sys.argv.pop()
    unittest.main()
