"""Log dialects: one small module each, all under one contract."""
