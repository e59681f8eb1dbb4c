"""Whatever a peer does on the real socket: an ERROR that says why or a clean close, nobody else
notices, nothing grows."""

import os
import random
import socket
import struct
import sys
import unittest

import native_client as native
from native_client import Daemon, HealthyPair, Peer

PROGRAM = sys.argv.pop(1)

BAD_MAGIC, BAD_VERSION, BAD_FRAME, TOO_LARGE, RESERVED, UNKNOWN_KIND, UNEXPECTED = range(1, 8)
BAD_BATCH, BAD_CHECKSUM, UNKNOWN_TOPIC, UNKNOWN_SUBSCRIPTION, CREDIT_OVERFLOW = range(8, 13)
HANDSHAKE_TIMEOUT, CONNECTION_LIMIT = 14, 209


def publish_by_id(number, topic):
    return native.frame(native.PUBLISH,
                        struct.pack("<IHH", topic, 0, 0) + native.batch([b"x"]), number)


# What is sent first on a new connection, and the error it is answered with.
BEFORE_HELLO = {
    "http": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", BAD_MAGIC),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), BAD_MAGIC),
    "another magic": (native.hello(magic=7), BAD_MAGIC),
    "a later version": (native.hello(low=9, high=12), BAD_VERSION),
    "version 0": (native.hello(low=0, high=0), BAD_FRAME),
    "a publish": (native.publish(1, "a", [b"x"]), BAD_MAGIC),
    "a small frame limit": (native.hello(max_frame=65536), TOO_LARGE),
    "a hello cut short": (native.frame(native.HELLO, b"\x53\x4c\x43\x45\x01\x00", 1), BAD_FRAME),
    "a huge hello": (struct.pack("<IBBHQ", 1 << 30, native.HELLO, 0, 0, 1), BAD_MAGIC),
}

# What is sent after WELCOME, the error, and whether the connection ends with it.
AFTER_HELLO = {
    "a second hello": (native.hello(), UNEXPECTED, True),
    "an unknown kind": (native.frame(200), UNKNOWN_KIND, True),
    "kind 0": (native.frame(0), UNKNOWN_KIND, True),
    "reserved bits": (struct.pack("<IBBHQ", 8, native.PING, 0, 7, 1) + bytes(8), RESERVED, True),
    "unknown flags": (native.frame(native.PING, bytes(8), 1, 0x40), RESERVED, True),
    "a frame of a broker": (native.frame(native.GOAWAY, bytes(10)), UNEXPECTED, True),
    "an oversized frame": (struct.pack("<IBBHQ", 1 << 31, native.PUBLISH, 0, 0, 1), TOO_LARGE,
                           True),
    "a ping cut short": (native.frame(native.PING, b"\1"), BAD_FRAME, True),
    "a ping too long": (native.frame(native.PING, bytes(99)), BAD_FRAME, True),
    "a bad checksum": (native.publish(1, "a", [b"x"], checksum=1), BAD_CHECKSUM, True),
    "a wrong count": (native.publish(1, "a", [b"x"], count=9), BAD_BATCH, True),
    "no messages": (native.publish(1, "a", []), BAD_BATCH, True),
    "a topic never opened": (publish_by_id(1, 4711), UNKNOWN_TOPIC, False),
    "topic id -1": (publish_by_id(1, 0xFFFFFFFF), UNKNOWN_TOPIC, False),
    "an unknown subscription": (native.credit(99, 1, 1), UNKNOWN_SUBSCRIPTION, False),
    "too much credit": (native.subscribe(1, ["a"]) + native.credit(1, 2**64 - 1, 2**64 - 1),
                        CREDIT_OVERFLOW, True),
    "too much first credit": (native.subscribe(1, ["a"], credit=(2**64 - 1, 2**63)),
                              CREDIT_OVERFLOW, True),
    "numbers that fall": (native.publish(5, "a", [b"x"]) + native.publish(5, "a", [b"x"]), 17,
                          True),
}


