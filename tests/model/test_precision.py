"""The arithmetic chosen from the CPU's description."""

import pytest

from babelet.model.precision import preferred_precision


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("fpu sse avx512f avx512_bf16 amx_tile", "mixed_bfloat16"),
        ("fpu sse amx_bf16", "mixed_bfloat16"),
        ("fpu sse avx2 avx512f", "float32"),
        # No flag by itself: part of another's name.
        ("fpu not_avx512_bf16", "float32"),
    ],
)
def test_bfloat16_where_the_cpu_has_it(tmp_path, flags, expected):
    """Emulated bfloat16 trains well and slowly; nobody would ask why."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert preferred_precision(cpuinfo) == expected


def test_without_a_description_float32(tmp_path):
    """Systems without /proc must train too."""
    assert preferred_precision(tmp_path / "absent") == "float32"
