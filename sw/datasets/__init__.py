"""Data sets by name, and the user's own files, with a true hold-out.

`load` gives records to train on and records never to train on; `open_source` reads the same
records shard by shard, where they are more than fit in memory.
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
