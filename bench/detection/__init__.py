"""What the rules find, how late, how often in vain and at what cost: each file one measure, told as table, JSON and picture."""
