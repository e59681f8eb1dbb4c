"""Runs each example of client/examples against sluiced and looks at what it printed."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from processes import DEADLINE_S, Daemon  # noqa: E402

EXPECTED = {
    "example_publish_and_subscribe": [
        "published 1000, accepted copies 1000",
        "received 1000, missed 0, the last one was 'order 1000'",
    ],
    "example_request_and_reply": ["before: no-responders", "after: IS ANYBODY THERE?"],
    "example_slow_consumer": ["dropped_newest", "= 10000"],
}


def main(sluiced, *examples):
    assert {Path(example).name for example in examples} == set(EXPECTED), examples
    for shards in ("1", "2"):
        with Daemon(sluiced, "--shards", shards) as daemon:
            for example in examples:
                done = subprocess.run([example, daemon.native], capture_output=True, text=True,
                                      timeout=DEADLINE_S)
                print(done.stdout, done.stderr, sep="")
                assert done.returncode == 0, f"{example} with {shards} shards: {done.returncode}"
                for text in EXPECTED[Path(example).name]:
                    assert text in done.stdout, f"{example} did not print {text!r}"


if __name__ == "__main__":
    main(*sys.argv[1:])
