"""Tensors only: the student, the Distiller, its objective; teachers take text.

Keras comes first: at its import `babelet.keras_registration` imports modules of this
package, of which none may then be half imported.
"""

import keras  # noqa: F401
