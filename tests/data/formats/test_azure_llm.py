from data.ingest import ingest_logs


def test_offsets_are_honoured_and_times_without_one_are_utc(tmp_path, store, now):
    """A plain TIMESTAMP cast would drop the offset without a word and give 00:00."""
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,1,1\n2024-05-10 00:00:00+02:00,2,1\n2024-05-10 00:00:01+00:00,3,1\n"
    )

    ingest_logs(store, [path], now=now)

    found = store.con.execute("SELECT CAST(arrived_utc AS VARCHAR) FROM requests ORDER BY prompt_tok").fetchall()
    assert [row[0] for row in found] == [
        "2023-11-16 18:15:46.68059+00",
        "2024-05-09 22:00:00+00",
        "2024-05-10 00:00:01+00",
    ]
    assert store.con.execute("SELECT DISTINCT day_utc FROM slice_manifest ORDER BY 1").fetchall()[1][0].day == 9


def test_a_row_without_a_count_is_rejected(tmp_path, store, now):
    path = tmp_path / "azure.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "2023-11-16 18:15:46,1,1\n" * 3 + "2023-11-16 18:15:46,,1\n"
    )

    (file,) = ingest_logs(store, [path], now=now).files

    assert [(bad.line, bad.reason) for bad in file.rejected] == [(5, "prompt_tok is missing")]
