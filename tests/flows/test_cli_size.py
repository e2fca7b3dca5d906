"""One sizing question: the textbook's numbers worked by hand, the real answer beside, refusals in a sentence."""

import json

import pytest

QUESTION = (
    *("size", "--model", "llama-3.1-8b", "--gpu", "h100", "--precision", "bf16", "--qps", "50"),
    *("--prompt-tokens", "7744", "--output-tokens", "256"),
)
AS_IN_THE_BOOK = ("--params", "8.0e9", "--gpu-bytes", "80e9")


def _with(**options):
    """Return the question with some of its options changed."""
    changed = list(QUESTION)
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if flag in changed:
            changed[changed.index(flag) + 1] = value
        else:
            changed += [flag, value]
    return changed


def test_the_worked_example_gives_7_in_the_book_and_16_to_34_in_earnest(fleetcast):
    said = fleetcast(*QUESTION, "--json")
    answer = json.loads(said.out)

    assert (said.status, said.err) == (0, "")
    assert answer["textbook"]["gpus"] == 7
    assert 16 <= answer["plan"]["gpus"] <= 34
    assert answer["plan"]["gpus_low"] <= answer["plan"]["gpus"] <= answer["plan"]["gpus_high"]
    assert answer["plan"]["binds"] in {"memory", "decode", "prefill", "TTFT", "TPOT"}
    assert answer["plan"]["gpus"] == answer["plan"]["replicas"] * answer["plan"]["tp"]


def test_each_number_of_the_book_can_be_worked_by_hand(fleetcast):
    book = json.loads(fleetcast(*QUESTION, *AS_IN_THE_BOOK, "--json").out)["textbook"]

    kv = 2 * 32 * 8 * 128 * 8_000 * 2  # K and V, layers, KV heads, head size, tokens, bytes
    assert book["kv_bytes_per_request"] == kv
    assert book["ceiling"] == (80_000_000_000 - 2 * 8_000_000_000) // kv == 61
    assert book["requests_per_s"] == pytest.approx(48 / (256 * 0.018))  # 10.42
    assert book["gpus"] == 7  # 50 / (0.7 x 10.42) = 6.86, rounded up
    assert (book["batch"], book["step_s"], book["utilisation"]) == (48, 0.018, 0.7)
    assert book["floor_step_s"] == pytest.approx((2 * 8e9 + 48 * kv) / 3.35e12)  # 19.8 ms


def test_the_book_follows_its_own_options_and_the_plan_does_not(fleetcast):
    usual = json.loads(fleetcast(*QUESTION, "--json").out)
    other = json.loads(fleetcast(*QUESTION, "--batch", "24", "--decode-ms", "12", "--json").out)

    assert other["textbook"]["gpus"] == 10  # 24 / (256 x 0.012) = 7.81; 50 / (0.7 x 7.81) = 9.14, rounded up
    assert other["plan"] == usual["plan"]


def test_the_text_prints_assumptions_ceilings_and_the_floor(fleetcast):
    said = fleetcast(*QUESTION, *AS_IN_THE_BOOK)
    lines = said.out.splitlines()

    assert (said.status, said.err) == (0, "")
    assert any("batch 48, 18 ms a step, utilisation 0.7 (--batch, --decode-ms, --utilisation)" in x for x in lines)
    assert any("61 requests at once" in x and "catalog's parameters" in x for x in lines)
    assert any("19.8 ms a step at least" in x and "3.35 TB/s" in x for x in lines)
    assert any(x.startswith("The textbook answers 7 GPUs; it leaves out prefill") for x in lines)
    plan = json.loads(fleetcast(*QUESTION, "--json").out)["plan"]
    assert lines[0] == plan["sentence"]
    assert any(x.split()[:2] == ["binds", plan["binds"]] for x in lines)


def test_one_is_not_written_as_several(fleetcast):
    text = fleetcast(*_with(qps="0.01")).out

    assert "1 (1 replica of 1)" in text
    assert "The textbook answers 1 GPU;" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model": "llama-3.1-8"}, ["'llama-3.1-8'", "did you mean llama-3.1-8b"]),
        ({"gpu": "h10"}, ["'h10'", "did you mean h100"]),
        ({"tpot_s": "0.0001"}, ["llama-3.1-8b", "TPOT 0.1 ms", "longer SLO"]),
        ({"ttft_s": "0.000001"}, ["TTFT", "longer SLO"]),
        ({"model": "llama-3.1-405b", "gpu": "l40s", "tp": "1"}, ["811.7 GB", "1 x l40s", "Use more GPUs"]),
        ({"cached_tokens": "8000"}, ["8000 cached of 7744", "cache at most all"]),
        ({"prompt_tokens": "200000"}, ["200,256 tokens", "131,072", "shorten"]),
    ],
)
def test_what_cannot_be_sized_is_one_sentence_with_its_numbers(fleetcast, changes, says):
    for form in ([], ["--json"]):
        said = fleetcast(*_with(**changes), *form)

        for part in says:
            assert part in said.sentence
        assert said.out == ""


