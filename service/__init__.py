"""The write side of Muster: decides commands, records events, and serves the API."""
