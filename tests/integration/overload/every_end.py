"""How subscriptions end, as `sluice audit` says it: a part of every_code_test.EveryCode."""

import json
import signal

import native_client as native
from processes import DEADLINE_S, until


class EveryEnd:
    def end_of(self, process=None):
        """How `sluice audit` shows the subscription to this test's topic once it has ended."""
        if process is not None:
            process.communicate(timeout=DEADLINE_S)
        def printed():
            text = self.sluice.run("audit", "--topic", self.topic).stdout.decode()
            return text if "0 live, " in text and "0 ended" not in text else None
        return until("the subscription ends", printed)

    def test_ends_that_are_asked_for(self):
        process = self.subscriber()
        self.produces("live", self.sluice.run("audit", "--topic", self.topic).stdout)
        process.send_signal(signal.SIGINT)
        self.produces("unsubscribed", self.end_of(process))
        self.topic += ".shared"
        self.sluice.run("sub", self.topic, "--share", self.topic, "--timeout", "100ms")
        self.produces("last_member_left", self.end_of())
        rows = json.loads(self.sluice.run("-o", "json", "audit", "--topic", self.topic).stdout)
        self.produces("ended", rows["rows"][0]["state"])

    def test_ends_of_connections(self):
        topic = self.topic
        self.topic = topic + ".killed"
        process = self.subscriber()
        process.kill()
        self.produces("peer", self.end_of(process))
        self.topic = topic + ".reset"
        process = self.subscriber()
        process.send_signal(signal.SIGSTOP)
        self.publish(9)
        process.kill()  # what was not read makes the kernel break the connection
        self.produces("network", self.end_of(process))
        self.topic = topic + ".broken"
        self.daemon.port = int(self.daemon.native.rsplit(":", 1)[1])
        peer = native.Peer(self.daemon)
        self.addCleanup(peer.close)
        peer.send(native.subscribe(1, [self.topic]))
        peer.until(native.SUBSCRIBED)
        peer.send(native.frame(99, b"", 1))
        self.produces("protocol", self.end_of())
        self.topic = topic + ".slow"
        self.subscriber("--queue-messages", "2", "--overflow", "disconnect", "--no-reconnect")
        self.publish(9)
        self.produces("slow_consumer", self.end_of())
