"""Small teachers in the E5S1 format; benchmarks.torture measures with them too."""

from benchmarks.torture.tiny_teacher import (
    RULES,
    SPECIAL,
    Shape,
    nmt_nfkc,
    quantise,
    unigram,
    write_e5s1,
)

__all__ = [
    "RULES",
    "SPECIAL",
    "Shape",
    "nmt_nfkc",
    "quantise",
    "unigram",
    "write_e5s1",
]
