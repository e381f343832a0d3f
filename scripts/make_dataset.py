"""Write one of the known data sets to a file: python scripts/make_dataset.py triangle triangle.csv --records 10240"""

import argparse
from pathlib import Path

from sw import datasets


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write a known data set to a file, targets in the last columns.")
    parser.add_argument("name", choices=datasets.NAMES, help="data set")
    parser.add_argument("path", type=Path, help="file ending in .csv, .npy, .npz or .parquet")
    parser.add_argument("--records", type=int, default=10_240, help="how many (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (default %(default)s)")
    options = parser.parse_args(arguments)
    try:
        dataset = datasets.generate(options.name, options.records, seed=options.seed)
        datasets.write(dataset, options.path)
    except datasets.DatasetError as error:
        parser.error(str(error))
    print(f"{options.path}: {len(dataset)} records; targets {', '.join(dataset.target_names)}")


if __name__ == "__main__":
    main()
