"""The set-up: what it decides, without installing anything."""

import importlib.util
import json
import os
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from setup import environment, horovod_wheel
from setup.files import cache_folder

ROOT = Path(__file__).resolve().parent.parent
LOCK = (ROOT / "requirements.lock").read_text()
GPU_LOCK = (ROOT / "requirements-gpu.lock").read_text()


def same_bytes() -> ModuleType:
    """The script in .ci, which is no package."""
    spec = importlib.util.spec_from_file_location("same_bytes", ROOT / ".ci" / "same_bytes.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the wheel's name


def test_the_key_names_what_a_wheel_was_built_for():
    key = horovod_wheel.recipe("gloo", LOCK).key
    assert "gloo" in key and "0.28.1" in key and "tf2.21.0" in key
    assert f"{sys.version_info.major}{sys.version_info.minor}" in key


@pytest.mark.parametrize(
    "change", [{"variant": "mpi"}, {"patch": "another"}, {"tensorflow": "2.22.0"}, {"horovod": "0.29"}, {"source": "x"}]
)
def test_the_key_changes_with_each_thing_that_a_wheel_depends_on(change):
    recipe = horovod_wheel.recipe("gloo", LOCK)
    assert replace(recipe, **change).key != recipe.key


def test_the_nccl_wheel_depends_on_the_locked_nccl():
    recipe = horovod_wheel.recipe("nccl", GPU_LOCK)
    assert recipe.nccl
    assert replace(recipe, nccl="0").key != recipe.key


def test_the_patch_takes_out_what_does_not_compile():
    assert "-list(APPEND TF_SOURCES" in horovod_wheel.recipe("gloo", LOCK).patch


# --- the build


def test_a_setting_left_in_the_shell_does_not_change_the_variant():
    shell = {"HOROVOD_WITH_MPI": "1", "HOROVOD_CPU_OPERATIONS": "MPI", "HOROVOD_CUDA_HOME": "/cuda", "PATH": "/bin"}
    environ = horovod_wheel.build_environment("gloo", shell, Path("/venv/bin"))
    assert "HOROVOD_WITH_MPI" not in environ
    assert environ["HOROVOD_CPU_OPERATIONS"] == "GLOO"
    assert environ["HOROVOD_CUDA_HOME"] == "/cuda"


def test_the_build_does_not_inherit_the_flags_of_the_make_that_started_it():
    shell = {"MAKEFLAGS": " -j8 --jobserver-auth=3,4", "MFLAGS": "-j8", "MAKELEVEL": "1"}
    environ = horovod_wheel.build_environment("gloo", shell, Path("/venv/bin"))
    assert "jobserver" not in environ["MAKEFLAGS"]
    assert not {"MFLAGS", "MAKELEVEL"} & set(environ)


def test_a_machine_without_a_compiler_is_told_so(tmp_path):
    with pytest.raises(horovod_wheel.CannotBuild, match=r"no C\+\+ compiler .*apt-get install g\+\+"):
        horovod_wheel.check_tools("gloo", {"PATH": str(tmp_path)})


def test_a_compiler_named_by_cxx_is_the_one_looked_for(tmp_path):
    with pytest.raises(horovod_wheel.CannotBuild, match="no-such-compiler"):
        horovod_wheel.check_tools("gloo", {"PATH": "/usr/bin:/bin", "CXX": "no-such-compiler -m64"})


def test_a_failed_build_shows_the_errors_not_the_traceback_at_the_end():
    log = "one\nCMake Error at a.cmake:1 (message):\n  Could NOT find CUDA\nmore\nTraceback\n" + "  File\n" * 50
    assert horovod_wheel.excerpt(log) == "CMake Error at a.cmake:1 (message):\n  Could NOT find CUDA"
    assert horovod_wheel.excerpt("a\nb\nc", lines=2) == "b\nc"


# --- the cache


def test_the_cache_folder_follows_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "reproducible-bert"


def test_a_wheel_in_the_cache_is_taken_without_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    recipe = horovod_wheel.recipe("gloo", LOCK)
    wheel = cache_folder() / "horovod" / recipe.key / "horovod.whl"
    wheel.parent.mkdir(parents=True)
    wheel.touch()
    assert horovod_wheel.wheel(recipe, Path(sys.executable)) == (wheel, False)
    horovod_wheel.forget(recipe)
    with pytest.raises(horovod_wheel.CannotBuild):
        horovod_wheel.wheel(recipe, Path(sys.executable))


HOLD = """
import sys
from pathlib import Path
from setup.files import locked
with locked(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
"""


def test_only_one_set_up_at_a_time_holds_a_lock(tmp_path):
    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    with start() as first:
        assert first.stdout and first.stdout.readline() == "in\n"
        with start() as second:
            assert second.stdout and second.stderr
            assert select.select([second.stdout, second.stderr], [], [], 60)[0] == [second.stderr], "it does not wait"
            assert "waiting for another" in second.stderr.readline()
            assert not select.select([second.stdout], [], [], 0.2)[0], "it goes on beside the other"
            first.communicate("\n")
            assert second.communicate("\n")[0] == "in\n"


# --- the environment


def test_a_wheel_that_does_not_work_is_built_again_only_if_it_was_a_kept_one(monkeypatch, tmp_path, capsys):
    recipe = horovod_wheel.recipe("gloo", LOCK)
    offered = [(tmp_path / "kept", False), (tmp_path / "new", True), (tmp_path / "another", True)]
    monkeypatch.setattr(horovod_wheel, "wheel", lambda recipe, python: offered.pop(0))
    monkeypatch.setattr(horovod_wheel, "forget", lambda recipe: None)
    monkeypatch.setattr(environment, "call", lambda command: None)
    monkeypatch.setattr(environment, "PYTHON", Path("false"))
    with pytest.raises(SystemExit, match="cannot be imported"):
        environment.install_horovod(recipe)
    assert len(offered) == 1


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A .venv whose packages need no installing, on a machine without a compiler."""
    venv = tmp_path / ".venv"
    venv.mkdir()
    for name, value in {
        "VENV": venv,
        "PYTHON": Path(sys.executable),
        "UNFINISHED": venv / ".unfinished",
        "SINGLE_PROCESS": venv / ".single-process",
    }.items():
        monkeypatch.setattr(environment, name, value)
    monkeypatch.setattr(environment, "install_packages", lambda lock: None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CI", raising=False)
    return venv


def set_up(venv: Path) -> Path:
    stamp = venv / ".ready-gloo-cpu"
    environment.install(ROOT / "requirements.lock", "gloo", stamp)
    return stamp


def test_without_a_compiler_a_single_process_is_set_up_and_the_user_told_how_to_get_more(bare, capsys):
    assert set_up(bare).exists()
    assert "no C++ compiler" in (bare / ".single-process").read_text()
    said = capsys.readouterr().err
    assert "no C++ compiler" in said and "BERT_RANKS=1" in said and "make horovod" in said


def test_without_a_compiler_ci_fails(bare, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="CI=true"):
        set_up(bare)
    assert not list(bare.glob(".ready-*"))


def test_ci_does_not_take_over_a_single_process_environment(bare, monkeypatch):
    set_up(bare)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(SystemExit, match="CI=true"):
        set_up(bare)


def test_a_variant_that_was_asked_for_by_name_is_not_replaced_by_a_single_process(bare):
    with pytest.raises(SystemExit, match="HOROVOD=mpi"):
        environment.install(ROOT / "requirements.lock", "mpi", bare / ".ready-mpi-cpu")
    assert not list(bare.glob(".ready-*"))


def test_a_second_set_up_does_nothing(bare, monkeypatch):
    stamp = set_up(bare)
    monkeypatch.setattr(environment, "install_packages", lambda lock: pytest.fail("installed again"))
    os.utime(stamp, (1, 1))  # the clock of a file system may stand for 10 ms
    set_up(bare)
    assert stamp.stat().st_mtime > 1


def test_asking_for_another_variant_takes_the_first_ones_stamp_away(bare):
    first = set_up(bare)
    environment.install(ROOT / "requirements.lock", "none", bare / ".ready-none-cpu")
    assert not first.exists()


def test_a_set_up_that_dies_leaves_no_stamp_and_the_next_starts_afresh(bare, monkeypatch):
    stamp = set_up(bare)
    stamp.write_text("an older lock file")
    (bare / "half-installed").touch()

    def dies(lock):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(environment, "install_packages", dies)
        with pytest.raises(KeyboardInterrupt):
            set_up(bare)
    assert not stamp.exists()

    called = []
    monkeypatch.setattr(environment, "call", lambda command, env=None: called.append(command[1:3]))
    set_up(bare)
    assert called == [["-m", "venv"]]
    assert not (bare / "half-installed").exists()
    assert stamp.exists() and not (bare / ".unfinished").exists()


@pytest.mark.parametrize("version, fits", [((3, 10), False), ((3, 11), True), ((3, 12), True), ((3, 13), False)])
def test_the_python_version_is_checked_before_anything_is_installed(version, fits):
    if fits:
        environment.check_python(version)
    else:
        with pytest.raises(SystemExit, match="make PYTHON="):
            environment.check_python(version)


def test_a_second_make_does_no_work(tmp_path):
    """Asked of make itself, with a stamp that is newer than all that it depends on."""
    for name in ("Makefile", "requirements.lock", "requirements-gpu.lock", "setup"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / ".ready-gloo-cpu").touch()

    # Not the settings of a make that runs these tests.
    environ = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "CI", "EXTRAS"}}

    def needed(*settings: str) -> bool:
        return subprocess.run(["make", "-q", "environment", *settings], cwd=tmp_path, env=environ).returncode != 0

    assert not needed("HOROVOD=gloo")
    assert needed("HOROVOD=nccl")
    assert needed("HOROVOD=gloo", "EXTRAS=gpu")
    (tmp_path / ".venv" / ".single-process").touch()
    assert not needed("HOROVOD=gloo")
    assert needed("HOROVOD=gloo", "CI=true")


# --- the lock files and uv


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-gpu.lock", "setup/horovod.lock"])
def test_every_locked_package_has_a_hash_and_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text and "--index" not in text and "--find-links" not in text
    packages = [line for line in text.splitlines() if line[:1].isalnum()]
    assert packages
    assert all(line.endswith("\\") and "==" in line for line in packages)


def test_a_gpu_changes_no_version_of_another_package():
    def versions(lock: str) -> set[str]:
        return {line.rstrip(" \\") for line in lock.splitlines() if line[:1].isalnum()}

    more = versions(GPU_LOCK) - versions(LOCK)
    assert not versions(LOCK) - versions(GPU_LOCK)
    assert more and all(line.startswith("nvidia-") for line in more)


def test_one_requirement_is_cut_out_of_a_lock_file_with_its_hashes():
    one = "a==1 \\\n    --hash=sha256:1\n"
    two = "uv==2 ; os_name == 'posix' \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    lock = f"{one}    # via b\n{two}    # via a\n"
    assert environment.requirement(lock, "uv") == two
    assert environment.requirement(lock, "a") == one
    with pytest.raises(SystemExit, match="make lock"):
        environment.requirement(lock, "c")


def test_uv_is_told_what_pip_is_configured_to_do():
    config = "\n".join(
        [
            ":env:.find-links='/wheels /more'",
            "global.cert='/cert.pem'",
            "global.extra-index-url='file:///a file:///b'",
            "global.index-url='https://global.example/simple'",
            "install.index-url='https://install.example/simple'",
            "global.find-links='/overruled'",
        ]
    )
    assert environment.uv_settings(config) == {
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_INDEX": "file:///a file:///b",
        "UV_FIND_LINKS": "/wheels,/more",
        "SSL_CERT_FILE": "/cert.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_what_the_user_tells_uv_comes_first(monkeypatch):
    monkeypatch.setenv("UV_INDEX_STRATEGY", "first-index")
    assert environment.uv_environment()["UV_INDEX_STRATEGY"] == "first-index"


# --- the check that CI makes of the data stages' entries


def test_whole_entries_are_compared_of_data_stages_only():
    lock = {
        "stages": {
            "download@squad": {"outs": [{"path": "data/download/squad", "md5": "1.dir"}]},
            "shards": {
                "cmd": "python -m stages.shards",
                "deps": [{"path": "code/shards.json", "md5": "2"}],
                "params": {"params.yaml": {"seed": 7}},
                "outs": [{"path": "data/shards/train", "md5": "3.dir"}],
            },
            "squad": {"outs": [{"path": "data/models/squad", "md5": "4.dir"}]},
        }
    }
    assert same_bytes().entries(lock) == {
        ("download@squad", "data/download/squad"): "1.dir",
        ("shards", "cmd"): '"python -m stages.shards"',
        ("shards", "code/shards.json in deps"): "2",
        ("shards", "params"): '{"params.yaml": {"seed": 7}}',
        ("shards", "data/shards/train"): "3.dir",
    }


def test_a_differing_entry_is_named_and_is_a_failure(tmp_path):
    def git(*args: str) -> None:
        user = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *user, *args], cwd=tmp_path, check=True, capture_output=True)

    def run() -> subprocess.CompletedProcess[str]:
        script = [sys.executable, str(ROOT / ".ci" / "same_bytes.py")]
        return subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)

    vocab = {"deps": [{"path": "code/vocab.json", "md5": "0"}], "outs": [{"path": "data/vocab.txt", "md5": "1"}]}
    git("init")
    (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"vocab": vocab}}))
    git("add", "dvc.lock")
    git("commit", "-m", "lock")
    assert run().returncode == 0
    for part, path in (("outs", "data/vocab.txt"), ("deps", "code/vocab.json in deps")):
        changed = {**vocab, part: [{**vocab[part][0], "md5": "2"}]}
        (tmp_path / "dvc.lock").write_text(json.dumps({"stages": {"vocab": changed}}))
        failed = run()
        assert failed.returncode and f"{path} (vocab)" in failed.stderr and "2 now" in failed.stdout
    (tmp_path / "dvc.lock").write_text("stages: {}")
    assert "data/vocab.txt (vocab)" in run().stderr
