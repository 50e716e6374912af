"""The books: alarms and hazards, their lifecycles, the hash chain, and the ports their stores stand behind."""
