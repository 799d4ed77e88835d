#!/usr/bin/env python3
"""A check for audit: whatever runs by itself stands in the runbook.

A runbook is a text in which a line names each piece of automation by its key, as
audit shows it, and says whom to ask and what to do when it fails:

    - `workflows/deploy.yml` ships the shop; ask Ada.

Argument: the runbook, below the root.

    plugins:
      checks:
        - name: runbook
          command: [./runbook.py, docs/RUNBOOK.md]
          match: ["workflows/*.yml", "scripts/cron:*", "scripts/plugin:*/**"]
          finds:
            - {id: missing, severity: low, title: not in the runbook}
"""

import json
import os
import sys


def main():
    request = json.load(sys.stdin)
    path = sys.argv[1]
    try:
        with open(os.path.join(request["root"], path), encoding="utf-8") as file:
            runbook = file.read()
    except FileNotFoundError:
        runbook = ""
    except OSError as e:
        sys.exit(f"the runbook cannot be read: {e.strerror}")  # what was found before stays

    findings = []
    for item in request["items"]:
        key = item["key"]
        if f"`{key}`" not in runbook:
            findings.append({
                "check": "missing",
                "item": key,
                "message": f"{item['name']} runs by itself, and the runbook does not say whom to ask",
                "hint": f"Add a line that names `{key}` to {path}.",
            })
    json.dump({"schema": "audit.plugin/v1", "findings": findings}, sys.stdout)


main()
