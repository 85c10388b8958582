"""The queries behind the read handlers: views, units, the log, diagnostics."""
