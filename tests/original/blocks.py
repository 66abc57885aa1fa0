"""Every Python block of the original's page on pausing, as it is printed there, and what is to be said of each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Block:
    """``refused`` is what Python says of a block that is not Python, None where it is."""

    name: str
    code: str
    refused: str | None = None


EMAIL = Block(
    "the e-mail with both links",
    """
def handler(pd: 'pipedream'):
    urls = pd.flow.suspend()
    pd.send.email(
        subject="Please approve this important workflow",
        text=f"Click here to approve the workflow: ${urls["resume_url"]}, and cancel here: ${urls["cancel_url"]}"
    )
    # Pipedream suspends your workflow at the end of the step
""",
)
SEVEN_DAYS = Block(
    "a timeout of seven days",
    """
def handler(pd: 'pipedream'):
    # 7 days
    TIMEOUT = 1000 * 60 * 60 * 24 * 7
    pd.flow.suspend(TIMEOUT)
""",
)
POLLING = Block(
    "polling",
    """
import requests

def handler(pd: 'pipedream'):
    MAX_RETRIES = 3
    # 10 seconds
    DELAY = 1000 * 10
    run = pd.context['run']
    print(pd.context)
    # pd.context.run.runs starts at 1 and increments when the step is rerun
    if run['runs'] == 1:
        # pd.flow.rerun(delay, context (discussed below), max retries)
        pd.flow.rerun(DELAY, None, MAX_RETRIES)
    elif run['runs'] == MAX_RETRIES + 1:
        raise Exception("Max retries exceeded")
    else:
        # Poll external API for status
        response = requests.get("https://example.com/status")
        # If we're done, continue with the rest of the workflow
        if response.json().status == "DONE":
            return response.json()
        # Else retry later
        pd.flow.rerun(DELAY, None, MAX_RETRIES)
""",
)
ARGUMENTS = Block(
    "the arguments of rerun",
    """
pd.flow.rerun(
    delay,      # The number of milliseconds until the step will be rerun
    context,    # JSON-serializable data you need to pass between runs
    maxRetries, # The total number of times the step will rerun. Defaults to 10
)
""",
)
CALLBACK = Block(
    "the callback",
    """
import requests

def handler(pd: 'pipedream'):
    TIMEOUT = 86400 * 1000
    run = pd.context['run']
    # pd.context['run']['runs'] starts at 1 and increments when the step is rerun
    if run['runs'] == 1:
        links = pd.flow.rerun(TIMEOUT, None, 1)

        # links contains a dictionary with two entries: resume_url and cancel_url

        # Send resume_url to external service
        await request.post("your callback URL", json=links)
    # When the external service calls back into the resume_url, you have access to
    # the callback data within pd.context.run['callback_request']
    elif 'callback_request' in run:
        return run['callback_request']
""",
    refused="'await' outside async function",
)
CONTEXT = Block(
    "the context",
    """
pd.flow.rerun(1000, { "hello": "world" })
""",
)
EXCEPTION = Block(
    "the exception",
    """
def handler(pd: 'pipedream'):
    MAX_RETRIES = 3
    run = pd.context['run']
    if run['runs'] == 1:
        pd.flow.rerun(1000, None, MAX_RETRIES)
    else if (run['runs'] == MAX_RETRIES + 1):
        raise Exception("Max retries exceeded")
""",
    refused="expected ':'",
)

BLOCKS = (EMAIL, SEVEN_DAYS, POLLING, ARGUMENTS, CALLBACK, CONTEXT, EXCEPTION)
