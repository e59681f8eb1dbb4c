"""A wire between client and broker that a test can cut, as a network does.

`with Proxy(daemon.native) as proxy:` listens on 127.0.0.1; clients connect to proxy.address.
"""

import socket
import struct
import threading

CHUNK = 65536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: no FIN, as from a machine that is gone


class Proxy:
    def __init__(self, target):
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.sockets = []
        self.connections = 0
        # What is swallowed in each direction of the connections that are open now.
        self.swallow_to_broker = self.swallow_to_client = False
        self.swallowed = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
                broker = socket.create_connection(self.target)
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.sockets += [client, broker]
            for source, sink, name in ((client, broker, "swallow_to_broker"),
                                       (broker, client, "swallow_to_client")):
                threading.Thread(target=self.pump, args=(source, sink, name),
                                 daemon=True).start()

    def pump(self, source, sink, name):
        try:
            while data := source.recv(CHUNK):
                if getattr(self, name):
                    self.swallowed += len(data)
                else:
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it was cut

    def cut(self):
        """Ends every connection at once, in the middle of whatever it was; later ones pass."""
        with self.lock:
            sockets, self.sockets = self.sockets, []
        for one in sockets:
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its peer was faster
            one.close()
        self.swallow_to_broker = self.swallow_to_client = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()
