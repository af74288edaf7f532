"""AdamW with one fused kernel per variable.

Keras's AdamW makes about fifteen passes over every variable, and the token table is
half of a small student: on two cores the update took longer than the forward pass.
TensorFlow's fused Adam kernel reads and writes each number once.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("babelet")
class FusedAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov & Hutter 2019, algorithm 2); arguments as in Keras.

    The update is Keras's, up to rounding. AMSGrad is not offered.
    """

    def update_step(
        self, gradient: object, variable: tf.Variable, learning_rate: object
    ) -> None:
        """Applies one update to `variable` and its two moments."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.convert_to_tensor(gradient),
        )

    def _clip_gradients(self, gradients: list) -> list:
        """Clips by the global norm, with the fused square-sum kernel."""
        # Rows of an embedding that occur twice must be summed before they are measured.
        dense = [g if g is None else tf.convert_to_tensor(g) for g in gradients]
        if not self.global_clipnorm:
            return super()._clip_gradients(dense)
        clipped, _ = tf.clip_by_global_norm(dense, self.global_clipnorm)
        return clipped
