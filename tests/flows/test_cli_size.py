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
