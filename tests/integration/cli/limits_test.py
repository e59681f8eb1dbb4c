#!/usr/bin/python3
"""Limits through the real daemon and command line: every level, direction and way to enforce.

usage: limits_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import signal
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import BrokerCase, SLUICE, SLUICED, run
from processes import DEADLINE_S, Daemon, Sluice, until

CONFIGURED = """
[[limit]]
name = "configured"
level = "topic"
match = "configured.>"
messages_per_second = 5
burst_messages = 2
enforce = "reject"
"""


class LimitsTest(BrokerCase):
    CONFIG = CONFIGURED
    ARGUMENTS = ("--shards", "2")

    def set(self, name, *arguments):
        self.addCleanup(self.sluice.run, "limit", "rm", name)
        return self.succeed("limit", "set", name, *arguments)

    def row(self, name):
        answer = json.loads(self.succeed("-o", "json", "limit", "ls", name).stdout)
        return answer["limits"][0]

    def counts(self, name):
        return self.row(name)["counts"]

    def selector(self, level):
        """What --match names at a level; clients and topics are this test's own."""
        return {"node": [], "listener": ["--match", "native"], "user": ["--match", "anonymous"],
                "connection": [], "topic": ["--match", self.topic + ".>"],
                "subscription": ["--match", self.topic]}[level]


class In(LimitsTest):
    def test_rejects_at_every_level(self):
        for level in ("node", "listener", "user", "connection", "topic"):
            with self.subTest(level):
                topic = f"{self.topic}.{level}"
                # One by one, so that a batch is a message.
                self.set(level, "--level", level, *self.selector(level), "--messages-per-second",
                         "1", "--burst-messages", "3", "--enforce", "reject")
                lines = b"".join(b"%d\n" % i for i in range(40))
                before = self.counts(level)
                result = self.sluice.run("pub", topic, "--lines", stdin=lines)
                after = self.counts(level)
                self.succeed("limit", "rm", level)
                refused = after["refused_messages"] - before["refused_messages"]
                passed = after["passed_messages"] - before["passed_messages"]
                self.assertEqual(refused + passed, 40)
                if refused:
                    self.assertEqual(result.returncode, 4, result.stderr)
                    self.assertIn(b"rate-limited", result.stderr)

    def test_a_refusal_names_limit_level_and_time(self):
        self.set("few", "--level", "topic", "--match", self.topic, "--messages-per-second", "1",
                 "--enforce", "reject")
        self.succeed("pub", self.topic, "first")
        result = self.sluice.run("pub", self.topic, "second", "--receipt", "-o", "json")
        self.assertEqual(result.returncode, 4)
        self.assertIn("rate-limited", result.stdout.decode() + result.stderr.decode())
        self.assertEqual(self.counts("few")["refused_messages"], 1)
        time.sleep(1.1)
        self.succeed("pub", self.topic, "third")

    def test_delays_at_every_level(self):
        for level in ("node", "listener", "user", "connection", "topic"):
            with self.subTest(level):
                topic = f"{self.topic}.{level}"
                self.set(level, "--level", level, *self.selector(level), "--bytes-per-second",
                         "100kB", "--burst-bytes", "10kB")
                start = time.monotonic()
                self.succeed("pub", topic, "x" * 1000, "--count", "80")
                elapsed = time.monotonic() - start
                self.succeed("limit", "rm", level)
                # 80 kB and headers, less the burst, at 100 kB/s; the last batch may not be waited
                # for in full, as a batch larger than the burst leaves a debt.
                self.assertGreater(elapsed, 0.05)
                self.assertLess(elapsed, 10)

    def test_a_delay_slows_a_publisher_to_the_rate(self):
        self.set("slow", "--level", "topic", "--match", self.topic, "--messages-per-second", "100",
                 "--burst-messages", "1")
        sub = self.subscriber(self.topic, "--count", "150", "--format", "%p\\n")
        lines = b"".join(b"%d\n" % i for i in range(150))
        start = time.monotonic()
        self.succeed("pub", self.topic, "--lines", stdin=lines)
        out, _ = sub.communicate(timeout=DEADLINE_S)
        elapsed = time.monotonic() - start
        self.assertEqual(out, lines, "all of it, in order")
        counts = self.counts("slow")
        self.assertEqual(counts["passed_messages"], 150)
        self.assertEqual(counts["refused_messages"], 0)
        self.assertLess(elapsed, 10)

    def test_a_delay_past_the_deadline_is_refused_at_once(self):
        self.set("slow", "--level", "topic", "--match", self.topic, "--messages-per-second", "1")
        self.succeed("pub", self.topic, "first")
        start = time.monotonic()
        error = self.fail_with(4, "pub", self.topic, "second", "--deadline", "300ms")
        self.assertLess(time.monotonic() - start, 0.3)
        self.assertIn("expired", error)
        self.assertEqual(self.counts("slow")["refused_messages"], 1)

    def test_ping_goes_on_while_a_publisher_is_delayed(self):
        self.set("slow", "--level", "user", "--match", "anonymous", "--messages-per-second", "1",
                 "--burst-messages", "1")
        self.succeed("pub", self.topic, "first")
        delayed = self.start("pub", self.topic, "second")
        start = time.monotonic()
        self.succeed("ping", "--count", "3", "--interval", "10ms")
        self.assertLess(time.monotonic() - start, 0.8)
        self.assertEqual(delayed.wait(timeout=DEADLINE_S), 0)

    def test_observes_at_every_level(self):
        for level in ("node", "listener", "user", "connection", "topic"):
            with self.subTest(level):
                topic = f"{self.topic}.{level}"
                self.set(level, "--level", level, *self.selector(level), "--messages-per-second",
                         "1", "--burst-messages", "2", "--enforce", "observe")
                for _ in range(2):
                    self.succeed("pub", topic, "m", "--count", "10")
                counts = self.counts(level)
                self.succeed("limit", "rm", level)
                self.assertEqual(counts["passed_messages"], 20)
                self.assertEqual(counts["refused_messages"] + counts["delayed_messages"], 0)
                if level != "connection":  # whose second connection has a bucket of its own
                    self.assertGreater(counts["observed_messages"], 0)

    def test_what_is_configured_holds(self):
        self.assertEqual(self.row("configured")["set"], "configuration")
        results = [self.sluice.run("pub", "configured.a", str(i)).returncode for i in range(5)]
        self.assertEqual(results[:2], [0, 0])
        self.assertIn(4, results)
        self.succeed("pub", "other", "x")


