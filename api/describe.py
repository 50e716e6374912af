"""The reference page of the interface, made from its routes: `python -m api.describe > docs/reference/api.md`."""

import sys
from collections.abc import Iterator

from api.app import PREFIX, bare_app
from api.problems import STATUS, problem_type
from api.sessions import COOKIE

_INTRODUCTION = f"""\
# Interface

Made from the routes in `api/` by `python -m api.describe`; a test keeps it equal. The OpenAPI document is at
`{PREFIX}/openapi.json` (after login) and in `screens/openapi.json`. Times are epoch milliseconds, UTC.

## Access

Nothing is readable without login but `/healthz` and `/readyz` (yes or no), and the files of the screen.

- **Programs** send a token: `Authorization: Bearer ew_…`, made by `emberwatch token`. Only its SHA-256 is kept.
- **People** log in; the cookie `{COOKIE}` ends after 30 minutes without use and after 12 hours, at logout, and when the
  password changes. Requests that change something must come from our own page (`Sec-Fetch-Site` or `Origin`).
- Five wrong passwords lock an account for ten minutes; ten logins a minute are looked at from one address.
- Roles: a viewer reads; an operator also acts on alarms and hazards and reads dead letters; an administrator also changes
  registers. Personal fields of registers are masked for everybody.
- `/metrics` needs a token, or `api.metrics_open` and a scrape from loopback.

```sh
curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8800{PREFIX}/alarms?severity=1
```

## Live stream

`GET {PREFIX}/stream` sends server-sent events: `alarm` and `hazard`, each with an id and the whole thing after the change,
and every two seconds `status` without an id. To miss nothing: read `{PREFIX}/overview`, then the lists, then stream with
`?after=` the overview's `feed_id`; applying a change twice does no harm. A browser resumes by itself (`Last-Event-ID`): the
server ends each stream after five minutes, so that the login is checked again, and when a listener is too slow. Lines that
begin with `:` keep the connection alive.

## Errors

Every error is `application/problem+json` (RFC 9457): `type`, `title`, `status`, `detail`; a step that is not allowed adds
`allowed`, a request with wrong fields adds `errors` (`field`, `problem`; values are never repeated).

"""


def describe() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION + "| type | status | |", "|---|---|---|", *_problems(), *_operations(), ""])


def _problems() -> Iterator[str]:
    for cls, status in STATUS.items():
        meaning = (cls.__doc__ or "").splitlines()[0]
        yield f"| `{problem_type(cls.__name__.removesuffix('Error'))}` | {status} | {meaning} |"


def _operations() -> Iterator[str]:
    yield from ["", "## Operations", "", "| | | |", "|---|---|---|"]
    for path, operations in bare_app().openapi()["paths"].items():
        for method, operation in operations.items():
            promise = operation["description"].splitlines()[0]
            yield f"| `{method.upper()} {path}` | {operation['summary']} | {promise} |"


if __name__ == "__main__":
    sys.stdout.write(describe())
