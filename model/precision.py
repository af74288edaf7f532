"""Which arithmetic this machine is fast in."""

from pathlib import Path


def resolved_precision(setting: str) -> str:
    """Returns the dtype policy that `training.precision` stands for."""
    return preferred_precision() if setting == "auto" else setting


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
