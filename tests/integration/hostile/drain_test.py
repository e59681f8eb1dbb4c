"""SIGTERM: what can be delivered is, what is left is told in the last line and the exit code."""

import ctypes
import os
import signal
import sys
import unittest

import native_client as native
from native_client import Daemon, Peer

PROGRAM = sys.argv.pop(1)
INCOMPLETE = 5


class Drain(unittest.TestCase):
    def test_idle_it_ends_at_once_and_says_goodbye(self):
        with Daemon(PROGRAM) as daemon:
            peer = Peer(daemon)
            daemon.terminate()
            self.assertEqual(peer.frame()[0], native.GOAWAY)
            self.assertTrue(peer.ends())
            self.assertEqual(daemon.ended(), (0, "drained messages_left=0 publishes_left=0"))

    def test_under_load_every_accepted_message_is_delivered(self):
        with Daemon(PROGRAM) as daemon:
            publisher, subscriber = Peer(daemon), Peer(daemon)
            subscriber.send(native.subscribe(1, ["load"], "block"))
            subscriber.until(native.SUBSCRIBED)
            for number in range(1, 201):
                publisher.send(native.publish(number, "load", [b"x" * 1000]))
            publisher.until(native.RECEIPT)
            daemon.terminate()
            delivered = 0
            while (found := subscriber.frame()) is not None:
                delivered += found[0] == native.DELIVER
            accepted = 0
            first = True
            while (found := publisher.frame()) is not None:
                if found[0] != native.RECEIPT:
                    continue
                accepted = found[1] if found[2][8] == 0 else accepted
                first = False
            code, line = daemon.ended()
            self.assertEqual((code, line), (0, "drained messages_left=0 publishes_left=0"))
            self.assertFalse(first and delivered == 0)
            self.assertGreaterEqual(delivered, accepted)

    def stuck(self, daemon):
        publisher, subscriber = Peer(daemon), Peer(daemon)
        subscriber.send(native.subscribe(1, ["stuck"], "block", 3, (0, 0)))
        subscriber.until(native.SUBSCRIBED)
        publisher.send(native.publish(1, "stuck", [b"x"] * 3))
        publisher.until(native.RECEIPT)
        publisher.send(native.publish(2, "stuck", [b"x"] * 2) + native.ping(1))
        publisher.until(native.PONG)
        return publisher, subscriber

    def test_what_a_stuck_subscriber_leaves_is_told(self):
        with Daemon(PROGRAM, drain={"deadline": '"200ms"'}) as daemon:
            peers = self.stuck(daemon)
            daemon.terminate()
            code, line = daemon.ended()
            self.assertEqual(code, INCOMPLETE)
            self.assertRegex(line, r"^drained messages_left=5 publishes_left=[12]$")
            self.assertTrue(all(peer.ends() for peer in peers))

    def test_a_second_signal_cuts_it_short(self):
        with Daemon(PROGRAM, drain={"deadline": '"600s"'}) as daemon:
            peers = self.stuck(daemon)
            daemon.terminate()
            self.assertEqual(peers[0].until(native.GOAWAY)[0], native.GOAWAY)
            daemon.process.send_signal(signal.SIGINT)
            self.assertEqual(daemon.ended()[0], INCOMPLETE)

    def test_a_shard_that_hangs_does_not_keep_the_process(self):
        with Daemon(PROGRAM, drain={"deadline": '"200ms"'}) as daemon:
            peers = self.stuck(daemon)
            with frozen_thread(self, daemon.process.pid, "shard-1") as thread:
                daemon.terminate()
                line = daemon.process.stdout.read().strip().splitlines()[-1]
                thread.reap()
                self.assertEqual(daemon.process.wait(native.WAIT), INCOMPLETE)
            self.assertRegex(
                line, r"^drained messages_left=[0-9]+ publishes_left=[0-9]+ shards_stuck=1$")
            self.assertIn("does not answer", daemon.log())
            self.assertIn("shards=1", daemon.log())
            for peer in peers:
                peer.socket.close()


class frozen_thread:
    """Stops one thread of a child as a debugger does; the others go on."""

    SEIZE, INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000

    def __init__(self, case, process, name):
        self.thread = next(int(thread) for thread in os.listdir(f"/proc/{process}/task")
                           if thread_name(process, thread) == name)
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        if libc.ptrace(self.SEIZE, self.thread, None, None) != 0:
            case.skipTest(f"no thread may be stopped here: {os.strerror(ctypes.get_errno())}")
        libc.ptrace(self.INTERRUPT, self.thread, None, None)
        os.waitpid(self.thread, self.WALL)
        self.reaped = False

    def reap(self):
        """It has been killed with its process, which ends only when its tracer has seen so."""
        while not self.reaped:
            _, status = os.waitpid(self.thread, self.WALL)
            self.reaped = os.WIFEXITED(status) or os.WIFSIGNALED(status)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def thread_name(process, thread):
    with open(f"/proc/{process}/task/{thread}/comm", encoding="ascii") as file:
        return file.read().strip()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
