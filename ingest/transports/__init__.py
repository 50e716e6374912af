"""The transports: MQTT 5 on the mqtt5 codec (fast), MQTT 3.1.1 on paho (for brokers that speak no 5)."""
