"""A screen as a process of its own: listens to the live stream and notes when each alarm came.

    python -m bench.listener URL TOKEN

It says `ready` once the stream flows. At a number on standard input it waits until so many alarms of rule G101 have come, or
for some time in vain, and says one line of JSON: device path → when its alarm arrived (epoch ms).
"""

import json
import sys
import threading
import time
import urllib.request

_RULE = "G101"
_PATIENCE_S = 30.0


def listen(url: str, token: str, seen: dict[str, int], came: threading.Condition) -> None:
    """Note alarms as they come, for ever."""
    request = urllib.request.Request(f"{url}/api/v1/stream", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request) as stream:  # noqa: S310  our own address
        stream.readline()
        print("ready", flush=True)
        for line in stream:
            if line.startswith(b"data: ") and _RULE.encode() in line:
                body = json.loads(line[6:]).get("body", {})
                if body.get("rule") == _RULE:
                    with came:
                        seen.setdefault(body["device"], time.time_ns() // 1_000_000)
                        came.notify()


def told(seen: dict[str, int], came: threading.Condition, wanted: int) -> str:
    """Return what has come, as JSON, once that are as many as wanted."""
    with came:
        came.wait_for(lambda: len(seen) >= wanted, _PATIENCE_S)
        return json.dumps(seen)


def main() -> None:
    seen: dict[str, int] = {}
    came = threading.Condition()
    threading.Thread(target=listen, args=(sys.argv[1], sys.argv[2], seen, came), daemon=True).start()
    for line in sys.stdin:
        print(told(seen, came, int(line)), flush=True)


if __name__ == "__main__":
    main()
