"""Build the Horovod wheel once per machine and keep it in the user's cache folder.

Horovod publishes no wheels. What a build depends on (TensorFlow, Python ABI, Horovod, the patch, the variant) is in the
name of the cache entry, so that another branch or checkout finds the wheel again and never gets a wrong one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from setup.files import cache_folder, locked

HERE = Path(__file__).parent

FRAMEWORKS = {"HOROVOD_WITH_TENSORFLOW": "1", "HOROVOD_WITHOUT_PYTORCH": "1", "HOROVOD_WITHOUT_MXNET": "1"}
GLOO = {"HOROVOD_WITH_GLOO": "1", "HOROVOD_CPU_OPERATIONS": "GLOO"}
VARIANTS: dict[str, dict[str, str]] = {
    "gloo": {**FRAMEWORKS, **GLOO, "HOROVOD_WITHOUT_MPI": "1"},
    "mpi": {**FRAMEWORKS, "HOROVOD_WITH_MPI": "1", "HOROVOD_WITHOUT_GLOO": "1", "HOROVOD_CPU_OPERATIONS": "MPI"},
    # Gloo carries the control messages, NCCL the gradients: no MPI is needed on a GPU cluster either.
    "nccl": {**FRAMEWORKS, **GLOO, "HOROVOD_WITHOUT_MPI": "1", "HOROVOD_GPU_OPERATIONS": "NCCL"},
}
# What says which Horovod to build is the variant's alone: a setting left over in the shell would make a wheel that is
# not what its name says. Where things are (HOROVOD_CUDA_HOME, HOROVOD_NCCL_HOME, ...) stays the user's.
VARIANT_SETTINGS = ("HOROVOD_WITH", "HOROVOD_CPU_OPERATIONS", "HOROVOD_GPU")


class CannotBuild(Exception):
    """Horovod cannot be built on this machine; the message says what is missing."""


@dataclass(frozen=True)
class Recipe:
    """All that a wheel depends on."""

    variant: str
    tensorflow: str
    horovod: str
    source: str
    """The name=version and hashes of the source distribution, as in its lock file."""
    patch: str
    nccl: str = ""

    @property
    def key(self) -> str:
        """The name of the cache entry: readable, and different wherever the wheel could be."""
        details = [self.source, self.patch, repr(sorted(VARIANTS[self.variant].items()))]
        digest = hashlib.sha256("\0".join(details).encode()).hexdigest()[:12]
        libc = "".join(platform.libc_ver()) or platform.system().lower()
        nccl = [f"nccl{self.nccl}"] if self.nccl else []
        abi = str(sysconfig.get_config_var("SOABI"))
        parts = [f"horovod{self.horovod}", self.variant, *nccl, f"tf{self.tensorflow}", abi, libc, digest]
        return "-".join(parts)


def pinned_version(lock: str, package: str) -> str:
    """The version of a package in the text of a lock file; empty where it has none."""
    found = re.search(rf"^{re.escape(package)}==([^\s;\\]+)", lock, flags=re.MULTILINE)
    return found[1] if found else ""


def recipe(variant: str, lock: str) -> Recipe:
    """The recipe for a variant beside the packages of a lock file's text."""
    source = (HERE / "horovod.lock").read_text()
    horovod = pinned_version(source, "horovod")
    return Recipe(
        variant=variant,
        tensorflow=pinned_version(lock, "tensorflow"),
        horovod=horovod,
        source=source,
        patch=(HERE / f"horovod-{horovod}.patch").read_text(),
        nccl=pinned_version(lock, "nvidia-nccl-cu12") if variant == "nccl" else "",
    )


def wheel(recipe: Recipe, python: Path) -> tuple[Path, bool]:
    """The wheel from the cache folder, or a new one: built once even when several set-ups ask at the same time.

    Returns its path and whether it is new.
    """
    entry = cache_folder() / "horovod" / recipe.key
    with locked(entry.with_name(f"{recipe.key}.lock")):
        for found in sorted(entry.glob("*.whl")):
            return found, False
        check_tools(recipe.variant, os.environ)
        return build(recipe, python, entry), True


def forget(recipe: Recipe) -> None:
    """Drop a wheel that turned out not to work."""
    entry = cache_folder() / "horovod" / recipe.key
    with locked(entry.with_name(f"{recipe.key}.lock")):
        shutil.rmtree(entry, ignore_errors=True)


def check_tools(variant: str, environ: Mapping[str, str]) -> None:
    """Name what the machine lacks before the build fails in the middle of a long log."""
    path = environ.get("PATH")
    compilers = [environ["CXX"].split()[0]] if environ.get("CXX", "").strip() else ["c++", "g++", "clang++"]
    if not any(shutil.which(name, path=path) for name in compilers):
        raise CannotBuild(f"no C++ compiler ({', '.join(compilers)}; on Debian: apt-get install g++ make)")
    if not shutil.which("make", path=path):
        raise CannotBuild("no make (on Debian: apt-get install make)")
    if variant == "mpi" and "HOROVOD_MPICXX_SHOW" not in environ and not shutil.which("mpicxx", path=path):
        raise CannotBuild("no mpicxx for HOROVOD=mpi (on Debian: apt-get install libopenmpi-dev openmpi-bin)")
    if variant == "nccl" and "HOROVOD_CUDA_HOME" not in environ and not shutil.which("nvcc", path=path):
        raise CannotBuild("no nvcc for HOROVOD=nccl (install the CUDA toolkit, or set HOROVOD_CUDA_HOME)")


