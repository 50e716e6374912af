"""Stand-ins for the field: rooms that fill with gas, fires that grow, welders at work, scenarios with ground truth."""
