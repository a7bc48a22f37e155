"""What is wrong with a token, an account or a deployed stack, and what to do about it."""
