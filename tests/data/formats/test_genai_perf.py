import json


def test_every_request_of_every_experiment_is_one_and_none_has_lengths(take, stored):
    start = 1793512800_000_000_000
    requests = [
        {"timestamp": start + n * 10**9, "response_timestamps": [start + (n + 1) * 10**9]} for n in range(3)
    ]
    document = {"service_kind": "openai", "experiments": [{"requests": requests[:2]}, {"requests": requests[2:]}]}

    file = take(json.dumps(document) + "\n")

    assert (file.format, file.rows_read) == ("genai-perf", 3)
    assert stored("prompt_tok, output_tok, first_token_s") == [(None, None, 1.0)] * 3


def test_a_document_without_requests_is_no_error(take):
    file = take(json.dumps({"service_kind": "openai", "experiments": []}) + "\n")

    assert (file.rows_new, file.rows_skipped, file.rows_rejected) == (0, 1, 0)
