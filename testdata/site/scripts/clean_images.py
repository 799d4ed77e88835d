#!/usr/bin/env python3
"""Deletes product images that nobody asked for in a while."""
import argparse
import pathlib
import time


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--older-than", type=int, default=90, metavar="DAYS")
    parser.add_argument("--dry-run", action="store_true")
    args = parser.parse_args()

    limit = time.time() - args.older_than * 86400
    for image in sorted(pathlib.Path("web/dist/images").glob("*.webp")):
        if image.stat().st_atime < limit:
            print(image)
            if not args.dry_run:
                image.unlink()


if __name__ == "__main__":
    main()
