"""Data sets by name, and the user's own files, split into training records and a hold-out.

Belongs here: reading, writing, generating and splitting records in the user's units. Does not: scaling them to a
network's units (`sw.scaling`). `load` gives both splits in memory; `open_source` reads the same records shard by shard,
for data sets that do not fit. Begin with `dataset`, then `source`.
"""

from sw.datasets.dataset import Dataset, DatasetError, Split
from sw.datasets.files import write
from sw.datasets.source import MemorySource, Source, open_source
from sw.datasets.split import NAMES, load
from sw.datasets.synthetic import chunks, generate

__all__ = [
    "NAMES",
    "Dataset",
    "DatasetError",
    "MemorySource",
    "Source",
    "Split",
    "chunks",
    "generate",
    "load",
    "open_source",
    "write",
]
