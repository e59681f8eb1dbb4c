#!/usr/bin/python3
"""Every error code, gap reason, receipt status, limited-by state and end reason is produced by
somebody, and `sluice errors` explains it. every_word.py is the table; a new word without a line
there fails.

usage: every_code_test.py SLUICED SLUICE [unittest arguments]
"""

import inspect
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "hostile")]
import every_word
from every_end import EveryEnd
import native_client as native
from processes import DEADLINE_S, Daemon, Sluice, until

FETCH = 18
# The topic of a slow subscriber: one message at a time, and long pauses.
SLOW = ["--credit", "1", "--slow", "300ms"]


def daemon(*arguments, **settings):
    """sluiced with settings of the environment: daemon(topic_max_topics=1)."""
    names = {f"SLUICE_{name.upper()}": str(value) for name, value in settings.items()}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        return Daemon(SLUICED, "--shards", "1", *arguments)
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class EveryCode(EveryEnd, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = daemon(limits_max=1)
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.sluice = Sluice(SLUICE, cls.daemon.native)

    def setUp(self):
        self.topic = "test." + self.id().rsplit(".", 1)[-1]

    def produces(self, word, text):
        """`text` is what a command printed."""
        text = text.decode() if isinstance(text, bytes) else text
        self.assertRegex(text, r"(?<![\w-])" + word + r"(?![\w-])")

    def fails(self, *arguments, sluice=None):
        """The errors of a command that must fail."""
        result = (sluice or self.sluice).run(*arguments)
        self.assertNotEqual(result.returncode, 0, (arguments, result.stdout, result.stderr))
        return result.stderr

    def subscriber(self, *arguments, sluice=None):
        """A slow subscriber, in force; its lines go to a file."""
        self.printed = Path(self.daemon.folder.name) / self.topic
        with open(self.printed, "wb") as file:
            process = (sluice or self.sluice).subscriber(
                "-o", "json", self.topic, *SLOW, *arguments, name=self.topic, stdout=file)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def publish(self, count, sluice=None):
        """That many messages in one batch; what was told of them."""
        lines = "".join(f"{i}\n" for i in range(count)).encode()
        result = (sluice or self.sluice).run("pub", self.topic, "--lines", stdin=lines)
        return result.stdout + result.stderr

    def gap(self):
        """The reason of the first gap that the subscriber prints."""
        def first():
            rows = self.printed.read_text().splitlines(keepends=True)
            rows = [json.loads(row) for row in rows if row.endswith("\n")]
            return next((row["gap"]["reason"] for row in rows if "gap" in row), None)
        return until("a gap", first)

    def ledger(self, sluice):
        """Of the subscription that this test has."""
        return next(row["ledger"] for row in sluice.status()["subscription_list"]
                    if row["name"] == self.topic)

    # The table itself.

    def test_every_word_has_a_line(self):
        for kind, words in every_word.declared(ROOT).items():
            self.assertEqual(words, set(every_word.TABLE[kind]), kind)

    def test_every_line_holds(self):
        for kind, words in every_word.TABLE.items():
            for word, line in words.items():
                with self.subTest(kind=kind, word=word):
                    if isinstance(line, every_word.Made):
                        source = inspect.getsource(getattr(self, line.test))
                        self.assertIn(f'self.produces("{word}",', source)
                    else:
                        self.assertIn(line.text, (ROOT / line.file).read_text())

    def test_every_word_is_explained(self):
        for kind, words in every_word.TABLE.items():
            for word in words:
                with self.subTest(kind=kind, word=word):
                    result = self.sluice.run("errors", word)
                    self.assertEqual(result.returncode, 0, result.stderr)
                    title = f"{word} (" if kind == "error" else f"{word} ({kind})\n"
                    self.assertIn(title.encode(), result.stdout)
                    for part in (b"\n  what:  ", b"\n  do:    "):
                        self.assertIn(part, result.stdout)

    def test_a_state_is_explained_as_it_is_printed(self):
        result = self.sluice.run("errors", "rate_limited(rehearsal)")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"rate_limited (limited by)\n", result.stdout)

    def test_a_word_of_several_meanings_has_all_of_them(self):
        result = self.sluice.run("errors", "internal")
        self.assertRegex(result.stdout, rb"^internal \(900\)\n(.*\n)*internal \(end reason\)\n")
        row = json.loads(self.sluice.run("-o", "json", "errors", "internal").stdout)
        self.assertEqual((row["code"], row["also"][0]["kind"]), (900, "end reason"))

    # Names, arguments, files, addresses.

    def test_names_and_arguments(self):
        self.produces("bad-topic", self.fails("pub", "a..b", "x"))
        self.produces("bad-filter", self.fails("sub", "a.>.b"))
        self.produces("bad-ladder", self.fails("sub", "a", "--overflow", "drop_oldest,block"))
        self.produces("bad-argument", self.fails("sub", "a", "--queue-messages", "4000000000"))
        self.produces("reserved-topic", self.fails("pub", "$x", "y"))
        self.produces("io", self.fails("pub", "a", "--file", "/nonexistent"))
        large = Path(self.daemon.folder.name) / "large"
        large.write_bytes(bytes(2 << 20))
        self.produces("message-too-large", self.fails("pub", "a", "--file", str(large)))

    def test_numbers_are_quoted_as_they_were_given(self):
        self.assertIn(b"'99999999999' is more than 4294967295",
                      self.fails("sub", "a", "--queue-messages", "99999999999"))
        for option in (["--queue-bytes", "0"], ["--max-lag", "0s"]):
            self.assertIn(b"is not more than 0", self.fails("sub", "a", *option))
        self.assertIn(b"is not more than 0", self.fails("pub", "a", "x", "--deadline", "0s"))

    def test_a_group_with_other_settings(self):
        process = self.sluice.start("sub", self.topic, "--share", self.topic)
        self.addCleanup(self.end, process)
        until("the group exists", lambda: any(
            row["group"] == self.topic for row in self.sluice.status()["subscription_list"]))
        self.produces("group-mismatch",
                      self.fails("sub", self.topic, "--share", self.topic, "--max-lag", "1s"))

    def test_an_address_that_is_taken(self):
        result = Sluice(SLUICED).run("--listen", self.daemon.native, "--http", "127.0.0.1:0")
        self.produces("address-in-use", result.stderr)

    def test_a_bad_configuration(self):
        result = Sluice(SLUICED).run("--check-config", "--shards", "65")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn(b"65", result.stderr)

    # Publishing and ladders.

    def test_a_publish_that_is_accepted(self):
        self.produces("accepted", self.sluice.run("pub", self.topic, "x", "--receipt").stdout)

    def test_needs_that_are_not_met(self):
        self.produces("durability-unavailable", self.fails("pub", "a", "x", "--need", "disk"))
        self.produces("need-not-met", self.fails("pub", "a", "x", "--need", "name:nobody"))

    def test_nobody_answers(self):
        self.produces("no-responders", self.fails("request", self.topic, "x"))

    def test_a_deadline_that_has_passed(self):
        result = self.sluice.run("pub", self.topic, "x", "--deadline", "1ns", "--receipt")
        self.produces("expired", result.stdout)
        self.produces("deadline-exceeded", result.stderr)

    def test_drop_oldest(self):
        self.subscriber("--queue-messages", "2", "--overflow", "drop_oldest")
        self.publish(9)
        self.produces("dropped_oldest", self.gap())

    def test_drop_newest(self):
        self.subscriber("--queue-messages", "2", "--overflow", "drop_newest")
        self.produces("partial", self.publish(9))
        self.produces("dropped_newest", self.gap())

    def test_a_publish_that_nobody_keeps(self):
        self.subscriber("--queue-messages", "2", "--overflow", "drop_newest")
        texts = (self.sluice.run("pub", self.topic, "x", "--receipt") for _ in range(100))
        result = next(text for text in texts if text.returncode != 0)
        self.assertRegex(result.stdout, b"^rejected .*accepted=0 dropped=1 .*dropped_newest:1")
        self.produces("not-taken", result.stderr)

    def test_conflate(self):
        self.subscriber("--queue-messages", "2", "--overflow", "conflate,drop_newest")
        self.assertNotIn(b"partial", self.publish(9))
        self.produces("conflated", self.gap())

    def test_copies_that_expire_in_a_queue(self):
        self.subscriber()
        self.sluice.run("pub", self.topic, "--lines", "--deadline", "200ms",
                        stdin=b"".join(b"%d\n" % i for i in range(9)))
        self.produces("expired", self.gap())

    def test_reject(self):
        self.subscriber("--queue-messages", "2", "--overflow", "reject")
        texts = (self.publish(2) for _ in range(100))
        text = next(text for text in texts if b"rejected" in text)
        self.produces("rejected", text)
        self.produces("queue-full", text)

    def test_block_then_reject(self):
        self.subscriber("--queue-messages", "2", "--overflow", "block:100ms,reject")
        self.publish(9)
        self.produces("rejected", self.gap())

    def test_max_lag(self):
        self.subscriber("--max-lag", "100ms")
        self.publish(9)
        self.produces("lagged", self.gap())

    def test_a_message_larger_than_the_queue(self):
        self.subscriber("--queue-bytes", "4KiB")
        self.sluice.run("pub", self.topic, "--file", "-", stdin=bytes(10_000))
        self.produces("too_large", self.gap())

    def test_disconnect(self):
        process = self.subscriber("--queue-messages", "2", "--overflow", "disconnect",
                                  "--timeout", "2s")
        self.publish(9)
        _, err = process.communicate(timeout=DEADLINE_S)
        self.produces("slow-consumer", err)
        self.produces("disconnected", self.gap())

    def test_a_publish_that_is_withdrawn(self):
        self.subscriber()
        self.publish(3)
        result = self.sluice.run("pub", self.topic, "x", "--cancel-after", "1ms")
        self.assertIn(b"withdrawn: 1 copy of 1 message", result.stdout)
        self.produces("cancelled", self.gap())

    def test_a_publish_that_is_withdrawn_behind_a_block(self):
        process = self.sluice.subscriber(
            self.topic, "--credit", "1", "--slow", "1h", "--queue-messages", "2",
            "--overflow", "block", name=self.topic, stdout=subprocess.DEVNULL)
        self.addCleanup(self.end, process)
        self.publish(4)  # one in hand, one on its way, and two that fill the queue
        result = self.sluice.run("pub", self.topic, "x", "--cancel-after", "300ms",
                                 "--receipt").stdout
        self.produces("cancelled", result)
        self.produces("canceled", result)

    def test_a_publish_that_is_repeated(self):
        arguments = ["pub", self.topic, "x", "--producer-id", "1", "--first-sequence", "1"]
        self.assertEqual(self.sluice.run(*arguments).returncode, 0)
        self.produces("duplicate", self.sluice.run(*arguments, "--receipt").stdout)

    def test_two_of_one_producer(self):
        first = self.sluice.start("pub", self.topic, "--lines", "--producer-id", "2", "--receipt",
                                  stdin=subprocess.PIPE)
        self.addCleanup(self.end, first)
        first.stdin.write(b"x\n")
        first.stdin.flush()
        until("it has published", lambda: first.stdout.read1(1))
        self.assertEqual(self.sluice.run("pub", self.topic, "y", "--producer-id", "2").returncode,
                         0)
        self.produces("taken-over", first.communicate(b"z\n", timeout=DEADLINE_S)[1])
        self.assertEqual(first.returncode, 1)

    def test_durabilities(self):
        self.subscriber("--queue-messages", "1", "--overflow", "reject")
        self.produces("memory", self.sluice.run("pub", self.topic, "x", "--receipt").stdout)
        # A batch that no queue of one message can take, however fast the subscriber is.
        refused = self.sluice.run("pub", self.topic, "--lines", "--receipt", stdin=b"x\n" * 9)
        self.produces("none", refused.stdout)

    # What limits whom.

    def explained(self, kind, name):
        return json.loads(self.sluice.run("-o", "json", "explain", kind, name).stdout)

    def state(self, name):
        return self.explained("subscription", name)["subscription_list"][0]["state"]

    def test_states(self):
        self.produces("not-found", self.fails("explain", "subscription", "nobody"))
        self.subscriber()
        self.produces("idle", self.state(self.topic))
        self.publish(9)
        until("credit is used up", lambda: self.state(self.topic) == "waiting_credit")
        result = self.sluice.run("explain", "subscription", self.topic).stdout
        self.produces("waiting_credit", result)

    def test_a_subscriber_that_is_busy(self):
        for arguments in (["sub", self.topic, "--name", self.topic],
                          ["pub", self.topic, "x", "--count", "100000000"]):
            process = self.sluice.start("-q", *arguments, stdout=subprocess.DEVNULL)
            self.addCleanup(self.end, process)
            if arguments[0] == "sub":
                self.await_subscription(process)
        def times():
            rows = self.explained("subscription", self.topic)["subscription_list"]
            return rows[0]["times"]["total_ms"]
        until("messages flow", lambda: "delivering" in times())
        result = self.sluice.run("explain", "subscription", self.topic).stdout
        self.produces("delivering", result)

    def await_subscription(self, process):
        until("it has begun", lambda: self.sluice.is_subscribed(self.topic, process))

    def test_a_subscriber_that_is_paused(self):
        self.subscriber()
        self.produces("rehearsal-disabled",
                      self.fails("rehearse", "slow-subscriber", self.topic, "--delay", "1s",
                                 "--for", "1m"))
        self.assertEqual(self.sluice.run("subscription", "pause", self.topic).returncode, 0)
        self.publish(9)
        result = self.sluice.run("explain", "subscription", self.topic).stdout
        self.produces("paused", result)

    def test_a_publisher_that_is_blocked(self):
        self.subscriber("--queue-messages", "2", "--overflow", "block")
        process = self.sluice.start("pub", self.topic, "x", "--count", "99")
        self.addCleanup(self.end, process)
        def blocked():
            return [one["state"] for one in self.explained("topic", self.topic)["publisher_list"]]
        until("the publisher waits", lambda: "blocked_by" in blocked())
        self.produces("blocked_by", self.sluice.run("explain", "topic", self.topic).stdout)

    def test_a_limit_on_deliveries(self):
        pace = ["--level", "subscription", "--match", self.topic, "--direction", "out",
                "--messages-per-second", "1", "--burst-messages", "1", "--enforce", "delay"]
        with daemon() as paced:
            sluice = Sluice(SLUICE, paced.native)
            self.assertEqual(sluice.run("limit", "set", "pace", *pace).returncode, 0)
            process = sluice.subscriber(self.topic, name=self.topic)
            self.addCleanup(self.end, process)
            self.publish(9, sluice)
            result = sluice.run("explain", "subscription", self.topic).stdout
            self.produces("rate_limited", result)

    def test_a_subscriber_that_does_not_read(self):
        self.daemon.port = int(self.daemon.native.rsplit(":", 1)[1])
        peer = native.Peer(self.daemon, receive_bytes=4096)
        self.addCleanup(peer.close)
        peer.send(native.subscribe(1, [self.topic], credit=(1 << 20, 1 << 29)))
        peer.until(native.SUBSCRIBED)
        def stuck():
            self.flood(self.sluice, 2)
            rows = self.explained("topic", self.topic)["subscription_list"]
            return any(row["state"] == "tcp_window" for row in rows)
        until("the socket takes no more", stuck)
        self.produces("tcp_window", self.sluice.run("explain", "topic", self.topic).stdout)

    # Limits and bounds.

    def test_limits(self):
        def limit(action, name, *arguments):
            return self.sluice.run("limit", action, name, *arguments)
        self.produces("unknown-limit", limit("rm", "nobody").stderr)
        rate = ["--messages-per-second", "1", "--burst-messages", "1", "--enforce", "reject"]
        only = ["--level", "topic", "--match", self.topic]
        self.assertEqual(limit("set", "few", *only, *rate).returncode, 0)
        self.produces("resource-exhausted", limit("set", "more", *only, *rate).stderr)
        self.publish(9)
        self.produces("rate-limited", self.fails("pub", self.topic, "x"))
        self.assertEqual(limit("rm", "few").returncode, 0)

    def test_more_connections_than_allowed(self):
        with daemon(connection_max_connections=1) as full:
            with socket.create_connection(full.native.rsplit(":", 1)) as first:
                first.sendall(native.hello())
                self.assertTrue(first.recv(1))
                self.produces("connection-limit",
                              self.fails("ping", sluice=Sluice(SLUICE, full.native)))

    def test_more_topics_than_allowed(self):
        with daemon(topic_max_topics=1) as full:
            sluice = Sluice(SLUICE, full.native)
            process = sluice.subscriber(">", *SLOW)
            self.addCleanup(self.end, process)
            errors = [sluice.run("pub", f"{self.topic}.{i}", "x").stderr for i in range(9)]
            self.produces("topic-limit", b"".join(errors))

    def test_a_small_mailbox_between_shards(self):
        with daemon("--shards", "2", mailbox_entries=64) as small:
            sluice = Sluice(SLUICE, small.native)
            for i in range(4):  # on both shards
                self.addCleanup(self.end, sluice.subscriber(">", name=f"{self.topic}.{i}"))
            # Each line is a publish of its own: its topic is not that of the one before.
            lines = b"a x\nb x\n" * 5000
            def refused():
                err = sluice.run("pub", "--lines", "--topic-from-line", " ", stdin=lines).stderr
                return err if b"rejected" in err else None
            text = until("the mailbox is full", refused)
            self.produces("shard-busy", text)

    def test_more_subscriptions(self):
        with daemon(connection_max_subscriptions=1) as full:
            full.port = int(full.native.rsplit(":", 1)[1])
            peer = native.Peer(full)
            self.addCleanup(peer.close)
            peer.send(native.subscribe(1, ["a"]) + native.subscribe(2, ["a"]))
            self.assertEqual(peer.error(), (208, 0))

    def test_what_streams_need(self):
        self.daemon.port = int(self.daemon.native.rsplit(":", 1)[1])
        peer = native.Peer(self.daemon)
        self.addCleanup(peer.close)
        body = struct.pack("<BBHIQQQ", 0, 0, 0, 1, 0, 1, 0) + native.text("orders")
        peer.send(native.frame(FETCH, body, 3))
        self.assertEqual(peer.error(), (15, 0))

    def flood(self, sluice, megabytes):
        """Lines of 60 000 bytes, as fast as they are granted."""
        line = b"x" * 60_000 + b"\n"
        return sluice.run("pub", self.topic, "--lines", stdin=line * (megabytes * 16)).stderr

    def short(self):
        """A daemon with little memory, and queues that may be larger than that."""
        return daemon(node_memory_budget="64MiB", subscription_queue_bytes="1MiB")

    def test_memory_runs_short(self):
        with self.short() as poor:
            sluice = Sluice(SLUICE, poor.native)
            self.subscriber("--queue-bytes", "1GiB", sluice=sluice)
            def squeezed():
                self.flood(sluice, 10)
                return self.ledger(sluice)["dropped_by"].get("squeezed", 0) > 0
            until("the queue gives way", squeezed)
            self.produces("squeezed", self.gap())

    def test_memory_that_does_not_suffice(self):
        with self.short() as poor:
            sluice = Sluice(SLUICE, poor.native)
            self.subscriber("--queue-bytes", "1GiB", "--overflow", "drop_newest", sluice=sluice)
            self.produces("memory-budget", self.flood(sluice, 100))

    # Connections.

    def test_frames_that_the_client_does_not_take(self):
        with daemon(connection_max_frame="64MiB", topic_grant="128MiB") as large:
            self.produces("frame-too-large",
                          self.fails("ping", sluice=Sluice(SLUICE, large.native)))

    def test_a_broker_that_is_not_there(self):
        self.produces("connect-failed", self.fails("--server", "127.0.0.1:1", "ping"))

    def test_a_server_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            away = Sluice(SLUICE, f"127.0.0.1:{server.getsockname()[1]}")
            self.produces("timeout", self.fails("--connect-timeout", "200ms", "ping", sluice=away))

    def leaves(self, how):
        """What a subscriber says when its broker is sent this signal."""
        with daemon() as leaving:
            process = Sluice(SLUICE, leaving.native).subscriber("--no-reconnect", self.topic)
            leaving.process.send_signal(how)
            return b"".join(process.communicate(timeout=DEADLINE_S))

    def test_a_broker_that_goes_away(self):
        self.produces("draining", self.leaves(signal.SIGTERM))

    def test_a_broker_that_dies(self):
        self.produces("connection-lost", self.leaves(signal.SIGKILL))


if __name__ == "__main__":
    SLUICED, SLUICE = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
