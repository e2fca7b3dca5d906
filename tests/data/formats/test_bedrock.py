import json

import pytest


def record(**changes) -> str:
    whole = {
        "schemaType": "ModelInvocationLog",
        "timestamp": "2026-11-01T06:00:00Z",
        "requestId": "b",
        "operation": "InvokeModel",
        "modelId": "amazon.nova-pro-v1:0",
        "input": {"inputTokenCount": 3},
        "output": {"outputTokenCount": 13},
    }
    return json.dumps({**whole, **changes}) + "\n"


@pytest.mark.parametrize(
    ("counts", "prompt", "cached"),
    [
        ({"inputTokenCount": 3}, 3, None),
        ({"inputTokenCount": 3, "cacheReadInputTokenCount": 0, "cacheWriteInputTokenCount": 25_037}, 25_040, 0),
        ({"inputTokenCount": 3, "cacheReadInputTokenCount": 25_037}, 25_040, 25_037),
    ],
)
def test_the_prompt_is_the_sum_of_fresh_read_and_written_tokens(take, stored, counts, prompt, cached):
    take(record(input=counts))

    assert stored("prompt_tok, cached_prompt_tok") == [(prompt, cached)]


def test_errors_are_told_by_their_code(take, stored):
    said = {
        "ThrottlingException": "rate_limited",
        "ServiceQuotaExceededException": "rate_limited",
        "AccessDeniedException": "client_error",
        "ResourceNotFoundException": "client_error",
        "ModelTimeoutException": "server_error",
    }

    take("".join(record(requestId=code, errorCode=code) for code in said) + record(requestId="fine"))

    assert dict(stored("request_id, status")) == {**said, "fine": "ok"}
