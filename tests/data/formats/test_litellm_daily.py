from pathlib import Path

import pytest

from data.errors import UserError
from data.ingest import ingest_logs

HEAD = "date,api_key,model,prompt_tokens,completion_tokens,spend,api_requests,successful_requests,failed_requests"


def test_the_table_of_tags_is_refused_because_it_counts_a_request_once_a_tag(tmp_path: Path, store, now):
    path = tmp_path / "tags.csv"
    path.write_text(f"tag,{HEAD}\nprod,2026-11-01,k,m,1,1,0,1,1,0\n")

    with pytest.raises(UserError, match="export LiteLLM_DailyUserSpend"):
        ingest_logs(store, [path], now=now)


def test_what_an_older_table_does_not_have_is_unknown(tmp_path: Path, store, now):
    path = tmp_path / "daily.csv"
    path.write_text(f"{HEAD}\n2026-11-01,k,m,100,10,0.5,3,2,1\n")

    ingest_logs(store, [path], now=now)

    sql = "SELECT requests, failed_requests, cached_prompt_tok_sum, team FROM usage_bucket"
    assert store.con.execute(sql).fetchall() == [(2, 1, None, "k")]
