#!/usr/bin/env python3
"""Writes copies of broker sources in which rules.toml can be broken, one rule at a time.

break_rules.py --files          names the sources that have such rules
break_rules.py OUT              writes the copies and rules.cc into the folder OUT

The broker itself stays as it is: nothing in it knows of this. A rule whose text is not found once
is written into rules.cc as lost, and the test of the mutants says so.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

TABLE_BEFORE = ['#include "tests/sim/mutants/broken.h"', "namespace sluice::sim {", "namespace {",
                "constexpr Rule kRules[] = {"]
TABLE_BEHIND = ["};", "}  // namespace",
                "std::span<const Rule> rules() noexcept { return kRules; }",
                "}  // namespace sluice::sim", ""]


def read_rules():
    return tomllib.loads((HERE / "rules.toml").read_text())


def files_of(rules):
    return sorted({rule["file"] for rule in rules.values()})


def break_file(text, rules):
    """The text with each rule's place made to depend on it, and which rules have no place."""
    lost = {name for name, rule in rules.items() if text.count(rule["old"]) != 1}
    places = [(text.index(rule["old"]), name) for name, rule in rules.items() if name not in lost]
    end = len(text)
    for at, name in sorted(places, reverse=True):
        behind = at + len(rules[name]["old"])
        if behind > end:
            raise SystemExit(f"{name} overlaps another rule")
        condition = f'::sluice::sim::is_broken("{name}")'
        text = text[:at] + rules[name]["new"].replace("BROKEN", condition) + text[behind:]
        end = at
    return '#include "tests/sim/mutants/broken.h"\n' + text, lost


def write(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def main(arguments):
    rules = read_rules()
    if arguments == ["--files"]:
        print(";".join(files_of(rules)), end="")
        return 0
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[0])
    out.mkdir(parents=True, exist_ok=True)
    lost = set()
    for name in files_of(rules):
        of_file = {key: rule for key, rule in rules.items() if rule["file"] == name}
        text, gone = break_file((ROOT / name).read_text(), of_file)
        lost |= gone
        write(out / name.replace("/", "__"), text)
    rows = [f'    {{"{name}", "{rule["checker"]}", {"true" if name in lost else "false"}}},'
            for name, rule in rules.items()]
    write(out / "rules.cc", "\n".join(TABLE_BEFORE + rows + TABLE_BEHIND))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
