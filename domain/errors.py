"""One drawn tree of errors: their fault (`InputError`), a rule of ours refused (`RefusedError`), or an engine (`EngineError`).

Errors are translated only at a boundary: the API turns them into problem+json, the command line into one line of advice.
"""


class EmberwatchError(Exception):
    """Root of every error this project raises on purpose; its message is fit for a person."""


class InputError(EmberwatchError):
    """Something given to us is wrong: a payload, a file, a setting, a request. Never a bug of ours."""


class MalformedPayloadError(InputError):
    """Bytes from a device that no codec can read; `reason` is a short stable code, `detail` a sentence."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class ConfigurationError(InputError):
    """A setting is missing, unknown or impossible; the message says which and what would be right."""


class RefusedError(EmberwatchError):
    """A well-formed request that the rules of the house do not allow now."""


class NotFoundError(RefusedError):
    """The thing asked for does not exist."""


class IllegalTransitionError(RefusedError):
    """A lifecycle has no such step from this state; nothing was changed."""

    def __init__(self, lifecycle: str, state: str, event: str, allowed: tuple[str, ...]) -> None:
        super().__init__(
            f"{lifecycle}: '{event}' is not allowed in state '{state}' (allowed: {', '.join(allowed) or 'none'})"
        )
        self.lifecycle = lifecycle
        self.state = state
        self.event = event
        self.allowed = allowed


class EngineError(EmberwatchError):
    """A store, broker or disk did not do its work; trying again later may help."""


class CorruptionError(EngineError):
    """Stored bytes are not what was written; the message names the place."""
