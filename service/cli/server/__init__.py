"""Commands that run the service or work on its database."""
