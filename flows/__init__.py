"""Who calls whom, and when: settings, the monthly walk, Prefect, the command line."""
