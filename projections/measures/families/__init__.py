"""Every metric once, as data: one file a noun."""