class Out(LimitsTest):
    def test_deliveries_are_paced_at_every_level(self):
        for level in ("node", "listener", "user", "connection", "topic", "subscription"):
            with self.subTest(level):
                topic = f"{self.topic}.{level}"
                self.set(level, "--level", level, *self.selector(level), "--direction", "out",
                         "--messages-per-second", "100", "--burst-messages", "10")
                sub = self.subscriber(topic, "--count", "110", "--format", "%p\\n")
                start = time.monotonic()
                self.succeed("pub", topic, "m", "--count", "110")
                sub.communicate(timeout=DEADLINE_S)
                elapsed = time.monotonic() - start
                counts = self.counts(level)
                self.succeed("limit", "rm", level)
                self.assertGreater(elapsed, 0.95, "100 messages beyond the burst at 100/s")
                self.assertLess(elapsed, 5)
                self.assertGreater(counts["delayed_messages"], 50)

    def test_a_rate_is_held_over_seconds_and_without_bursts(self):
        rate, burst, seconds = 500, 20, 3
        self.set("even", "--level", "subscription", "--match", self.topic, "--direction", "out",
                 "--messages-per-second", str(rate), "--burst-messages", str(burst))
        sub = self.subscriber(self.topic, "--format", "%p\\n")
        count = rate * seconds + burst
        self.succeed("pub", self.topic, "m", "--count", str(count))
        # When each came: lines are printed as they come.
        times = []
        while len(times) < count:
            self.assertTrue(sub.stdout.readline())
            times.append(time.monotonic())
        elapsed = times[-1] - times[0]
        measured = (count - burst) / elapsed
        self.assertLess(measured, rate * 1.05)
        self.assertGreater(measured, rate * 0.85)
        # In any 200 ms: what the rate gives, the burst, and what a busy machine bunches up.
        window = 0.2
        most = max(sum(1 for t in times if start <= t < start + window) for start in times[::10])
        self.assertLessEqual(most, rate * window * 1.5 + burst)

    def test_out_observes(self):
        self.set("seen", "--level", "subscription", "--match", self.topic, "--direction", "out",
                 "--messages-per-second", "10", "--burst-messages", "1", "--enforce", "observe")
        sub = self.subscriber(self.topic, "--count", "50")
        self.succeed("pub", self.topic, "m", "--count", "50")
        sub.communicate(timeout=DEADLINE_S)
        counts = self.counts("seen")
        self.assertEqual(counts["passed_messages"], 50)
        self.assertGreater(counts["observed_messages"], 30)

    def test_what_goes_out_cannot_be_rejected(self):
        error = self.fail_with(2, "limit", "set", "x", "--direction", "out", "--enforce", "reject",
                               "--messages-per-second", "1")
        self.assertIn("has been accepted, so it cannot be refused", error)


