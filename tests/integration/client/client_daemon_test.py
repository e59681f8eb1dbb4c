#!/usr/bin/python3
"""Runs client_daemon_test against daemons with one shard and with several.

usage: client_daemon_test.py SLUICED CLIENT_DAEMON_TEST [gtest arguments]
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from processes import DEADLINE_S, Daemon


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for shards in ("1", "3"):
        with Daemon(sys.argv[1], "--shards", shards) as daemon:
            print(f"--- {shards} shards", flush=True)
            environment = {**os.environ, "SLUICE_TEST_SERVER": daemon.native}
            result = subprocess.run(sys.argv[2:], env=environment, timeout=DEADLINE_S)
            if result.returncode != 0:
                sys.exit(daemon.log()[-2000:])


if __name__ == "__main__":
    main()
