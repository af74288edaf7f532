"""Sentence vectors on a plane, for looking at."""

import numpy as np


def pca_map(embeddings: np.ndarray) -> np.ndarray:
    """Projects onto the two directions of largest variance.

    A direction's sign is chosen so that its largest coordinate is positive: the same
    vectors always give the same picture.

    Args:
        embeddings: float (N, dim).

    Returns:
        float64 (N, 2); zeros where the rows span fewer dimensions.
    """
    centred = np.asarray(embeddings, np.float64)
    centred = centred - centred.mean(axis=0, keepdims=True) if len(centred) else centred
    plane = np.zeros((len(centred), 2))
    if min(centred.shape) == 0:
        return plane
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    for axis, direction in enumerate(directions[:2]):
        sign = np.sign(direction[np.abs(direction).argmax()]) or 1.0
        plane[:, axis] = centred @ (sign * direction)
    return plane
