"""The outside world, one module per technology. Each translates its own errors into ours."""
