"""What a request brings: its path, its body, and the fields that its body may have."""
