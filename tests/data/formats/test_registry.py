import pytest

from data.errors import UserError
from data.formats.contract import Options
from data.formats.registry import find_format, formats, recognise
from data.formats.sample import look_at


def test_every_format_is_found_by_its_name():
    assert {"canonical", "litellm", "otel", "azure-llm", "mooncake", "servegen", "mapping"} <= set(formats())
    assert all(find_format(name).name == name for name in formats())


def test_a_misspelt_name_gets_the_nearest_and_a_strange_one_all():
    with pytest.raises(UserError, match="did you mean servegen"):
        find_format("serve-gen")
    with pytest.raises(UserError, match="known are canonical, "):
        find_format("???")


def test_a_file_that_two_formats_would_take_is_asked_about(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("arrived_utc,prompt_tok,output_tok,TIMESTAMP,ContextTokens,GeneratedTokens\n1,1,1,1,1,1\n")

    with pytest.raises(UserError, match="could be canonical and azure-llm; say which with --format"):
        recognise(look_at(path), Options())
