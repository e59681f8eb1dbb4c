"""Connections that only exist and subscriptions that nothing matches, for memory measurements.

The native protocol is written here by hand from docs/formats/wire.md, NATS from its own
documentation, with blocking sockets: speed does not matter, only that the broker holds them all.
"""

import socket
import struct

HELLO, WELCOME, SUBSCRIBE, SUBSCRIBED = 1, 2, 8, 9
FRAME = struct.Struct("<IBBHQ")  # body bytes, kind, flags, reserved, correlation
PROTOCOL_MAGIC = 0x45434C53
AT_ONCE = 500  # subscriptions asked for before their answers are read
TIMEOUT_SECONDS = 30


def text(value):
    data = value.encode()
    return struct.pack("<H", len(data)) + data


class Session:
    """A connection; its subscriptions have the numbers 1, 2, …"""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.buffer = b""
        self.count = 0
        self.greet()

    def close(self):
        self.socket.close()

    def more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the broker closed a connection")
        self.buffer += data

    def subscribe(self, filters):
        for at in range(0, len(filters), AT_ONCE):
            self.subscribe_some(filters[at:at + AT_ONCE])

    def greet(self):
        raise NotImplementedError

    def subscribe_some(self, filters):
        raise NotImplementedError


class SluiceSession(Session):
    def frame(self):
        """(kind, body) of the next frame."""
        while len(self.buffer) < FRAME.size:
            self.more()
        size, kind, *_ = FRAME.unpack_from(self.buffer)
        end = FRAME.size + size
        while len(self.buffer) < end:
            self.more()
        body, self.buffer = self.buffer[FRAME.size:end], self.buffer[end:]
        return kind, body

    def expect(self, wanted):
        kind, body = self.frame()
        if kind != wanted:
            raise ConnectionError(f"frame of kind {kind} instead of {wanted}: {body!r}")

    def greet(self):
        body = struct.pack("<IHHIIQ", PROTOCOL_MAGIC, 1, 1, 0, 1 << 20, 0)
        body += text("sluice-bench") + text("1")
        self.socket.sendall(FRAME.pack(len(body), HELLO, 0, 0, 0) + body)
        self.expect(WELCOME)

    def subscribe_some(self, filters):
        frames = []
        for name in filters:
            self.count += 1
            body = struct.pack("<IIQQQQBBHIQ", self.count, 0, 0, 0, 1000, 1 << 20, 0, 0, 1, 0, 0)
            body += text("") + text("") + text("") + text(name)
            frames.append(FRAME.pack(len(body), SUBSCRIBE, 0, 0, self.count) + body)
        self.socket.sendall(b"".join(frames))
        for _ in filters:
            self.expect(SUBSCRIBED)


class NatsSession(Session):
    def await_pong(self):
        while b"PONG\r\n" not in self.buffer:
            if b"-ERR" in self.buffer:
                raise ConnectionError(self.buffer.decode(errors="replace"))
            self.more()
        self.buffer = b""

    def greet(self):
        self.socket.sendall(b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n')
        self.await_pong()

    def subscribe_some(self, filters):
        lines = []
        for name in filters:
            self.count += 1
            lines.append(f"SUB {name} {self.count}\r\n")
        self.socket.sendall("".join(lines).encode() + b"PING\r\n")
        self.await_pong()


SESSIONS = {"sluice": SluiceSession, "nats": NatsSession}
