"""Decides what the policies of a role allow, as IAM does for one account: denied unless allowed, and a Deny wins.

The emulator lets every caller do everything. So that the emulated stack shows what a real one would do, each call of
a function is decided here before it is passed on (see `enforcer.py`). What this does not know, it refuses to judge
with an error: an operator that is guessed wrongly would hide a role that is too wide or too narrow.
"""

import re
from dataclasses import dataclass, field

KNOWN_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}


class Unsupported(Exception):
    """A policy says something that is not evaluated here."""


@dataclass(frozen=True)
class Need:
    """What a call needs: one action on one resource, and what conditions may ask about it.

    The context has a tuple of values for each key, in the spelling of IAM's documentation.
    """

    action: str
    resource: str
    context: dict = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True)
class Grant:
    """One action pattern on one resource pattern of an Allow: the unit in which a role can be too wide."""

    action: str
    resource: str


@dataclass(frozen=True)
class Decision:
    """Whether a need is met, by which grants, and why not."""

    allowed: bool
    grants: tuple = ()
    why: str = ""


class Statement:
    """One statement of a policy."""

    def __init__(self, document):
        unknown = set(document) - KNOWN_ELEMENTS
        if unknown or "Action" not in document or "Resource" not in document:
            raise Unsupported(f"a statement with {sorted(set(document))}")
        if document["Effect"] not in ("Allow", "Deny"):
            raise Unsupported(f"the effect {document['Effect']!r}")
        self.sid = document.get("Sid", "")
        self.denies = document["Effect"] == "Deny"
        self.actions = as_list(document["Action"])
        self.resources = as_list(document["Resource"])
        self.conditions = document.get("Condition", {})
        for text in (*self.actions, *self.resources, *condition_values(self.conditions)):
            if not isinstance(text, str):
                raise Unsupported(f"{text!r} is not resolved")
            if "${" in text:
                raise Unsupported(f"the policy variable in {text!r}")

    def grants(self):
        """Every action pattern on every resource pattern."""
        return [Grant(action, resource) for action in self.actions for resource in self.resources]

    def matching(self, need):
        """The grants that fit the need, if the conditions hold."""
        if not all(
            holds(operator, key, as_list(wanted), need.context)
            for operator, keys in self.conditions.items()
            for key, wanted in keys.items()
        ):
            return []
        return [
            grant
            for grant in self.grants()
            if matches(grant.action, need.action, ignore_case=True) and matches(grant.resource, need.resource)
        ]


class Policy:
    """All statements that count for a role."""

    def __init__(self, documents):
        self.statements = [
            Statement(statement) for document in documents for statement in as_list(document["Statement"])
        ]

    def grants(self):
        """Everything that is allowed, conditions aside."""
        return {grant for statement in self.statements if not statement.denies for grant in statement.grants()}

    def decide(self, need):
        """Whether the need is met."""
        denying = [s for s in self.statements if s.denies and s.matching(need)]
        if denying:
            return Decision(False, why=f"{denying[0].sid or 'a statement'} denies it")
        grants = [grant for s in self.statements if not s.denies for grant in s.matching(need)]
        return Decision(bool(grants), tuple(grants), "" if grants else "nothing allows it")


def as_list(value):
    """IAM lets a list of one be written without brackets."""
    return value if isinstance(value, list) else [value]


def condition_values(conditions):
    """All texts that conditions compare with."""
    return [value for keys in conditions.values() for wanted in keys.values() for value in as_list(wanted)]


def matches(pattern, text, ignore_case=False):
    """IAM's wildcards: `*` for any characters, also none and also slashes and colons; `?` for exactly one."""
    parts = ({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


# How one value is compared with one wanted value, and whether the operator says the opposite of that.
OPERATORS = {
    "StringEquals": (lambda value, wanted: value == wanted, False),
    "StringNotEquals": (lambda value, wanted: value == wanted, True),
    "StringLike": (lambda value, wanted: matches(wanted, value), False),
    "StringNotLike": (lambda value, wanted: matches(wanted, value), True),
    "ArnEquals": (lambda value, wanted: matches(wanted, value), False),
    "ArnLike": (lambda value, wanted: matches(wanted, value), False),
    "ArnNotEquals": (lambda value, wanted: matches(wanted, value), True),
    "ArnNotLike": (lambda value, wanted: matches(wanted, value), True),
    "Bool": (lambda value, wanted: value.lower() == wanted.lower(), False),
}


def holds(operator, key, wanted, context):
    """Whether one condition holds. Several wanted values are alternatives; of negated operators none may fit."""
    values = {name.lower(): values for name, values in context.items()}.get(key.lower())
    if operator == "Null":
        return (not values) == (wanted[0].lower() == "true")
    quantifier, _, name = operator.rpartition(":")
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in OPERATORS or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        raise Unsupported(f"the condition operator {operator}")
    compare, negated = OPERATORS[name]

    def fits(value):
        return any(compare(value, one) for one in wanted) != negated

    if quantifier == "ForAllValues":  # of nothing, everything is true: such a condition alone never asks for the key
        return all(map(fits, values or ()))
    if not values:
        return optional or (negated and not quantifier)
    if quantifier == "ForAnyValue":
        return any(map(fits, values))
    # A key with several values needs a quantifier; without one it must not be taken for allowed by chance.
    return len(values) == 1 and fits(values[0])
