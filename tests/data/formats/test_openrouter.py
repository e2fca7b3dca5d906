import json


def test_bare_records_are_read_like_wrapped_ones_and_only_native_counts(take, stored):
    bare = {
        "id": "g",
        "created_at": "2026-11-01T06:00:00Z",
        "model": "m",
        "tokens_prompt": 99,
        "native_tokens_prompt": 7,
        "native_tokens_completion": 1,
    }

    file = take(json.dumps(bare) + "\n")

    assert file.format == "openrouter"
    assert stored("request_id, prompt_tok, output_tok") == [("g", 7, 1)]
