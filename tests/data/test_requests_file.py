import pytest

from data.requests_file import too_many


@pytest.mark.parametrize(
    ("bad", "read", "share", "refused"),
    [
        (0, 0, 0.05, False),
        (0, 10, 0.0, False),
        (1, 10, 0.05, False),  # one bad row alone refuses nothing
        (1, 10, 0.0, True),  # unless none may be bad
        (1, 1, 0.05, True),  # or there is no good one
        (2, 10, 0.05, True),
        (5, 100, 0.05, False),
        (6, 100, 0.05, True),
        (10, 10, 1.0, True),
    ],
)
def test_a_file_is_refused_over_the_share(bad: int, read: int, share: float, refused: bool):
    assert too_many(bad, read, share) is refused
