from pathlib import Path

import pytest

from data.errors import UserError
from data.formats.contract import Options
from data.formats.registry import REQUEST_FORMATS, find_format, formats, recognise
from data.formats.sample import look_at


def test_every_format_is_found_by_its_name():
    requests = "canonical litellm otel bedrock langfuse helicone openrouter sglang-log vllm-log access-log aiperf"
    traces = "genai-perf azure-llm burstgpt mooncake mapping"
    sums = "openai-usage openai-costs anthropic-usage litellm-daily openrouter-activity azure-monitor prometheus"
    assert set(formats()) == {*requests.split(), *traces.split(), *sums.split(), "servegen", "mapping-sums"}
    assert all(find_format(name).name == name for name in formats())


def test_a_misspelt_name_gets_the_nearest_and_a_strange_one_all():
    with pytest.raises(UserError, match="did you mean servegen"):
        find_format("serve-gen")
    with pytest.raises(UserError, match="known are canonical, "):
        find_format("???")


def test_a_file_that_two_formats_would_take_is_asked_about(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("arrived_utc,prompt_tok,output_tok,TIMESTAMP,ContextTokens,GeneratedTokens\n1,1,1,1,1,1\n")

    with pytest.raises(
        UserError, match="could be of 2 formats; say which with --format canonical or --format azure-llm"
    ):
        recognise(look_at(path), Options())


def test_a_file_that_comes_near_a_format_is_told_which(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "request_id,startTime,endTime,prompt_tokens,completion_tokens,model,status,call_type\n1,2,3,4,5,6,7,8\n"
    )

    with pytest.raises(UserError, match="come near --format litellm"):
        recognise(look_at(path), Options())


def test_a_file_of_no_format_is_told_all_of_them_and_little_of_its_text(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a," + "secret " * 50 + "\n1,2\n")

    with pytest.raises(UserError, match=r"lists them: canonical, .*--mapping map\.toml") as refused:
        recognise(look_at(path), Options())
    assert str(refused.value).count("secret") < 8


def test_records_inside_a_page_are_asked_for_one_a_line(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"data": [{"a": 1}], "meta": {}}')

    with pytest.raises(UserError, match=r"jq -c '\.data\[\]'"):
        recognise(look_at(path), Options())


def test_the_document_of_formats_names_every_log_of_requests():
    page = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text("utf-8")

    assert [fmt.name for fmt in REQUEST_FORMATS if f"| `{fmt.name}` |" not in page] == []
