"""A test case with a broker that all tests of its class share, and the command line to it.

A test names the topic, and the subscription, that no other test uses: self.topic. What it starts
is ended with it.
"""

import sys
import tempfile
import unittest
from pathlib import Path

from processes import Daemon, Sluice

# The programs: the first two arguments of every such test.
SLUICED, SLUICE = (*sys.argv[1:3], None, None)[:2]


class BrokerCase(unittest.TestCase):
    CONFIG = ""  # of sluiced, in TOML
    ARGUMENTS = ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.addClassCleanup(folder.cleanup)
        config = Path(folder.name) / "broker.toml"
        config.write_text(cls.CONFIG)
        cls.daemon = Daemon(SLUICED, "--config", str(config), *cls.ARGUMENTS)
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.sluice = Sluice(SLUICE, cls.daemon.native)

    def setUp(self):
        self.topic = "test." + self.id().rsplit(".", 1)[-1]

    def keep(self, process):
        """Ends it with the test, if it has not ended by then."""
        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.addCleanup(end)
        return process

    def start(self, *arguments, **options):
        return self.keep(self.sluice.start(*arguments, **options))

    def subscriber(self, *arguments, **options):
        """In force when this returns."""
        return self.keep(self.sluice.subscriber(*arguments, name=self.topic, **options))

    def succeed(self, *arguments, **options):
        result = self.sluice.run(*arguments, **options)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result

    def fail_with(self, status, *arguments, sluice=None, **options):
        """The errors of a command that ends with this status."""
        result = (sluice or self.sluice).run(*arguments, **options)
        self.assertEqual(result.returncode, status, (result.stdout, result.stderr))
        return result.stderr.decode(errors="replace")

    def pub(self, *arguments, status=0, **options):
        """Publishes to the topic of the test."""
        result = self.sluice.run("pub", self.topic, *arguments, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def ledger(self):
        """Of the subscription of the test."""
        rows = self.sluice.status()["subscription_list"]
        return next(row["ledger"] for row in rows if row["name"] == self.topic)


def run(usage):
    """The tests of the program that calls it."""
    if len(sys.argv) < 3:
        sys.exit(usage)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
