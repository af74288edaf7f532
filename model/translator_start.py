"""A translator that starts from layers of a larger one, and from its token table.

"Shrink and fine-tune", Shleifer & Rush 2020: a student made of copies of some of its
teacher's layers learns in a fraction of the steps that random weights need.
"""

from collections.abc import Sequence

from model.encoder_decoder import EncoderDecoder


def start_from_layers(
    student: EncoderDecoder,
    teacher: EncoderDecoder,
    encoder_layers: Sequence[int],
    decoder_layers: Sequence[int],
) -> None:
    """Copies the teacher's token table, last norms and layers into the student.

    Args:
        student: Keeps its random weights where no layer is named.
        teacher: Of the same widths and vocabulary.
        encoder_layers: The teacher's for each encoder layer of the student; or none.
        decoder_layers: The same of the decoder.

    Raises:
        ValueError: Other widths, or a layer that the teacher does not have.
    """
    pairs = [
        (student.embedding, teacher.embedding),
        *zip(student.last_norms, teacher.last_norms, strict=True),
    ]
    for mine, theirs, chosen, name in (
        (student.encoder, teacher.encoder, encoder_layers, "encoder"),
        (student.decoder, teacher.decoder, decoder_layers, "decoder"),
    ):
        absent = [index for index in chosen if not 0 <= index < len(theirs)]
        if absent:
            raise ValueError(
                f"The teacher's {name} has layers 0 to {len(theirs) - 1}. "
                f"Received: {absent}"
            )
        pairs += zip(mine, (theirs[index] for index in chosen), strict=False)
    for mine, theirs in pairs:
        shapes = [[tuple(x.shape) for x in each.weights] for each in (mine, theirs)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "Student and teacher must have the same widths. "
                f"Received: {mine.name} of {shapes[0]} and {shapes[1]}"
            )
        for variable, value in zip(mine.weights, theirs.weights, strict=True):
            variable.assign(value)
