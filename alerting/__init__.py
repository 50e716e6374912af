"""What is done about an alarm: routing to inspectors, notifiers, the dispatcher."""
