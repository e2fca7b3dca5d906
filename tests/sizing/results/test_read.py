import json
from pathlib import Path

import pytest

from data.errors import UserError
from sizing.results.read import read_results
from sizing.results.row import Stated

CASES = Path(__file__).parent / "cases"
VLLM_RUN = json.loads((CASES / "vllm_bench.json").read_text())
INFERENCEMAX_RUN = json.loads((CASES / "inferencemax.json").read_text())
ALL = Stated(model="llama-3.1-8b", gpu="h100", tp=1, precision="fp8", engine="vllm")


def test_every_tool_is_known_by_its_content(tmp_path):
    files = {
        "d.json": json.dumps([INFERENCEMAX_RUN, INFERENCEMAX_RUN | {"conc": 128}]),
        "e.csv": "hw,tp,conc,framework,precision,model,output_tput_per_gpu,mean_ttft,mean_tpot,isl,osl\n"
        "h100,1,16,vllm,fp8,m,300,0.1,0.02,1024,1024\n",
    }
    paths = [CASES / "vllm_bench.json", CASES / "aiperf.json", CASES / "genai_perf.csv"]
    for name, text in files.items():
        paths.append(tmp_path / name)
        paths[-1].write_text(text)

    results = read_results(paths, ALL)

    assert dict(results.kinds) == {"vllm bench serve": 1, "genai-perf or AIPerf": 2, "InferenceMAX": 3}
    assert results.table["row_id"].is_unique
    assert not results.only_tables


def test_appended_runs_are_one_json_a_line(tmp_path):
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(VLLM_RUN) + "\n" + json.dumps(VLLM_RUN | {"max_concurrency": 32}) + "\n")

    assert read_results([path], ALL).table["concurrency"].tolist() == [16, 32]


def test_runs_with_drafts_are_left_out_and_counted(tmp_path):
    path = tmp_path / "all.json"
    path.write_text(json.dumps([INFERENCEMAX_RUN, INFERENCEMAX_RUN | {"mtp": "on"}]))

    results = read_results([path], ALL)

    assert (len(results.table), results.drafted) == (1, 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "is not valid JSON"), ('{"a": 1}', "is no result that is known; give one of vllm bench serve"),
     ("[]", "hold no run to learn from"), ("a,b\n1,2\n", "is no result that is known"), ("[1]", "is no result")],
)  # fmt: skip
def test_file_of_something_else_is_refused_in_one_sentence(tmp_path, text, says):
    path = tmp_path / "x.json"
    path.write_text(text)

    with pytest.raises(UserError, match=says):
        read_results([path], ALL)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read .*none\.json: No such file"):
        read_results([tmp_path / "none.json"], ALL)
