"""What a measurement was made on: machine, kernel, build and commit."""

import datetime
import os
import platform
import subprocess


def read_first(path, key):
    """The value of the first line of `path` that begins with `key`."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    return ""


def git(root, *arguments):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip()


def describe(root):
    """A dict for the JSON file; `text(describe(...))` is its line in a document."""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": read_first("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": read_first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "load_average": os.getloadavg()[0],
        "commit": git(root, "rev-parse", "--short=12", "HEAD"),
        "uncommitted": bool(git(root, "status", "--porcelain", "--untracked-files=no")),
    }


def text(machine):
    dirty = " with uncommitted changes" if machine["uncommitted"] else ""
    return (f"{machine['date']}; {machine['cpu']}, {machine['cores']} cores, "
            f"{machine['memory']}; Linux {machine['kernel']}; commit {machine['commit']}{dirty}; "
            f"load average at the start {machine['load_average']:.2f}")
