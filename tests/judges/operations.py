"""The GraphQL operations that Hooktide sends, read from its source: the simulator is asked what Shopify is asked."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "shared/providers/src/shopify/api/operations.rs"
MACRO = re.compile(r"macro_rules! (\w+) \{\s*\(\) => \{(.*?)\n    \};", re.DOTALL)
OPERATION = re.compile(r'name: "(\w+)",\s*document: (.*?),\n\};', re.DOTALL)
PIECE = re.compile(r'"((?:[^"\\]|\\.)*)"|(\w+)!\(\)', re.DOTALL)
ESCAPE = re.compile(r"\\\n\s*|\\(.)", re.DOTALL)


def operations():
    """The documents by their operations' names."""
    text = SOURCE.read_text()
    macros = dict(MACRO.findall(text))

    def written(expression):
        pieces = PIECE.finditer(expression)
        return "".join(written(macros[p[2]]) if p[2] else ESCAPE.sub(lambda e: e[1] or "", p[1]) for p in pieces)

    return {name: written(document) for name, document in OPERATION.findall(text)}
