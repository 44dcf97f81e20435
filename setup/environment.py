"""Make .venv hold what the lock file says, and Horovod. `make` calls this; twice or at the same time does no harm.

    python3 -m setup.environment install --lock requirements.lock --horovod gloo --stamp .venv/.ready-gloo-cpu
    python3 -m setup.environment lock [--upgrade]

Only the standard library is used here: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from setup import horovod_wheel
from setup.files import locked

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK_FILE = ".set-up-lock"
"""Not .lock, which is uv's own: it would wait five minutes for us."""
UNFINISHED = VENV / ".unfinished"
"""There while packages are being installed. Found at the start, the last set-up was killed half way."""
SINGLE_PROCESS = VENV / ".single-process"
"""There when Horovod is missing, with the reason. The Makefile looks at it where a missing Horovod is a failure."""

PYTHONS = ((3, 11), (3, 13))
"""From the first to before the second, as requires-python in pyproject.toml."""

LOCKS = {
    "requirements.lock": ["sample", "horovod", "openvino", "dev"],
    "requirements-gpu.lock": ["sample", "horovod", "openvino", "dev", "gpu"],
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="make .venv, or bring it up to date")
    installing.add_argument("--lock", type=Path, required=True)
    installing.add_argument("--horovod", choices=[*horovod_wheel.VARIANTS, "none"], required=True)
    installing.add_argument("--stamp", type=Path, required=True, help="written last; make compares its time")
    locking = commands.add_parser("lock", help="write the lock files from pyproject.toml")
    locking.add_argument("--upgrade", action="store_true", help="take the newest versions, not the locked ones")
    args = parser.parse_args(argv)
    check_python(sys.version_info[:2])
    with locked(VENV / LOCK_FILE):
        if args.command == "install":
            install(args.lock, args.horovod, args.stamp)
        else:
            write_locks(args.upgrade)


def check_python(version: tuple[int, int]) -> None:
    """Say which Python is needed before a wheel is missing for the one at hand."""
    first, after = PYTHONS
    if not first <= version < after:
        have, low, high = (".".join(map(str, pair)) for pair in (version, first, (after[0], after[1] - 1)))
        raise SystemExit(f"python3 is {have}; {low} to {high} is needed: name one with `make PYTHON=python{low} ...`")


def install(lock: Path, variant: str, stamp: Path) -> None:
    """Bring .venv to the state that the stamp stands for."""
    packages = lock.read_text()
    recipe = None if variant == "none" else horovod_wheel.recipe(variant, packages)
    state = hashlib.sha256(f"{sys.version_info[:2]}\0{packages}\0{recipe and recipe.key}".encode()).hexdigest()
    needed = why_needed(variant, os.environ)
    if stamp.exists() and stamp.read_text() == state and PYTHON.exists() and not (needed and SINGLE_PROCESS.exists()):
        stamp.touch()  # only the times of the files have changed: a checkout, or an edit elsewhere in setup/
        return
    for old in VENV.glob(".ready-*"):
        old.unlink()
    make_venv()
    UNFINISHED.touch()
    install_packages(lock)
    UNFINISHED.unlink()
    missing = "HOROVOD=none" if recipe is None else install_horovod(recipe)
    if missing:
        SINGLE_PROCESS.write_text(missing + "\n")
        without_horovod(missing, needed)
    else:
        SINGLE_PROCESS.unlink(missing_ok=True)
    # Renamed into place: make must never see an empty stamp with a fresh time.
    unfinished = stamp.with_name(f".{stamp.name}")
    unfinished.write_text(state)
    unfinished.replace(stamp)


def make_venv() -> None:
    """A virtual environment of this Python: the one that is there, or a new one if it is half made or another's."""
    asked = [str(PYTHON), "-c", "import sys, pip; print(*sys.version_info[:2])"]
    try:
        usable = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    except OSError:
        usable = []
    if usable == [str(part) for part in sys.version_info[:2]] and not UNFINISHED.exists():
        return
    for entry in VENV.iterdir():
        if entry.name == LOCK_FILE:  # held by this process, and waited for by others
            continue
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    # Not sys.executable: with the old .venv activated, that is the interpreter just removed.
    base = getattr(sys, "_base_executable", None) or sys.executable
    call([base, "-m", "venv", str(VENV)])


def install_packages(lock: Path) -> None:
    """Exactly the locked packages. uv takes seconds where pip takes minutes; without it pip does the same.

    Their bytecode with them, which pip always writes: where PYTHONDONTWRITEBYTECODE is set nobody else would, and each
    import of TensorFlow would take 10 seconds of a core instead of 5.
    """
    pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
    if os.environ.get("INSTALLER") != "pip":
        uv = bootstrap_uv(lock)
        sync = [uv, "pip", "sync", "--compile-bytecode", "--require-hashes", "--python", str(PYTHON), str(lock)]
        if uv and subprocess.run(sync, env=uv_environment(), check=False).returncode == 0:
            return
        print("uv did not do it: installing with pip, which takes some minutes", file=sys.stderr, flush=True)
    # The lock file is complete, so there is nothing to resolve.
    call([*pip, "--no-deps", "-r", str(lock)])


