#!/usr/bin/python3
"""Does Prometheus itself accept our metrics?

usage: metrics_prometheus_test.py PROGRAM [ARGUMENT...]

Starts PROGRAM, which prints a line with http=HOST:PORT when it serves. promtool must find nothing
to say about its /metrics, and a real Prometheus must scrape it and answer queries about it.
"""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

DEADLINE_S = 60
POLL_S = 0.1


def fail(text):
    sys.exit(f"FAILED: {text}")


def until(what, attempt):
    """The first result of attempt() that is not None, before the deadline."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        result = attempt()
        if result is not None:
            return result
        time.sleep(POLL_S)
    fail(f"{what}: not within {DEADLINE_S} s")


def read_url(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None


def http_address(program):
    """From the line `… http=HOST:PORT …` that the program prints."""
    for line in program.stdout:
        found = re.search(r"http=(\S+)", line)
        if found:
            return found.group(1)
    fail("the program ended before it was ready")


def check_with_promtool(text):
    result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                            capture_output=True, timeout=DEADLINE_S, check=False)
    remarks = result.stdout + result.stderr
    if result.returncode != 0 or remarks.strip():
        fail(f"promtool: exit code {result.returncode}\n{remarks}")
    print(f"promtool: nothing to say about {len(text.splitlines())} lines")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_prometheus(folder, target):
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                      "scrape_configs:\n"
                      f"  - job_name: sluice\n    static_configs: [{{targets: ['{target}']}}]\n")
    port = free_port()
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    return process, f"http://127.0.0.1:{port}"


def query(prometheus, expression):
    """The series of an instant query, or None when there are none yet."""
    url = f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    text = read_url(url)
    return (json.loads(text)["data"]["result"] or None) if text else None


def check_queries(prometheus, process):
    def ask(expression):
        if process.poll() is not None:
            fail(f"prometheus ended with {process.returncode}")
        return query(prometheus, expression)

    up = until("prometheus scrapes", lambda: ask("up == 1"))
    print(f"prometheus: scraped {up[0]['metric']['instance']}")
    for expression in ("sluice_build_info == 1", "sluice_ledger_imbalance == 0",
                       "sluice_copies_dropped_total{reason='lagged'}",
                       "sluice_memory_budget_bytes", "process_resident_memory_bytes > 0",
                       "sluice_queue_time_seconds_bucket{le='+Inf'}"):
        series = until(expression, lambda e=expression: ask(e))
        print(f"prometheus: {expression} -> {series[0]['value'][1]}")
    # Every family that we export arrived, and nothing is counted per client.
    count = until("series", lambda: ask("count({job='sluice', __name__=~'(sluice|process)_.+'})"))
    if not 100 < int(count[0]["value"][1]) < 500:
        fail(f"{count[0]['value'][1]} series; expected a few hundred")
    print(f"prometheus: {count[0]['value'][1]} series")


def main():
    program = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    prometheus = None
    try:
        target = http_address(program)
        check_with_promtool(until("/metrics", lambda: read_url(f"http://{target}/metrics")))
        with tempfile.TemporaryDirectory() as folder:
            prometheus, url = start_prometheus(Path(folder), target)
            try:
                check_queries(url, prometheus)
            finally:
                prometheus.terminate()
                prometheus.wait(timeout=DEADLINE_S)
    finally:
        program.stdin.close()
        program.send_signal(signal.SIGTERM)
        code = program.wait(timeout=DEADLINE_S)
    if code not in (0, -signal.SIGTERM):
        fail(f"the program ended with {code}")
    print("ok")


if __name__ == "__main__":
    main()
