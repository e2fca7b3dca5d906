import json

from data.formats.json_paths import key_paths


def test_keys_are_found_by_their_path_and_arrays_add_nothing_to_it():
    text = json.dumps({"a": [{"b": 1}, {"c": {"d": "x: y"}}], "e": '"quoted": {'})

    assert set(key_paths(text)) == {"a", "a.b", "a.c", "a.c.d", "e"}


def test_a_text_that_is_cut_off_gives_what_was_there():
    assert list(key_paths('[{"a": {"b": [1, 2, {"c')) == ["a", "a.b"]
