"""From the JSON of the runs to tables: medians per cell and peer, and ratios within the run."""

import statistics

COLUMNS = ["work", "broker", "msgs/s", "MB/s", "CPU s/M", "NATS ÷ this", "this ÷ relay",
           "broker busy", "generator busy", "RSS MiB", "lost"]
LATENCY_COLUMNS = ["work", "broker", "rate/s", "p50 µs", "p90 µs", "p99 µs",
                   "p99.9 µs", "max µs", "CPU s/M", "lost"]

NOTES = """Every figure is the median of the runs. CPU s/M: user and system seconds of the broker
per million delivered messages. NATS ÷ this: how many times less CPU than nats-server in the same
run. sluice: receipts for every publish, checksums, sequences, gaps, ledger and metrics on; overflow
"block", so that a publisher is pushed back and nothing is lost, as TCP pushes back a publisher of
the others. "single": one message per publish frame. nats: core protocol, no acknowledgements.
relay: bare epoll relay without names, queues or promises. lost: messages that had not arrived when
nothing more came for some seconds after the last was sent."""

LATENCIES = ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"]
MEASURES = ["messages_per_s", "payload_mb_per_s", "broker_cpu_s_per_million", "broker_busy",
            "generator_busy", "broker_rss_kib", "lost", *LATENCIES]


def medians(runs):
    """{(cell, peer): {measure: median}}, in the order of first appearance."""
    groups = {}
    for run in runs:
        groups.setdefault((run["cell"], run["peer"]), []).append(run)
    return {key: {name: statistics.median(run[name] for run in group)
                  for name in MEASURES if name in group[0]}
            for key, group in groups.items()}


def number(value):
    """Three significant digits, thousands parted."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(result, cell, peer, over):
    """CPU of `over` by CPU of `peer`, "–" when one is missing or too small to be measured."""
    top, bottom = result.get((cell, over)), result.get((cell, peer))
    if over == peer or not top or not bottom or bottom["broker_cpu_s_per_million"] == 0:
        return "–"
    value = top["broker_cpu_s_per_million"] / bottom["broker_cpu_s_per_million"]
    return f"{value:.2f}"


def throughput_rows(result):
    for (cell, peer), row in result.items():
        if "p50_us" in row:
            continue
        to_relay = ratio(result, cell, "relay", peer)
        yield [cell, peer, number(row["messages_per_s"]), number(row["payload_mb_per_s"]),
               number(row["broker_cpu_s_per_million"]), ratio(result, cell, peer, "nats"), to_relay,
               f"{row['broker_busy']:.2f}", f"{row['generator_busy']:.2f}",
               number(row["broker_rss_kib"] / 1024), number(row["lost"])]


def latency_rows(result):
    for (cell, peer), row in result.items():
        if "p50_us" not in row:
            continue
        yield [cell, peer, number(row["messages_per_s"]),
               *(number(row[name]) for name in LATENCIES),
               number(row["broker_cpu_s_per_million"]), number(row["lost"])]


def plain(columns, rows):
    widths = [max(len(str(line[i])) for line in [columns, *rows]) for i in range(len(columns))]
    def line(cells):
        parts = [cells[0].ljust(widths[0]), cells[1].ljust(widths[1])]
        return "  ".join(parts + [c.rjust(w) for c, w in zip(cells[2:], widths[2:])])
    return "\n".join(line(cells) for cells in [columns, *rows])


def markdown(columns, rows):
    rule = ["---", "---"] + ["---:"] * (len(columns) - 2)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [columns, rule, *rows])


def tables(runs, style=plain):
    result = medians(runs)
    parts = []
    for columns, rows in [(COLUMNS, list(throughput_rows(result))),
                          (LATENCY_COLUMNS, list(latency_rows(result)))]:
        if rows:
            parts.append(style(columns, rows))
    return "\n\n".join(parts)
