import numpy as np

from sizing.choice.routes import fewest_routes, takes_mix


def test_a_tangle_of_shares_becomes_the_shortest_table(made_up):
    """Two pools of 2: half of each bucket to each fills them, and so does one bucket to each."""
    options = [made_up("a", 4.0, (2, 2)), made_up("b", 4.0, (2, 2))]
    shares, mix = fewest_routes(options, np.full((2, 2), 0.5), np.zeros(2))

    assert sorted(shares.round(6).ravel()) == [0, 0, 1, 1]
    assert shares.sum(axis=1).tolist() == [1, 1]
    assert (mix == 0).all()


def test_no_pool_gets_more_than_it_holds(made_up):
    options = [made_up("a", 3.0, (1, 2)), made_up("b", 3.0, (1, 2))]
    before = np.array([[1.0, 0.0], [0.5, 0.5]])
    shares, _ = fewest_routes(options, before, np.zeros(2))
    work = (shares * [[1, 1], [2, 2]]).sum(axis=0)

    assert (work <= np.ceil((before * [[1, 1], [2, 2]]).sum(axis=0)) + 1e-6).all()
    assert (shares > 1e-6).sum() <= (before > 1e-6).sum()


def test_the_mix_is_no_route_where_it_is_but_the_sum_of_its_buckets(made_up):
    assert not takes_mix(made_up("a", 3.0, (1, 2)))
    assert not takes_mix(made_up("a", np.inf, (1, np.inf)))
    assert takes_mix(made_up("a", 2.5, (1, 2)))
    assert takes_mix(made_up("a", 2.5))


def test_without_buckets_nothing_changes(made_up):
    shares, mix = fewest_routes([made_up("a", 2.5)], np.zeros((0, 1)), np.ones(1))
    assert shares.shape == (0, 1)
    assert mix.tolist() == [1.0]
