#!/usr/bin/python3
"""What the command line does when no broker is there, when it goes away, and when it comes back.

usage: outage_test.py SLUICED SLUICE [unittest arguments]
"""

import json
import signal
import socket
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from broker_case import SLUICE, SLUICED, run
from processes import DEADLINE_S, Daemon, Sluice, until


class Outages(unittest.TestCase):
    def test_a_server_that_is_no_broker(self):
        for greeting in (b"", b"SSH-2.0-something-else-than-a-broker\r\n"):
            with socket.create_server(("127.0.0.1", 0)) as server:
                away = Sluice(SLUICE, f"127.0.0.1:{server.getsockname()[1]}")
                ping = away.start("--connect-timeout", "300ms", "ping")
                with server.accept()[0] as peer:
                    peer.sendall(greeting)
                    _, err = ping.communicate(timeout=DEADLINE_S)
                self.assertEqual(ping.returncode, 3, err)

    def test_no_reconnect_ends_with_the_broker(self):
        with Daemon(SLUICED) as daemon:
            sub = Sluice(SLUICE, daemon.native).subscriber("x", "--no-reconnect")
            status, last = daemon.stop()
            self.assertEqual(status, 0, daemon.log())
            self.assertIn("drained messages_left=0", last)
            _, err = sub.communicate(timeout=DEADLINE_S)
            self.assertEqual(sub.returncode, 1, err)

    def test_a_subscriber_waits_for_the_broker_to_come_back(self):
        with Daemon(SLUICED) as daemon:
            sub = Sluice(SLUICE, daemon.native).subscriber("x", "--format", "json")
            daemon.stop()
            line = sub.stderr.readline().decode()
            while "next attempt in" not in line:
                self.assertNotEqual(line, "")
                line = sub.stderr.readline().decode()
        with Daemon(SLUICED, "--listen", daemon.native) as again:
            sluice = Sluice(SLUICE, again.native)
            until("subscribed again", lambda: sluice.is_subscribed("sub", sub))
            result = sluice.run("pub", "x", "back")
            self.assertEqual(result.returncode, 0, result.stderr)
            kinds = [json.loads(sub.stdout.readline()) for _ in range(3)]
            self.assertEqual(kinds[0]["gap"]["reason"], "disconnected")
            self.assertIn("reconnected", kinds[1])
            self.assertEqual(kinds[2]["payload"], "back")
            sub.send_signal(signal.SIGINT)
            sub.communicate(timeout=DEADLINE_S)
            self.assertEqual(sub.returncode, 130)


if __name__ == "__main__":
    run(__doc__)
