"""Ten million documents of 2,000 tokens in the three workload categories, by hand."""

import pytest

from sizing.categories import compare_categories, documents_mtok, price_for, tokens_usd


def ten_million_documents():
    """3,000 tokens per GPU and second; an H100 at $3 on demand reserved at 30 to 60% off; $0.216 of idle hour."""
    return compare_categories(
        documents=10_000_000,
        tok_per_document=2_000,
        api_usd_per_mtok=0.88,
        tok_per_gpu_s=3_000,
        idle_usd_per_gpu_hour=0.216,
        reserved_usd_per_gpu_hour_low=3.0 * (1 - 0.6),
        reserved_usd_per_gpu_hour_high=3.0 * (1 - 0.3),
    )


def test_ten_million_documents_cost_17_600_online_8_800_in_batch_and_400_in_idle_hours():
    costs = ten_million_documents()

    assert costs.mtok == 20_000
    assert costs.online_usd == pytest.approx(17_600)
    assert costs.batch_usd == pytest.approx(8_800)
    assert costs.scheduled_usd == pytest.approx(400)  # 1,851.85 GPU-hours x $0.216, which is $0.02 per Mtok
    assert costs.ratio == pytest.approx((44, 22, 1))


def test_fully_loaded_the_reserved_job_costs_2_200_to_3_900():
    """20e9 tokens / 3,000 a second = 6.67e6 GPU-seconds = 1,851.85 GPU-hours, at $1.20 and at $2.10."""
    costs = ten_million_documents()

    assert costs.gpu_hours == pytest.approx(1_851.85, abs=0.01)
    assert costs.fully_loaded_low_usd == pytest.approx(2_222.22, abs=0.01)
    assert costs.fully_loaded_high_usd == pytest.approx(3_888.89, abs=0.01)


def test_4_800_dollars_would_need_24_cents_per_million_tokens():
    mtok = documents_mtok(10_000_000, 2_000)

    assert price_for(4_800, mtok) == pytest.approx(0.24)
    assert tokens_usd(mtok, 0.24) == pytest.approx(4_800)
