"""The store's SQL, one file for each table it makes."""