class Hostile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(PROGRAM)
        cls.pair = HealthyPair(cls.daemon)

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()

    def tearDown(self):
        self.pair.goes_on()

    def test_what_comes_before_hello_is_answered_and_closed(self):
        for name, (data, code) in BEFORE_HELLO.items():
            with self.subTest(name):
                peer = Peer(self.daemon, greet=False)
                peer.send(data)
                self.assertEqual(peer.error(), (code, 1))
                self.assertTrue(peer.ends())
                self.pair.goes_on()

    def test_what_breaks_the_protocol_is_answered(self):
        for name, (data, code, closes) in AFTER_HELLO.items():
            with self.subTest(name):
                peer = Peer(self.daemon)
                peer.send(data)
                found = peer.error()
                self.assertEqual(found, (code, int(closes)))
                if closes:
                    self.assertTrue(peer.ends())
                else:
                    peer.send(native.ping(7))
                    peer.until(native.PONG)
                peer.close()
                self.pair.goes_on()

    def test_random_bytes_end_in_a_close(self):
        generator = random.Random(1)
        for size in [1, 15, 16, 17, 100, 5000, 100000] * 6:
            for greet in (False, True):
                peer = Peer(self.daemon, greet)
                try:
                    peer.send(generator.randbytes(size))
                    peer.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # it was closed while this was being sent
                self.assertTrue(peer.ends())
                peer.close()
        self.pair.goes_on()

    def test_damaged_frames_end_in_an_answer_or_a_close(self):
        generator = random.Random(2)
        for _ in range(300):
            data = bytearray(native.subscribe(1, ["a.*", "b"], "block:50ms,drop_oldest") +
                             native.publish(1, "a.b", [b"one", b"two"]) + native.credit(1, 5, 500))
            for _ in range(generator.randrange(1, 4)):
                data[generator.randrange(len(data))] = generator.randrange(256)
            peer = Peer(self.daemon)
            peer.send(bytes(data))
            peer.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(peer.ends())
            peer.close()

    def test_a_peer_that_shuts_down_its_side_is_told_what_it_is_owed(self):
        peer = Peer(self.daemon)
        peer.send(native.publish(1, "nobody", [b"x"]))
        peer.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.frame()[0], native.RECEIPT)
        self.assertTrue(peer.ends())

    def test_a_frame_in_single_bytes_is_one_frame(self):
        peer = Peer(self.daemon)
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in native.ping(9) + native.publish(1, "nobody", [b"x" * 50]):
            peer.send(bytes([byte]))
        self.assertEqual(peer.frame()[0], native.PONG)
        self.assertEqual(peer.frame()[0], native.RECEIPT)

    def test_a_reader_that_stops_costs_others_nothing_and_memory_is_bounded(self):
        stuck = Peer(self.daemon)
        stuck.send(native.subscribe(1, ["flood"], "drop_oldest", 1000, (10**6, 1 << 29)))
        stuck.until(native.SUBSCRIBED)
        publisher = Peer(self.daemon)
        payload = [b"x" * 10000] * 20
        before = self.daemon.resident()
        for number in range(1, 1001):  # 200 MB
            publisher.send(native.publish(number, "flood", payload))
            while publisher.frame()[1] != number:
                pass
            if number % 100 == 0:
                self.pair.goes_on()
        self.assertLess(self.daemon.resident() - before, 100 << 20)
        for peer in (stuck, publisher):
            peer.close()

    def test_many_bad_peers_leave_no_trace(self):
        def round_of_bad_peers():
            for _ in range(300):
                peer = Peer(self.daemon)
                peer.send(native.subscribe(1, ["a"]) + native.frame(200))
                self.assertTrue(peer.ends())
                peer.close()

        round_of_bad_peers()
        before, descriptors = self.daemon.resident(), self.daemon.descriptors()
        round_of_bad_peers()
        self.assertLess(self.daemon.resident() - before, 8 << 20)
        self.assertLess(self.daemon.descriptors(), descriptors + 50)

    def test_two_thousand_connections_at_once(self):
        peers = [Peer(self.daemon, greet=False) for _ in range(2000)]
        for peer in peers:
            peer.send(native.hello())
        for peer in peers:
            self.assertEqual(peer.frame()[0], native.WELCOME)
        self.pair.goes_on()
        for peer in peers:
            peer.close()


class Limited(unittest.TestCase):
    def test_a_hello_that_never_ends_is_closed_in_time(self):
        with Daemon(PROGRAM, connection={"handshake_timeout": '"300ms"'}) as daemon:
            pair = HealthyPair(daemon)
            silent = Peer(daemon, greet=False)
            slow = Peer(daemon, greet=False)
            slow.send(native.hello()[:20])
            for peer in (silent, slow):
                self.assertEqual(peer.error(), (HANDSHAKE_TIMEOUT, 1))
                self.assertTrue(peer.ends())
            pair.goes_on()

    def test_more_connections_than_allowed_are_told_so(self):
        with Daemon(PROGRAM, connection={"max_connections": 10}) as daemon:
            pair = HealthyPair(daemon)
            peers = [Peer(daemon, greet=False) for _ in range(30)]
            for peer in peers:
                peer.send(native.hello())
            answers = [peer.frame() for peer in peers]
            kinds = [answer[0] for answer in answers if answer is not None]
            self.assertGreaterEqual(kinds.count(native.WELCOME), 7)
            refused = [a for a in answers if a is not None and a[0] == native.ERROR]
            self.assertEqual(len(refused) + kinds.count(native.WELCOME), 30)
            for answer in refused:
                self.assertEqual(struct.unpack("<H", answer[2][:2])[0], CONNECTION_LIMIT)
            pair.goes_on()
            for peer in peers:
                peer.close()

    def test_without_descriptors_the_served_go_on_and_it_recovers(self):
        with Daemon(PROGRAM, before="ulimit -n 64") as daemon:
            pair = HealthyPair(daemon)
            peers = [Peer(daemon, greet=False) for _ in range(100)]
            for _ in range(20):
                pair.goes_on()
            self.assertLessEqual(daemon.descriptors(), 64)
            for peer in peers:
                peer.close()
            for _ in range(1000):  # until it has noticed that descriptors are free again
                late = Peer(daemon, greet=False)
                late.send(native.hello())
                answer = late.frame()
                late.close()
                if answer is not None:
                    break
            self.assertIsNotNone(answer)
            self.assertEqual(answer[0], native.WELCOME)
            pair.goes_on()


if __name__ == "__main__":
    os.environ.pop("SLUICE_SERVER", None)
    unittest.main(verbosity=2, warnings="ignore")
