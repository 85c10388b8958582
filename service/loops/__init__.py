"""The background loops: the leader's lease and duties, the scheduler, retention, and notifications between replicas."""
