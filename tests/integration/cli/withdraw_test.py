#!/usr/bin/python3
"""Withdrawing, deadlines, traces, receipts on demand, exact gaps and explanations, end to end.

usage: withdraw_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import BrokerCase, run
from processes import DEADLINE_S, until

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Withdraw(BrokerCase):
    def subscriber(self, *arguments):
        return super().subscriber(self.topic, *arguments)

    def queue_behind_a_slow_reader(self):
        """A subscriber that has one message in hand and reads no other for a long time."""
        sub = self.subscriber("--credit", "1", "--slow", "1h")
        self.pub("in hand")
        self.assertIn(b"in hand", sub.stdout.readline())
        # Its credit comes back with the message that it took: one more can be delivered.
        self.pub("on its way")
        until("delivered", lambda: self.ledger()["delivered"] == 2)
        return sub

    def test_what_waits_in_a_queue_is_taken_back(self):
        self.queue_behind_a_slow_reader()
        result = self.pub("x", "--count", "5", "--cancel-after", "500ms")
        self.assertEqual(result.stdout, b"withdrawn: 5 copies of 5 messages\n")
        self.assertIn(b"5 withdrawn", result.stderr)
        ledger = self.ledger()
        self.assertEqual((ledger["matched"], ledger["delivered"], ledger["queued"]), (7, 2, 0))

    def test_what_expires_in_a_queue_is_told_later(self):
        for output, told in (("table", rb"accepted, [12] expired later$"),
                             ("json", rb'"expired_later":[12],')):
            with self.subTest(output):
                self.topic = f"test.expired_later.{output}"
                self.queue_behind_a_slow_reader()
                pub = self.start("pub", self.topic, "--lines", "--deadline", "1s", "-o", output,
                                 stdin=subprocess.PIPE)
                pub.stdin.write(b"x\n")
                pub.stdin.flush()
                until("expired", lambda: self.ledger()["dropped_by"].get("expired") == 1)
                # Its receipt comes behind the notice, so that pub has read both when it ends.
                out, error = pub.communicate(b"y\n", timeout=DEADLINE_S)
                self.assertEqual(pub.returncode, 0, error)
                self.assertRegex((out + error).rstrip(), told)

    def test_what_was_delivered_stays(self):
        sub = self.subscriber("--count", "1")
        result = self.pub("x", "--cancel-after", "200ms", "-o", "json")
        self.assertEqual(json.loads(result.stdout),
                         {"withdrawn": {"publishes": 1, "not_sent": 0, "copies": 0}})
        self.assertIn(b" x\n", sub.communicate(timeout=DEADLINE_S)[0])

    def test_a_receipt_comes_before_what_is_withdrawn(self):
        self.queue_behind_a_slow_reader()
        result = self.pub("x", "--cancel-after", "300ms", "--receipt", "-o", "json")
        receipt, withdrawn = map(json.loads, result.stdout.splitlines())
        self.assertIn(receipt["status"], ("accepted", "cancelled"))
        self.assertEqual(withdrawn["withdrawn"]["copies"], 1)

    def test_receipts_are_given_as_asked_for(self):
        sub = self.subscriber("--count", "9", "--format", "%p\\n")
        for receipts, told in (("none", b"not asked for"), ("problems", b"no problems"),
                               ("all", b"3 accepted")):
            result = self.pub(receipts, "--count", "3", "--receipts", receipts)
            self.assertIn(b"receipts: " + told if receipts != "all" else told, result.stderr)
        out = sub.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(out, b"none\n" * 3 + b"problems\n" * 3 + b"all\n" * 3)

    def test_a_problem_is_told_where_only_those_are_asked_for(self):
        sub = self.subscriber("--credit", "1", "--slow", "1h", "--queue-messages", "1",
                              "--overflow", "reject")
        self.pub("x")
        self.assertIn(b" x\n", sub.stdout.readline())
        self.pub("x")
        until("delivered", lambda: self.ledger()["delivered"] == 2)
        self.pub("x")
        result = self.pub("x", "--receipts", "problems", status=4)
        self.assertIn(b"queue-full", result.stderr)
        self.assertIn(self.topic.encode() + b":queue-full:1", result.stderr)

    def test_a_trace_reaches_the_subscriber_untouched(self):
        sub = self.subscriber("--count", "1", "-o", "json")
        state, baggage = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "tenant=7,user=Zo%C3%AB;p=1"
        self.pub("x", "--traceparent", TRACE, "--header", "tracestate=" + state,
                 "-H", "baggage=" + baggage)
        message = json.loads(sub.communicate(timeout=DEADLINE_S)[0].splitlines()[0])
        self.assertEqual(dict(message["headers"]),
                         {"traceparent": TRACE, "tracestate": state, "baggage": baggage})
        self.assertEqual(len(message["headers"]), 3)

    def test_the_gap_of_a_lost_connection_is_exact_while_the_broker_knows(self):
        sub = self.subscriber("--queue-messages", "3", "--overflow", "disconnect",
                              "--credit", "1", "--slow", "10ms", "--format", "json")
        self.pub("x", "--count", "500", status=4)
        seen = []
        for line in sub.stdout:
            seen.append(json.loads(line))
            if "reconnected" in seen[-1]:
                break
        self.assertTrue(seen[-1]["reconnected"]["gap_is_exact"])
        gap = seen[-2]["gap"]
        self.assertEqual(gap["reason"], "disconnected")
        self.assertEqual(gap["last_sequence"] - gap["first_sequence"] + 1, gap["count"])
        messages = [item for item in seen if "payload" in item]
        self.assertEqual(gap["first_sequence"], len(messages) + 1)
        sub.send_signal(signal.SIGINT)
        sub.communicate(timeout=DEADLINE_S)

    def test_every_word_is_explained(self):
        listed = json.loads(self.sluice.run("-o", "json", "errors").stdout)
        self.assertGreater(len([row for row in listed if "kind" in row]), 20)
        for row in listed:
            result = self.sluice.run("errors", row["name"])
            self.assertEqual(result.returncode, 0, row)
            self.assertIn(row["text"].encode(), result.stdout)
            self.assertIsNone(re.search(rb"see the text", result.stdout), row)
        both = json.loads(self.sluice.run("-o", "json", "errors", "expired").stdout)
        self.assertEqual([row["kind"] for row in both], ["gap reason", "receipt status"])

    def test_what_does_not_go_together(self):
        for arguments in (["--receipts", "some"], ["--cancel-after", "soon"],
                          ["--cancel-after", "1s", "--receipts", "none"],
                          ["--receipt", "--receipts", "problems"]):
            self.pub("x", *arguments, status=2)


if __name__ == "__main__":
    run(__doc__)
