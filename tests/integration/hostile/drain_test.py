"""SIGTERM: what can be delivered is, what is left is told in the last line and the exit code."""

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


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
