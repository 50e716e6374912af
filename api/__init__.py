"""The FastAPI application: routes by noun, live stream, authentication, errors as problem+json, built screens."""
