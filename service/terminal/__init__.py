"""What a terminal shows of the API: lists, details, and the live view of `muster top`."""
