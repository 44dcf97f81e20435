"""What a stage's result depends on in the code: a hash of the meaning of each project file that the stage runs.

A module's imports inside the project are followed by their syntax trees. A Python file's hash is taken over its syntax
tree without comments, docstrings and layout, so that it is the same before and after such an edit, and under Python
3.11 and 3.12. Other files of an imported package (model shapes, page templates) count by their bytes.

`stages/code.py` writes the hashes of each stage into `code/<stage>.json`, the one code dependency that the stage has in
dvc.yaml; the scratch of Beam stages and the checkpoints of trainings are held against the same hashes.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bert", "stages")
FOLDER = Path("code")
"""Beside dvc.yaml: the files that `stages/code.py` writes."""

NO_RESULT_DEPENDS_ON = (
    "bert/launch",
    "bert/watch",
    "bert/pipeline/code.py",
    "bert/pipeline/heartbeat.py",
    "bert/pipeline/machine.py",
    "bert/pipeline/periodic.py",
    "bert/pipeline/provenance.py",
)
"""Rooms and files that are left out: starting and watching processes, and what is recorded about them. Nothing that
computes imports them; what it needs of them, the stages hand in."""

MEASURING_SPEED = ("stages.benchmark_training", "stages.benchmark_inference")
"""Stages whose result is a speed: for them nothing is left out."""


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """The dotted names that a module imports; of `from a import b` both a and a.b, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")
                keep = len(parents) - node.level + is_package
                base = ".".join([*parents[:keep], *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _file(module: str, root: Path) -> Path | None:
    path = root / Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def left_out(file: Path) -> bool:
    """Whether no result depends on `file`, relative to the project."""
    return any(file == Path(room) or Path(room) in file.parents for room in NO_RESULT_DEPENDS_ON)


def imported_files(module: str, root: Path = ROOT, everything: bool = True) -> list[Path]:
    """`module`'s own file and all project files that it imports, transitively, sorted, relative to `root`.

    Package `__init__` files on the way are included where they are not empty: Python runs them too. So are the files
    of the packages that are not Python.

    Args:
        everything: False leaves out NO_RESULT_DEPENDS_ON, and what only those import.
    """
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name.split(".")[0] not in PACKAGES:
            continue
        path = _file(name, root)
        # None: an attribute of a module, not a module.
        if path is None or not (everything or not left_out(path.relative_to(root))):
            continue
        seen[name] = path
        waiting += _imports(path, name, path.stat().st_mtime_ns)
        waiting += [name.rsplit(".", 1)[0]] if "." in name else []
    files = {p.relative_to(root) for p in seen.values() if p.stat().st_size > 0}
    folders = {p.parent for p in seen.values() if p.parent != root}
    return sorted(files | {p.relative_to(root) for folder in folders for p in _data_files(folder)})


@cache
def _imports(path: Path, module: str, changed: int) -> tuple[str, ...]:
    """The modules that a file imports. changed: its time, so that the answer is not one about its former self."""
    del changed
    return tuple(imports(ast.parse(path.read_text(encoding="utf-8")), module, path.name == "__init__.py"))


def _data_files(folder: Path) -> Iterator[Path]:
    """Files of a package that are not Python, also in folders of it that are no packages themselves."""
    for path in folder.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _data_files(path)
        elif path.suffix not in (".py", ".pyc"):
            yield path


def _parts(node: ast.AST | list[ast.AST] | object) -> Iterator[str]:
    """The syntax tree as text: no positions, no statements that are nothing but a text, no field that says nothing.

    Names and values are written in ASCII: what Python holds for printable depends on its version.
    """
    if isinstance(node, list):
        yield "["
        for each in node:
            if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):  # a docstring, or `...`
                yield from _parts(each)
        yield "]"
    elif isinstance(node, ast.JoinedStr):
        yield "JoinedStr["
        literal = ""
        for value in node.values:
            # Which neighbours are joined to one literal is a matter of the parser's version.
            if isinstance(value, ast.Constant):
                literal += str(value.value)
                continue
            yield ascii(literal)
            yield from _parts(value)
            literal = ""
        yield f"{literal!a}]"
    elif isinstance(node, ast.Constant):
        yield f"{type(node.value).__name__}:{node.value!a};"
    elif isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name in node._fields:
            inner: object = getattr(node, name, None)
            if inner is None or inner == [] or name in ("kind", "type_comment"):  # 3.12 has fields that 3.11 has not
                continue
            yield f"{name}="
            yield from _parts(inner)
        yield ")"
    else:
        yield f"{node!a};"


def meaning(source: str) -> str:
    """Python source -> a text that is the same for sources that differ in comments, docstrings or layout alone."""
    return "".join(_parts(ast.parse(source)))


@cache
def _hash(path: Path, changed: int) -> str:
    del changed
    data = path.read_bytes()
    if path.suffix == ".py":
        data = meaning(data.decode("utf-8")).encode("ascii")
    return hashlib.sha256(data).hexdigest()[:16]


def code_hashes(module: str, root: Path = ROOT) -> dict[str, str]:
    """{file: first 16 hex digits of its meaning's SHA-256} of everything that the result of `module` depends on."""
    files = imported_files(module, root, everything=module in MEASURING_SPEED)
    return {str(p): _hash(root / p, (root / p).stat().st_mtime_ns) for p in files}


def file_of(module: str) -> Path:
    """Where the hashes of a stage's module are recorded. Example: stages.squad -> code/squad.json"""
    return FOLDER / f"{module.rpartition('.')[2]}.json"


def checked_code(module: str) -> dict[str, str]:
    """The code_hashes of a stage's module, held against code/<stage>.json: dvc.lock records the result under that file.

    Where there is no such file there is no pipeline either (DVC refuses to run a stage without its dependencies).

    Raises:
        StageError: the file has other hashes, as when a stage is run alone after an edit; names what has changed.
    """
    code, path = code_hashes(module), file_of(module)
    if not path.exists():
        return code
    if changed := differing(read_json(path, "dvc repro code"), code):
        raise StageError(
            f"{path} is of other code than this; changed since: {', '.join(changed)}",
            run="dvc repro code (it takes a second), then this again",
        )
    return code


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """The files that two code_hashes do not agree on."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
