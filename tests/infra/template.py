"""The template as data, and what has to be different for the emulator."""

import yaml

from emulator import CHECKOUT

TEMPLATE = CHECKOUT / "infra/template.yaml"
# What the emulator asks of roles and AWS does not; `stack.py` leaves it out when it reads the roles.
EMULATORS_POLICY = {
    "PolicyName": "what-only-the-emulator-asks",
    "PolicyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sqs:SendMessageBatch", "Resource": "*"}],
    },
}


class Loader(yaml.SafeLoader):
    """Reads the short forms of intrinsic functions as the long ones."""


def intrinsic(loader, suffix, node):
    """`!Ref x` is `{"Ref": "x"}`, `!GetAtt a.b` is `{"Fn::GetAtt": ["a", "b"]}`, `!Sub x` is `{"Fn::Sub": "x"}`."""
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


Loader.add_multi_constructor("!", intrinsic)


def load(path=TEMPLATE):
    """The template."""
    return yaml.load(path.read_text(), Loader)


def of_type(template, *kinds):
    """The resources of some types, by logical id."""
    return {name: one for name, one in template["Resources"].items() if one["Type"] in kinds}


def retained(template):
    """The resources that stay when the stack is deleted."""
    return {name for name, one in template["Resources"].items() if one.get("DeletionPolicy") == "Retain"}


def for_emulator(template):
    """The template as the emulator takes it; the table in infra/README.md says what it cannot do. Here it needs:

    - numbers in place of parameters that are numbers: it hands these on as texts, and then polls no queue
      (`'>=' not supported between instances of 'int' and 'str'`); what functions are told by their environment stays;
    - one permission more: to send in batches it asks for `sqs:SendMessageBatch`, where AWS asks for `sqs:SendMessage`.
    """
    numbers = {name: one["Default"] for name, one in template["Parameters"].items() if one["Type"] == "Number"}
    resources = dict(template["Resources"])
    for name, role in of_type(template, "AWS::IAM::Role").items():
        policies = [*role["Properties"]["Policies"], EMULATORS_POLICY]
        resources[name] = {**role, "Properties": {**role["Properties"], "Policies": policies}}
    return {**with_references({**template, "Resources": resources}, numbers), "Globals": template["Globals"]}


def with_references(value, instead):
    """The value with other values in place of some `Ref`s."""
    if isinstance(value, list):
        return [with_references(one, instead) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return instead.get(value["Ref"], value)
    return {key: with_references(one, instead) for key, one in value.items()}