class Verbs(LimitsTest):
    def test_limits_are_set_changed_shown_and_removed(self):
        result = self.set("orders", "--level", "topic", "--match", "orders.>",
                          "--messages-per-second", "1000", "--bytes-per-second", "1MiB")
        self.assertIn(b"until sluiced restarts", result.stderr)
        self.assertRegex(result.stdout.decode(),
                         r"orders +topic +orders\.> +in +1 000/s, 1\.00 MiB/s")
        self.set("orders", "--messages-per-second", "500")
        row = self.row("orders")
        self.assertEqual((row["messages_per_second"], row["bytes_per_second"]), (500, 1 << 20))
        table = self.succeed("limit", "ls").stdout.decode()
        self.assertIn("configured", table)
        self.assertIn("orders", table)
        self.succeed("limit", "rm", "orders")
        error = self.fail_with(2, "limit", "ls", "orders")
        self.assertIn("unknown-limit", error)

    def test_a_name_that_would_need_quotes_is_refused(self):
        rate = ["--messages-per-second", "1"]
        for name in ("eu orders", "a{b}", 'say "hi"', "a\nb", "ü", "rehearsal", b"\xff"):
            with self.subTest(name=name):
                error = self.fail_with(2, "limit", "set", name, *rate)
                self.assertRegex(error, "bad-argument.*name")
        self.assertIn("the limit's name \"eu orders\" has a space at byte 3; a name has 1 to 64 "
                      "letters, digits", self.fail_with(2, "limit", "set", "eu orders", *rate))
        self.fail_with(2, "limit", "simulate", "eu orders", *rate, "--for", "1s")

    def test_mistakes_are_told_with_what_would_be_right(self):
        self.assertIn("did you mean 'set'", self.fail_with(2, "limit", "sett", "x"))
        self.assertIn("needs the NAME", self.fail_with(2, "limit", "rm"))
        self.assertIn("--messages-per-second", self.fail_with(2, "limit", "set", "x"))
        self.assertIn("it must be one of node, listener",
                      self.fail_with(2, "limit", "set", "x", "--level", "topik",
                                     "--messages-per-second", "1"))
        self.assertIn('did you mean "configured"',
                      self.fail_with(2, "limit", "rm", "confgured"))
        self.assertIn("rate-limited (213)", self.succeed("errors", "rate-limited").stdout.decode())

    def test_the_busiest_buckets_are_shown(self):
        self.set("busy", "--level", "topic", "--match", self.topic + ".*", "--messages-per-second",
                 "1000", "--burst-messages", "1000")
        for count in range(1, 6):
            self.succeed("pub", f"{self.topic}.{count}", "m", "--count", str(count))
        busiest = self.row("busy")["busiest"]
        self.assertEqual([row["key"] for row in busiest],
                         [f"{self.topic}.{count}" for count in (5, 4, 3)])
        self.assertEqual(busiest[0]["counts"]["passed_messages"], 5)

    def test_metrics_tell_of_limits(self):
        self.set("measured", "--level", "topic", "--match", self.topic, "--messages-per-second",
                 "1", "--enforce", "reject")
        self.succeed("pub", self.topic, "m")
        self.fail_with(4, "pub", self.topic, "m")
        with urllib.request.urlopen(f"http://{self.daemon.http}/metrics") as answer:
            text = answer.read().decode()
        labels = r'\{limit="measured",level="topic",direction="in"\}'
        self.assertRegex(text, rf"(?m)^sluice_limit_passed_messages_total{labels} 1$")
        self.assertRegex(text, rf"(?m)^sluice_limit_refused_messages_total{labels} 1$")

    def test_the_number_of_limits_is_bounded(self):
        with Daemon(SLUICED) as daemon:
            sluice = Sluice(SLUICE, daemon.native)
            for i in range(64):
                done = sluice.run("-q", "limit", "set", f"l{i}", "--messages-per-second", "1000000")
                self.assertEqual(done.returncode, 0, done.stderr)
            refused = sluice.run("limit", "set", "one-more", "--messages-per-second", "1")
            self.assertEqual(refused.returncode, 1)
            self.assertIn(b"limits.max", refused.stderr)