MOE = (
    *(
        "size",
        "--model",
        "deepseek-r1",
        "--gpu",
        "h200",
        "--precision",
        "fp8",
        "--kv-precision",
        "fp8",
        "--qps",
        "5",
    ),
    *("--prompt-tokens", "4000", "--output-tokens", "500", "--tp", "8", "--json"),
)


def _plan(fleetcast, *more, base=MOE):
    said = fleetcast(*base, *more)
    assert said.status == 0, said.err
    return json.loads(said.out)["plan"]


def test_degrees_of_parallelism_are_options_and_stand_in_the_answer(fleetcast):
    plain, shared = _plan(fleetcast), _plan(fleetcast, "--ep", "8", "--dp-attention")

    assert shared["layout"] == {"tp": 8, "pp": 1, "ep": 8, "dp_attention": True}
    assert shared["memory_batch"] > plain["memory_batch"]
    staged = _plan(fleetcast, "--pp", "2")
    assert staged["gpus"] == staged["replicas"] * 16


def test_prefix_hit_is_the_share_of_the_prompt_that_is_cached(fleetcast):
    assert _plan(fleetcast, "--prefix-hit", "0.5") == _plan(fleetcast, "--cached-tokens", "2000")
    assert _plan(fleetcast, "--prefix-hit", "1")["prefill_share"] < 0.02
    assert "say the same thing" in fleetcast(*MOE, "--prefix-hit", "0.5", "--cached-tokens", "9").err


def test_speculation_that_is_accepted_makes_answers_faster(fleetcast):
    plain = _plan(fleetcast, "--tpot-s", "0.03")
    drafted = _plan(fleetcast, "--tpot-s", "0.03", "--spec-tokens", "3", "--acceptance", "0.8")

    assert drafted["gpus"] <= plain["gpus"]
    said = fleetcast(*MOE[:-1], "--spec-tokens", "3", "--acceptance", "0.8").out
    assert "3 draft tokens a step, 0.8 accepted: 2.95 tokens a step" in said  # (1 - 0.8^4) / 0.2


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (("--spec-tokens", "3"), "says nothing without --acceptance"),
        (("--acceptance", "0.5"), "give --spec-tokens as well"),
        (("--ep", "3"), "EP 3 must divide TP 8"),
        (("--prefix-hit", "2"), "must lie between 0 and 1"),
        (("--engine", "llamacpp"), "engine 'llamacpp' is not calibrated"),
        (("--calibration", "absent.toml"), "Cannot read the calibration absent.toml"),
    ],
)
def test_options_that_cannot_be_are_one_sentence(fleetcast, more, says):
    said = fleetcast(*MOE, *more)

    assert said.status == 2
    assert says in said.err
    assert len(said.err.strip().splitlines()) == 1


def test_more_of_the_gpu_for_the_engine_holds_more_requests(fleetcast):
    assert (
        _plan(fleetcast, "--gpu-memory-utilization", "0.95")["memory_batch"]
        > _plan(fleetcast, "--gpu-memory-utilization", "0.85")["memory_batch"]
    )


def test_answer_has_the_whole_latency_and_the_longest_gap(fleetcast):
    plan = _plan(fleetcast)

    assert plan["e2e_s"] == pytest.approx(plan["ttft_s"] + 499 * plan["tpot_s"])
    assert plan["longest_gap_s"] > plan["tpot_s"] / 2
    assert _plan(fleetcast, "--chunk-tokens", "512")["longest_gap_s"] < plan["longest_gap_s"]


def test_a_gpu_of_ones_own_wins_over_ours(fleetcast, tmp_path):
    mine = tmp_path / "gpus.toml"
    mine.write_text('[h100]\nmemory_bytes_per_s = 6_700_000_000_000\nsource = "our rack"\nchecked = 2026-11-20\n')
    asked = ("size", "--model", "llama-3.1-8b", "--gpu", "h100", "--qps", "50", "--json")
    lengths = ("--prompt-tokens", "200", "--output-tokens", "2000")

    ours, theirs = (json.loads(fleetcast(*asked, *lengths, *more).out) for more in ((), ("--gpus", mine)))

    assert theirs["textbook"]["floor_step_s"] == pytest.approx(ours["textbook"]["floor_step_s"] / 2)
    assert theirs["plan"]["gpus"] < ours["plan"]["gpus"]
