"""Data sets by name, and the user's own files, with a true hold-out.

`load` gives records to train on and records never to train on; `chunks` streams what does not fit in memory.
"""

from sw.datasets.dataset import Dataset, DatasetError, Split
from sw.datasets.files import write
from sw.datasets.split import NAMES, load
from sw.datasets.synthetic import chunks, generate

__all__ = ["NAMES", "Dataset", "DatasetError", "Split", "chunks", "generate", "load", "write"]
