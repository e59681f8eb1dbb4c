#!/usr/bin/python3
"""Installs a build, builds a program against what was installed, and runs it with sluiced.

The installed tree is moved before it is used, so that nothing in it may name where it was put, and
the program is built without the repository's folders among its include directories.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "program"
ROOT = Path(__file__).resolve().parents[3]


def run(*command):
    print("+", *command, flush=True)
    subprocess.run(list(map(str, command)), check=True, stdout=sys.stderr)


def install(build, work):
    run("cmake", "--install", build, "--prefix", work / "first")
    shutil.move(work / "first", work / "installed")
    installed = work / "installed"
    for name in ("bin/sluiced", "bin/sluice", "include/sluice/client.h"):
        if not (installed / name).is_file():
            sys.exit(f"{name} was not installed")
    for file in installed.glob("lib*/**/*.cmake"):
        for place in (str(ROOT), str(build), str(work / "first")):
            if place in file.read_text():
                sys.exit(f"{file.name} names {place}")
    return installed


def build_program(installed, work, cxx):
    run("cmake", "-S", PROGRAM, "-B", work / "program", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMAKE_CXX_COMPILER={cxx}", f"-DCMAKE_PREFIX_PATH={installed}",
        "-DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF")
    run("cmake", "--build", work / "program")
    return work / "program" / "against_installed"


def ready_address(daemon):
    """From the line `ready native=HOST:PORT http=HOST:PORT pid=N`."""
    line = daemon.stdout.readline()
    if not line.startswith("ready "):
        sys.exit(f"sluiced said {line!r} instead of being ready")
    return dict(word.split("=", 1) for word in line.split()[1:])["native"]


def run_with_daemon(installed, program, work):
    daemon = subprocess.Popen(
        [installed / "bin/sluiced", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0",
         "--data-dir", work / "data"], stdout=subprocess.PIPE, text=True)
    try:
        address = ready_address(daemon)
        run(program, address)
        run(installed / "bin/sluice", "--server", address, "ping", "--count", "1")
    finally:
        daemon.terminate()
        status = daemon.wait(timeout=30)
    if status != 0:
        sys.exit(f"sluiced ended with {status}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--cxx", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        installed = install(options.build, work)
        program = build_program(installed, work, options.cxx)
        run_with_daemon(installed, program, work)
    print("a program was built and run against the installed tree")


if __name__ == "__main__":
    main()
