"""What finance brings in and takes out: bills that came, decisions that were made, prices that were used."""
