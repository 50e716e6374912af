"""One payload convention, one file: bytes of a device in, typed messages out; anything else is a MalformedPayloadError."""
