"""The providers that send webhooks, and what the template calls what is theirs."""

from emulator import CHECKOUT

PROVIDERS = sorted(
    path.parent.name.replace("_", "-") for path in (CHECKOUT / "shared/providers/src").glob("*/recipe.py")
)


def logical(provider):
    """A provider's name as logical ids have it."""
    return "".join(part.capitalize() for part in provider.split("-"))


# The receiver's logical id -> its provider.
RECEIVERS = {f"Receiver{logical(provider)}": provider for provider in PROVIDERS}
