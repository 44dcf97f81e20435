"""The most memory that a training has held, on the rank that has held the most."""

from __future__ import annotations

import resource

import tensorflow as tf

from bert.training.world import World

MB = 2**20


def peak_rss_mb() -> float:
    """The most memory that this process has held, in MB (2**20 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_device_mb() -> float | None:
    """The most that TensorFlow has held on this process's accelerator, in MB; None without one."""
    if not tf.config.get_visible_devices("GPU"):
        return None
    return tf.config.experimental.get_memory_info("GPU:0")["peak"] / MB


def peak_memory(world: World) -> dict[str, float]:
    """The largest of all ranks, which call this together: `peak_rss_mb`, and `peak_device_mb` on accelerators."""
    seen = world.gather({"peak_rss_mb": peak_rss_mb(), "peak_device_mb": peak_device_mb()})
    return {
        name: round(max(values), 1)
        for name in seen[0]
        if (values := [of_rank[name] for of_rank in seen if of_rank[name] is not None])
    }
