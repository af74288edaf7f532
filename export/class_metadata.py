"""The names of classes inside a LiteRT file, where MediaPipe Tasks look for them.

TensorFlow Lite's metadata (metadata_schema.fbs, identifier "M001"): a table that says
the output's axis is named by the file labels.txt, which is in the zip archive at the
end of the model. The table is put after the model and found in the place of a note that
the converter leaves; not a byte of the weights moves, so they keep their alignment.
"""

import struct

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from babelet.core.errors import BabeletError
from babelet.data.class_names import LABELS

NOTE, NAME = b"CONVERSION_METADATA", b"TFLITE_METADATA"
IDENTIFIER = b"M001"
# AssociatedFileType.TENSOR_AXIS_LABELS
_AXIS_LABELS = 2
_ALIGNMENT = 16


def with_class_metadata(content: bytes) -> bytes:
    """Returns a LiteRT model whose output is named by labels.txt.

    Args:
        content: The model as the converter wrote it, with one input and output or
            more, of which the first output has a score for each class.

    Raises:
        BabeletError: The converter left no note to be replaced.
    """
    changed = bytearray(content)
    model = schema.Model.GetRootAs(changed, 0)
    notes = [model.Metadata(i) for i in range(model.MetadataLength())]
    found = [note for note in notes if note.Name() == NOTE]
    if len(found) != 1 or model.Buffers(found[0].Buffer()).DataIsNone():
        raise BabeletError(
            "The LiteRT model has no place for the names of its classes",
            expected=f"one entry {NOTE.decode()}",
            received=f"{len(found)}",
            remedy="install the TensorFlow of constraints.txt",
        )
    _rename(changed, found[0]._tab)
    table = _table(model.Subgraphs(0).InputsLength())
    field = model.Buffers(found[0].Buffer())._tab
    place = field.Pos + field.Offset(4)
    # Its length stands before the vector, and the vector is aligned.
    changed += bytes(-(len(changed) + 4) % _ALIGNMENT)
    changed[place : place + 4] = struct.pack("<I", len(changed) - place)
    return bytes(changed + struct.pack("<I", len(table)) + table)


def _rename(content: bytearray, entry: flatbuffers.table.Table) -> None:
    """Writes `NAME` over the entry's longer name, in its room."""
    start = entry.Indirect(entry.Pos + entry.Offset(4))
    content[start : start + 4] = struct.pack("<I", len(NAME))
    content[start + 4 : start + 4 + len(NOTE)] = NAME.ljust(len(NOTE), b"\0")


def _table(inputs: int) -> bytes:
    """Returns the serialised ModelMetadata, for so many inputs and one output."""
    builder = flatbuffers.Builder(256)
    name = builder.CreateString(LABELS)
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(0, name, 0)
    builder.PrependInt8Slot(2, _AXIS_LABELS, 0)
    file = builder.EndObject()
    files = _vector(builder, [file])
    scores = builder.CreateString("scores")
    builder.StartObject(7)
    builder.PrependUOffsetTRelativeSlot(0, scores, 0)
    builder.PrependUOffsetTRelativeSlot(6, files, 0)
    outputs = _vector(builder, [builder.EndObject()])
    tensors = []
    for _ in range(inputs):
        builder.StartObject(7)
        tensors.append(builder.EndObject())
    tensors = _vector(builder, tensors)
    builder.StartObject(10)
    builder.PrependUOffsetTRelativeSlot(2, tensors, 0)
    builder.PrependUOffsetTRelativeSlot(3, outputs, 0)
    graphs = _vector(builder, [builder.EndObject()])
    builder.StartObject(8)
    builder.PrependUOffsetTRelativeSlot(3, graphs, 0)
    builder.Finish(builder.EndObject(), file_identifier=IDENTIFIER)
    return bytes(builder.Output())


def _vector(builder: flatbuffers.Builder, items: list[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    return builder.EndVector()
