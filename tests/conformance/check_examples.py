#!/usr/bin/python3
"""Encodes every example of docs/formats/wire.md from its fields and compares with its bytes.

    check_examples.py WIRE_MD              compares; exit code 1 where something differs
    check_examples.py --write WIRE_MD      writes the bytes into the document instead
    check_examples.py --seeds DIR WIRE_MD  writes the bytes as seeds of the fuzz targets
"""

import argparse
import json
import pathlib
import re
import sys

import wire_encoder

BLOCK = re.compile(r"^```wire-example name=(\S+)\n(.*?)^--\n(.*?)^```$", re.M | re.S)
BYTES_PER_LINE = 16
TOPIC_SEEDS = {
    "literal": "orders.eu.created\norders.eu.created",
    "one-level": "orders.*.created\norders.eu.created",
    "rest": "orders.>\norders.eu.created",
    "broker": "$inbox.>\n$inbox.00000000000000a1.1",
    "broker-wildcard": "*.a\n$sys.a",
    "utf8": "größe.*\ngröße.東京",
    "levels": ".".join(["*"] * 16) + "\n" + ".".join("abcdefghijklmnop"),
}


def fields_of(text):
    fields = {}
    for line in text.splitlines():
        key, value = line.split(" = ", 1)
        if key in fields:
            raise ValueError(f"{key} twice")
        fields[key] = json.loads(value)
    return fields


def hex_of(pieces):
    """The bytes as the document shows them: one field a line, long ones on several."""
    lines = []
    for raw, label in pieces:
        for start in range(0, max(len(raw), 1), BYTES_PER_LINE):
            part = raw[start:start + BYTES_PER_LINE].hex(" ")
            lines.append(f"{part:<47} | {label}" if start == 0 else part)
    return "".join(line + "\n" for line in lines)


def check(document):
    """Compares, and says how many kinds and examples there were."""
    failures = 0
    kinds = set()
    names = set()
    for name, fields_text, shown in BLOCK.findall(document):
        fields = fields_of(fields_text)
        kinds.add(fields["kind"])
        if name in names:
            print(f"{name}: two examples of this name")
            failures += 1
        names.add(name)
        expected = hex_of(wire_encoder.encode(fields))
        if shown != expected:
            failures += 1
            print(f"{name}: the document shows\n{shown}encoded from its fields it is\n{expected}")
    for kind in [*wire_encoder.KINDS, "batch"]:
        if kind not in kinds:
            failures += 1
            print(f"{kind}: no example")
    if document.count("```wire-example") != len(names):
        failures += 1
        print("an example is not in its form")
    print(f"{len(names)} examples of {len(kinds)} kinds, {failures} failures")
    return failures == 0


def write_seeds(document, folder):
    for name, fields_text, _ in BLOCK.findall(document):
        fields = fields_of(fields_text)
        target = "fuzz_batch" if fields["kind"] == "batch" else "fuzz_frame"
        seed = folder / target / name
        seed.parent.mkdir(parents=True, exist_ok=True)
        seed.write_bytes(b"".join(raw for raw, _ in wire_encoder.encode(fields)))
    for name, text in TOPIC_SEEDS.items():
        seed = folder / "fuzz_topic" / name
        seed.parent.mkdir(parents=True, exist_ok=True)
        seed.write_text(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--seeds", type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    arguments = parser.parse_args()
    document = arguments.document.read_text()
    if arguments.write:
        def rewrite(match):
            pieces = wire_encoder.encode(fields_of(match[2]))
            return f"```wire-example name={match[1]}\n{match[2]}--\n{hex_of(pieces)}```"
        arguments.document.write_text(BLOCK.sub(rewrite, document))
        return 0
    if arguments.seeds:
        write_seeds(document, arguments.seeds)
        return 0
    return 0 if check(document) else 1


if __name__ == "__main__":
    sys.exit(main())
