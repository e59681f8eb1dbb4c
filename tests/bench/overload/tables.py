"""From the JSON of the runs to tables: medians, and the ratios within each pair of runs."""

import statistics

import report

SPEED_COLUMNS = ["case", "subscribers", "msgs/s without", "with", "ratio", "p50 µs without", "with",
                 "p99 µs without", "with", "ratio"]
MEMORY_COLUMNS = ["case", "stalled", "RSS MiB before", "in the window", "peak", "grown by",
                  "bytes in full queues MiB"]
TRUTH_COLUMNS = ["case", "published", "delivered to a stalled one", "told as lost",
                 "missing, untold", "connections closed"]

NOTES = """without, with: runs without and with the stalled subscribers, in turns; medians, and the
median of the ratios within the pairs. Latency counts from the moment at which a message was meant
to be sent. missing, untold: messages that were published, and that a stalled subscriber neither got
nor was told of, each on average."""


def pairs(runs, name):
    """[(run without, run with the stalled ones)] of a case, by turn."""
    turns = {}
    for run in runs:
        if run["case"] == name:
            turns.setdefault(run["turn"], {})[run["with_stalled"]] = run
    return [(turn[False], turn[True]) for turn in turns.values() if len(turn) == 2]


def median(values):
    return statistics.median(list(values))


def names(runs):
    return list(dict.fromkeys(run["case"] for run in runs))


def ratio(couples, group, measure):
    """The median of with ÷ without, where that can be said."""
    known = [(a[group][measure], b[group][measure]) for a, b in couples if a[group][measure] > 0]
    return median(b / a for a, b in known) if known else float("nan")


def speed_rows(runs, watched):
    for name in names(runs):
        couples, group = pairs(runs, name), watched[name]
        if not couples:
            continue
        def both(measure):
            return [report.number(median(pair[i][group][measure] for pair in couples))
                    for i in (0, 1)]
        rate, p50, p99 = both("per_reader_per_s"), both("p50_us"), both("p99_us")
        yield [name, f"{couples[0][1][group]['readers']} {group}", *rate,
               f"{ratio(couples, group, 'per_reader_per_s'):.3f}", *p50, *p99,
               f"{ratio(couples, group, 'p99_us'):.3f}"]


def queue_mib(run):
    """What the stalled ones' queues of Sluice hold at most: the batches are shared by all."""
    if run["peer"] != "sluice":
        return "–"
    size = min(run["queue_messages"] * run["payload_bytes"], run["queue_bytes"])
    return f"{run['stalled_readers']} × {size / 2**20:.1f}, shared"


def memory_rows(runs):
    for name in names(runs):
        group = [run for run in runs if run["case"] == name and run["with_stalled"]]
        if not group:
            continue
        def mib(measure):
            return median(run[measure] for run in group) / 1024
        yield [name, str(group[0]["stalled_readers"]), f"{mib('rss_before_kib'):.1f}",
               f"{mib('rss_window_kib'):.1f}", f"{mib('rss_peak_kib'):.1f}",
               f"{mib('rss_peak_kib') - mib('rss_before_kib'):.1f}", queue_mib(group[0])]


def truth_rows(runs):
    for name in names(runs):
        group = [run for run in runs if run["case"] == name and run["with_stalled"]]
        if not group:
            continue
        def each(measure):
            return report.number(median(run["stalled"][measure] / run["stalled"]["readers"]
                                        for run in group))
        yield [name, report.number(median(run["sent"] for run in group)), each("delivered"),
               each("lost_and_told"), each("missing"),
               f"{median(run['stalled']['closed'] for run in group):g}"]


def words(runs):
    """What publisher, subscribers and log said in the last run of each case, verbatim."""
    lines = []
    for name in names(runs):
        last = [run for run in runs if run["case"] == name and run["with_stalled"]][-1:]
        for run in last:
            told = {**run["stalled"]["told"], **run["healthy"]["told"]}
            lines += [f"{name}",
                      f"  publisher: {counted(run['answers'])}" +
                      (f"; {run['publisher_over']}" if run["publisher_over"] else ""),
                      f"  subscribers: {counted(told)}",
                      f"  log, {run['log']['lines']} lines: {run['log']['first']}"]
            if "slow_sent_per_s" in run:
                lines.append("  read slowly, msgs/s: each stalled one "
                             f"{run['slow_stalled_per_reader_per_s']:.0f}, the publisher "
                             f"{run['slow_sent_per_s']:.0f}, its other topic "
                             f"{run['slow_other_sent_per_s']:.0f}")
    return "\n".join(lines)


def counted(counts):
    return ", ".join(f"{text} × {count}" for text, count in counts.items()) or "nothing"


def tables(runs, watched, style):
    parts = [(SPEED_COLUMNS, list(speed_rows(runs, watched))),
             (MEMORY_COLUMNS, list(memory_rows(runs))), (TRUTH_COLUMNS, list(truth_rows(runs)))]
    return "\n\n".join(style(columns, rows) for columns, rows in parts if rows)
