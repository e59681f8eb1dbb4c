#!/usr/bin/python3
"""The command line as people and scripts use it: pipes, signals, exit codes, bytes, bad input.

usage: cli_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import BrokerCase, SLUICE, run
from processes import DEADLINE_S, Sluice, until

BINARY = bytes(range(256)) * 3
# Nothing listens there: the port is reserved and below those that the system gives out.
NOWHERE = "127.0.0.1:1"


class CliTest(BrokerCase):
    def end(self, process, with_signal=None, status=0):
        """Waits for its end and returns (output, errors)."""
        if with_signal is not None:
            process.send_signal(with_signal)
        out, err = process.communicate(timeout=DEADLINE_S)
        self.assertEqual(process.returncode, status, err)
        return out, err

    def fail_with(self, *arguments, **options):
        error = super().fail_with(*arguments, **options)
        self.assertNotEqual(error, "")
        return error


class Messages(CliTest):
    def test_what_is_published_arrives(self):
        sub = self.subscriber(self.topic, "--count", "1")
        published = self.succeed("pub", self.topic, "hello there")
        self.assertEqual((published.stdout, published.stderr), (b"", b""))
        out, err = self.end(sub)
        self.assertEqual(out.decode(), f"{self.topic} hello there\n")
        self.assertIn(b"1 message, 11 B", err)

    def test_bytes_stay_as_they_are(self):
        sub = self.subscriber(self.topic, "--count", "1", "--format", "raw")
        self.succeed("pub", self.topic, "--file", "-", stdin=BINARY)
        self.assertEqual(self.end(sub)[0], BINARY)

    def test_a_file_is_one_message(self):
        sub = self.subscriber(self.topic, "--count", "1", "--format", "%l")
        self.succeed("pub", self.topic, "--file", __file__)
        self.assertEqual(int(self.end(sub)[0]), os.path.getsize(__file__))

    def test_json_tells_text_from_bytes(self):
        sub = self.subscriber(self.topic, "--count", "2", "-o", "json")
        self.succeed("pub", self.topic, "ümlaut", "--key", "k", "-H", "a=1", "-H", "b=2")
        self.succeed("pub", self.topic, "--file", "-", stdin=b"\xff")
        out, err = self.end(sub)
        first, second = map(json.loads, out.splitlines())
        self.assertEqual((first["topic"], first["payload"], first["key"], first["headers"]),
                         (self.topic, "ümlaut", "k", [["a", "1"], ["b", "2"]]))
        self.assertEqual(second["payload_base64"], "/w==")
        self.assertEqual(json.loads(err)["messages"], 2)

    def test_wildcards_and_several_filters(self):
        sub = self.subscriber(self.topic + ".*.x", self.topic + ".deep.>", "--count", "2",
                              "--format", "%t\\n")
        for tail in ("a.x", "a.y", "deep.b.c"):
            self.succeed("pub", f"{self.topic}.{tail}", "")
        self.assertEqual(self.end(sub)[0].decode().split(),
                         [f"{self.topic}.a.x", f"{self.topic}.deep.b.c"])

    def test_count_publishes_the_same_again(self):
        sub = self.subscriber(self.topic, "--count", "1000", "--format", "%p\\n")
        result = self.succeed("pub", self.topic, "again", "--count", "1000")
        self.assertIn(b"1 000 messages", result.stderr)
        self.assertEqual(self.end(sub)[0], b"again\n" * 1000)

    def test_a_deadline_that_has_passed_is_told(self):
        error = self.fail_with(4, "pub", self.topic, "late", "--deadline", "1ns")
        self.assertIn("expired", error)


class Pipes(CliTest):
    def test_lines_arrive_in_order(self):
        lines = b"".join(b"line %d\n" % i for i in range(20_000))
        sub = self.subscriber(self.topic, "--count", "20000", "--format", "%p\\n", "--overflow",
                              "block")
        result = self.succeed("pub", self.topic, "--lines", stdin=lines)
        self.assertIn(b"20 000 messages", result.stderr)
        self.assertEqual(self.end(sub)[0], lines)

    def test_a_last_line_without_newline_counts(self):
        sub = self.subscriber(self.topic, "--count", "3", "--format", "[%p]")
        self.succeed("pub", self.topic, "--lines", stdin=b"a\n\nb")
        self.assertEqual(self.end(sub)[0], b"[a][][b]")

    def test_topics_come_from_the_lines(self):
        sub = self.subscriber(self.topic + ".>", "--count", "2", "--format", "%t=%p\\n")
        lines = f"{self.topic}.a\tone\twith tab\n{self.topic}.b\ttwo\n"
        self.succeed("pub", "--lines", "--topic-from-line", "\t", stdin=lines.encode())
        self.assertEqual(self.end(sub)[0].decode(),
                         f"{self.topic}.a=one\twith tab\n{self.topic}.b=two\n")

    def test_bad_lines_are_named_and_the_others_published(self):
        sub = self.subscriber(self.topic + ".>", "--count", "2", "--format", "%p ")
        lines = f"{self.topic}.a|1\nno separator\nbad topic|2\n{self.topic}.b|3\n"
        error = self.fail_with(4, "pub", "--lines", "--topic-from-line", "|", stdin=lines.encode())
        self.assertIn("line 2: bad-argument", error)
        self.assertIn("line 3: bad-topic", error)
        self.assertIn("2 lines not published", error)
        self.assertEqual(self.end(sub)[0], b"1 3 ")

    def test_lines_of_a_slow_writer_leave_at_once(self):
        sub = self.subscriber(self.topic, "--count", "1", "--format", "%p\\n")
        pub = self.start("pub", self.topic, "--lines", stdin=subprocess.PIPE)
        pub.stdin.write(b"first\n")
        pub.stdin.flush()
        self.assertEqual(self.end(sub)[0], b"first\n")
        self.end(pub)

    def test_messages_are_shown_before_the_next_ones_come(self):
        sub = self.subscriber(self.topic)
        for text in ("one", "two"):
            self.succeed("pub", self.topic, text)
            self.assertEqual(sub.stdout.readline().decode(), f"{self.topic} {text}\n")
        self.end(sub, signal.SIGINT, 130)

    def test_a_reader_that_goes_away_ends_it(self):
        sub = self.subscriber(self.topic)
        head = subprocess.Popen(["head", "-1"], stdin=sub.stdout, stdout=subprocess.PIPE)
        sub.stdout.close()
        sub.stdout = None
        self.succeed("pub", self.topic, "only")
        out, _ = head.communicate(timeout=DEADLINE_S)
        self.assertEqual(out.decode(), f"{self.topic} only\n")
        # Without a further message: that nobody reads is noticed by itself.
        self.end(sub)

    def test_a_reader_that_goes_away_in_the_middle_of_a_flood(self):
        sub = self.subscriber(self.topic, "--overflow", "block:10s,drop_oldest")
        head = subprocess.Popen(["head", "-1"], stdin=sub.stdout, stdout=subprocess.DEVNULL)
        sub.stdout.close()
        sub.stdout = None
        self.sluice.run("pub", self.topic, "x" * 500, "--count", "50000")
        self.assertEqual(head.wait(timeout=DEADLINE_S), 0)
        self.end(sub)

    def test_output_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            sub = self.subscriber(self.topic, "--count", "1", stdout=full)
            self.succeed("pub", self.topic, "x")
            self.assertIn(b"No space left", self.end(sub, status=1)[1])


class Signals(CliTest):
    def test_ctrl_c_unsubscribes_and_sums_up(self):
        sub = self.subscriber(self.topic)
        self.succeed("pub", self.topic, "one")
        sub.stdout.readline()
        _, err = self.end(sub, signal.SIGINT, 130)
        self.assertIn(b"1 message, 3 B", err)
        self.assertIn(b"1 matched = 1 delivered", err)
        until("unsubscribed", lambda: all(row["name"] != self.topic
                                          for row in self.sluice.status()["subscription_list"]))

    def test_what_had_arrived_is_shown_before_the_end(self):
        sub = self.subscriber(self.topic, "--slow", "1h", "--format", "%p ")
        self.succeed("pub", self.topic, "x", "--count", "100")
        until("delivered", lambda: self.ledger()["delivered"] == 100)
        self.assertEqual(self.end(sub, signal.SIGINT, 130)[0], b"x " * 100)

    def ledger(self):
        rows = self.sluice.status()["subscription_list"]
        return next(row["ledger"] for row in rows if row["name"] == self.topic)

    def test_sigterm_has_its_own_exit_code(self):
        self.end(self.subscriber(self.topic), signal.SIGTERM, 143)

    def test_ctrl_c_while_lines_are_awaited(self):
        pub = self.start("pub", self.topic, "--lines", stdin=subprocess.PIPE)
        sub = self.subscriber(self.topic)
        pub.stdin.write(b"one\n")
        pub.stdin.flush()
        self.assertEqual(sub.stdout.readline().decode(), f"{self.topic} one\n")
        pub.send_signal(signal.SIGINT)
        self.assertEqual(pub.wait(timeout=DEADLINE_S), 130)

    def test_ctrl_c_while_receipts_are_awaited_gives_them_time(self):
        sub = self.subscriber(self.topic, "--overflow", "block", "--queue-messages", "1",
                              "--credit", "1", "--slow", "200ms")
        pub = self.start("pub", self.topic, "x", "--count", "5")
        until("blocked", lambda: self.ledger()["matched"] == 5)
        _, err = self.end(pub, signal.SIGINT, 130)
        self.assertIn(b"receipts: 5 accepted", err)
        self.end(sub, signal.SIGINT, 130)

    def test_ctrl_c_while_connecting(self):
        # 192.0.2.0/24 is for documentation: no answer comes. Some networks refuse at once.
        process = self.start("--server", "192.0.2.1:4880", "--connect-timeout", "50s", "ping")
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self.end(process, signal.SIGINT, 130)
        else:
            self.assertEqual(process.returncode, 3)


class ExitCodes(CliTest):
    def test_a_server_that_is_not_there(self):
        for verb in (["ping"], ["status"], ["pub", "t", "p"], ["sub", "t"], ["request", "t"],
                     ["reply", "t", "--echo"], ["bench", "--seconds", "1"]):
            error = self.fail_with(3, *verb, sluice=Sluice(SLUICE, NOWHERE))
            self.assertIn(f"sluice {verb[0]}: ", error)
            self.assertIn("connect-failed", error)
            self.assertIn("check the address", error.lower())

    def test_the_flag_wins_over_the_environment(self):
        away = Sluice(SLUICE, NOWHERE)
        result = away.run("ping", "--count", "1", "--server", self.daemon.native)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_count_not_reached(self):
        error = self.fail_with(5, "sub", self.topic, "--count", "1", "--timeout", "50ms")
        self.assertIn("0 of 1 messages", error)

    def test_nothing_came(self):
        self.fail_with(5, "sub", self.topic, "--timeout", "50ms")

    def test_something_came(self):
        sub = self.subscriber(self.topic, "--timeout", "2s")
        self.succeed("pub", self.topic, "x")
        self.end(sub)

    def test_no_responders(self):
        error = self.fail_with(6, "request", self.topic, "anybody?")
        self.assertIn("no-responders", error)
        self.fail_with(6, "pub", self.topic, "x", "--need", "responders")

    def test_a_need_that_is_not_met(self):
        error = self.fail_with(4, "pub", self.topic, "x", "--need", "disk")
        self.assertIn("durability-unavailable", error)
        self.assertIn("need-not-met",
                      self.fail_with(4, "pub", self.topic, "x", "--need", "name:nobody"))

    def test_lines_that_do_not_all_fit_a_queue_that_rejects(self):
        self.subscriber(self.topic, "--queue-messages", "3", "--overflow", "reject", "--credit",
                        "1", "--slow", "1h")
        lines = b"".join(b"%d\n" % i for i in range(20))
        whole = self.sluice.run("pub", self.topic, "--lines", stdin=lines)
        self.assertEqual(whole.returncode, 4)
        self.assertIn(b"20 messages went as one batch, which is refused as a whole there; with "
                      b"--each every message", whole.stderr)
        each = self.sluice.run("pub", self.topic, "--lines", "--each", stdin=lines)
        self.assertEqual(each.returncode, 4)
        taken = re.search(rb"receipts: (\d+) accepted, (\d+) rejected", each.stderr)
        self.assertEqual(int(taken[1]) + int(taken[2]), 20, each.stderr)
        self.assertIn(int(taken[1]), (3, 4, 5), each.stderr)  # with what is on its way

    def test_a_full_queue_that_rejects(self):
        sub = self.subscriber(self.topic, "--queue-messages", "1", "--overflow", "reject",
                              "--credit", "1", "--slow", "1h")
        results = [self.sluice.run("pub", self.topic, "x", "--receipt") for _ in range(5)]
        refused = [result for result in results if result.returncode == 4]
        self.assertTrue(refused, results)
        self.assertIn(b"rejected", refused[0].stdout)
        self.assertIn(b"queue-full", refused[0].stderr)
        self.assertIn(self.topic.encode(), refused[0].stderr)
        self.end(sub, signal.SIGINT, 130)

    def test_names_that_are_not_valid(self):
        self.assertIn("bad-topic", self.fail_with(2, "pub", "a..b", "x"))
        self.assertIn("bad-topic", self.fail_with(2, "pub", "a.*", "x"))
        self.assertIn("bad-filter", self.fail_with(2, "sub", "a.>.b"))
        self.assertIn("reserved-topic", self.fail_with(2, "pub", "$sys.x", "x"))
        error = self.fail_with(2, "sub", "a", "--overflow", "block:50ms,drop_oldst")
        self.assertIn("bad-ladder", error)
        self.assertIn("did you mean 'drop_oldest'", error)

    def test_usage(self):
        for line in ([], ["pubb", "x"], ["pub"], ["pub", "t"], ["pub", "t", "x", "y"],
                     ["pub", "t", "x", "--file", "f"], ["sub"], ["sub", "t", "--count", "x"],
                     ["sub", "t", "--format", "%"], ["sub", "t", "--cuont", "1"],
                     ["reply", "t"], ["reply", "t", "x", "--echo"], ["errors", "no-such"],
                     ["bench", "--publishers", "2", "--subscribers", "3"], ["completion", "csh"]):
            self.fail_with(2, *line)

    def test_a_file_that_is_not_there(self):
        error = self.fail_with(1, "pub", self.topic, "--file", "/nonexistent/file")
        self.assertIn("/nonexistent/file: No such file", error)

    def test_a_message_that_is_too_large(self):
        error = self.fail_with(4, "pub", self.topic, "--file", "-", stdin=b"x" * (2 << 20))
        self.assertIn("message-too-large", error)


class Receipts(CliTest):
    def test_a_receipt_for_each_message(self):
        sub = self.subscriber(self.topic, "--count", "3")
        result = self.succeed("pub", self.topic, "--lines", "--receipt", stdin=b"1\n2\n3\n")
        self.end(sub)
        lines = result.stdout.decode().splitlines()
        self.assertEqual(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"^accepted messages=1 durability=memory matched=1 accepted=1")

    def test_receipts_as_json(self):
        result = self.succeed("-o", "json", "pub", self.topic, "x", "--receipt")
        receipt = json.loads(result.stdout)
        self.assertEqual((receipt["status"], receipt["matched"]), ("accepted", 0))

    def test_the_summary_as_json(self):
        result = self.succeed("-o", "json", "pub", self.topic, "x", "--count", "10")
        summary = json.loads(result.stderr)
        self.assertEqual((summary["messages"], summary["ok"], summary["receipts"]["accepted"]),
                         (10, 10, 10))


class Gaps(CliTest):
    def fill(self, *arguments):
        sub = self.subscriber(self.topic, "--queue-messages", "10", "--credit", "1", "--slow",
                              "20ms", *arguments)
        # A batch that is larger than the queue is dropped in part at once, and its receipt says so.
        result = self.sluice.run("pub", self.topic, "x", "--count", "1000")
        self.assertIn(result.returncode, (0, 4), result.stderr)
        until("drained", lambda: self.queued() == 0)
        return self.end(sub, signal.SIGINT, 130)

    def queued(self):
        rows = self.sluice.status()["subscription_list"]
        ledger = next(row["ledger"] for row in rows if row["name"] == self.topic)
        return ledger["queued"] + ledger["waiting"]

    def test_gaps_stand_in_the_json_stream(self):
        out, err = self.fill("-o", "json")
        expected = 1
        for item in map(json.loads, out.splitlines()):
            gap = item.get("gap")
            if gap is None:
                self.assertEqual(item["sequence"], expected)
                expected += 1
            else:
                self.assertEqual(gap["first_sequence"], expected)
                self.assertEqual(gap["reason"], "dropped_oldest")
                expected = gap["last_sequence"] + 1
        summary = json.loads(err)
        self.assertEqual(summary["messages"] + summary["missing"], 1000)
        self.assertGreater(summary["gaps"], 0)
        self.assertEqual(summary["account"]["matched"], 1000)

    def test_gaps_go_to_standard_error_otherwise(self):
        out, err = self.fill("--format", "%p\\n")
        self.assertEqual(set(out.split()), {b"x"})
        self.assertRegex(err.decode(), r"gap: [\d ]+ messages missing, sequence \d+ to \d+, .*: "
                                       "dropped_oldest")

    def test_quiet_prints_messages_alone(self):
        _, err = self.fill("-q")
        self.assertEqual(err, b"")


class Sharing(CliTest):
    def test_each_message_goes_to_one_member(self):
        members = [self.start("sub", self.topic, "--share", "g", "--format", "%p\\n")
                   for _ in range(2)]
        until("both are members", lambda: any(row["group"] == "g" and row["members"] == 2
                                              for row in self.sluice.status()["subscription_list"]))
        lines = b"".join(b"%d\n" % i for i in range(2000))
        self.succeed("pub", self.topic, "--lines", stdin=lines)
        until("delivered", lambda: any(row["group"] == "g" and row["ledger"]["delivered"] == 2000
                                       for row in self.sluice.status()["subscription_list"]))
        parts = [self.end(member, signal.SIGINT, 130)[0] for member in members]
        self.assertEqual(sorted(b"".join(parts).split()), sorted(lines.split()))


class Requests(CliTest):
    def reply(self, *arguments):
        process = self.start("reply", self.topic, "--name", self.topic, *arguments)
        until("subscribed", lambda: self.sluice.is_subscribed(self.topic, process))
        return process

    def test_echo(self):
        reply = self.reply("--echo", "--count", "1")
        result = self.succeed("request", self.topic, "--file", "-", "--format", "raw",
                              stdin=BINARY)
        self.assertEqual(result.stdout, BINARY)
        self.end(reply)

    def test_a_fixed_text(self):
        reply = self.reply("pong", "--count", "2")
        for _ in range(2):
            self.assertEqual(self.succeed("request", self.topic, "ping").stdout, b"pong\n")
        self.end(reply)

    def test_a_command(self):
        reply = self.reply("--command", 'printf "%s:" "$SLUICE_TOPIC"; tr a-z A-Z', "--count", "1")
        result = self.succeed("request", self.topic, "shout")
        self.assertEqual(result.stdout.decode(), f"{self.topic}:SHOUT\n")
        self.end(reply)

    def test_a_command_that_fails_says_so(self):
        reply = self.reply("--command", "exit 7", "--count", "1")
        result = self.succeed("request", self.topic, "", "--format", "%{exit-code}")
        self.assertEqual(result.stdout, b"7")
        self.end(reply)

    def test_an_answer_that_is_too_large_is_told_and_ends_nothing(self):
        reply = self.reply("--command", "head -c 2000000 /dev/zero", "--count", "2")
        for _ in range(2):
            self.assertIn("message-too-large", self.fail_with(1, "request", self.topic))
        self.end(reply)

    def test_no_answer_in_time(self):
        reply = self.reply("--command", "exec sleep 100")
        error = self.fail_with(5, "request", self.topic, "x", "--timeout", "100ms")
        self.assertIn(self.topic, error)
        self.end(reply, signal.SIGINT, 130)


class Information(CliTest):
    def test_ping(self):
        result = self.succeed("ping", "--count", "2", "--interval", "1ms")
        pongs = re.findall(r"^pong from \S+ \(.*\): ", result.stdout.decode(), re.M)
        self.assertEqual(len(pongs), 2)
        answer = json.loads(self.succeed("-o", "json", "ping", "--count", "2").stdout)
        self.assertEqual(len(answer["rtt_ns"]), 2)

    def test_status(self):
        sub = self.subscriber(self.topic + ".>", "--queue-messages", "77")
        self.succeed("pub", self.topic + ".a", "x")
        text = self.succeed("status", "--connections").stdout.decode()
        row = next(line for line in text.splitlines() if line.startswith(self.topic))
        self.assertIn(self.topic + ".>", row)
        self.assertTrue(row.rstrip().endswith("ok"), row)
        self.assertIn("ledger: balanced", text)
        self.assertIn("CONNECTION", text)
        self.end(sub, signal.SIGINT, 130)

    def test_errors(self):
        self.assertIn(b"queue-full (200)", self.succeed("errors", "queue-full").stdout)
        self.assertEqual(self.succeed("errors", "200").stdout,
                         self.succeed("errors", "queue-full").stdout)
        self.assertEqual(json.loads(self.succeed("-o", "json", "errors", "200").stdout)["name"],
                         "queue-full")
        listed = json.loads(self.succeed("-o", "json", "errors").stdout)
        self.assertGreater(len(listed), 40)
        self.assertIn("did you mean 'queue-full'", self.fail_with(2, "errors", "queue-ful"))

    def test_version(self):
        self.assertRegex(self.succeed("version").stdout, rb"^sluice \d+\.\d+\.\d+\n$")
        self.assertEqual(self.succeed("version").stdout, self.succeed("--version").stdout)

    def test_completion_is_valid_shell(self):
        script = self.succeed("completion", "bash").stdout
        subprocess.run(["bash", "-n"], input=script, check=True)

    def test_bench(self):
        for mode in ("1:1", "fanout", "fanin"):
            result = self.succeed("-o", "json", "bench", "--mode", mode, "--seconds", "0.3",
                                  "--rate", "2000")
            report = json.loads(result.stdout)
            copies = report["published"]["messages"] * (10 if mode == "fanout" else 1)
            self.assertGreater(copies, 0)
            self.assertEqual(report["delivered"]["messages"] + report["missing"], copies, report)
            self.assertEqual(report["latency_ns"]["count"], report["delivered"]["messages"])
            self.assertGreaterEqual(report["latency_ns"]["max"], report["latency_ns"]["p50"])
        text = self.succeed("bench", "--seconds", "0.2").stdout.decode()
        self.assertIn("p99.9", text)


if __name__ == "__main__":
    run(__doc__)
