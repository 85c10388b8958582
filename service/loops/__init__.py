"""Time and consequence, turned into commands: the leader, the watcher, the notices between replicas."""
