"""A client of the native protocol and a daemon under test, written from docs/formats/wire.md."""

import os
import resource
import signal
import socket
import struct
import subprocess
import tempfile

import xxhash

HELLO, WELCOME, PUBLISH, RECEIPT, SUBSCRIBE, SUBSCRIBED = 1, 2, 6, 7, 8, 9
CREDIT, DELIVER, PING, PONG, GOAWAY, ERROR = 12, 13, 24, 25, 26, 27
NAMED = 1
WAIT = 20  # seconds: a bound for what must happen, never a pause
SANITIZED = "SLUICE_SANITIZED" in os.environ  # its own memory is several times the program's


def text(value):
    data = value.encode()
    return struct.pack("<H", len(data)) + data


def frame(kind, body=b"", correlation=0, flags=0):
    return struct.pack("<IBBHQ", len(body), kind, flags, 0, correlation) + body


def hello(magic=0x45434C53, low=1, high=1, max_frame=1 << 20):
    body = struct.pack("<IHHIIQ", magic, low, high, 0, max_frame, 0)
    return frame(HELLO, body + text("hostile") + text("1"), 1)


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def batch(payloads, count=None, checksum=None):
    records = b"".join(varint(len(p) + 1) + b"\0" + p for p in payloads)
    count = len(payloads) if count is None else count
    tail = struct.pack("<IBBHQQQQII", count, 0, 0, 0, 0, 0, 0, 0, len(records), 0) + records
    if checksum is None:
        checksum = xxhash.xxh3_64_intdigest(tail)
    return struct.pack("<IIQQQ", 0x31424C53, 32 + len(tail), 0, 0, checksum) + tail


def publish(number, topic, payloads, **wrong):
    body = struct.pack("<IHH", 0, len(topic), 0) + topic.encode() + batch(payloads, **wrong)
    return frame(PUBLISH, body, number, NAMED)


def subscribe(number, filters, overflow="", messages=0, credit=(1000, 1 << 24)):
    body = struct.pack("<IIQQQQBBHIQ", number, messages, 0, 0, *credit, 0, 0, len(filters), 0, 0)
    body += text("") + text("") + text(overflow) + b"".join(text(f) for f in filters)
    return frame(SUBSCRIBE, body, 5)


def credit(subscription, messages, size):
    return frame(CREDIT, struct.pack("<IIQQ", subscription, 0, messages, size))


def ping(value):
    return frame(PING, struct.pack("<Q", value), value)


class Peer:
    """One connection. Frames are (kind, correlation, body); None at the end of the stream."""

    def __init__(self, daemon, greet=True, receive_bytes=0):
        self.socket = socket.socket()
        self.socket.settimeout(WAIT)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", daemon.port))
        self.buffer = b""
        if greet:
            self.send(hello())
            assert self.frame()[0] == WELCOME

    def send(self, data):
        self.socket.sendall(data)

    def frame(self):
        while True:
            if len(self.buffer) >= 16:
                size, kind, _, _, correlation = struct.unpack("<IBBHQ", self.buffer[:16])
                if len(self.buffer) >= 16 + size:
                    body, self.buffer = self.buffer[16:16 + size], self.buffer[16 + size:]
                    return kind, correlation, body
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            if not data:
                return None
            self.buffer += data

    def until(self, kind):
        while True:
            found = self.frame()
            assert found is not None, f"closed where frame {kind} was expected"
            if found[0] == kind:
                return found

    def error(self):
        """(code, closes) of the next ERROR frame; None when the stream ends first."""
        while (found := self.frame()) is not None:
            if found[0] == ERROR:
                return struct.unpack("<HB", found[2][:3])
        return None

    def ends(self):
        while self.frame() is not None:
            pass
        return True

    def close(self):
        self.socket.close()


# Thousands of sockets are ours as well as the daemon's.
_SOFT, _HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (_HARD, _HARD))


class Daemon:
    """sluiced on free ports; `before` is a shell line such as an ulimit."""

    def __init__(self, program, before="true", **settings):
        self.folder = tempfile.TemporaryDirectory()
        config = os.path.join(self.folder.name, "broker.toml")
        with open(config, "w", encoding="utf-8") as file:
            for section, values in settings.items():
                file.write(f"[{section}]\n")
                file.writelines(f"{key} = {value}\n" for key, value in values.items())
        command = [program, "--config", config, "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
                   "--data-dir", self.folder.name, "--shards", "2"]
        script = f'{before} && exec "$@"'
        self.log_path = os.path.join(self.folder.name, "log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(["/bin/sh", "-c", script, "sh", *command], text=True,
                                            stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        assert line.startswith("ready "), line
        self.port = int(line.split("native=127.0.0.1:")[1].split()[0])
        self.http_port = int(line.split("http=127.0.0.1:")[1].split()[0])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def ended(self):
        """(exit code, last line)."""
        rest = self.process.stdout.read()
        return self.process.wait(WAIT), rest.strip().splitlines()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


class HealthyPair:
    """A publisher and a subscriber that everything else must leave alone."""

    def __init__(self, daemon):
        self.publisher = Peer(daemon)
        self.subscriber = Peer(daemon)
        self.subscriber.send(subscribe(1, ["healthy"]))
        self.subscriber.until(SUBSCRIBED)
        self.number = 0

    def goes_on(self):
        self.number += 1
        payload = b"%d" % self.number
        self.publisher.send(publish(self.number, "healthy", [payload]))
        _, last, body = self.publisher.until(RECEIPT)
        status, matched = body[8], struct.unpack_from("<Q", body, 32)[0]
        assert (last, status, matched) == (self.number, 0, 1), (last, status, matched)
        _, sequence, body = self.subscriber.until(DELIVER)
        assert sequence == self.number and body.endswith(payload)
        self.subscriber.send(credit(1, 1, 100))
