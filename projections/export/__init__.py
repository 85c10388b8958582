"""What leaves the service as a number."""
