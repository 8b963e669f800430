"""Whether an account has the concurrency that a deployment would reserve. Asked before deploying: CloudFormation finds out
amid a deployment, and new accounts can reserve nothing."""

from botocore.exceptions import BotoCoreError, ClientError

# What Lambda always leaves unreserved.
UNRESERVED = 100
# Concurrent executions, in Service Quotas.
QUOTA = "L-B99A9384"


def wanted(overrides, receivers):
    """What a deployment reserves: concurrency by the function's name after the stack's. `receivers` has the parameter
    that leaves each receiver out, by its function's name."""

    def number(parameter):
        return int(overrides.get(parameter) or 0)

    kept = {
        name: number("ReceiverReservedConcurrency")
        for name, parameter in receivers.items()
        if overrides.get(parameter, "true") == "true"
    }
    for name in ("api", "processor", "renewer"):
        kept[name] = number(f"{name.title()}ReservedConcurrency")
    return {name: reserved for name, reserved in kept.items() if reserved}


def objection(functions, quotas, stack, reserved, region):
    """Why the account cannot reserve that much, and what to do; nothing if it can, or does not say."""
    try:
        limits = functions.get_account_settings()["AccountLimit"]
        limit, unreserved = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
        own = sum(held(functions, f"{stack}-{name}") for name in reserved)
    except (BotoCoreError, ClientError) as error:
        print(f"The account's concurrency could not be asked for ({error}); deploying all the same.")
        return None
    total, free = sum(reserved.values()), unreserved + own - UNRESERVED
    if total <= free:
        return None
    needed = limit + total - free
    return (
        f"These settings reserve {total} concurrent executions, and the account can give {max(free, 0)} in {region}: its "
        f"limit is {limit}, others reserve {limit - unreserved - own}, and Lambda keeps {UNRESERVED} for all functions "
        f"without a reservation. {asked_for(quotas, needed)}\n"
        "Or deploy without reservations, `make deploy RESERVE=no` with the same ENV: then a flood at one receiver can take "
        "the concurrency of all others. Or leave out receivers that you do not need (Receive<Provider>=false)."
    )


def asked_for(quotas, needed):
    """Whether more was asked for, or how to."""
    try:
        asked = quotas.list_requested_service_quota_change_history_by_quota(ServiceCode="lambda", QuotaCode=QUOTA)
        pending = [one for one in asked["RequestedQuotas"] if one["Status"] in ("PENDING", "CASE_OPENED")]
    except (BotoCoreError, ClientError):
        pending = []
    if pending:
        return f"You asked for {pending[0]['DesiredValue']:.0f}, and AWS has not answered yet; deploy again when it has."
    command = f"aws service-quotas request-service-quota-increase --service-code lambda --quota-code {QUOTA}"
    return f"Ask for more, which is free and takes hours or days: `{command} --desired-value {max(needed, 1000)}`."


def held(functions, name):
    """What a function has reserved already; nothing, if there is none of that name."""
    try:
        return functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions", 0)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return 0
        raise
