"""What several test files share; imported as `support`, since pyproject.toml puts tests/ on the path."""
