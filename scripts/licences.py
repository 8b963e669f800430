"""Checks every dependency's licence and source against deny.toml; `cargo deny check` reads the same file."""

import json
import re
import subprocess
import sys
import tomllib

policy = tomllib.load(open("deny.toml", "rb"))
allowed = set(policy["licenses"]["allow"])
metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--locked"]))


def permitted(expression: str) -> bool:
    """Whether an SPDX expression can be met with allowed licences only."""
    parts = re.split(r"(\(|\)|\bAND\b|\bOR\b|/)", expression)
    words = [part.strip() for part in parts if part.strip()]
    code = []
    for word in words:
        if word in "()":
            code.append(word)
        elif word == "AND":
            code.append("and")
        elif word in ("OR", "/"):
            code.append("or")
        else:
            code.append(str(word in allowed))
    return eval(" ".join(code), {"__builtins__": {}})


problems = []
for package in metadata["packages"]:
    if package["source"] is None:
        continue
    if not package["source"].startswith("registry+"):
        problems.append(f"{package['name']} {package['version']} does not come from a registry: {package['source']}")
    if not package["license"] or not permitted(package["license"]):
        problems.append(f"{package['name']} {package['version']} has the licence {package['license']}")
print("\n".join(problems) or f"{len(metadata['packages'])} packages, all licences allowed by deny.toml")
sys.exit(bool(problems))
