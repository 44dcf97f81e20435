"""Which source files a module runs: its imports inside the project, followed by their syntax trees.

Used twice: a stage's scratch must not mix the work of two versions of its code, and the guard test demands that a
stage's `deps` cover what it imports.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bert", "stages")


def _names(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
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


def imported_files(module: str, root: Path = ROOT) -> list[Path]:
    """`module`'s own file and all project files that it imports, transitively, sorted, relative to `root`.

    Package `__init__` files on the way are included where they are not empty: Python runs them too.
    """
    seen: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name.split(".")[0] not in PACKAGES:
            continue
        path = _file(name, root)
        if path is None:  # an attribute of a module, not a module
            continue
        seen[name] = path
        waiting += _names(ast.parse(path.read_text(encoding="utf-8")), name, path.name == "__init__.py")
        waiting += [name.rsplit(".", 1)[0]] if "." in name else []
    files = {p.relative_to(root) for p in seen.values() if p.stat().st_size > 0}
    return sorted(files)


def code_hashes(module: str, root: Path = ROOT) -> dict[str, str]:
    """{file: first 16 hex digits of its SHA-256} of everything that `module` runs."""
    return {str(p): hashlib.sha256((root / p).read_bytes()).hexdigest()[:16] for p in imported_files(module, root)}
