# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests in bash: TAP, and the real daemon. Source it from the top folder of the project:
#
#   source tests/support/lib.bash
#   start_daemon [JSON to merge into the policy]
#   … $folder $port $socket …
#   tap_ok "what ought to be" test 1 -eq 1
#   tap_done

BUILD=${BUILD:-build}
E2EKEYD=${E2EKEYD:-$BUILD/e2ekeyd}
DAEMON_TIMEOUT_S=30

folder=$(mktemp -d "${TMPDIR:-/tmp}/e2ekeyd.XXXXXX")
socket=$folder/keys.sock
port=''
daemon_pid=''
hearer_pid=''
initiator_pid=''
notices=''
tap_count=0
tap_failures=0

cleanup() {
    local pid
    for pid in $daemon_pid $hearer_pid $initiator_pid; do
        { kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || :
    done
    rm -rf "$folder"
}
trap cleanup EXIT

# --- TAP -----------------------------------------------------------------------------------------

tap() { # verdict, description
    tap_count=$((tap_count + 1))
    if [[ $1 -eq 0 ]]; then
        echo "ok $tap_count - $2"
    else
        tap_failures=$((tap_failures + 1))
        echo "not ok $tap_count - $2"
    fi
}

tap_ok() { # description, command …
    local description=$1
    shift
    "$@"
    tap $? "$description"
}

tap_fails() { # description, command …
    local description=$1
    shift
    ! "$@"
    tap $? "$description"
}

tap_is() { # description, got, wanted
    [[ $2 == "$3" ]]
    local verdict=$?
    tap $verdict "$1"
    [[ $verdict -eq 0 ]] || printf '#   got:    %s\n#   wanted: %s\n' "$2" "$3"
}

tap_skip() { # description, reason
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

tap_done() {
    echo "1..$tap_count"
    exit $((tap_failures > 0))
}

bail_out() {
    echo "Bail out! $*"
    exit 1
}

# --- the daemon ----------------------------------------------------------------------------------

# merge_policy JSON: objects merge, anything else replaces.
merge_policy() {
    python3 - "$folder/policy.json" "$1" <<'END'
import json, sys

def merge(old, new):
    for name, value in new.items():
        both = isinstance(value, dict) and isinstance(old.get(name), dict)
        old[name] = merge(old[name], value) if both else value
    return old

path, change = sys.argv[1:]
policy = merge(json.load(open(path)), json.loads(change))
json.dump(policy, open(path, "w"), indent=2)
END
}

# Stands in for the service manager: what arrives at the datagram socket PATH, line by line.
hear_notices() { # path
    exec python3 -u - "$1" <<'END'
import socket, sys

notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(sys.argv[1])
print("LISTENING=1")
while True:
    print(notify.recv(4096).decode())
END
}

await_notice() { # line
    local line deadline=$((SECONDS + DAEMON_TIMEOUT_S))
    while [[ $SECONDS -lt $deadline ]]; do
        if read -r -t 1 -u "$notices" line; then
            [[ $line != "$1" ]] || return 0
        elif [[ -n $daemon_pid ]] && ! kill -0 "$daemon_pid" 2>/dev/null; then
            break # dead: it will say nothing more
        fi
    done
    cat "$folder/stderr"
    bail_out "e2ekeyd did not say $1"
}

prepare_daemon() { # JSON to merge into the policy, more arguments of mkpki …
    local change=${1:-}
    scripts/mkpki "$folder" --listen 127.0.0.1:0 --socket "$socket" --user "$(id -un)" "${@:2}" ||
        bail_out "no PKI"
    [[ -z $change ]] || merge_policy "$change" || bail_out "no policy"
}

launch_daemon() {
    exec {notices}< <(hear_notices "$folder/notify")
    hearer_pid=$!
    await_notice LISTENING=1
    NOTIFY_SOCKET=$folder/notify JOURNAL_STREAM='' \
        "$E2EKEYD" --policy "$folder/policy.json" 2>>"$folder/stderr" &
    daemon_pid=$!
    await_notice READY=1
    port=$(sed -n 's|.*listening on https\{0,1\}://127\.0\.0\.1:\([0-9]*\).*|\1|p' "$folder/stderr" | tail -n 1)
    [[ -n $port ]] || bail_out "e2ekeyd did not say which port it listens on"
}

start_daemon() { # as prepare_daemon
    prepare_daemon "$@"
    launch_daemon
}

stop_daemon() { # its exit status
    kill -TERM "$daemon_pid"
    kill -INT "$daemon_pid" # no patience with pending exchanges
    wait "$daemon_pid"
    local status=$?
    daemon_pid=''
    kill "$hearer_pid"
    hearer_pid=''
    rm -f "$folder/notify"
    return $status
}

# --- a foreign initiator -------------------------------------------------------------------------

# Named pipes: bash forgets a coproc's as soon as it ends, read or not.
start_initiator() { # stack, credential's name in $folder, more arguments …
    local stack=$1 name=$2
    shift 2
    rm -f "$folder"/{to,from}
    mkfifo "$folder/to" "$folder/from"
    "$BUILD/tests/interop/$stack" --certificate "$folder/$name.pem" --private-key "$folder/$name.key" \
        --anchors "$folder/field-ca.pem" "$@" <"$folder/to" >"$folder/from" 2>"$folder/initiator-errors" &
    initiator_pid=$!
    exec {to_initiator}>"$folder/to" {from_initiator}<"$folder/from"
}

read_initiator() { # variables …
    read -r -t "$DAEMON_TIMEOUT_S" -u "$from_initiator" "$@"
}

write_initiator() { # line
    (trap '' PIPE && echo "$1" >&"$to_initiator") 2>/dev/null
}

end_initiator() { # its exit status
    local pid=$initiator_pid
    exec {to_initiator}>&- {from_initiator}<&-
    initiator_pid=''
    wait "$pid"
}
