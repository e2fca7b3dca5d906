"""What every test shares."""

from hypothesis import settings

from flows.prefect_env import end_quietly

end_quietly()  # once Prefect's threads have run, DuckDB's binding prints a page about its types at exit

settings.register_profile("untimed", deadline=None)  # speed is for benchmarks: a busy machine must fail no test
settings.load_profile("untimed")
