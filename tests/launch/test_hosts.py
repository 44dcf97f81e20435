"""Tests for bert/launch/hosts.py; ranks on two hosts are in test_two_hosts.py."""

from __future__ import annotations

import socket

import pytest

from bert.launch.hosts import host_of, hosts_for, is_here, joined, network_flags, reachable, without
from bert.pipeline.errors import StageError
from bert.pipeline.machine import Host, MachineSettings, machine_settings

HOSTS = [Host("one", 2), Host("two", 3)]


def machine(**settings: str) -> MachineSettings:
    """As the environment has them: machine(hosts="one:2")."""
    return machine_settings({f"BERT_{name.upper()}": value for name, value in settings.items()})


def test_without_hosts_all_ranks_are_here() -> None:
    assert joined(hosts_for(3, machine())) == "localhost:3"


def test_hosts_are_those_of_the_settings() -> None:
    assert hosts_for(5, machine(hosts="one:2, two:3")) == HOSTS


def test_more_ranks_than_the_hosts_have_room_for_are_shown() -> None:
    with pytest.raises(StageError, match="BERT_RANKS is 6, but BERT_HOSTS has room for 5: one:2,two:3"):
        hosts_for(6, machine(hosts="one:2,two:3"))


def test_ranks_fill_the_hosts_in_their_order() -> None:
    assert [host_of(rank, HOSTS) for rank in range(5)] == ["one", "one", "two", "two", "two"]


def test_a_lost_rank_costs_its_host_a_place_and_a_host_without_any_is_left_out() -> None:
    assert without(HOSTS, [3]) == [Host("one", 2), Host("two", 2)]
    assert without(HOSTS, [0, 1]) == [Host("two", 3)]
    assert without(HOSTS, []) == HOSTS


def test_horovodrun_is_told_the_way_to_the_hosts() -> None:
    assert network_flags(HOSTS, machine()) == []
    way = machine(network_interface="eth1", ssh_port="2222", ssh_identity="/keys/k")
    here = Host("localhost", 2)
    assert network_flags([here], way) == [], "of one host horovodrun takes the loopback, and no other"
    assert network_flags([here, Host("host.invalid", 1)], way) == [
        *("--network-interface", "eth1", "--ssh-port", "2222", "--ssh-identity-file", "/keys/k"),
    ]


def test_this_machine_is_known_by_all_its_names() -> None:
    assert is_here("localhost") and is_here("127.0.0.1") and is_here(socket.gethostname())
    assert not is_here("192.0.2.1"), "an address for examples, which nobody has"
    assert not is_here("host.invalid")


def test_a_host_that_cannot_be_reached_is_left_out() -> None:
    assert reachable([Host("host.invalid", 8), Host("localhost", 1)], machine()) == [Host("localhost", 1)]
