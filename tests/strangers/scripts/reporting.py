"""Beside a stranger's client, in its own process: what it parsed, told line by line; and our hosts instead of theirs.

Nothing of a client is changed. `redirect` rewrites hosts where its HTTP and WebSocket libraries open a connection, for
clients that have their hosts written into their code; those with a setting for it are given the setting instead.
"""

import json
import sys
from urllib.parse import urlsplit, urlunsplit

GIVEN = json.loads(sys.argv[1])


def _tell(**report):
    sys.stdout.write("\n@@" + json.dumps(report, default=str) + "\n")  # one write: the client's threads talk too
    sys.stdout.flush()


def say(call, got):
    _tell(call=call, got=got)


def attempt(call, work):
    """Run one call of the client and tell what it parsed, or the error it ended with."""
    try:
        got = work()
    except Exception as e:
        _tell(call=call, error=f"{type(e).__name__}: {e}"[:300])
        return None
    say(call, got)
    return got


def moved(url):
    parts = urlsplit(url)
    here = GIVEN["hosts"].get(parts.netloc)
    if here is None:
        return url
    new = urlsplit(here)
    return urlunsplit((new.scheme, new.netloc, parts.path, parts.query, parts.fragment))


def redirect():
    import requests

    plain = requests.Session.request

    def request(self, method, url, *more, **named):
        return plain(self, method, moved(url), *more, **named)

    requests.Session.request = request
    try:
        import websockets
    except ImportError:
        pass
    else:
        connect = websockets.connect
        websockets.connect = lambda uri, *more, **named: connect(moved(uri), *more, **named)
