#!/usr/bin/python3
"""generate_reference: writes what is said once in the .def files for people to read.

usage: tests/support/generate_reference.py [--check]

broker.toml and docs/reference/settings.md come from broker/config/settings.def,
docs/reference/metrics.md from broker/metrics/metrics.def, docs/reference/errors.md from
libs/base/errors.def and cli/words.def. With --check nothing is written; a file that differs is
shown as a diff and the exit code is 1.
"""

import difflib
import re
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTE = "written by tests/support/generate_reference.py from {source}; edit that instead"

STRING = r'"(?:[^"\\]|\\.)*"'
TOKEN = re.compile(rf'{STRING}|[^,()"]+|[(),]')


def macros(path, names):
    """Yields (name, arguments, line) of each use of a macro; adjacent string literals are one."""
    text = path.read_text()
    # Comments go, but not inside strings; blank lines stay so that line numbers are right.
    code = re.sub(rf"({STRING})|//[^\n]*", lambda m: m.group(1) or "", text)
    for found in re.finditer(rf"^({'|'.join(names)})\(", code, re.M):
        arguments, at = split_arguments(code, found.end())
        if not code.startswith(")", at):
            sys.exit(f"{path}: a use of {found.group(1)} does not end")
        yield found.group(1), arguments


def split_arguments(code, at):
    """Arguments from `at` to the closing parenthesis, and where that stands."""
    arguments, current, depth = [], "", 0
    while True:
        token = TOKEN.match(code, at)
        if token is None:
            return arguments, at
        text = token.group()
        if text == ")" and depth == 0:
            return arguments + [clean(current)], at
        if text == "," and depth == 0:
            arguments.append(clean(current))
            current = ""
        else:
            depth += {"(": 1, ")": -1}.get(text, 0)
            current += text
        at = token.end()


def clean(argument):
    argument = argument.strip()
    if not argument.startswith('"'):
        return argument
    joined = "".join(part[1:-1] for part in re.findall(STRING, argument))
    return re.sub(r"\\(.)", r"\1", joined)


# --- values as broker.toml has them ---------------------------------------------------------

UNITS = {"kib": "KiB", "mib": "MiB", "gib": "GiB", "tib": "TiB",
         "milliseconds": "ms", "seconds": "s", "minutes": "m", "hours": "h"}
FACTORS = {"hours": (24, "d")}


def literal(text):
    """mib(64) -> 64MiB, hours(24 * 365) -> 365d, 10'000 -> 10000; other texts as they are."""
    call = re.fullmatch(r"(\w+)\(([\d' *]+)\)", text)
    if not call:
        return text.replace("'", "") if re.fullmatch(r"[\d']+", text) else text
    number = 1
    for factor in call.group(2).replace("'", "").split("*"):
        number *= int(factor)
    unit = call.group(1)
    factor, larger = FACTORS.get(unit, (None, None))
    if factor and number and number % factor == 0:
        return f"{number // factor}{larger}"
    return f"{number}{UNITS[unit]}"


class Setting:
    def __init__(self, table, arguments):
        self.table = table
        (self.key, self.kind, self.unit, default, self.low, self.high, self.reload,
         self.text) = arguments
        self.low, self.high = literal(self.low), literal(self.high)
        value = literal(default)
        if self.kind in ("Text", "Choice", "Size", "Duration"):
            self.default = f'"{value}"'
        elif self.kind == "List":
            self.default = "[" + ", ".join(f'"{word}"' for word in value.split(",")) + "]"
        else:
            self.default = value

    @property
    def variable(self):
        return f"SLUICE_{self.table}_{self.key}".upper()

    @property
    def values(self):
        """What may be written, in words."""
        if self.kind == "Flag":
            return "true or false"
        if self.kind == "Choice":
            return ", ".join(f'"{word}"' for word in self.unit.split("|"))
        if self.kind == "Text":
            return self.unit
        what = {"Count": self.unit, "Size": "size", "Duration": "duration",
                "List": f"list of {self.unit}"}[self.kind]
        return f"{what}, {self.low} to {self.high}"


