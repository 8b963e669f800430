"""The template as SAM expands it: what CloudFormation will see."""

import copy
import logging
import os
from types import SimpleNamespace
from unittest import mock

from samtranslator.translator.transform import transform
from template import of_type

# It regrets metrics about itself that nobody asked for.
logging.getLogger("samtranslator").setLevel(logging.ERROR)


def expanded(template):
    """The template without anything of SAM; the functions' code is somewhere in a bucket."""
    template = copy.deepcopy(template)
    for function in of_type(template, "AWS::Serverless::Function").values():
        function["Properties"]["CodeUri"] = {"Bucket": "bucket", "Key": "key"}
    no_managed_policies = SimpleNamespace(load=dict, get_bundled_managed_policy_map=lambda *_: {})
    # It asks for a region, though nothing here depends on it.
    with mock.patch.dict(os.environ, AWS_DEFAULT_REGION="us-east-1"):
        return transform(template, {}, no_managed_policies)
