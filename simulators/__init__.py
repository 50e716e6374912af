"""Stand-ins for the field: rooms that fill with gas, fires that grow, welders at work, scenarios with ground truth.

`load_scenario` → `generate` (pure) or `sending.run` (over MQTT), `truth` and `write_truth`; `districts.demo_registers` is
the made-up district that the demo shows.
"""