def read_settings():
    """[(table, text, [Setting])] in the order of the file."""
    tables = []
    path = ROOT / "broker/config/settings.def"
    for name, arguments in macros(path, ["TABLE", "SETTING"]):
        if name == "TABLE":
            tables.append((arguments[0], arguments[2], []))
        else:
            tables[-1][2].append(Setting(tables[-1][0], arguments))
    return tables


def broker_toml():
    out = ["# broker.toml: the settings of sluiced, each with its default.",
           "#",
           "# Every line may be left out; sluiced runs without a file. Remove the `#` before a key",
           "# to change it. `sluiced --config broker.toml --check-config` says what is wrong and",
           "# whether it all fits into memory. docs/reference/settings.md has the same as a table.",
           "#",
           *wrapped("# ", NOTE.format(source="broker/config/settings.def").capitalize() + ".")]
    for table, text, settings in read_settings():
        out += ["", *wrapped("# ", text), f"[{table}]"]
        for setting in settings:
            out += ["", *wrapped("# ", setting.text), *wrapped("# ", f"Values: {setting.values}."),
                    f"# {setting.key} = {setting.default}"]
    out += ["", *limit_example()]
    return "\n".join(out) + "\n"


LIMIT_EXAMPLE = {"name": '"eu-orders"', "level": '"topic"', "match": '"orders.eu.>"',
                 "direction": '"in"', "messages_per_second": "1000",
                 "bytes_per_second": '"1MiB"', "burst_messages": "2000", "burst_bytes": '"4MiB"',
                 "enforce": '"delay"'}


def read_limit_fields():
    """[(key, values, text)] in the order of the file."""
    return [arguments for _, arguments in macros(ROOT / "broker/model/limit_fields.def",
                                                 ["FIELD"])]


def limit_example():
    out = [*wrapped("# ", "Limits, one table each, as many as limits.max allows. "
                          "docs/guide/limits.md says what they do. An example:"),
           "#   [[limit]]"]
    for key, values, text in read_limit_fields():
        out += ["#", *wrapped("# ", text), *wrapped("# ", f"Values: {values}."),
                f"#   {key} = {LIMIT_EXAMPLE[key]}"]
    return out


def wrapped(prefix, text):
    return textwrap.wrap(text, 98, initial_indent=prefix, subsequent_indent=prefix,
                         break_long_words=False, break_on_hyphens=False)


# --- pages ------------------------------------------------------------------------------------

def page(title, source, *parts):
    return "\n".join([f"# {title}", "", f"<!-- {NOTE.format(source=source)} -->", "",
                      *parts]).rstrip("\n") + "\n"


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def settings_page():
    parts = ["Settings stand in a TOML file, in tables. Each can be overridden by an environment "
             "variable,", "and a few by flags of `sluiced`; the order is default, file, "
             "environment, flag. Sizes are written",
             "`\"64MiB\"`, durations `\"250ms\"`. Unknown keys and bad values are refused, all of "
             "them at once.", "",
             "*Applies*: `restart` means that a setting is read when the daemon starts.", ""]
    for table, text, settings in read_settings():
        parts += [f"## [{table}]", "", text, "",
                  "| key | default | values | applies | meaning |", "|---|---|---|---|---|"]
        for s in settings:
            parts.append(f"| `{s.key}`<br>`{s.variable}` | `{s.default}` | {cell(s.values)} | "
                         f"{s.reload} | {cell(s.text)} |")
        parts.append("")
    parts += ["## [[limit]]", "",
              "As many tables as `limits.max` allows, one limit each; see "
              "[the guide](../guide/limits.md). They have no variables.", "",
              "| key | values | meaning |", "|---|---|---|"]
    for key, values, text in read_limit_fields():
        parts.append(f"| `{key}` | {cell(values)} | {cell(text)} |")
    return page("Settings", "broker/config/settings.def", *parts)


KINDS = {"COUNTER": "counter", "COUNTER_BY": "counter", "COUNTER_BY_ERROR": "counter",
         "SECONDS_BY": "counter", "GAUGE": "gauge", "GAUGE_BY": "gauge",
         "HISTOGRAM": "histogram", "NODE_GAUGE": "gauge",
         "NODE_COUNTER": "counter", "LIMIT_COUNTER": "counter"}


