"""What every test shares."""

from flows.prefect_env import end_quietly

end_quietly()  # once Prefect's threads have run, DuckDB's binding prints a page about its types at exit
