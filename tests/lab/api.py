"""A small client of the operator API that holds every answer against the contract."""
import http.client
import json
import ssl
import urllib.parse

from tests.lab.contract import contract

DEADLINE_S = 70


class ApiError(AssertionError):
    """An answer that a test did not expect."""

    def __init__(self, method, path, answer):
        super().__init__(f"{method} {path} -> {answer.status} {answer.text[:1500]}")
        self.answer = answer


class Answer:
    """Status, headers and body of one response."""

    def __init__(self, response, body):
        self.status = response.status
        self.headers = response.headers
        self.body = body

    def header(self, name):
        return self.headers.get(name)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        """Code of the problem; None for a success."""
        return self.json["code"] if self.status >= 400 else None

    @property
    def etag(self):
        return self.header("ETag")


class Api:
    """One caller, by token; `token` None is nobody. Not shared between threads."""

    def __init__(self, url, ca, token=None):
        self.url = urllib.parse.urlsplit(url)
        self.ca = str(ca)
        self.token = token
        self._context = ssl.create_default_context(cafile=self.ca)
        self._connection = None

    def with_token(self, token):
        return Api(self.url.geturl(), self.ca, token)

    def close(self):
        if self._connection:
            self._connection.close()
            self._connection = None

    def _connect(self):
        return http.client.HTTPSConnection(self.url.hostname, self.url.port, timeout=DEADLINE_S,
                                           context=self._context)

    def _headers(self, headers, body):
        out = {"Accept": "application/json"}
        if self.token:
            out["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            out["Content-Type"] = "application/json"
        out.update(headers or {})
        return {k: v for k, v in out.items() if v is not None}

    def call(self, method, path, body=None, headers=None, query=None, raw=None):
        """Sends one request and returns its Answer, whatever the status."""
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = self._headers(headers, data)
        if method == "PATCH" and "Content-Type" not in (headers or {}):
            sent["Content-Type"] = "application/merge-patch+json"
        answer = self._exchange(method, path, data, sent)
        contract().check(method, path, answer)
        return answer

    def _exchange(self, method, path, data, headers):
        fresh = self._connection is None
        for _ in range(2):
            self._connection = self._connection or self._connect()
            try:
                self._connection.request(method, path, data, headers)
                response = self._connection.getresponse()
                answer = Answer(response, response.read())
                if response.will_close:
                    self.close()
                return answer
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
                # A kept connection may have been closed while it lay idle; a fresh one may not.
                self.close()
                if fresh:
                    raise
                fresh = True
        raise AssertionError("unreachable")

    def _expect(self, method, path, expected, **arguments):
        answer = self.call(method, path, **arguments)
        if answer.status not in expected:
            raise ApiError(method, path, answer)
        return answer

    def get(self, path, **arguments):
        return self._expect("GET", path, (200,), **arguments).json

    def post(self, path, body=None, **arguments):
        answer = self._expect("POST", path, (200, 201, 204), body=body, **arguments)
        return answer.json if answer.body else None

    def put(self, path, body, **arguments):
        return self._expect("PUT", path, (200, 204), body=body, **arguments).json

    def patch(self, path, body, match="*", **arguments):
        return self._expect("PATCH", path, (200,), body=body, headers={"If-Match": match},
                            **arguments).json

    def delete(self, path, match=None):
        self._expect("DELETE", path, (200, 204), headers={"If-Match": match})

    def items(self, path, **query):
        """All items of a list, page after page."""
        cursor = None
        while True:
            page = self.get(path, query=dict(query, **({"cursor": cursor} if cursor else {})))
            yield from page["items" if "items" in page else "points"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def points(self, device, metric, since="1h"):
        return list(self.items(f"/v1/devices/{device}/telemetry", metric=metric, since=since))

    def stream(self, path, query=None, headers=None, deadline_s=30):
        """A live stream on a connection of its own: iterate over (event, data); close it."""
        if query:
            path += "?" + urllib.parse.urlencode(query, doseq=True)
        return Stream(self, path, headers, deadline_s)


class Stream:
    """Server-sent events, each validated. `id` is the id of the last one."""

    def __init__(self, api, path, headers, deadline_s):
        self.operation = contract().find("GET", path)
        self.id = None
        self._connection = http.client.HTTPSConnection(
            api.url.hostname, api.url.port, timeout=deadline_s, context=api._context)
        self._connection.request("GET", path, headers=dict(
            api._headers(headers, None), Accept="text/event-stream"))
        self._response = self._connection.getresponse()
        if self._response.status != 200:
            raise ApiError("GET", path, Answer(self._response, self._response.read()))
        kind = self._response.headers.get("Content-Type", "")
        assert kind.split(";")[0] == "text/event-stream", kind

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._connection.close()
        self._response.close()

    def __iter__(self):
        name, data = "message", []
        for line in self._response:
            line = line.decode().rstrip("\r\n")
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    body = json.loads("\n".join(data))
                    contract().check_event(self.operation, name, body)
                    yield name, body
                name, data = "message", []
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
            elif field == "id":
                self.id = value
