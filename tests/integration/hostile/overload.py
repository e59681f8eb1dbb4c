"""Publishing at full speed to subscribers that do not read, and what that costs in memory."""

import struct
import time
import urllib.request

from native_client import PUBLISH, SUBSCRIBED, Peer, batch, frame, subscribe

GRANT, RECEIPT = 20, 7


def rss_bytes(pid, key="VmRSS"):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(key):
                return int(line.split()[1]) * 1024
    raise AssertionError(key)


def metrics(http_port):
    """By series. Read without asking the shards, which are busy."""
    with urllib.request.urlopen(f"http://127.0.0.1:{http_port}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, value in
            (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))}


def memory_of(http_port):
    values = metrics(http_port)
    parts = {name.split('"')[1]: int(value) for name, value in values.items()
             if name.startswith("sluice_memory_used_bytes")}
    return {"used_bytes": sum(parts.values()), "used_by": parts,
            "ceiling_bytes": int(values["sluice_memory_queue_ceiling_bytes"]),
            "squeezed": values['sluice_copies_dropped_total{reason="squeezed"}']}


class Stalled:
    """Subscribers that have said what they want and never read again."""

    def __init__(self, daemon, count, overflow, topics, credit):
        self.peers = []
        for i in range(count):
            # With the usual buffers of so many sockets the kernel runs out of memory for TCP.
            peer = Peer(daemon, receive_bytes=4096)
            peer.send(subscribe(1, [f"load.{i % topics}"], overflow, credit=credit))
            peer.until(SUBSCRIBED)
            self.peers.append(peer)

    def close(self):
        for peer in self.peers:
            peer.close()


class Publisher:
    """Publishes batches by name as fast as the broker grants; counts what became of them."""

    def __init__(self, daemon, topics, messages, payload_bytes):
        self.peer = Peer(daemon)
        self.batch = batch([b"x" * payload_bytes] * messages)
        self.bodies = [struct.pack("<IHH", 0, len(name), 0) + name.encode() + self.batch
                       for name in (f"load.{i}" for i in range(topics))]
        self.number = 0
        self.outcomes = {}  # by (status, reason)
        self.settled = 0
        self.pressure = 0
        self.window = 1 << 20  # of batches; what WELCOME granted at least

    def close(self):
        self.peer.close()

    @property
    def sent_bytes(self):
        return self.number * len(self.batch)

    def publish_for(self, seconds, enough_bytes):
        end = time.monotonic() + seconds
        self.peer.socket.settimeout(0.2)
        while time.monotonic() < end and self.sent_bytes < enough_bytes:
            frames = []
            while self.window >= len(self.batch) and len(frames) < 64:
                self.window -= len(self.batch)
                self.number += 1
                body = self.bodies[self.number % len(self.bodies)]
                frames.append(frame(PUBLISH, body, self.number, 1))
            if frames:
                self.peer.socket.settimeout(20)
                self.peer.send(b"".join(frames))
                self.peer.socket.settimeout(0.2)
            self.hear(wait=not frames)
        return self

    def hear(self, wait):
        self.peer.socket.setblocking(wait)
        if wait:
            self.peer.socket.settimeout(0.2)
        try:
            data = self.peer.socket.recv(1 << 20)
            if not data:
                raise ConnectionError("the broker closed the publisher")
            self.peer.buffer += data
        except (BlockingIOError, TimeoutError):
            return
        at, buffer = 0, self.peer.buffer
        while len(buffer) - at >= 16:
            size, kind, flags, _, correlation = struct.unpack_from("<IBBHQ", buffer, at)
            if len(buffer) - at < 16 + size:
                break
            body = buffer[at + 16:at + 16 + size]
            if flags & 0x80:  # an extension area comes first
                body = body[2 + struct.unpack_from("<H", body)[0]:]
            self.on_frame(kind, correlation, body)
            at += 16 + size
        self.peer.buffer = buffer[at:]

    def on_frame(self, kind, correlation, body):
        if kind == GRANT:
            self.window += struct.unpack_from("<Q", body, 8)[0]
        elif kind == RECEIPT:
            first, status, _, pressure, _, reason = struct.unpack_from("<QBBBBH", body)
            count = correlation - first + 1
            self.outcomes[status, reason] = self.outcomes.get((status, reason), 0) + count
            self.settled += count
            self.pressure = max(self.pressure, pressure)
