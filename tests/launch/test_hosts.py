"""Tests for bert/launch/hosts.py; ranks on two hosts are in test_two_hosts.py."""

from __future__ import annotations

import socket

import pytest

from bert.launch.hosts import (
    Host,
    as_told,
    host_of,
    is_here,
    network_flags,
    that_answer,
    wanted_hosts,
    wanted_ranks,
    without,
)
from bert.pipeline.errors import StageError

HOSTS = [Host("one", 2), Host("two", 3)]


def test_one_rank_is_the_default() -> None:
    assert wanted_ranks() == 1


def test_hosts_say_how_many_ranks_unless_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:2, two:3")
    assert wanted_ranks() == 5
    assert wanted_hosts(5) == HOSTS
    monkeypatch.setenv("BERT_RANKS", "4")
    assert wanted_ranks() == 4


def test_without_hosts_all_ranks_are_here() -> None:
    assert as_told(wanted_hosts(3)) == "localhost:3"


@pytest.mark.parametrize("told", ["0", "-1", "two", "1.5", "", "²"])
def test_ranks_that_are_no_positive_number_are_shown(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("BERT_RANKS", told)
    with pytest.raises(StageError, match=rf"BERT_RANKS is '{told}', expected a positive number"):
        wanted_ranks()


@pytest.mark.parametrize("told", ["one", "one:0", "one:two", "one:2,", "one:2:3", "one 2", "-1"])
def test_hosts_that_make_no_sense_are_shown(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("BERT_HOSTS", told)
    with pytest.raises(StageError, match=r"BERT_HOSTS is .*: expected host:ranks,\.\.\. but '.*' is none"):
        wanted_hosts(1)


def test_a_host_that_is_told_twice_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:2,one:1")
    with pytest.raises(StageError, match="a host stands there twice"):
        wanted_hosts(3)


def test_more_ranks_than_the_hosts_have_room_for_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_HOSTS", "one:2,two:3")
    with pytest.raises(StageError, match="BERT_RANKS is 6, but BERT_HOSTS has room for 5: one:2,two:3"):
        wanted_hosts(6)


def test_ranks_fill_the_hosts_in_their_order() -> None:
    assert [host_of(rank, HOSTS) for rank in range(5)] == ["one", "one", "two", "two", "two"]


def test_a_lost_rank_costs_its_host_a_place_and_a_host_without_any_is_left_out() -> None:
    assert without(HOSTS, [3]) == [Host("one", 2), Host("two", 2)]
    assert without(HOSTS, [0, 1]) == [Host("two", 3)]
    assert without(HOSTS, []) == HOSTS


def test_horovodrun_is_told_the_way_to_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert network_flags(HOSTS) == []
    for name, value in (("NETWORK_INTERFACE", "eth1"), ("SSH_PORT", "2222"), ("SSH_IDENTITY", "/keys/k")):
        monkeypatch.setenv(f"BERT_{name}", value)
    assert network_flags([Host("localhost", 2)]) == [], "of one host horovodrun takes the loopback, and no other"
    assert network_flags([Host("localhost", 2), Host("host.invalid", 1)]) == [
        *("--network-interface", "eth1", "--ssh-port", "2222", "--ssh-identity-file", "/keys/k"),
    ]


@pytest.mark.parametrize("told", ["ssh", "0", "65536", ""])
def test_a_port_that_is_none_is_shown(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("BERT_SSH_PORT", told)
    with pytest.raises(StageError, match=f"BERT_SSH_PORT is '{told}', expected a port"):
        network_flags([Host("host.invalid", 1)])


def test_this_machine_is_known_by_all_its_names() -> None:
    assert is_here("localhost") and is_here("127.0.0.1") and is_here(socket.gethostname())
    assert not is_here("192.0.2.1"), "an address for examples, which nobody has"
    assert not is_here("host.invalid")


def test_a_host_that_cannot_be_reached_is_left_out() -> None:
    assert that_answer([Host("host.invalid", 8), Host("localhost", 1)]) == [Host("localhost", 1)]