def bootstrap_uv(lock: Path) -> str:
    """The locked uv, installed by pip; empty where that fails."""
    uv = VENV / "bin" / "uv"
    pinned = requirement(lock.read_text(), "uv")
    wanted = f"uv {horovod_wheel.pinned_version(pinned, 'uv')}"
    if uv.exists():
        have = subprocess.run([str(uv), "--version"], capture_output=True, text=True, check=False).stdout
        if have.split()[:2] == wanted.split():
            return str(uv)
    with tempfile.TemporaryDirectory() as temporary:
        only = Path(temporary) / "uv.lock"
        only.write_text(pinned)
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes"]
        done = subprocess.run([*pip, "-r", str(only)], check=False)
    return str(uv) if done.returncode == 0 else ""


def requirement(lock: str, package: str) -> str:
    """The lines of one package in a lock file: its version and its hashes."""
    found = re.search(rf"^{re.escape(package)}==.*\n(?: +--hash=.*\n?)+", lock, flags=re.MULTILINE)
    if not found:
        raise SystemExit(f"{package} is not in the lock file: `make lock` writes it anew")
    return found[0]


def uv_environment(only_default_index: bool = False) -> dict[str, str]:
    """The environment for uv, told in its own words what pip has been told."""
    asked = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "config", "list"]
    config = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    settings = uv_settings(config)
    if only_default_index:
        # Hashes from one user's further indexes would be wrong for everybody else.
        settings = {name: value for name, value in settings.items() if name not in {"UV_INDEX", "UV_FIND_LINKS"}}
    return {**settings, **os.environ}


def uv_settings(config: str) -> dict[str, str]:
    """Translate `pip config list`: uv does not read pip's configuration.

    global.extra-index-url='file:///a file:///b'   ->   UV_INDEX=file:///a file:///b
    """
    values: dict[str, str] = {}
    # As in pip: a command's own section over [global], a variable over both.
    for section in ("global", "install", ":env:"):
        for line in config.splitlines():
            name, _, value = line.partition("=")
            before, _, option = name.rpartition(".")
            if before == section and value:
                values[option] = " ".join(shlex.split(value)).strip()
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    names |= {"cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST"}
    settings = {variable: values[option] for option, variable in names.items() if values.get(option)}
    if "UV_FIND_LINKS" in settings:
        settings["UV_FIND_LINKS"] = ",".join(settings["UV_FIND_LINKS"].split())
    # pip looks at all indexes alike; the hashes decide what is taken.
    return {**settings, "UV_INDEX_STRATEGY": "unsafe-best-match"}


def install_horovod(recipe: horovod_wheel.Recipe) -> str:
    """Install the wheel and try it; returns why there is none, or nothing.

    A kept wheel that does not work (the C library or the driver has changed since) is built again, once.
    """
    new = False
    while not new:
        try:
            wheel, new = horovod_wheel.wheel(recipe, PYTHON)
        except horovod_wheel.CannotBuild as error:
            return str(error)
        pip = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        call([*pip, "--no-deps", "--no-index", "--force-reinstall", str(wheel)])
        built = f"import horovod.tensorflow as hvd; assert hvd.{recipe.variant}_built()"
        tried = subprocess.run([str(PYTHON), "-c", built], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return ""
        print(f"{tried.stderr}\nHorovod cannot be used: {wheel}", file=sys.stderr, flush=True)
        horovod_wheel.forget(recipe)
    raise SystemExit(
        "Horovod was built but cannot be imported: the reason stands above. `make HOROVOD=none ...` does without"
    )


def why_needed(variant: str, environ: Mapping[str, str]) -> str:
    """Why a single process will not do here; empty where it will."""
    if environ.get("CI") == "true":
        return "CI=true: the tests with several ranks must not be skipped, so this is a failure"
    if variant in {"mpi", "nccl"}:
        return f"HOROVOD={variant} was asked for; `make HOROVOD=none ...` does without"
    return ""


def without_horovod(reason: str, needed: str) -> None:
    """Tell the user what a machine without Horovod can do, and stop where that is not enough."""
    print(
        f"\nHorovod is not installed: {reason}.\n"
        "Everything runs, with one process a stage (BERT_RANKS=1). For more, install what is missing and run\n"
        "`make horovod`.\n",
        file=sys.stderr,
        flush=True,
    )
    if needed:
        raise SystemExit(needed)


def write_locks(upgrade: bool) -> None:
    """Write the lock files; their versions agree, so that a GPU changes nothing else."""
    uv = VENV / "bin" / "uv"
    for name, extras in LOCKS.items():
        command = [str(uv), "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
        command += [f"--extra={extra}" for extra in extras]
        command += ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
        command += ["--custom-compile-command", "make lock", "-o", name]
        if name != "requirements.lock":
            command += ["-c", "requirements.lock", "--no-annotate"]
        elif upgrade:
            command += ["--upgrade"]
        call(command, env=uv_environment(only_default_index=True))


def call(command: list[str], env: Mapping[str, str] | None = None) -> None:
    """Run a command in the root of the project; its failure is ours."""
    done = subprocess.run(command, cwd=ROOT, env=env and dict(env), check=False)
    if done.returncode:
        raise SystemExit(f"`{shlex.join(command)}` failed with {done.returncode}")


if __name__ == "__main__":
    main()
