"""Secrets stand in .dvc/config.local, and nowhere in git: not in its files, not in what a commit has ever added."""

from __future__ import annotations

import configparser
import re
import shutil
from pathlib import Path

import pytest

from bert.pipeline.code import ROOT
from tests.dvc import run

# Of what the services hand out, as their own scanners know it; regular expressions that Python and git read alike.
SECRETS = {
    "a private key": r"-----BEGIN ([A-Z]+ )*PRIVATE KEY-----",
    "an AWS access key": r"(AKIA|ASIA)[0-9A-Z]{16}",
    "an AWS secret key": r"[Ss][Ee][Cc][Rr][Ee][Tt]_?[Aa][Cc][Cc][Ee][Ss][Ss]_?[Kk][Ee][Yy]\W{1,4}[0-9A-Za-z/+]{40}",
    "a GitHub token": r"(gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60})",
    "a GitLab token": r"glpat-[0-9A-Za-z_-]{20}",
    "a Hugging Face token": r"hf_[0-9A-Za-z]{34}",
    "a Google API key": r"AIza[0-9A-Za-z_-]{35}",
    "a Slack token": r"xox[abposr]-[0-9A-Za-z-]{10,}",
}
EITHER = "|".join(SECRETS.values())
# Options of `dvc remote` that hold a secret or the place of one.
LOCAL_ONLY = re.compile(
    r"password|secret|token|access_key_id|passphrase|keyfile|key_path|credentialpath|connection_string|account_key"
    r"|sas_token|sse_customer_key|custom_auth"
)
EXAMPLES = {
    "a private key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
    "an AWS access key": "AKIA" + "ABCDEFGHIJKLMNOP",
    "an AWS secret key": "aws_secret_access_key = " + "a1" * 20,
    "a GitHub token": "ghp_" + "a1" * 18,
    "a GitLab token": "glpat-" + "a1" * 10,
    "a Hugging Face token": "hf_" + "a1" * 17,
    "a Google API key": "AIza" + "a1" * 17 + "b",
    "a Slack token": "xoxb-" + "a1" * 10,
}


@pytest.fixture(autouse=True)
def _in_git() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a clone: there is no git to look through")


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_would_be_seen(kind: str) -> None:
    assert re.search(EITHER, f"key: {EXAMPLES[kind]}\n")


def test_no_tracked_file_holds_a_secret() -> None:
    found = []
    for name in run(ROOT, "git", "ls-files", "-z").stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file():
            text = path.read_bytes().decode("utf-8", errors="replace")
            found += [f"{name}: {match[0][:12]}..." for match in re.finditer(EITHER, text)]
    assert found == []


def test_no_commit_has_ever_added_one(tmp_path: Path) -> None:
    def commits(folder: Path) -> str:
        return run(folder, "git", "log", "--format=%h %s", "--extended-regexp", "-G", EITHER).stdout

    assert commits(ROOT) == ""
    # It would be seen though it is gone.
    run(tmp_path, "git", "init", "-q")
    for text in (*EXAMPLES.values(), "nothing"):
        (tmp_path / "settings").write_text(f"{text}\n")
        run(tmp_path, "git", "add", "-A")
        run(tmp_path, "git", "commit", "-q", "-m", text[:12])
    assert len(commits(tmp_path).splitlines()) == len(EXAMPLES) + 1


def test_the_options_of_a_remote_that_git_has_are_no_secrets() -> None:
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((ROOT / ".dvc/config").read_text())
    assert [f"{s}: {key}" for s in config.sections() for key in config[s] if LOCAL_ONLY.search(key)] == []
    assert not re.search(r"://[^/\s]+:[^/\s]+@", (ROOT / ".dvc/config").read_text()), "a password in a url"


def test_git_ignores_the_file_for_secrets() -> None:
    assert run(ROOT, "git", "check-ignore", ".dvc/config.local").stdout.strip() == ".dvc/config.local"
    assert ".dvc/config.local" not in run(ROOT, "git", "ls-files").stdout.split()


def test_dvc_writes_secrets_into_that_file_alone(tmp_path: Path) -> None:
    run(tmp_path, "git", "init", "-q")
    run(tmp_path, "dvc", "init", "-q")
    run(tmp_path, "dvc", "remote", "add", "-q", "-d", "team", "s3://bucket/bert")
    run(tmp_path, "dvc", "remote", "modify", "-q", "--local", "team", "secret_access_key", "a-secret")
    run(tmp_path, "git", "add", "-A")
    assert "a-secret" in (tmp_path / ".dvc/config.local").read_text()
    assert "a-secret" not in run(tmp_path, "git", "diff", "--cached").stdout
