"""A screen as a process of its own: listens to the live stream and notes when each alarm came.

    python -m bench.listener URL TOKEN

It says `ready` once the stream flows; at a line on standard input, one line of JSON: device path → when its alarm of rule G101
arrived (epoch ms).
"""

import json
import sys
import threading
import time
import urllib.request

_RULE = "G101"


def listen(url: str, token: str, seen: dict[str, int]) -> None:
    """Note alarms as they come, for ever."""
    request = urllib.request.Request(f"{url}/api/v1/stream", headers={"Authorization": f"Bearer {token}"})  # noqa: S310
    with urllib.request.urlopen(request) as stream:  # noqa: S310  our own address
        stream.readline()
        print("ready", flush=True)
        for line in stream:
            if line.startswith(b"data: ") and _RULE.encode() in line:
                body = json.loads(line[6:]).get("body", {})
                if body.get("rule") == _RULE:
                    seen.setdefault(body["device"], time.time_ns() // 1_000_000)


def main() -> None:
    seen: dict[str, int] = {}
    threading.Thread(target=listen, args=(sys.argv[1], sys.argv[2], seen), daemon=True).start()
    while sys.stdin.readline():
        print(json.dumps(seen), flush=True)


if __name__ == "__main__":
    main()
