"""The small student of the export's tests, for benchmarks that export one."""

from tests.export.conftest import (  # noqa: F401
    artefacts,
    corpus,
    make_student,
    make_workdir,
    pairs,
    tokenizer,
    tokenizer_model,
    workdir,
)
