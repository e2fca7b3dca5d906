import json
from pathlib import Path

import pytest

from data.ingest import FileRefusedError, ingest_logs


def test_amounts_in_another_currency_are_not_taken_for_dollars(tmp_path: Path, store, now):
    amount = {"object": "organization.costs.result", "amount": {"value": 5, "currency": "eur"}, "line_item": "x"}
    bucket = {"object": "bucket", "start_time": 1793491200, "end_time": 1793577600, "results": [amount]}
    path = tmp_path / "costs.json"
    path.write_text(json.dumps({"object": "page", "data": [bucket]}))

    with pytest.raises(FileRefusedError, match="an amount in eur, not in USD"):
        ingest_logs(store, [path], now=now)
