"""Rules that run something: headers that compile alone, generators whose files are in sync."""

import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from source_tree import Violation, cache_folder, read_table

COMPILER = "g++-12"
# SLUICE_VERSION is what CMake defines from the project's version.
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I.", "-Iclient/include",
         '-DSLUICE_VERSION="0.0.0"', "-x", "c++"]
PYTHON = "/usr/bin/python3"


def check_headers_compile(tree, _tables):
    """Each header alone; what compiled once is remembered by its text and that of its includes."""
    cache = cache_folder("headers")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(lambda path: _compile(tree, cache, path), tree.headers()):
            yield from found


def _compile(tree, cache, path):
    digest = hashlib.sha256(" ".join([COMPILER, *FLAGS]).encode())
    for name in tree.closure(path):
        digest.update(name.encode() + b"\0" + tree.text(name).encode())
    passed = cache / digest.hexdigest()
    if passed.exists():
        return []
    # Through standard input the header is the main file, and #pragma once in it is no warning.
    source = f'#include "{path}"\n'
    run = subprocess.run([COMPILER, *FLAGS, "-"], cwd=tree.root, input=source, text=True,
                         capture_output=True)
    if run.returncode == 0:
        passed.touch()
        return []
    first_error = next((line for line in run.stderr.splitlines() if "error:" in line),
                       run.stderr.strip() or f"{COMPILER} failed")
    return [Violation(path, 1, "compiles-alone", first_error)]


def check_generated(tree, tables):
    for number, generator in read_table(tables / "generators.txt"):
        if not (tree.root / generator).is_file():
            yield Violation("tests/tidy/generators.txt", number, "generated",
                            f"{generator} does not exist")
            continue
        run = subprocess.run([PYTHON, generator, "--check"], cwd=tree.root, text=True,
                             capture_output=True)
        if run.returncode != 0:
            output = (run.stdout + run.stderr).strip().splitlines()[:40]
            yield Violation(generator, 1, "generated",
                            "files are out of date; run it without --check\n  " +
                            "\n  ".join(output))
