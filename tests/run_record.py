"""Writes the record of a run whose student was made by a test."""

import dataclasses

from configs import parsing, record
from configs.checksums import digests

SECTIONS = ("seed", "task", "student", "objective", "training")
FILES = ("student.weights.h5", "student.keras", "tokenizer.model", "labels.txt")


def write(folder, config, steps=("training",)):
    """Notes settings and files in `folder` as a finished run does."""
    record.write_config(folder, config)
    manifest = record.read_manifest(folder)
    manifest["config_hash"] = record.digest(parsing.to_json(config))
    settings = dataclasses.asdict(config)
    files = [*FILES, "calibration.json"]
    present = digests(folder, [name for name in files if (folder / name).exists()])
    for step in steps:
        manifest["steps"][step] = {
            "inputs": "",
            "seconds": 0.0,
            "facts": {},
            "settings": {name: settings[name] for name in SECTIONS},
            "files": present,
        }
    record.write_manifest(folder, manifest)
