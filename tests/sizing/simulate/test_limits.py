import pytest

from data.errors import UserError
from sizing.simulate.limits import EngineLimits


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_num_seqs": 0}, "max_num_seqs is 0"),
        ({"kv_blocks": 0}, "kv_blocks is 0"),
        ({"max_num_seqs": 512, "max_num_batched_tokens": 256}, "below max_num_seqs"),
        ({"routing": "random"}, "routing 'random'"),
    ],
)
def test_settings_that_no_engine_starts_with_are_refused(settings, said):
    with pytest.raises(UserError, match=said):
        EngineLimits(**settings)
