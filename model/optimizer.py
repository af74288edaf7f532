"""AdamW with one fused kernel per variable.

Keras's AdamW makes about fifteen passes over every variable, and the token table is
half of a small student: the update took a quarter of a step. TensorFlow's fused Adam
kernel reads and writes each number once.
"""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("babelet")
class FusedAdamW(keras.optimizers.AdamW):
    """AdamW (Loshchilov & Hutter 2019, algorithm 2); arguments as in Keras.

    The update is Keras's, up to rounding. AMSGrad is not offered.
    """

    def update_step(
        self,
        gradient: tf.Tensor,
        variable: tf.Variable,
        learning_rate: object,
    ) -> None:
        """Applies one update to `variable` and its two moments."""
        index = self._get_variable_index(variable)
        moments = self._momentums[index].value, self._velocities[index].value
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=moments[0].handle,
            v=moments[1].handle,
            beta1_power=tf.pow(self.beta_1, step),
            beta2_power=tf.pow(self.beta_2, step),
            lr=tf.cast(learning_rate, tf.float32),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _apply_weight_decay(self, variables: list) -> None:
        """Spares the pass over every variable that a decay of 0 would take."""
        if self.weight_decay:
            super()._apply_weight_decay(variables)

    def _clip_gradients(self, gradients: list) -> list:
        """Clips; a row that the batch used twice counts as the sum of both."""
        whole = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if not self.global_clipnorm:
            return super()._clip_gradients(whole)
        # Its norm comes from a fused kernel, Keras's from passes over each variable.
        return tf.clip_by_global_norm(whole, self.global_clipnorm)[0]