def metrics_page():
    parts = ["All of `/metrics`, summed over shards. The number of series is fixed, whatever "
             "clients do;", "limits stand beside the values that they bound. Series labelled by an "
             "error's name appear once", "the error has occurred.", "",
             "| name | kind | labels | meaning |", "|---|---|---|---|"]
    for kind, arguments in macros(ROOT / "broker/metrics/metrics.def", list(KINDS)):
        name, text = arguments[1], arguments[-1]
        labels = ""
        if kind == "COUNTER_BY":
            words = [word for word in arguments[3].split("|") if word != "-"]
            labels = f"`{arguments[2]}`: " + ", ".join(words)
        elif kind in ("SECONDS_BY", "GAUGE_BY"):
            words = [word.split(",") for word in arguments[3].split("|")]
            labels = "; ".join(f"`{label}`: " + ", ".join(dict.fromkeys(column)) for label, column
                               in zip(arguments[2].split(","), zip(*words)))
        elif kind == "LIMIT_COUNTER":
            labels = "`limit`, `level`, `direction`"
        elif kind == "COUNTER_BY_ERROR":
            labels = f"`{arguments[2]}`: [an error's name](errors.md)"
        parts.append(f"| `{name}` | {KINDS[kind]} | {labels} | {cell(text)} |")
    parts.append("| `sluice_build_info` | gauge | `version`, `compiler` | "
                 "Always 1; its labels say what is running. |")
    return page("Metrics", "broker/metrics/metrics.def", *parts)


CLASSES = {"retry": "the same call may work later",
           "fatal": "it fails until something is changed",
           "close": "the connection ends as well"}


def errors_page():
    parts = ["Every error that the broker, the client library or the command line can report. "
             "`sluice errors NAME`", "prints one of them. Numbers are the wire's and never change.",
             "", "Classes: " + "; ".join(f"**{name}**: {text}" for name, text in CLASSES.items())
             + ".", "", "| number | name | class | what happened | what to do |",
             "|---|---|---|---|---|"]
    for _, arguments in macros(ROOT / "libs/base/errors.def", ["X"]):
        name, number, class_, text, remedy = arguments
        shown = re.sub(r"(?<!^)(?=[A-Z])", "-", name[1:]).lower()
        parts.append(f"| {number} | `{shown}` | {class_} | {cell(text)} | {cell(remedy)} |")
    words = [arguments for _, arguments in macros(ROOT / "cli/words.def", ["X"])]
    for kind, title, text in (
            ("gap", "Gap reasons", "Why messages are missing, in gaps, receipts and metrics."),
            ("receipt", "Receipt statuses", "What became of a publish."),
            ("limited_by", "Limited-by states",
             "What keeps a subscription or a publisher from going faster."),
            ("end", "End reasons", "Why a subscription is no more, in `sluice audit`."),
            ("audit", "Audit states", "Whether a subscription is there, in `sluice audit`."),
            ("durability", "Durabilities", "How safe a message is, in receipts.")):
        parts += ["", f"## {title}", "", text, "",
                  "| name | what it means | what to do |", "|---|---|---|"]
        parts += [f"| `{word}` | {cell(text)} | {cell(remedy)} |"
                  for of_kind, word, text, remedy in words if of_kind == kind]
    return page("Errors", "libs/base/errors.def and cli/words.def", *parts)


FILES = {"broker.toml": broker_toml,
         "docs/reference/settings.md": settings_page,
         "docs/reference/metrics.md": metrics_page,
         "docs/reference/errors.md": errors_page}


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    check = bool(sys.argv[1:])
    stale = 0
    for name, make in FILES.items():
        path = ROOT / name
        wanted = make()
        present = path.read_text() if path.exists() else ""
        if present == wanted:
            continue
        stale += 1
        if check:
            sys.stdout.writelines(difflib.unified_diff(
                present.splitlines(True), wanted.splitlines(True), name, name + " (generated)"))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted)
            print(f"wrote {name}")
    if check and stale:
        sys.exit(f"{stale} files are out of date: run tests/support/generate_reference.py")


if __name__ == "__main__":
    main()