class Simulate(LimitsTest):
    def simulate(self, *arguments):
        return self.start("limit", "simulate", "what-if", "--level", "topic", "--match",
                          self.topic, *arguments)

    def is_installed(self):
        return self.sluice.run("limit", "ls", "what-if").returncode == 0

    def test_it_tells_what_would_have_been_beyond_the_limit(self):
        simulation = self.simulate("--messages-per-second", "10", "--for", "2s")
        until("the simulation", self.is_installed)
        for _ in range(3):
            self.succeed("pub", self.topic, "m", "--count", "10")
        out, _ = simulation.communicate(timeout=DEADLINE_S)
        self.assertEqual(simulation.returncode, 0)
        text = out.decode()
        self.assertIn("would have applied to 30 messages,", text)
        self.assertRegex(text, r"of those \d+ \(\d+\.\d %\) were beyond it")
        self.assertFalse(self.is_installed())

    def test_a_batch_larger_than_the_burst_passes_and_what_follows_does_not(self):
        simulation = self.simulate("--messages-per-second", "1", "--burst-messages", "5", "--for",
                                   "2s")
        until("the simulation", self.is_installed)
        self.succeed("pub", self.topic, "--lines", stdin=b"m\n" * 20)
        self.succeed("pub", self.topic, "m")
        out, _ = simulation.communicate(timeout=DEADLINE_S)
        text = out.decode()
        self.assertIn("of those 1 (4.8 %) were beyond it", text)
        self.assertIn("a batch larger than the burst (5 messages) would have passed whole", text)

    def test_it_is_removed_when_interrupted(self):
        simulation = self.simulate("--messages-per-second", "10", "--for", "1h")
        until("the simulation", self.is_installed)
        simulation.send_signal(signal.SIGINT)
        out, _ = simulation.communicate(timeout=DEADLINE_S)
        self.assertEqual(simulation.returncode, 130)
        self.assertIn(b"would have applied to 0 messages", out)
        self.assertFalse(self.is_installed())

    def test_it_refuses_nothing(self):
        simulation = self.simulate("--messages-per-second", "1", "--enforce", "reject", "--for",
                                   "1s", "-o", "json")
        until("the simulation", self.is_installed)
        for _ in range(5):
            self.succeed("pub", self.topic, "m")
        out, _ = simulation.communicate(timeout=DEADLINE_S)
        counts = json.loads(out)["limits"][0]["counts"]
        self.assertEqual(counts["passed_messages"], 5)
        self.assertEqual(counts["refused_messages"], 0)
        self.assertGreater(counts["observed_messages"], 0)


if __name__ == "__main__":
    run(__doc__)
