"""The page's Jinja templates and its style sheet."""
