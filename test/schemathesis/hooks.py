"""Checks of our own, for schemathesis."""

import schemathesis
from schemathesis import GenerationMode


def code_of(response):
    """The code of a problem document; "" of anything else."""
    if not response.headers.get("content-type", [""])[0].startswith("application/problem+json"):
        return ""
    return response.json().get("code", "")


@schemathesis.check
def told_code(ctx, response, case):
    """Every refusal is one that the operation's document names."""
    if not 400 <= response.status_code < 500:
        return
    told = case.operation.definition.raw["responses"].get("4XX", {}).get("description", "")
    code = code_of(response)
    # Methods that the document does not have are refused at the address, and not by the operation.
    if code not in ("http.method_not_allowed", "http.not_found"):
        assert f"`{code}`" in told, f"{response.status_code} {code} is not told"


@schemathesis.check
def fits_and_is_taken(ctx, response, case):
    """What fits the schema is refused as `input.invalid` by nobody: further rules have names of their own."""
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    # Entries are judged one by one, and told by words: a request in which none can be read does not fit.
    if case.operation.definition.raw["operationId"] == "camera_events_send":
        return
    assert code_of(response) != "input.invalid", response.text[:500]
