"""Rules about the shape of the tree: layers, third-party homes, cycles, names, the root."""

import re

from source_tree import Violation, is_below, read_map, read_table

BANNED_NAMES = {"util", "utils", "common", "misc", "helper", "helpers"}
SOURCE_FOLDERS = ("libs", "broker", "client", "cli", "tests")


def row_of(path, table):
    """The longest row that covers `path`, or None."""
    covering = [row for row in table if is_below(path, row)]
    return max(covering, key=len) if covering else None


def check_layers(tree, tables):
    table = read_map(tables / "layers.txt")
    yield from _check_table(table)
    for path in tree.cpp():
        row = row_of(path, table)
        if row is None:
            yield Violation(path, 1, "layers", "its folder has no row in tests/tidy/layers.txt")
            continue
        for include in tree.includes(path):
            yield from _check_include(tree, table, path, row, include)


def _check_table(table):
    for row, allowed in table.items():
        for entry in allowed:
            known = entry == "*" or entry in table or row_of(entry, table) is not None
            if not known:
                yield Violation("tests/tidy/layers.txt", 1, "layers",
                                f"{row} names {entry}, which has no row")
    graph = {row: [row_of(entry, table) for entry in allowed if row_of(entry, table)]
             for row, allowed in table.items()}
    for cycle in find_cycles(graph):
        yield Violation("tests/tidy/layers.txt", 1, "layers",
                        "the rows form a cycle: " + " -> ".join(cycle))


def _check_include(tree, table, path, row, include):
    target = tree.resolve(include)
    if target is None:
        if include.quoted:
            yield Violation(path, include.line, "layers",
                            f'"{include.name}" is no file of ours from the root of the tree; '
                            "includes are rooted there, and system headers stand in <>")
        return
    allowed = table[row]
    target_row = row_of(target, table)
    if target_row != row and "*" not in allowed and target_row not in allowed \
            and target not in allowed:
        yield Violation(path, include.line, "layers",
                        f"{row} may not include {target}; its row in tests/tidy/layers.txt "
                        f"allows: {' '.join(allowed) or 'nothing'}")


def check_third_party(tree, tables):
    homes = read_map(tables / "third_party.txt")
    for path in tree.cpp():
        for include in tree.includes(path):
            name = include.name
            if include.quoted or name.startswith("sluice/"):
                continue
            if "." not in name and "/" not in name:
                continue  # the C++ standard library
            home = next((row for row in homes
                         if name == row or (row.endswith("/") and name.startswith(row))), None)
            if home is None:
                yield Violation(path, include.line, "third-party",
                                f"<{name}> has no home in tests/tidy/third_party.txt")
            elif not any(is_below(path, folder) for folder in homes[home]):
                yield Violation(path, include.line, "third-party",
                                f"<{name}> has its home in {' '.join(homes[home])} alone")


def find_cycles(graph):
    """One cycle, as a closed list of nodes, for each knot of the graph that is found."""
    done, cycles = set(), []
    for start in sorted(graph):
        stack = [(start, iter(graph.get(start, ())))] if start not in done else []
        on_path = [start] if stack else []
        while stack:
            node, rest = stack[-1]
            follower = next((name for name in rest if name != node), None)
            if follower is None:
                stack.pop()
                on_path.pop()
                done.add(node)
            elif follower in on_path:
                cycles.append(_from_smallest(on_path[on_path.index(follower):]))
            elif follower not in done:
                stack.append((follower, iter(graph.get(follower, ()))))
                on_path.append(follower)
    return cycles


def _from_smallest(cycle):
    """The closed cycle, begun at its first name, so that it reads the same wherever it was met."""
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start + 1]


def check_cycles(tree, tables):
    table = read_map(tables / "layers.txt")
    files = {path: tree.included_files(path) for path in tree.cpp()}
    for cycle in find_cycles(files):
        yield Violation(cycle[0], 1, "cycles", "files include in a circle: " + " -> ".join(cycle))
    folders = {}
    for path, targets in files.items():
        row = row_of(path, table)
        if row is None or row == "tests":
            continue
        known = {row_of(target, table) for target in targets} - {None, row}
        folders.setdefault(row, set()).update(known)
    for cycle in find_cycles({row: sorted(rows) for row, rows in folders.items()}):
        yield Violation(cycle[0], 1, "cycles", "folders include in a circle: " + " -> ".join(cycle))


def check_names(tree, _tables):
    for path in tree.paths:
        if not path.startswith(SOURCE_FOLDERS):
            continue
        for part in path.split("/"):
            stem = part.split(".", 1)[0]
            words = {stem, stem.rsplit("_", 1)[-1]}
            if words & BANNED_NAMES:
                yield Violation(path, 1, "names", f"'{part}' does not say what is in it")
        if path.endswith((".h", ".cc")) and not re.fullmatch(r"[a-z0-9_./]+", path):
            yield Violation(path, 1, "names", "files are named in snake_case")


def check_root(tree, tables):
    allowed = {row for _, row in read_table(tables / "root.txt")}
    for path in tree.paths:
        first, slash, _ = path.partition("/")
        if first + slash not in allowed:
            yield Violation(path, 1, "root", f"{first + slash} is not in tests/tidy/root.txt")
