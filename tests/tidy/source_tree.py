"""The repository as the rules see it: files, their text, and who includes whom."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}
CPP_SUFFIXES = (".h", ".cc")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)


@dataclass(frozen=True)
class Violation:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


@dataclass(frozen=True)
class Include:
    line: int
    quoted: bool
    name: str


class SourceTree:
    """Files below `root`, by their path from it, with forward slashes."""

    def __init__(self, root):
        self.root = Path(root)
        self.paths = sorted(self._walk())
        self._texts = {}
        self._includes = {}

    def _walk(self):
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
            for name in files:
                if not name.endswith(".swp"):
                    yield (Path(folder) / name).relative_to(self.root).as_posix()

    def text(self, path):
        """The file's text; empty where it is not UTF-8 (corpora, images)."""
        if path not in self._texts:
            try:
                self._texts[path] = (self.root / path).read_text("utf-8")
            except UnicodeDecodeError:
                self._texts[path] = ""
        return self._texts[path]

    def having(self, *suffixes):
        return [path for path in self.paths if path.endswith(suffixes)]

    def cpp(self):
        return self.having(*CPP_SUFFIXES)

    def headers(self):
        return self.having(".h")

    def includes(self, path):
        if path not in self._includes:
            text = self.text(path)
            self._includes[path] = [
                Include(text.count("\n", 0, match.start()) + 1, match[1] == '"', match[2])
                for match in INCLUDE.finditer(text)
            ]
        return self._includes[path]

    def resolve(self, include):
        """The file of ours that an include names, or None."""
        if include.quoted:
            return include.name if (self.root / include.name).is_file() else None
        if include.name.startswith("sluice/"):
            return "client/include/" + include.name
        return None

    def included_files(self, path):
        """Files of ours that `path` includes directly."""
        resolved = (self.resolve(include) for include in self.includes(path))
        return [name for name in resolved if name is not None and (self.root / name).is_file()]

    def closure(self, path):
        """`path` and every file of ours that it includes, directly or not; sorted."""
        seen, waiting = {path}, [path]
        while waiting:
            for name in self.included_files(waiting.pop()):
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return sorted(seen)


def cache_folder(name):
    """Where what passed is remembered by its content: in the user's cache, shared by clones."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "sluice" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def read_table(path):
    """Rows of a table file as (line number, text), without comments and empty lines."""
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        row = line.split("#", 1)[0].strip()
        if row:
            rows.append((number, row))
    return rows


def read_map(path):
    """Rows `name: word word` as {name: [words]}."""
    table = {}
    for number, row in read_table(path):
        name, colon, rest = row.partition(":")
        if not colon:
            sys.exit(f"{path}:{number}: a row has the form `name: words`")
        table[name.strip()] = rest.split()
    return table


def is_below(path, folder):
    return path == folder or path.startswith(folder.rstrip("/") + "/")


# A quote after a digit separates digits; anywhere else it opens a character.
LITERAL_OR_COMMENT = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])+'""",
    re.S)


def blank_comments(text):
    """C++ text with comments and literals blanked; lines and columns stay."""
    return LITERAL_OR_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
