"""Which arithmetic this machine is fast in."""

import os
from pathlib import Path

import tensorflow as tf


def resolved_precision(setting: str) -> str:
    """Returns the dtype policy that `training.precision` stands for."""
    return preferred_precision() if setting == "auto" else setting


def described_device(policy: str) -> str:
    """Returns what a run computes on, in words: "CPU with 2 cores, bfloat16".

    Args:
        policy: A dtype policy, as `resolved_precision` gives it.
    """
    numbers = policy.removeprefix("mixed_")
    found = tf.config.list_physical_devices("GPU")
    if not found:
        return f"CPU with {os.cpu_count()} cores, {numbers}"
    details = tf.config.experimental.get_device_details(found[0])
    name = details.get("device_name", found[0].name)
    return f"{f'{len(found)} × ' if len(found) > 1 else ''}GPU {name}, {numbers}"


def preferred_precision(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Returns the dtype policy to compute in.

    Args:
        cpuinfo: The kernel's description of the CPU.

    Returns:
        "mixed_bfloat16" where the CPU multiplies bfloat16 in hardware, else
        "float32": emulated bfloat16 is slower than float32.
    """
    fast = cpu_flags(cpuinfo) & {"avx512_bf16", "amx_bf16"}
    return "mixed_bfloat16" if fast else "float32"


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Returns the words of the kernel's description of the CPU, none if it has none."""
    try:
        return set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        return set()
