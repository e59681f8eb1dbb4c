#!/usr/bin/python3
"""What the demo's programs left behind, for people, and whether it adds up.

usage: report.py published PUB_JSON
       report.py gaps ERRORS_OF_SUB
       report.py check FOLDER

FOLDER has lines (what was published), pub.json (the publisher's summary), status.json (the broker's
status with all subscribed), metrics, and for each subscriber NAME.out (a line "SEQUENCE TOPIC" for
each message) and NAME.err (a line for each gap, then the summary). `check` exits with 1 and says
what is wrong unless every message is accounted for.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

GAP = re.compile(r"gap: ([\d ]+) messages? missing, sequence (\d+) to (\d+), .*: (\w+)$")
PLAIN = {"everything": "debian.", "libraries": "debian.libs.", "slow": "debian."}
MEMBERS = ("shared-1", "shared-2")
REASONS_SHOWN = 3


def gaps_of(path):
    """(count, first, last, reason) of each gap that a subscriber was told."""
    found = (GAP.search(line) for line in path.read_text().splitlines())
    return [(int(gap[1].replace(" ", "")), int(gap[2]), int(gap[3]), gap[4])
            for gap in found if gap]


def messages_of(path):
    """(sequence, topic) of each message that a subscriber got."""
    with open(path) as lines:
        return [(int(sequence), topic)
                for sequence, topic in (line.split() for line in lines)]


def show_published(path):
    summary = json.loads(path.read_text())
    seconds = summary["elapsed_ns"] / 1e9
    print(f"  {summary['messages']} messages, {summary['bytes'] / 2**20:.1f} MiB in "
          f"{seconds:.2f} s: {summary['messages'] / seconds:.0f} messages/s, "
          f"{summary['bytes'] / 2**20 / seconds:.1f} MiB/s")
    outcomes = ", ".join(f"{count} {status}" for status, count in summary["receipts"].items()
                         if count)
    copies = ", ".join(f"{count} {what}" for what, count in summary["copies"].items() if count)
    print(f"  receipts: {outcomes}")
    print(f"  copies:   {copies}")


def show_gaps(path):
    gaps = gaps_of(path)
    for count, first, last, reason in gaps[:REASONS_SHOWN]:
        print(f"  gap: {count} messages, sequence {first} to {last}: {reason}")
    if len(gaps) > REASONS_SHOWN:
        print(f"  … and {len(gaps) - REASONS_SHOWN} more")
    print(f"  {sum(gap[0] for gap in gaps)} messages missing in {len(gaps)} gaps")


class Check:
    def __init__(self, folder):
        self.folder = folder
        self.wrong = []
        with open(folder / "lines") as lines:
            self.topics = [line.split("\t", 1)[0] for line in lines]
        status = json.loads((folder / "status.json").read_text())
        self.rows = {row["name"] or row["group"]: row for row in status["subscription_list"]}
        self.ledger_imbalance = status["ledger_imbalance"]

    def expect(self, is_so, what):
        if not is_so:
            self.wrong.append(what)

    def publisher(self):
        summary = json.loads((self.folder / "pub.json").read_text())
        answered = sum(summary["receipts"].values())
        self.expect(summary["messages"] == len(self.topics), "not every line was published")
        self.expect(answered == summary["messages"], f"{answered} receipts: not one per message")
        self.expect(summary["unknown"] == 0, "the outcome of some is unknown")
        print(f"  publisher     {len(self.topics)} lines = {answered} messages with a receipt")

    def ledger(self, name, matched, delivered, missing):
        """The broker's account of a subscription against what its consumers saw."""
        ledger = self.rows[name]["ledger"]
        accounted = (ledger["delivered"] + ledger["queued"] + ledger["in_flight"]
                     + ledger["waiting"] + ledger["spilled"]
                     + ledger["dropped"] + ledger["discarded"])
        self.expect(ledger["matched"] == matched, f"{name}: {ledger['matched']} matched")
        self.expect(ledger["matched"] == accounted, f"{name}: the ledger is off: {ledger}")
        self.expect(ledger["imbalance"] == 0, f"{name}: imbalance {ledger['imbalance']}")
        self.expect(ledger["delivered"] == delivered, f"{name}: {ledger['delivered']} delivered")
        self.expect(ledger["dropped"] == missing, f"{name}: {ledger['dropped']} dropped")
        print(f"  {name:<13} {matched} matched = {delivered} delivered + {missing} in gaps")

    def plain(self, name, prefix):
        """Each sequence number is that of one message or lies in one gap, in the publish order."""
        matching = [topic for topic in self.topics if topic.startswith(prefix)]
        messages = messages_of(self.folder / f"{name}.out")
        gaps = gaps_of(self.folder / f"{name}.err")
        seen = Counter(sequence for sequence, _ in messages)
        for count, first, last, _ in gaps:
            self.expect(count == last - first + 1, f"{name}: a gap of {count} is {first} to {last}")
            seen.update(range(first, last + 1))
        first = min(seen, default=1)
        self.expect(all(count == 1 for count in seen.values()), f"{name}: a number came twice")
        self.expect(sorted(seen) == list(range(first, first + len(matching))),
                    f"{name}: {len(seen)} numbers for {len(matching)} messages")
        for sequence, topic in messages:
            at = sequence - first
            if at >= len(matching) or topic != matching[at]:
                self.expect(False, f"{name}: number {sequence} is {topic}")
                break
        self.ledger(name, len(matching), len(messages), sum(gap[0] for gap in gaps))

    def shared(self):
        """The members together got each message once, but for what their gaps name."""
        got = Counter()
        delivered = missing = 0
        for name in MEMBERS:
            messages = messages_of(self.folder / f"{name}.out")
            got.update(topic for _, topic in messages)
            delivered += len(messages)
            missing += sum(gap[0] for gap in gaps_of(self.folder / f"{name}.err"))
        published = Counter(self.topics)
        self.expect(not got - published, "shared: a message came twice")
        self.expect(sum((published - got).values()) == missing, "shared: a message is nowhere")
        self.ledger("team", len(self.topics), delivered, missing)

    def metrics(self):
        text = (self.folder / "metrics").read_text()
        values = dict(re.findall(r"^(sluice_\w+) (\S+)$", text, re.M))
        self.expect(float(values["sluice_ledger_imbalance"]) == 0, "sluice_ledger_imbalance")
        self.expect(self.ledger_imbalance == 0, "the node's ledger_imbalance is not 0")
        published = float(values["sluice_published_messages_total"])
        self.expect(published == len(self.topics), f"{published} published messages in /metrics")


def check(folder):
    checks = Check(folder)
    checks.publisher()
    for name, prefix in PLAIN.items():
        checks.plain(name, prefix)
    checks.shared()
    checks.metrics()
    for what in checks.wrong:
        print(f"  WRONG: {what}")
    if checks.wrong:
        sys.exit(1)
    print("  every message was delivered or named in a gap, for every subscription")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    actions = {"published": show_published, "gaps": show_gaps, "check": check}
    actions[sys.argv[1]](Path(sys.argv[2]))


if __name__ == "__main__":
    main()
