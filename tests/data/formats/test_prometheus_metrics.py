import pytest

from data.formats.prometheus_metrics import COUNTERS, HISTOGRAMS, ROLES, Metric, find_metric


@pytest.mark.parametrize(
    "name", ["vllm:prompt_tokens_total", "vllm_prompt_tokens_total", "ray_vllm_prompt_tokens_total"]
)
def test_a_name_is_known_however_it_was_rewritten(name: str):
    assert find_metric(name, {}) == Metric("prompt", 0, False)


def test_what_is_no_traffic_is_nothing():
    assert find_metric("vllm:num_requests_running", {}) is None
    assert find_metric("node_cpu_seconds_total", {}) is None


def test_requests_that_ended_in_an_error_failed():
    found = find_metric("vllm:request_success_total", {"finished_reason": "error"})
    assert found is not None
    assert found.role == "failed"
    assert find_metric("vllm:request_success_total", {"finished_reason": "stop"}) == Metric("requests", 0, False)


def test_histograms_are_told_from_counters():
    assert find_metric("tgi_request_input_length_bucket", {}) == Metric("prompt", 0, True)
    assert find_metric("tgi_request_input_length_sum", {}) == Metric("prompt", 0, False)


def test_every_role_is_one_that_the_table_of_usage_has():
    assert {role for roles in COUNTERS.values() for role in roles} <= set(ROLES)
    fields = {field for roles in HISTOGRAMS.values() for field in roles}
    assert fields == {"prompt", "output", "first_token", "duration"}
