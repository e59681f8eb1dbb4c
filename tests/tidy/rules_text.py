"""Rules about single files: sizes, the header block, words that may not stand in them."""

import ast
import re

from source_tree import Violation, blank_comments, read_table

LINES_MAX = {".h": 250, ".cc": 500, ".py": 500, ".sh": 500}
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
BLOCK_KEYS = {"Owner", "Thread", "Units", "Limits", "Errors", "Order", "Source", "Tests"}
TEXT_SUFFIXES = (".h", ".cc", ".def", ".py", ".sh", ".txt", ".cmake", ".toml", ".md", ".json")

# Spelled in parts, so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:wo" + r"rk/|ro" + r"ot/|tmp/b/)")
PATH_IN_BLOCK = re.compile(r"\b(?:tests|docs|libs|broker|client|cli)/[\w./-]*[\w]")
CONTROL_WORDS = re.compile(r"\b(namespace|class|struct|enum|union|extern|concept)\b")
BEFORE_HEAD = re.compile(r"(?:\s|(?:public|private|protected)\s*:)*")


def is_script(tree, path):
    return "." not in path.rsplit("/", 1)[-1] and tree.text(path).startswith("#!")


def check_sizes(tree, tables):
    known = {}
    for number, row in read_table(tables / "sizes.txt"):
        name, _, lines = row.rpartition(" ")
        known[name.strip()] = (int(lines), number)
    over = dict(_oversized(tree))
    for name, (path, line, size, limit) in sorted(over.items()):
        listed = known.get(name, (0, 0))[0]
        if size > listed:
            grew = f", and {listed} are listed" if listed else ""
            yield Violation(path, line, "sizes", f"{name} has {size} lines; {limit} is the limit"
                            + grew)
    for name, (listed, number) in sorted(known.items()):
        size = over[name][2] if name in over else 0
        if size < listed:
            yield Violation("tests/tidy/sizes.txt", number, "sizes",
                            f"{name} has shrunk to {size or 'within the limit'}: "
                            "lower or remove its row, the list only shrinks")


def _oversized(tree):
    """(name, (path, line, size, limit)) of each file and function over its limit."""
    for path in tree.paths:
        suffix = "." + path.rsplit(".", 1)[-1]
        if is_script(tree, path):
            suffix = ".sh"
        if suffix not in LINES_MAX:
            continue
        text = tree.text(path)
        lines = text.count("\n")
        if lines > LINES_MAX[suffix]:
            yield path, (path, 1, lines, LINES_MAX[suffix])
        for name, line, size in functions(path, text):
            if size > FUNCTION_LINES_MAX:
                yield f"{path}:{name}", (path, line, size, FUNCTION_LINES_MAX)


def check_columns(tree, _tables):
    for path in tree.having(".h", ".cc", ".py", ".sh", ".cmake", "CMakeLists.txt"):
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if len(line) > COLUMNS_MAX:
                yield Violation(path, number, "columns",
                                f"{len(line)} columns; {COLUMNS_MAX} is the limit")


def functions(path, text):
    """(name, first line, lines) of the functions in a C++ or Python file."""
    if path.endswith((".h", ".cc")):
        return list(_cpp_functions(text))
    if path.endswith(".py"):
        return [(node.name, node.lineno, node.end_lineno - node.lineno + 1)
                for node in ast.walk(ast.parse(text))
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return []


def _cpp_functions(text):
    """Bodies in braces at namespace or class level whose head has a parameter list."""
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m[0].count("\n"),
                  blank_comments(text), flags=re.M)
    head_start, at = 0, 0
    while at < len(code):
        char = code[at]
        if char == "{":
            head = code[head_start:at]
            kind, name = _kind_of_brace(head)
            if kind != "scope":
                at = _matching_brace(code, at)
            if kind == "function":
                first = code.count("\n", 0, head_start + BEFORE_HEAD.match(head).end()) + 1
                yield name, first, code.count("\n", 0, at) + 2 - first
            if kind != "initializer":
                head_start = at + 1
        elif char in ";}":
            head_start = at + 1
        at += 1


def _matching_brace(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code) - 1


def _kind_of_brace(head):
    """What the brace after `head` opens: a scope, an initializer, or a function with its name."""
    plain, count = head, 1
    while count:
        plain, count = re.subn(r"<[^<>(){};]*>", "", plain)
    if CONTROL_WORDS.search(plain) or not plain.strip():
        return "scope", ""
    found = re.search(r"(operator\s*[^\s\w(]+|operator\(\)|[~\w:]+)\s*\(", plain)
    in_arguments = plain.count("(") != plain.count(")")
    if found is None or in_arguments or plain.rstrip().endswith(("=", ",", "return")):
        return "initializer", ""
    in_member_list = re.search(r"\)\s*(?:noexcept\s*)?:(?!:)", plain)
    if in_member_list and not plain.rstrip().endswith((")", "}")):
        return "initializer", ""
    if found[1] in ("TEST", "TEST_F", "TEST_P"):
        arguments = plain[found.end():].split(")")[0].split(",")
        return "function", ".".join(word.strip() for word in arguments)
    return "function", found[1]


def check_header_block(tree, _tables):
    for path in tree.headers():
        lines = tree.text(path).splitlines()
        name = path.rsplit("/", 1)[-1]
        if not lines or not re.match(rf"// {re.escape(name)}: \S", lines[0]):
            yield Violation(path, 1, "header-block",
                            f"the first line is `// {name}: <the question it answers>`")
        if "#pragma once" not in lines:
            yield Violation(path, 1, "header-block", "has no #pragma once")
        for number, line in enumerate(lines, 1):
            if not line.startswith("//"):
                break
            yield from _check_block_line(tree, path, number, line)


def _check_block_line(tree, path, number, line):
    key = re.match(r"// ([A-Z][a-z]+):( *)", line) if number > 1 else None
    if key and key[1] not in BLOCK_KEYS and len(key[2]) > 1:
        yield Violation(path, number, "header-block", f"unknown key '{key[1]}:'; there are "
                        + ", ".join(sorted(BLOCK_KEYS)))
    elif key and key[1] in BLOCK_KEYS and (len(key[0]) != 13 or len(line) <= 13):
        yield Violation(path, number, "header-block",
                        f"what follows '{key[1]}:' starts in column 14")
    for found in PATH_IN_BLOCK.findall(line):
        if not (tree.root / found).exists():
            yield Violation(path, number, "header-block", f"{found} does not exist")


def check_words(tree, _tables):
    for path in tree.paths:
        if not (path.endswith(TEXT_SUFFIXES) or is_script(tree, path)):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if UNFINISHED.search(line):
                yield Violation(path, number, "words", "unfinished work belongs in an issue")
            if MACHINE_PATH.search(line):
                yield Violation(path, number, "words", "a path of one machine")
            if line != line.rstrip() and not path.endswith(".md"):
                yield Violation(path, number, "words", "spaces at the end of the line")
            if "\t" in line and not path.endswith((".txt", ".md")):
                yield Violation(path, number, "words", "a tab")
