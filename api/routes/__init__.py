"""Routes by noun; each file has one `router`, and `api.app` decides what is behind the login."""
