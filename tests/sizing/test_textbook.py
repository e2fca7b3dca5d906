import pytest

from sizing.textbook import textbook_plan


@pytest.fixture
def worked(models, gpus):
    return textbook_plan(
        models["llama-3.1-8b"],
        gpus["h100"],
        precision="bf16",
        qps=50,
        prompt_tok=7_744,
        output_tok=256,
        params=8.0e9,
        gpu_bytes=80e9,
    )


def test_worked_example_gives_seven_gpus_and_a_ceiling_of_61(worked):
    assert worked.kv_bytes_per_request == 2 * 32 * 8 * 128 * 8_000 * 2
    assert worked.ceiling == 61
    assert worked.requests_per_s == pytest.approx(48 / (256 * 0.018))
    assert worked.gpus == 7


def test_bandwidth_floor_of_the_worked_batch_is_19_8_ms_so_the_assumed_18_ms_cannot_be(worked):
    assert worked.floor_step_s * 1e3 == pytest.approx(19.8, abs=0.05)
    assert worked.floor_step_s > worked.step_s


def test_gib_taken_for_gb_would_give_the_wrong_ceiling_of_65(worked):
    kv_gib = worked.kv_bytes_per_request / 2**30

    assert int((80 - 16) / kv_gib) == 65


def test_catalog_ceiling_counts_the_bytes_that_the_driver_shows(worked, gpus):
    assert gpus["h100"].visible_bytes == 85_520_809_984
    assert worked.catalog_ceiling == int((85_520_809_984 - 2 * 8.03e9) / worked.kv_bytes_per_request) == 66


def test_whole_replicas_are_not_rounded_up_twice(models, gpus):
    plan = textbook_plan(
        models["llama-3.1-8b"], gpus["h100"], precision="bf16", qps=7, prompt_tok=0, output_tok=100,
        batch=10, step_s=0.01, utilisation=0.7,
    )  # fmt: skip

    assert plan.gpus == 1


def test_weights_beyond_the_gpu_leave_a_ceiling_of_zero(models, gpus):
    plan = textbook_plan(
        models["llama-3.1-70b"], gpus["h100"], precision="bf16", qps=1, prompt_tok=1_000, output_tok=100
    )

    assert plan.ceiling == 0


def test_sentence_says_what_is_assumed(worked):
    assert "7 GPUs" in worked.sentence
    assert "batch 48, 18 ms a step, utilisation 0.7" in worked.sentence
