#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stands in for a CSE at which others register: the resources below its <CSEBase>, with what tinyIoT
and ACME were seen to do (BEHAVIOURS).

Usage: registration.py BEHAVIOUR[@ADDRESS] [CERTIFICATE KEY CLIENT-ANCHORS]   (the last three: HTTPS)

Listens on 127.0.0.1, or ADDRESS, and prints its own. Then each line on standard input is a JSON object of settings to change, which it
answers by "done", and each request that it answers is a line: METHOD PATH ORIGINATOR RSC. Settings:
  answer      how to answer instead: an RSC, or "hang", "garbage", "huge", "html"
  expiration  the longest that it grants, in seconds
  forget      all resources are gone, as after a restart
  body        null: prints nothing of bodies; else each line of a request ends with its body"""
import datetime
import http.server
import json
import ssl
import sys
import threading

BASE = "/cse-in"
ALLOWED_IN_UPDATE = {"et", "rr", "poa", "acpi", "lbl", "srv"}
TYPES = {"16": ("m2m:csr", "csi"), "2": ("m2m:ae", "rn"), "1": ("m2m:acp", "rn")}
BEHAVIOURS = {
    # refuses esi as an object; status code for a second Create
    "tinyiot": {"esi": 4000, "again": 2001},
    "acme": {"esi": 4000, "again": 4105},
    "lenient": {"esi": None, "again": 4105},
}

settings = {"answer": None, "expiration": 157680000, "body": None}
resources = {}
kind_of_cse, _, address = sys.argv[1].partition("@")
behaviour = BEHAVIOURS[kind_of_cse]
lock = threading.Lock()
output = threading.Lock()


def say(line):
    with output:
        print(line, flush=True)


def granted(wanted):
    """The et of an answer: what is wanted, or the longest that there is."""
    latest = datetime.datetime.utcnow() + datetime.timedelta(seconds=settings["expiration"])
    return min(wanted or "9", latest.strftime("%Y%m%dT%H%M%S"))


def create(path, kind, content):
    name, key = TYPES[kind]
    attributes = content[name]
    if path != BASE and path not in resources:
        return 4004, None
    if "esi" in attributes and behaviour["esi"]:
        return behaviour["esi"], None
    rn = attributes[key].strip("/")
    place = f"{path}/{rn}"
    if place in resources and behaviour["again"] != 2001:
        return behaviour["again"], None
    attributes.update(rn=rn, ri=f"{rn}-{len(resources)}", et=granted(attributes.get("et")))
    resources[place] = (name, attributes)
    return 2001, {name: attributes}


def update(path, content):
    name, attributes = resources[path]
    if set(content[name]) - ALLOWED_IN_UPDATE:
        return 4000, None
    attributes.update(content[name], et=granted(content[name].get("et")))
    return 2004, {name: attributes}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, rsc, content):
        body = json.dumps(content).encode() if content else b""
        self.send_response(status)
        self.send_header("X-M2M-RSC", str(rsc))
        self.send_header("X-M2M-RI", self.headers["X-M2M-RI"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def misbehave(self, how):
        if how == "hang":
            self.rfile.read(1)
        elif how == "garbage":
            self.wfile.write(b"\0\xff\r\n\r\n\x1b[2J")
        elif how == "huge":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-M2M-RSC: 2000\r\n\r\n" + b"[" * 10_000_000)
        elif how == "html":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
        self.close_connection = True

    def operate(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = json.loads(body) if body else None
        kind = dict(part.strip().split("=") for part in
                    (self.headers.get("Content-Type") or "").split(";")[1:]).get("ty")
        end = f" {body.decode()}" if settings["body"] and body else ""
        line = f"{self.command} {self.path} {self.headers['X-M2M-Origin']}"
        how = settings["answer"]
        if isinstance(how, str):
            say(f"{line} {how}{end}")
            return self.misbehave(how)
        with lock:
            if how:
                rsc, result = how, None
            elif self.command == "POST":
                rsc, result = create(self.path, kind, content)
            elif self.path not in resources:
                rsc, result = 4004, None
            elif self.command == "PUT":
                rsc, result = update(self.path, content)
            elif self.command == "DELETE":
                for place in [each for each in resources if f"{each}/".startswith(f"{self.path}/")]:
                    del resources[place]
                rsc, result = 2002, None
            else:
                rsc, result = 2000, dict([resources[self.path]])
        status = {2001: 201, 4004: 404, 4105: 409, 4103: 403}.get(rsc, 200 if rsc < 3000 else 400)
        try:
            self.answer(status, rsc, result)
        finally:
            say(f"{line} {rsc}{end}")

    do_GET = do_POST = do_PUT = do_DELETE = operate

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        pass  # clients that leave


server = Server((address or "127.0.0.1", 0), Handler)
scheme = "http"
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    context.load_verify_locations(sys.argv[4])
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    scheme = "https"
threading.Thread(target=server.serve_forever, daemon=True).start()
say("{0}://{1[0]}:{1[1]}{2}".format(scheme, server.server_address, BASE))
for change in sys.stdin:
    with lock:
        settings.update(json.loads(change))
        if settings.pop("forget", False):
            resources.clear()
    say("done")
