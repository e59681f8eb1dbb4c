#!/usr/bin/python3
"""What the command line tells of ledgers, drops and limited-by states of a real daemon.

usage: explain_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import signal
import socket
import sys
import types
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent),
                str(Path(__file__).resolve().parent.parent / "hostile")]
import native_client
from broker_case import BrokerCase, SLUICE, SLUICED, run
from processes import DEADLINE_S, Daemon, Sluice, until


class ExplainTest(BrokerCase):
    CONFIG = '[rehearsal]\nenabled = true\nmax_duration = "1m"\n'

    def subscriber(self, *arguments):
        return super().subscriber(self.topic, *arguments)

    def stalled(self, *arguments):
        return self.subscriber("--credit", "1", "--slow", "1h", *arguments)

    def publish(self, count=1):
        return self.sluice.run("pub", self.topic, "x", "--count", str(count))

    def succeed(self, *arguments):
        return super().succeed(*arguments).stdout.decode()

    def asked(self, *arguments):
        return json.loads(self.succeed("-o", "json", *arguments))

    def explained(self):
        answer = self.asked("explain", "subscription", self.topic)
        self.assertEqual(answer["subscriptions"], 1)
        return answer["subscription_list"][0]

    def state_comes(self, state, which=""):
        def is_so():
            row = self.explained()
            return row if (row["state"], row["which"]) == (state, which) else None
        return until(f"state {state}", is_so)

    def end(self, process):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)


class States(ExplainTest):
    def test_idle_and_delivering(self):
        self.subscriber()
        self.state_comes("idle")
        pub = self.start("bench", "--seconds", "0.1")
        self.publish()
        self.state_comes("delivering")
        self.state_comes("idle")
        pub.communicate(timeout=DEADLINE_S)

    def test_waiting_credit(self):
        self.stalled()
        self.publish(10)
        row = self.state_comes("waiting_credit")
        self.assertGreater(row["queued"], 0)
        text = self.succeed("explain", "subscription", self.topic)
        self.assertIn(f"subscription {self.topic}: waiting_credit", text)
        self.assertIn("wait for credit", text)
        self.assertIn("to change: give it a longer queue", text)
        self.assertIn("no publisher waits for it", text)

    def test_tcp_window(self):
        port = types.SimpleNamespace(port=int(self.daemon.native.rsplit(":", 1)[1]))
        peer = native_client.Peer(port, receive_bytes=4096)
        self.addCleanup(peer.close)
        # Credit without end, and nothing is read from the socket.
        peer.send(native_client.subscribe(1, [self.topic], credit=(10**6, 1 << 29)))
        peer.until(native_client.SUBSCRIBED)
        self.sluice.run("pub", self.topic, "x" * 100_000, "--count", "200")
        name = "hostile#1"  # what such a client is called

        def row():
            return self.asked("explain", "subscription", name)["subscription_list"][0]
        until("tcp_window", lambda: row()["state"] == "tcp_window")
        self.assertGreater(row()["unsent_bytes"], 0)
        self.assertIn("socket takes no more", self.succeed("explain", "subscription", name))

    def test_rate_limited(self):
        self.succeed("limit", "set", self.topic, "--level", "subscription", "--match", self.topic,
                     "--direction", "out", "--messages-per-second", "2")
        self.subscriber()
        self.publish(50)
        row = self.state_comes("rate_limited", self.topic)
        self.assertIn(f"sluice limit set {self.topic}", row["advice"][0]["change"])
        self.succeed("limit", "rm", self.topic)

    def test_paused(self):
        self.subscriber()
        self.succeed("subscription", "pause", self.topic)
        self.publish(3)
        self.assertEqual(self.state_comes("paused")["queued"], 3)
        self.succeed("subscription", "resume", self.topic)
        self.state_comes("idle")
        self.fail_with(1, "subscription", "pause", "nobody-of-that-name")

    def test_blocked_by(self):
        sub = self.stalled("--overflow", "block", "--queue-messages", "2")
        pub = self.start("pub", self.topic, "x", "--count", "10")
        until("blocked", lambda: self.asked("explain", "subscription",
                                            self.topic)["publishers"] == 1)
        publisher = self.asked("explain", "subscription", self.topic)["publisher_list"][0]
        self.assertEqual((publisher["state"], publisher["blocked_by"], publisher["topic"]),
                         ("blocked_by", [self.topic], self.topic))
        self.assertIn("makes 1 publisher wait",
                      self.succeed("explain", "subscription", self.topic))
        self.assertIn(f"blocked_by({self.topic})", self.succeed("explain", "topic", self.topic))
        self.assertIn(f"blocked_by({self.topic})",
                      self.succeed("explain", "connection", publisher["connection"]))
        self.assertEqual(self.asked("explain", "connection", publisher["client"])["connections"],
                         1)
        self.end(sub)
        pub.communicate(timeout=DEADLINE_S)

    def test_what_is_not_there(self):
        for kind in ("subscription", "connection", "topic"):
            self.assertIn("not-found", self.fail_with(1, "explain", kind, "nobody"))
        self.fail_with(2, "explain", "queue", "x")
        self.assertIn("bad-topic", self.fail_with(2, "explain", "topic", "a..b"))


class Rehearsal(ExplainTest):
    def test_slow_subscriber(self):
        self.subscriber()
        self.assertIn("the broker ends it by itself",
                      self.succeed("rehearse", "slow-subscriber", self.topic, "--delay", "10s",
                                   "--for", "30s"))
        self.publish(5)
        row = self.state_comes("rate_limited", "rehearsal")
        self.assertIn("rehearsal", row["cause"])
        self.assertIn(self.topic, self.succeed("rehearse", "ls"))
        self.succeed("rehearse", "stop", self.topic)
        until("delivered", lambda: self.explained()["queued"] == 0)
        self.assertNotIn(self.topic, self.succeed("rehearse", "ls"))
        self.assertIn("rehearsal of a slow subscriber began", self.daemon.log())
        self.assertIn("rehearsal of a slow subscriber ended", self.daemon.log())

    def test_it_ends_by_itself(self):
        self.subscriber()
        self.succeed("rehearse", "slow-subscriber", self.topic, "--delay", "10s", "--for", "1s")
        self.publish(5)
        until("reverted", lambda: self.explained()["queued"] == 0)

    def test_it_is_bounded(self):
        self.subscriber()
        error = self.fail_with(2, "rehearse", "slow-subscriber", self.topic, "--delay", "1s",
                               "--for", "1h")
        self.assertIn("rehearsal.max_duration", error)
        self.fail_with(2, "rehearse", "slow-subscriber", self.topic)
        self.assertIn("not-found", self.fail_with(1, "rehearse", "stop", "nobody"))

    def test_it_is_disabled_unless_allowed(self):
        with Daemon(SLUICED) as daemon:
            result = Sluice(SLUICE, daemon.native).run(
                "rehearse", "slow-subscriber", "x", "--delay", "1s", "--for", "1s")
            self.assertEqual(result.returncode, 1)
            self.assertIn(b"rehearsal-disabled", result.stderr)


class Ledger(ExplainTest):
    def audit(self, *arguments):
        return self.asked("audit", "--topic", self.topic, *arguments)

    def test_audit_outlives_the_subscriber(self):
        process = self.stalled("--queue-messages", "5")
        self.publish(100)
        live = self.audit()
        self.assertEqual((live["subscriptions"], live["ended"], live["unbalanced"]), (1, 0, 0))
        self.end(process)
        until("ended", lambda: self.audit()["ended"] == 1)
        row = self.audit()["rows"][0]
        self.assertEqual((row["name"], row["state"], row["ledger"]["matched"],
                          row["ledger"]["imbalance"]), (self.topic, "ended", 100, 0))
        self.assertGreater(row["ledger"]["dropped"], 0)
        text = self.succeed("audit", "--since", "10m")
        self.assertIn("every ledger balances", text)
        self.assertIn(self.topic, text)

    def drops(self, *arguments):
        rows = map(json.loads, self.succeed("-o", "json", "drops", *arguments).splitlines())
        return [row for row in rows if row["topic"] == self.topic]

    def test_drop_reasons(self):
        cases = {
            "dropped_oldest": ["--queue-messages", "5"],
            "dropped_newest": ["--queue-messages", "5", "--overflow", "drop_newest"],
            "lagged": ["--max-lag", "100ms"],
            "disconnected": ["--queue-messages", "5", "--overflow", "disconnect"],
        }
        topic = self.topic
        for reason, arguments in cases.items():
            with self.subTest(reason):
                self.topic = f"{topic}.{reason}"
                process = self.stalled(*arguments)
                self.publish(100)
                rows = until(reason, lambda: self.drops("--reason", reason))
                lost = sum(row["count"] for row in rows)
                # One that was disconnected may have come back, with a ledger of its own.
                ledgers = [row["ledger"]["dropped_by"] for row in self.audit()["rows"]]
                self.assertEqual(lost, sum(dropped.get(reason, 0) for dropped in ledgers))
                self.assertEqual(rows[0]["subscription"], self.topic)
                self.end(process)

    def test_drops_are_grouped(self):
        self.stalled("--queue-messages", "5")
        self.publish(100)
        lost = sum(row["count"] for row in self.drops())
        self.assertGreater(lost, 0)
        groups = self.asked("drops", "--group-by", "topic")
        mine = next(row for row in groups if row["topic"] == self.topic)
        self.assertEqual(mine["messages"], lost)
        self.assertIn("SUBSCRIPTION", self.succeed("drops", "--group-by", "subscription"))
        self.assertIn("bad-argument", self.fail_with(2, "drops", "--reason", "bored"))

    def test_drops_are_followed(self):
        follow = self.start("-o", "json", "drops", "--follow")
        self.stalled("--queue-messages", "5")
        self.publish(100)
        row = {}
        while row.get("topic") != self.topic:
            row = json.loads(follow.stdout.readline())
        self.assertGreater(row["count"], 0)
        follow.send_signal(signal.SIGINT)
        follow.communicate(timeout=DEADLINE_S)
        self.assertEqual(follow.returncode, 130)


class Metrics(ExplainTest):
    def test_states_are_metrics(self):
        self.stalled()
        self.publish(10)
        self.state_comes("waiting_credit")
        host, port = self.daemon.http.split(":")

        def text():
            with socket.create_connection((host, int(port)), DEADLINE_S) as http:
                http.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                return b"".join(iter(lambda: http.recv(65536), b"")).decode()

        def value(name):
            labels = 'kind="subscription",state="waiting_credit"'
            line = next(line for line in text().splitlines()
                        if line.startswith(name + "{" + labels))
            return float(line.split()[-1])

        self.assertGreaterEqual(value("sluice_limited_by"), 1)
        until("time passes", lambda: value("sluice_limited_by_seconds_total") > 0.2)


if __name__ == "__main__":
    run(__doc__)
