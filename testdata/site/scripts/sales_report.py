#!/usr/bin/env python3
"""Sums the orders of the last days from a CSV export (columns: date, cents)."""
import argparse
import csv
import datetime
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("export", nargs="?", type=argparse.FileType("r"), default=sys.stdin)
    args = parser.parse_args()

    first = datetime.date.today() - datetime.timedelta(days=args.days)
    per_day = {}
    for row in csv.DictReader(args.export):
        day = datetime.date.fromisoformat(row["date"])
        if day >= first:
            per_day[day] = per_day.get(day, 0) + int(row["cents"])

    for day, cents in sorted(per_day.items()):
        print(f"{day}  {cents / 100:10.2f}")
    print(f"total       {sum(per_day.values()) / 100:10.2f}")


if __name__ == "__main__":
    main()
