"""The API as a program sees it: one HTTP client, the types of its answers, its errors, its stream of events."""
