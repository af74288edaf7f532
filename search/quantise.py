"""Unit vectors as signed bytes, and as bits for a first, coarse choice."""

import numpy as np

QUANTISATION = "int8, largest component at 127"


def to_bytes(vectors: np.ndarray) -> np.ndarray:
    """Returns int8 (N, dim): each of the float32 (N, dim) rows filled to 127.

    The scale is each vector's own and is not kept: only directions are compared. One
    scale for all would leave components of 0.05, usual at 384 dimensions, six steps.
    """
    peak = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    return np.rint(vectors * (127 / np.maximum(peak, 1e-12))).astype(np.int8)


def to_unit(quantised: np.ndarray) -> np.ndarray:
    """Returns float32 (N, dim) of unit length from int8 (N, dim)."""
    vectors = quantised.astype(np.float32)
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    vectors /= np.maximum(lengths, 1e-12)[:, None]
    return vectors


def sketch(vectors: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Returns uint8 (N, dim / 8): the bits of what is above the centre.

    Sentence vectors lie in a narrow cone, where signs alone hardly differ; above or
    below the mean vector does.

    Args:
        vectors: float32 (N, dim) of unit length.
        centre: float32 (dim,), about their mean.
    """
    return np.packbits(vectors > centre, axis=1, bitorder="little")
