import json

NANO = 1793512800_000_000_000


def export(attributes: dict[str, object], /, **span: object) -> str:
    pairs = [{"key": key, "value": {"stringValue": str(value)}} for key, value in attributes.items()]
    whole = {"traceId": "aa", "spanId": "bb", "startTimeUnixNano": str(NANO), "endTimeUnixNano": str(NANO + 10**9)}
    whole |= {"attributes": pairs, **span}
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [whole]}]}]}) + "\n"


def test_the_newer_name_of_an_attribute_wins(take, stored):
    take(
        export(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.usage.prompt_tokens": 1,
                "gen_ai.usage.input_tokens": 2,
                "gen_ai.request.model": "asked",
                "gen_ai.response.model": "served",
            }
        )
    )

    assert stored("prompt_tok, model") == [(2, "served")]


STATUSES = [
    ({}, 0, "ok"),
    ({}, 1, "ok"),
    ({}, 2, "server_error"),
    ({"error.type": "429"}, 2, "rate_limited"),
    ({"error.type": "RateLimitError"}, 2, "rate_limited"),
    ({"error.type": "InvalidRequestError"}, 2, "client_error"),
    ({"error.type": "CancelledError"}, 2, "cancelled"),
    ({"error.type": "timeout"}, 0, "server_error"),
    ({"error.type": "BadRequestError", "http.response.status_code": "503"}, 2, "server_error"),
]


def test_the_status_of_a_span_is_told_by_code_error_and_http(take, stored):
    spans = [
        export({"gen_ai.operation.name": "chat", **attributes}, spanId=str(n), status={"code": code})
        for n, (attributes, code, _) in enumerate(STATUSES)
    ]
    take("".join(spans))

    found = dict(stored("request_id, status"))
    assert [found[f"aa-{n}"] for n in range(len(STATUSES))] == [ours for _, _, ours in STATUSES]


def test_only_calls_of_a_model_are_requests_whatever_the_spans_around_them_count(take, stored):
    calls = ("chat", "text_completion", "generate_content", "embeddings")
    others = ("invoke_agent", "execute_tool", "create_agent", "invoke_workflow")

    file = take(
        "".join(
            export({"gen_ai.operation.name": kind, "gen_ai.usage.input_tokens": 5}, spanId=kind)
            for kind in (*calls, *others)
        )
    )

    assert (file.rows_new, file.rows_skipped, file.rows_rejected) == (4, 4, 0)
    assert {row[0] for row in stored("request_id")} == {f"aa-{kind}" for kind in calls}


def test_an_attribute_twice_and_one_without_a_value_stop_nothing(take, stored):
    pairs = [
        {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": 7}},
        {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "8"}},
        {"key": "gen_ai.usage.output_tokens"},
    ]
    take(export({}, attributes=pairs))

    assert stored("prompt_tok, output_tok") == [(7, None)]


def test_a_resource_without_spans_hides_no_other(take):
    good = json.loads(export({"gen_ai.operation.name": "chat"}))["resourceSpans"]

    file = take(json.dumps({"resourceSpans": [{"resource": {}}, {"scopeSpans": [{}]}, *good]}) + "\n")

    assert (file.rows_new, file.rows_skipped) == (1, 0)


def test_more_cached_than_input_tokens_reject_the_span_by_the_line_of_its_export(take):
    good = export({"gen_ai.operation.name": "chat"}, spanId="cc")
    bad = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 1}
    file = take(good + export({**bad, "gen_ai.usage.cache_read.input_tokens": 9}))

    assert [(row.line, row.reason) for row in file.rejected] == [
        (2, "cached_prompt_tok is above prompt_tok (cached tokens stated exclusive?)")
    ]