def jobs() -> int:
    """Compilers to run at once: a core each, but no more than fit the memory at 1.5 GB for the largest file."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, int(memory / 1.5e9)))


def build_environment(variant: str, environ: Mapping[str, str], scripts: Path) -> dict[str, str]:
    """The environment of the build: the caller's, with the variant's settings and the locked tools first."""
    kept = {name: value for name, value in environ.items() if not name.startswith(VARIANT_SETTINGS)}
    # A parent make's flags would be read by the build's own make: its job server is not reachable through pip.
    kept = {name: value for name, value in kept.items() if name not in {"MAKELEVEL", "MFLAGS"}}
    return {
        **kept,
        **VARIANTS[variant],
        "PATH": os.pathsep.join([str(scripts), environ.get("PATH", os.defpath)]),
        "HOROVOD_CMAKE": environ.get("HOROVOD_CMAKE", str(scripts / "cmake")),
        "MAKEFLAGS": f"-j{jobs()}",
    }


def run(command: list[str], log: Path, environ: Mapping[str, str], cwd: Path | None = None) -> None:
    """Run a command into the log; on failure show what matters of the log and where the rest is."""
    with log.open("ab") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, env=dict(environ), cwd=cwd, check=False)
    if done.returncode:
        why = excerpt(log.read_text(errors="replace"))
        raise SystemExit(
            f"{why}\n\nHorovod: `{' '.join(command)}` failed with {done.returncode}; all of it is in {log}\n"
            "`make HOROVOD=none ...` sets up without Horovod, for one process."
        )


def excerpt(log: str, lines: int = 20) -> str:
    """The first errors of a log with a line after each: its end is a Python traceback that says little."""
    all_lines = log.splitlines()
    errors = [number for number, line in enumerate(all_lines) if re.search(r"(?i)\berror\b.*[:(]", line)]
    shown = sorted({near for number in errors for near in (number, number + 1) if near < len(all_lines)})[:lines]
    return "\n".join(all_lines[number] for number in shown) or "\n".join(all_lines[-lines:])


def build(recipe: Recipe, python: Path, entry: Path) -> Path:
    """Download, check, patch and build; the wheel appears in the entry whole or not at all."""
    environ = build_environment(recipe.variant, os.environ, python.parent)
    entry.parent.mkdir(parents=True, exist_ok=True)
    log = entry.with_name(f"{recipe.key}.log")
    log.unlink(missing_ok=True)
    what = f"Horovod {recipe.horovod} ({recipe.variant}) for TensorFlow {recipe.tensorflow}"
    print(f"building {what}: once, 2 to 3 minutes on two idle cores; log: {log}", file=sys.stderr, flush=True)
    # Compiling on a network home is slow: only the finished wheel goes to the cache folder.
    with tempfile.TemporaryDirectory(prefix="horovod-") as temporary:
        scratch = Path(temporary)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        # No build isolation, here and below: the build has to see this environment's TensorFlow and setuptools.
        download = [*pip, "download", "--no-build-isolation", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
        run([*download, "-r", str(HERE / "horovod.lock"), "-d", str(scratch)], log, environ)
        shutil.unpack_archive(scratch / f"horovod-{recipe.horovod}.tar.gz", scratch)
        source = scratch / f"horovod-{recipe.horovod}"
        patch = scratch / "patch"
        patch.write_text(recipe.patch)
        # Without the ceiling, git would take a repository around the temporary folder for the patch's root and skip it.
        apart = {**environ, "GIT_CEILING_DIRECTORIES": str(scratch)}
        run(["git", "apply", str(patch)], log, apart, cwd=source)
        if recipe.variant == "nccl":
            environ |= nccl_environment(python, scratch, environ)
        build_wheel = [*pip, "wheel", "--no-build-isolation", "--no-deps", "--no-index", "--no-cache-dir"]
        run([*build_wheel, "-w", str(scratch / "wheel"), str(source)], log, environ)
        (built,) = (scratch / "wheel").glob("*.whl")
        unfinished = Path(tempfile.mkdtemp(prefix=f".{recipe.key}.", dir=entry.parent))
        shutil.copy2(built, unfinished)
        shutil.rmtree(entry, ignore_errors=True)
        unfinished.rename(entry)
    return entry / built.name


def nccl_environment(python: Path, scratch: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Point the build at the NCCL that TensorFlow's GPU packages bring, unless the user has named another."""
    if any(name in environ for name in ("HOROVOD_NCCL_HOME", "HOROVOD_NCCL_LIB")):
        return {}
    find = "import importlib.util as u; print(*u.find_spec('nvidia.nccl').submodule_search_locations)"
    found = subprocess.run([str(python), "-c", find], capture_output=True, text=True, check=False)
    if found.returncode:
        raise CannotBuild("no NCCL for HOROVOD=nccl (install requirements-gpu.lock, or set HOROVOD_NCCL_HOME)")
    package = Path(found.stdout.strip())
    # The package has libnccl.so.2 only; the linker looks for libnccl.so.
    home = scratch / "nccl"
    (home / "lib").mkdir(parents=True)
    (home / "include").symlink_to(package / "include")
    (home / "lib" / "libnccl.so").symlink_to(package / "lib" / "libnccl.so.2")
    # Where the library is when Horovod is loaded, seen from site-packages/horovod/tensorflow.
    found_at = "-Wl,-rpath,$ORIGIN/../../nvidia/nccl/lib"
    flags = f"{environ.get('LDFLAGS', '')} {found_at}".strip()
    return {"HOROVOD_NCCL_HOME": str(home), "HOROVOD_NCCL_LINK": "SHARED", "LDFLAGS": flags}
