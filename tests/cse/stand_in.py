#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for a CSE that e2ekeyd is behind: forwards to it as three open CSEs were measured to.

    stand_in.py --like tinyiot|acme|mobius [options]

It listens on a free port of 127.0.0.1, which is the first line of its output, and ends by SIGTERM.
<remoteCSE> and <AE> are registered by POST of ty 16 and 2 at the <CSEBase>, and live in memory.
TABLE has what the CSEs do differently from each other, and from the standard: a line for each
habit, a column for each CSE. Tests ask which lines have had an effect, and miss none.

For tests, below /.stand-in (POST, but for the first):
    lines               how often each line of the column had an effect
    restart             what a restart of the CSE leaves: its registrations, or not
    check               ACME's liveness check at once; the answer is the RSC that it got, or 0
    set?time_out=S      gives up after S seconds rather than after those of the table
    set?hold=S          waits S seconds before it forwards, and as long in the midst of the request
    set?segment=N       reads N octets at most where one read is all, as on a link with such segments
    set?proxy=1         forwards by HTTP/1.0, as nginx does which stands between"""
import argparse
import collections
import datetime
import http.client
import http.server
import json
import socket
import threading
import time
import urllib.parse

Line = collections.namedtuple("Line", "name tinyiot acme mobius seen")
NOVEMBER = "measured November 2026"
# None: the CSE does as the standard says, or never comes to it.
TABLE = [Line(*line) for line in (
    # What is forwarded at all, and what becomes of it. A number is the RSC of the refusal.
    ("resource to a remoteCSE", "forwarded", None, "hangs up", NOVEMBER + ": Mobius 2.4.36 crashes in its own forwarding"),
    ("ty that it does not know", None, 4000, None, NOVEMBER + ": ACME 2026.05.1, 30001 is an undefined enum value, 28 passes"),
    ("Notify to a remoteCSE", "forwarded", 4000, 4000, NOVEMBER + ": ACME wants m2m:sgn"),
    ("Notify to an AE", "forwarded", 4000, 4000, NOVEMBER),
    ("plugin", None, "forwards all", None, NOVEMBER + ": ACME 2026.05.1 with a plugin for security information and ty 30001"),
    ("child that it does not know", 4004, 4000, 4000, NOVEMBER + ": a request to BASE/e2EKeyCSE"),
    ("absolute address", 4004, 4000, None, NOVEMBER + ": refused; tinyIoT's RSC is assumed"),
    # What the request looks like when it arrives.
    ("poa of a remoteCSE", "its path is discarded", "To is appended", None, NOVEMBER),
    ("poa of an AE", "its path is kept", "To is appended", None, NOVEMBER),
    ("several poas", None, "tries all", None, NOVEMBER),
    ("From to a remoteCSE", "SP-relative", "SP-relative", None, NOVEMBER + ": Cpeer arrives as /tinyiot/Cpeer"),
    ("numbers", "6.0", None, None, NOVEMBER + ": tinyIoT 832205f"),
    ("no RVI", "3", None, None, NOVEMBER),
    ("X-M2M-OT", None, "sent", None, NOVEMBER),
    ("connections", "close", None, None, NOVEMBER + ": tinyIoT, one request each"),
    ("after the body", "CRLF", None, None, "tinyIoT's source: two octets more than Content-Length says"),
    ("HTTP/1.0", "by nginx", "by nginx", None, NOVEMBER + ": nginx 1.22 between the CSE and us"),
    # What becomes of the answer.
    ("one read", "of 65536 octets", None, None, NOVEMBER + ": tinyIoT, an answer in two segments (1448) is cut; its source: but for headers alone"),
    ("RI and RSC back", None, "needed", None, NOVEMBER + ": ACME, else 4000 or 5000"),
    ("Content-Location", "dropped", None, None, NOVEMBER),
    ("answer from an AE", "dropped, 2000", None, None, NOVEMBER + ": whatever the answer was"),
    ("body of a refusal", "Forwarding Failed", None, None, NOVEMBER + ": the RSC is kept"),
    ("503", "500", None, None, NOVEMBER),
    ("time-out", 3, 10, None, NOVEMBER + ": seconds; RSC 5103 by tinyIoT's source, assumed of ACME"),
    ("request too long", 65536, None, None, NOVEMBER + ": octets; the rest is cut off"),
    # Registration.
    ("second Create", "taken", 4105, None, NOVEMBER + ": of the same remoteCSE"),
    ("Delete after it", "crashes", None, None, NOVEMBER + ": tinyIoT, once: a double free"),
    ("esi", 4000, 4000, 5000, NOVEMBER + ": ACME says expected type: string; Mobius 500"),
    ("csz", 4000, None, 5000, NOVEMBER),
    ("cb, csi, cst in an Update", 4000, 4000, None, NOVEMBER),
    ("first requests", None, 4000, None, NOVEMBER + ": ACME's first seconds, attribute fr not defined"),
    ("originator that is not allowed", None, 4103, None, NOVEMBER + ": allowedCSROriginators; the RSC is assumed"),
    ("longest et", None, 5 * 365 * 86400, None, NOVEMBER + ": ACME's maxExpirationDelta, by default; cut without an error"),
    ("et by default", 2 * 365 * 86400, 5 * 365 * 86400, None, NOVEMBER),
    ("expired", "removed", "removed", None, NOVEMBER + ": within seconds"),
    ("restart", "keeps all", "forgets all", None, NOVEMBER + ": tinyIoT with SQLite, ACME with database type memory"),
    ("liveness", None, "deletes", None, NOVEMBER + ": ACME retrieves our <CSEBase>; anything but 2000 ends the registration"),
)]
CSES = {  # CSE-ID and name of <CSEBase>
    "tinyiot": ("/tinyiot", "TinyIoT"),
    "acme": ("/id-in", "cse-in"),
    "mobius": ("/Mobius2", "Mobius"),
}
KNOWN_TYPES = range(1, 66)  # ACME; not 30001
AE, REMOTE_CSE = 2, 16
ROOTS = {AE: "m2m:ae", REMOTE_CSE: "m2m:csr"}
STATUS = {2000: 200, 2001: 201, 2002: 200, 2004: 200, 4000: 400, 4004: 404, 4005: 405, 4103: 403, 4105: 409,
          5000: 500, 5103: 404}
METHODS = {"POST": "Create", "GET": "Retrieve", "PUT": "Update", "DELETE": "Delete"}
HEADERS = ("X-M2M-Origin", "X-M2M-RI", "X-M2M-RVI", "X-M2M-RSC", "X-M2M-RET", "Content-Type", "Accept",
           "Content-Location", "Retry-After")
CLIENT_TIME_OUT_S = 30  # of those who are not in the table


class HangUp(Exception):
    """The CSE crashed: there is no answer."""


class Answer:
    def __init__(self, rsc, content=None, status=None, headers=None, body=None):
        self.rsc, self.status = rsc, status or STATUS[rsc]
        self.headers = headers or {}
        self.body = json.dumps(content).encode() if content is not None else body or b""


def refusal(rsc, reason):
    return Answer(rsc, {"m2m:dbg": reason})


def timestamp(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y%m%dT%H%M%S")


class Cse:
    def __init__(self, options):
        self.column = {line.name: getattr(line, options.like) for line in TABLE}
        self.plugin = options.plugin
        self.csi, self.base = CSES[options.like]
        self.csi = options.csi or self.csi
        self.allowed = options.allowed
        if options.longest:
            self.column["longest et"] = options.longest
        self.not_ready = options.not_ready
        self.interval = options.check_interval
        self.set = {}  # by the test
        self.registered = {}  # resource name: its attributes, ty among them
        self.doubled = set()  # names that were created twice
        self.fired = collections.Counter()
        self.lock = threading.Lock()

    def line(self, name):
        """What the column says, where it comes to that; None if nothing."""
        value = self.column[name]
        if value is not None:
            with self.lock:
                self.fired[name] += 1
        return value

    # --- control ---

    def control(self, method, verb, query):
        if verb == "lines":
            return "".join("%d %s\n" % (self.fired[name], name) for name, value in self.column.items() if value is not None)
        if method != "POST":
            raise KeyError(method)
        if verb == "restart":
            if self.line("restart") == "forgets all":
                self.registered.clear()
            return ""
        if verb == "check":
            return "".join("%d\n" % self.check(name) for name, resource in list(self.registered.items())
                           if resource["ty"] == REMOTE_CSE)
        if verb == "set":
            self.set.update((name, float(value)) for name, value in query.items())
            return ""
        raise KeyError(verb)

    # --- addresses (TS-0009 6.2.2) ---

    def resolve(self, path):
        """The CSE-ID, or None for ourselves, and the rest of the address."""
        if path.startswith("/_/"):
            return "absolute", path[3:]
        if not path.startswith("/~/"):
            return None, path.strip("/")
        csi, _, rest = path[3:].partition("/")
        return (None if "/" + csi == self.csi else "/" + csi), rest

    def find_local(self, rest):
        """The name of what is registered, "" for <CSEBase>, None for what is not there."""
        first, _, child = rest.partition("/")
        if first not in (self.base, "-"):
            first, child = self.base, rest  # unstructured: ri = rn
        self.expire()
        return child if child == "" or child in self.registered else None

    def expire(self):
        now = timestamp(0)
        with self.lock:
            late = [name for name, resource in self.registered.items() if resource["et"] <= now]
            for name in late:
                del self.registered[name]
        if late:
            self.line("expired")

    # --- requests ---

    def answer(self, request):
        if self.not_ready > 0 and self.column["first requests"]:
            self.not_ready -= 1
            return refusal(self.line("first requests"), "validation for attribute fr not defined")
        csi, rest = self.resolve(request.path)
        if csi == "absolute":
            return refusal(self.line("absolute address") or 4004, "absolute address")
        self.expire()
        if csi:
            for name, resource in list(self.registered.items()):
                if resource.get("csi") == csi:
                    return self.to_cse(request, resource, csi + "/" + rest)
            return refusal(4004, "no such CSE")
        name = self.find_local(rest)
        if name is None:
            rsc = self.line("child that it does not know") if "e2EKeyCSE" in rest else 4004
            return refusal(rsc, "no such resource")
        if request.method == "POST" and request.ty is None:
            resource = self.registered.get(name, {"ty": 5})
            if resource["ty"] != AE:
                return refusal(4005, "notification for ourselves")
            return self.to_ae(request, resource)
        return self.registration(request, name)

    def guard(self, request, line):
        """A refusal, or None for what is forwarded."""
        if not (line.startswith("Notify") and self.column[line] == 4000):
            self.line(line)
            return None
        if self.plugin and self.is_security_info(request.content):
            self.line("plugin")
            return None
        return refusal(self.line(line), "m2m:sgn is missing")

    @staticmethod
    def is_security_info(content):
        return isinstance(content, dict) and isinstance(content.get("m2m:seci"), dict)

    def to_cse(self, request, resource, to):
        if request.method == "POST" and request.ty is None:
            refused = self.guard(request, "Notify to a remoteCSE")
        elif self.line("resource to a remoteCSE") == "hangs up":
            raise HangUp
        else:
            refused = None
            if self.column["ty that it does not know"] and request.ty is not None and request.ty not in KNOWN_TYPES:
                if self.plugin:
                    self.line("plugin")
                else:
                    refused = refusal(self.line("ty that it does not know"), "undefined enum value %d" % request.ty)
        if refused:
            return refused
        origin = request.headers.get("X-M2M-Origin", "")
        if origin and not origin.startswith("/") and self.line("From to a remoteCSE"):
            origin = self.csi + "/" + origin
        appended = self.line("poa of a remoteCSE") == "To is appended"
        return self.forward(request, resource, origin, lambda path: (path if appended else "") + "/~" + to)

    def to_ae(self, request, resource):
        refused = self.guard(request, "Notify to an AE")
        if refused:
            return refused
        appended = self.line("poa of an AE") == "To is appended"
        answer = self.forward(request, resource, request.headers.get("X-M2M-Origin", ""),
                              lambda path: path + request.path if appended else path or "/")
        if self.column["answer from an AE"] and answer.rsc != 5103:
            self.line("answer from an AE")
            return Answer(2000)
        return answer

    # --- forwarding ---

    def forward(self, request, resource, origin, path_of):
        poas = resource.get("poa", [])
        if len(poas) > 1 and self.column["several poas"]:
            self.line("several poas")
        else:
            poas = poas[:1]
        for poa in poas:
            url = urllib.parse.urlsplit(poa)
            octets = self.write_request(request, url, origin, path_of(url.path.rstrip("/")))
            answer = self.exchange(url, octets)
            if answer:
                return self.pass_back(request, answer)
        return refusal(5103, "target not reachable")

    def write_request(self, request, url, origin, path):
        headers = {name: request.headers[name] for name in HEADERS if request.headers.get(name)}
        headers["X-M2M-Origin"] = origin
        if "X-M2M-RVI" not in headers and self.line("no RVI"):
            headers["X-M2M-RVI"] = "3"
        if self.line("X-M2M-OT"):
            headers["X-M2M-OT"] = timestamp(0)
        version = "1.1"
        if self.set.get("proxy") and self.line("HTTP/1.0"):
            version, headers["Connection"] = "1.0", "close"
        body = request.body
        if request.content is not None and self.column["numbers"]:
            body = json.dumps(self.rewrite(request.content)).encode()
        if body:
            headers["Content-Length"] = str(len(body))
        query = "?" + request.query if request.query else ""
        head = "%s %s%s HTTP/%s\r\nHost: %s\r\n" % (request.method, path, query, version, url.netloc)
        return head.encode() + b"".join(b"%s: %s\r\n" % (n.encode(), v.encode()) for n, v in headers.items()) + b"\r\n" + body + (
            b"\r\n" if body and self.line("after the body") else b"")

    def rewrite(self, value):
        """cJSON has no integers."""
        if isinstance(value, dict):
            return {name: self.rewrite(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.rewrite(member) for member in value]
        if isinstance(value, int) and not isinstance(value, bool):
            self.line("numbers")
            return float(value)
        return value

    def exchange(self, url, octets):
        """One request, one connection. None: nobody is there, or it took too long."""
        patience = self.set.get("time_out") or self.column["time-out"] or CLIENT_TIME_OUT_S
        hold = self.set.get("hold", 0)
        time.sleep(hold)
        try:
            with socket.create_connection((url.hostname, url.port), patience) as connection:
                half = len(octets) // 2 if hold else len(octets)
                connection.sendall(octets[:half])
                time.sleep(hold)
                connection.sendall(octets[half:])
                if self.line("one read"):
                    segment = int(self.set.get("segment", 65536))
                    got = connection.recv(segment)
                    if got.endswith(b"\r\n\r\n"):  # the body after that is another read
                        got += connection.recv(segment)
                    return self.read_once(got)
                response = http.client.HTTPResponse(connection)
                response.begin()
                body = response.read()
                return response.status, dict(response.getheaders()), body
        except TimeoutError:
            self.line("time-out")
        except OSError:
            pass
        return None

    @staticmethod
    def read_once(got):
        """An answer in one piece, or what there is of it."""
        head, _, body = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = first.split(" ")[1:2]
        return (int(status[0]) if status else 500), headers, body

    def pass_back(self, request, answer):
        status, headers, body = answer
        given = {name.lower(): value for name, value in headers.items()}
        kept = {name: given[name.lower()] for name in HEADERS if name.lower() in given}
        rsc = int(given.get("x-m2m-rsc", 0))
        if self.line("RI and RSC back"):
            if not rsc:
                return refusal(5000, "no RSC in the answer")
            if given.get("x-m2m-ri") != request.headers.get("X-M2M-RI"):
                return refusal(4000, "another RI in the answer")
        if kept.pop("Content-Location", None) and not self.line("Content-Location"):
            kept["Content-Location"] = given["content-location"]
        if rsc >= 4000 and self.line("body of a refusal"):
            body = b'{"m2m:dbg":"Forwarding Failed"}'
        if status == 503 and self.line("503"):
            status = 500
        return Answer(rsc, status=status, headers=kept, body=body)

    # --- registration ---

    def registration(self, request, name):
        handler = getattr(self, {"POST": "create", "GET": "retrieve", "PUT": "update", "DELETE": "delete"}[request.method])
        return handler(request, name)

    def attributes(self, request, ty):
        content = request.content.get(ROOTS.get(ty)) if isinstance(request.content, dict) else None
        return content if isinstance(content, dict) else None

    def create(self, request, name):
        attributes = self.attributes(request, request.ty)
        if name or attributes is None:
            return refusal(4000, "neither m2m:csr nor m2m:ae")
        csr = request.ty == REMOTE_CSE
        for member, reason in ("esi", "expected type: string"), ("csz", "csz"):
            if csr and member in attributes and self.column[member]:
                return refusal(self.line(member), reason)
        origin = request.headers.get("X-M2M-Origin", "")
        if csr and self.column["originator that is not allowed"] and origin not in self.allowed:
            return refusal(self.line("originator that is not allowed"), "not allowed")
        rn = attributes.get("csi", "").lstrip("/") if csr else attributes.get("rn", origin)
        if rn in self.registered:
            if not csr or self.column["second Create"] != "taken":
                return refusal(self.line("second Create") or 4105, "it is there already")
            self.line("second Create")
            self.doubled.add(rn)
        resource = dict(attributes, ty=request.ty, rn=rn, ri=rn, pi=self.base, et=self.end(attributes))
        if not csr:
            resource["aei"] = origin
        with self.lock:
            self.registered[rn] = resource
        if csr and self.interval and self.column["liveness"]:
            threading.Timer(self.interval, self.check_again, [rn]).start()
        return Answer(2001, {ROOTS[request.ty]: resource})

    def end(self, attributes):
        longest = self.column["longest et"]
        if "et" not in attributes:
            return timestamp(self.line("et by default") or 86400)
        if longest and attributes["et"] > timestamp(longest):
            self.line("longest et")
            return timestamp(longest)
        return attributes["et"]

    def retrieve(self, request, name):
        if name == "":
            return Answer(2000, {"m2m:cb": {"ty": 5, "ri": self.base, "rn": self.base, "csi": self.csi}})
        resource = self.registered[name]
        return Answer(2000, {ROOTS[resource["ty"]]: resource})

    def update(self, request, name):
        resource = self.registered.get(name)
        attributes = self.attributes(request, resource["ty"]) if resource else None
        if attributes is None:
            return refusal(4000, "neither m2m:csr nor m2m:ae")
        for member in "cb", "csi", "cst":
            if member in attributes:
                return refusal(self.line("cb, csi, cst in an Update") or 4000, "attribute `%s` is not allowed" % member)
        resource.update(attributes, et=self.end(attributes))
        return Answer(2004, {ROOTS[resource["ty"]]: resource})

    def delete(self, request, name):
        if name == "":
            return refusal(4005, "<CSEBase>")
        with self.lock:
            self.registered.pop(name, None)
        if name in self.doubled:
            self.doubled.discard(name)
            self.line("Delete after it")
            raise HangUp
        return Answer(2002)

    def check(self, name):
        """Retrieves the <CSEBase> of a <remoteCSE>, and removes that if it is refused."""
        if not self.line("liveness"):
            return 0
        resource = self.registered[name]
        url = urllib.parse.urlsplit(resource["poa"][0])
        head = ("GET %s/~%s HTTP/1.1\r\nHost: %s\r\nX-M2M-Origin: %s\r\nX-M2M-RI: alive\r\nX-M2M-RVI: 3\r\n"
                "Accept: application/json\r\n\r\n")
        answer = self.exchange(url, (head % (url.path.rstrip("/"), resource["cb"], url.netloc, self.csi)).encode())
        rsc = int({n.lower(): v for n, v in answer[1].items()}.get("x-m2m-rsc", 0)) if answer else 0
        if rsc != 2000:
            with self.lock:
                self.registered.pop(name, None)
        return rsc

    def check_again(self, name):
        if name in self.registered and self.check(name) == 2000:
            timer = threading.Timer(self.interval, self.check_again, [name])
            timer.daemon = True
            timer.start()


class Request:
    def __init__(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.method, self.path, self.query = handler.command, urllib.parse.unquote(url.path), url.query
        self.headers, self.body = handler.headers, body
        parameters = handler.headers.get("Content-Type", "").replace(" ", "").split(";")[1:]
        types = [parameter[3:] for parameter in parameters if parameter.startswith("ty=")]
        self.ty = int(types[0]) if types and types[0].isdigit() else None
        try:
            self.content = json.loads(body) if body else None
        except ValueError:
            self.content = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one write
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        if self.server.cse.line("connections") == "close":
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        cse = self.server.cse
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/.stand-in/"):
            verb, _, query = self.path[len("/.stand-in/"):].partition("?")
            self.reply(200, {}, cse.control(self.command, verb, dict(urllib.parse.parse_qsl(query))).encode())
            return
        longest = cse.column["request too long"]
        if longest and len(body) > longest:
            cse.line("request too long")
            body = body[:longest]
        request = Request(self, body)
        try:
            if body and request.content is None:
                answer = refusal(4000, "not JSON")
            else:
                answer = cse.answer(request)
        except HangUp:
            self.close_connection = True
            return
        headers = dict(answer.headers)
        headers.setdefault("X-M2M-RI", self.headers.get("X-M2M-RI", ""))
        headers["X-M2M-RSC"] = str(answer.rsc)
        if answer.body:
            headers.setdefault("Content-Type", "application/json")
        self.reply(answer.status, headers, answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


def main():
    parser = argparse.ArgumentParser(description="a CSE for tests")
    parser.add_argument("--like", choices=CSES, required=True)
    parser.add_argument("--csi", help="its CSE-ID, rather than that of the CSE it is like")
    parser.add_argument("--plugin", action="store_true", help="ACME with the plugin that forwards all")
    parser.add_argument("--allowed", action="append", default=[], help="originator of a <remoteCSE> that ACME takes")
    parser.add_argument("--not-ready", type=int, default=0, help="how many requests ACME refuses at first")
    parser.add_argument("--longest", type=int, help="seconds of et at most, rather than the table's")
    parser.add_argument("--check-interval", type=float, default=0, help="seconds between liveness checks; 0: none")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", help="the port is written there, too")
    options = parser.parse_args()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.daemon_threads = True
    server.cse = Cse(options)
    if options.port_file:
        with open(options.port_file, "w", encoding="ascii") as file:
            file.write("%d\n" % server.server_port)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
