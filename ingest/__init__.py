"""MQTT in: transports, the collector, codecs, decoding into segments, dead letters."""
