"""Permissions that no call of the emulated run uses, each with the reason why a role has it all the same.

The test asks for exactly these: one that is used after all, or gone, must leave the table; one that comes anew needs a
reason, or must leave the role.
"""

POLLED = "Lambda takes messages from the queues with the function's role; the emulator does it by itself"
LOGGED = "Lambda writes the function's log with its role; the emulator does it by itself"
WAITED = "a large document is read again only to publish a change that waited for the bus"
URGENT = "no topic of this provider is urgent yet; which queue it is to be is not for the role to know"

UNUSED = {
    **{
        ("Processor", f"sqs:{action}", queue): POLLED
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        for queue in ("NoticesQueue", "PriorityQueue", "DeadLettersQueue")
    },
    **{
        (function, f"logs:{action}", f"{function}Logs:*"): LOGGED
        for action in ("CreateLogStream", "PutLogEvents")
        for function in ("Api", "Poller", "Processor", "ReceiverShopify")
    },
    ("Processor", "s3:GetObject", "Bucket/documents/*"): WAITED,
    ("ReceiverShopify", "sqs:SendMessage", "PriorityQueue"): URGENT,
}
