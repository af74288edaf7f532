"""Writes the record of a run whose student was made by a test."""

from babelet.configs import parsing, record
from babelet.core.checksums import digests

FILES = ("student.weights.h5", "student.keras", "tokenizer.model", "labels.txt")


def write(folder, config, steps=("training",)):
    """Notes settings and files in `folder` as a finished run does."""
    record.write_config(folder, config)
    manifest = record.read_manifest(folder)
    manifest["config_hash"] = record.digest(parsing.to_json(config))
    manifest[record.STUDENT] = record.of_student(config)
    files = [*FILES, "calibration.json"]
    present = digests(folder, [name for name in files if (folder / name).exists()])
    for step in steps:
        manifest["steps"][step] = {
            "inputs": "",
            "seconds": 0.0,
            "facts": {},
            "files": present,
        }
    record.write_manifest(folder, manifest)
