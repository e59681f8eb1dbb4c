#!/usr/bin/python3
"""An idempotent producer at the command line: nothing is lost and nothing comes twice.

usage: producer_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import BrokerCase, SLUICE, run
from processes import DEADLINE_S, Sluice, until
from proxy import Proxy


class Producers(BrokerCase):
    ARGUMENTS = ("--shards", "2")
    IDS = iter(range(1, 1000))

    def setUp(self):
        super().setUp()
        self.producer = str(next(self.IDS))

    def subscriber(self, *arguments):
        return super().subscriber(self.topic, "--format", "%p\\n", *arguments)

    def matched(self):
        return self.ledger()["matched"]

    def receipts(self, *arguments, **options):
        out = self.pub("--producer-id", self.producer, "--receipt", "-o", "json", *arguments,
                       **options).stdout
        return [(row["status"], row["producer_sequence"])
                for row in map(json.loads, out.splitlines())]

    def lines(self, through, *arguments):
        """A pub whose lines this test writes."""
        return self.keep(Sluice(SLUICE, through.address).start(
            "-o", "json", "pub", self.topic, "--lines", *arguments, stdin=subprocess.PIPE))

    @staticmethod
    def write(process, numbers):
        process.stdin.write(b"".join(b"%d\n" % i for i in numbers))
        process.stdin.flush()

    def summary(self, process, status=0):
        _, err = process.communicate(timeout=DEADLINE_S)
        self.assertEqual(process.returncode, status, err)
        return json.loads(next(row for row in err.splitlines() if row.startswith(b'{"messages"')))

    # Numbers.

    def test_numbers_go_on_from_command_to_command(self):
        self.assertEqual(self.receipts("x"), [("accepted", 1)])
        self.assertEqual(self.receipts("y", "--count", "2"), [("accepted", 2), ("accepted", 3)])
        text = self.pub("--producer-id", self.producer, "--receipt", "z").stdout
        self.assertIn(b"producer_sequence=4", text)

    def test_what_is_repeated_by_hand_is_a_duplicate(self):
        sub = self.subscriber("--count", "2")
        self.assertEqual(self.receipts("x", "--first-sequence", "7"), [("accepted", 7)])
        self.assertEqual(self.receipts("x", "--first-sequence", "7"), [("duplicate", 7)])
        again = self.pub("x", "--producer-id", self.producer, "--first-sequence", "7")
        self.assertIn(b"duplicate", again.stderr)
        self.assertEqual(self.receipts("y", "--first-sequence", "8"), [("accepted", 8)])
        self.assertEqual(sub.communicate(timeout=DEADLINE_S)[0], b"x\ny\n")

    def test_an_import_is_run_again_from_its_beginning(self):
        sub = self.subscriber("--count", "5000")
        arguments = ["--lines", "-o", "json", "--producer-id", self.producer,
                     "--first-sequence", "1"]
        def run(count):
            rows = b"".join(b"%d\n" % i for i in range(count))
            return json.loads(self.pub(*arguments, stdin=rows).stderr)["receipts"]
        self.assertEqual(run(1234)["accepted"], 1234)
        again = run(5000)
        self.assertEqual((again["duplicate"], again["accepted"]), (1234, 3766))
        out = sub.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(out, b"".join(b"%d\n" % i for i in range(5000)))

    # Connections that are lost in the middle.

    def test_a_cut_wire_loses_nothing_and_doubles_nothing(self):
        sub = self.subscriber("--count", "1000")
        with Proxy(self.daemon.native) as proxy:
            pub = self.lines(proxy, "--producer-id", self.producer)
            self.write(pub, range(200))
            until("the first are taken", lambda: self.matched() == 200)
            for start in (200, 400):  # taken, and their receipts are lost
                proxy.swallow_to_client = True
                self.write(pub, range(start, start + 200))
                until("taken", lambda: self.matched() == start + 200)
                proxy.cut()
                until("back", lambda: proxy.connections >= start // 200 + 1)
            proxy.swallowed = 0
            proxy.swallow_to_broker = True  # now they are lost themselves
            self.write(pub, range(600, 800))
            until("lost", lambda: proxy.swallowed > 0)
            proxy.cut()
            self.write(pub, range(800, 1000))
            pub.stdin.close()
            pub.stdin = None
            told = self.summary(pub)
        self.assertEqual(told["messages"], 1000)
        self.assertEqual(told["ok"], 1000)
        self.assertEqual(told["unknown"], 0)
        self.assertGreaterEqual(told["receipts"]["duplicate"], 400)
        self.assertEqual(told["receipts"]["accepted"] + told["receipts"]["duplicate"], 1000)
        out = sub.communicate(timeout=DEADLINE_S)[0]
        self.assertEqual(out, b"".join(b"%d\n" % i for i in range(1000)))

    def test_without_an_id_the_outcome_is_unknown(self):
        self.subscriber()
        with Proxy(self.daemon.native) as proxy:
            pub = self.lines(proxy)
            self.write(pub, range(10))
            until("the first are taken", lambda: self.matched() == 10)
            proxy.swallow_to_client = True
            self.write(pub, range(10, 20))
            until("taken", lambda: self.matched() == 20)
            proxy.cut()
            pub.stdin.close()
            pub.stdin = None
            told = self.summary(pub, status=1)
        self.assertGreaterEqual(told["unknown"], 10)
        self.assertEqual(told["receipts"]["duplicate"], 0)
        self.assertEqual(self.matched(), 20)

    def test_a_single_publish_is_sent_again_too(self):
        sub = self.subscriber()
        with Proxy(self.daemon.native) as proxy:
            pub = self.keep(Sluice(SLUICE, proxy.address).start(
                "-o", "json", "pub", self.topic, "--producer-id", self.producer, "--receipt",
                "--file", "-", stdin=subprocess.PIPE))
            until("connected", lambda: any(
                row["client"].endswith(f"-{pub.pid}") for row in self.connections()))
            proxy.swallow_to_client = True
            pub.stdin.write(b"x")
            pub.stdin.close()
            pub.stdin = None
            until("taken", lambda: self.matched() == 1)
            proxy.cut()
            out, err = pub.communicate(timeout=DEADLINE_S)
        self.assertEqual(pub.returncode, 0, err)
        self.assertEqual(json.loads(out)["status"], "duplicate")
        self.assertIn(b"1 message is sent again", err)
        self.pub("last")
        sub.send_signal(signal.SIGINT)
        self.assertEqual(sub.communicate(timeout=DEADLINE_S)[0], b"x\nlast\n")

    def connections(self):
        return json.loads(self.sluice.run("-o", "json", "status", "--connections").stdout)[
            "connection_list"]

    # Two of them.

    def test_a_second_one_takes_over(self):
        self.subscriber()
        with Proxy(self.daemon.native) as direct:
            first = self.lines(direct, "--producer-id", self.producer)
            self.write(first, [1])
            until("published", lambda: self.matched() == 1)
            self.assertEqual(self.receipts("x"), [("accepted", 2)])
            line = first.stderr.readline()
            self.assertIn(b"taken-over", line)
            _, err = first.communicate(b"2\n", timeout=DEADLINE_S)
            self.assertEqual(first.returncode, 1, err)
            self.assertIn(b"taken-over", err)
            self.assertEqual(direct.connections, 1)  # it does not come back

    def test_ids_that_are_none(self):
        for arguments, told in (("--producer-id 0", "--producer-id: '0' is not a whole number"),
                                ("--producer-id orders", "--producer-id: 'orders' is not"),
                                ("--producer-id=-1", "--producer-id: '-1' is not"),
                                (f"--producer-id {2 ** 64}", f"'{2 ** 64}' is more than"),
                                ("--first-sequence 1", "needs --producer-id"),
                                ("--producer-id 1 --first-sequence 0", "--first-sequence: '0'"),
                                (f"--producer-id 1 --first-sequence {2 ** 63}", "at most"),
                                ("--producer-id 1 --receipts none", "needs --receipts all")):
            with self.subTest(arguments):
                err = self.pub("x", *arguments.split(), status=2).stderr
                self.assertIn(told, err.decode())


if __name__ == "__main__":
    run(__doc__)
