"""Free content of clients: limits of JSON documents, redaction, terminal screens."""
