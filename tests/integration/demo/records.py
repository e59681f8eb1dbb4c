#!/usr/bin/python3
"""The machine's Debian package index as lines TOPIC<tab>PAYLOAD, one per package.

usage: apt-cache dumpavail | records.py
       records.py --generate COUNT      the same form, from invented packages

TOPIC is debian.<section>.<package>, with _ for what may not stand in a level of a topic. PAYLOAD is
the record as a JSON string, so that its newlines fit into one line.
"""

import json
import random
import re
import sys

FIELD = {name: re.compile(rf"^{name}: *(\S+)", re.M) for name in ("Package", "Section")}
NOT_IN_A_LEVEL = re.compile(r"[^A-Za-z0-9_+-]")
SECTIONS = ("libs", "python", "devel", "doc", "net", "utils", "admin", "science")


def level(record, field):
    found = FIELD[field].search(record)
    return NOT_IN_A_LEVEL.sub("_", found[1]) if found else "unknown"


def line_of(record):
    topic = f"debian.{level(record, 'Section')}.{level(record, 'Package')}"
    return f"{topic}\t{json.dumps(record)}\n"


def read_index(stream):
    """Records end with an empty line."""
    lines = []
    for line in stream:
        if line != "\n":
            lines.append(line)
        elif lines:
            yield "".join(lines).rstrip("\n")
            lines = []
    if lines:
        yield "".join(lines).rstrip("\n")


def generate(count):
    choose = random.Random(4880)
    for number in range(count):
        words = " ".join("%08x" % choose.getrandbits(32) for _ in range(choose.randint(20, 140)))
        yield (f"Package: invented-{number}\nVersion: 1.{number % 10}\n"
               f"Section: {choose.choice(SECTIONS)}\nDescription: {words}")


def main():
    if sys.argv[1:2] == ["--generate"]:
        records = generate(int(sys.argv[2]))
    else:
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
        records = read_index(sys.stdin)
    for record in records:
        sys.stdout.write(line_of(record))


if __name__ == "__main__":
    main()
