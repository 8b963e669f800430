"""Permissions that no call of the emulated run uses, each with the reason why a role has it all the same.

The test asks for exactly these: one that is used after all, or gone, must leave the table; one that comes anew needs a
reason, or must leave the role.
"""

from providers import RECEIVERS

POLLED = "Lambda takes messages from the queues with the function's role; the emulator does it by itself"
LARGE = "large bodies are sent to one receiver, and all of them are of one artifact"
LOGGED = "Lambda writes the function's log with its role; the emulator does it by itself"
WAITED = "a large document is read again only to publish a change that waited for the bus"
SEARCHED = "a kept body is read to look for a person in it; the samples ask about an account, whose bodies go unread"
LISTED = "a listing keeps what it has seen in the bucket from 1,000 ids on; the simulators have fewer"
URGENT = "no sample of this provider is urgent; which queue it is to be is not for the role to know"
# Those that send an urgent sample, and those that send a large body.
SEND_URGENT = {"ReceiverClover", "ReceiverPaysafe"}
SEND_LARGE = {"ReceiverShopify"}

UNUSED = {
    **{
        ("Processor", f"sqs:{action}", queue): POLLED
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
        for queue in ("NoticesQueue", "PriorityQueue", "DeadLettersQueue")
    },
    **{
        ("Syncer", f"sqs:{action}", "JobsQueue"): POLLED
        for action in ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
    },
    **{
        (function, f"logs:{action}", f"{function}Logs:*"): LOGGED
        for action in ("CreateLogStream", "PutLogEvents")
        for function in ("Api", "Poller", "Processor", "Renewer", "Syncer", *RECEIVERS)
    },
    ("Processor", "s3:GetObject", "Bucket/documents/*"): WAITED,
    ("Syncer", "s3:GetObject", "Bucket/documents/*"): WAITED,
    ("Syncer", "s3:GetObject", "Bucket/kept/*"): SEARCHED,
    **{("Syncer", f"s3:{action}Object", "Bucket/seen/*"): LISTED for action in ("Delete", "Get", "Put")},
    **{(name, "sqs:SendMessage", "PriorityQueue"): URGENT for name in RECEIVERS if name not in SEND_URGENT},
    **{
        (name, "s3:PutObject", f"Bucket/claims/{provider}/*"): LARGE
        for name, provider in RECEIVERS.items()
        if name not in SEND_LARGE
    },
}
