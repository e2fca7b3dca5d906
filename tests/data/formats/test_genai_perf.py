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


def test_a_document_over_many_lines_is_read_like_one_in_a_line(take, stored):
    requests = [{"timestamp": 1793512800_000_000_000, "response_timestamps": [1793512801_000_000_000]}]
    document = {"service_kind": "openai", "endpoint": "", "experiments": [{"requests": requests}]}

    file = take(json.dumps(document, indent=2))

    assert (file.format, file.rows_new) == ("genai-perf", 1)
    assert stored("duration_s") == [(1.0,)]
