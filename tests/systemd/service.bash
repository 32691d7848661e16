# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests in the machine: e2ekeyd as a service, with the PKI of scripts/mkpki, and its peers.
# Source it after tests/systemd/machine.bash.
source tests/support/lib.bash

export NO_PROXY='*'
port=8383
socket=/run/e2ekeyd/keys.sock

install_service() { # into this system, as root would
    make -s BUILD="$BUILD" install >"$folder/install" 2>&1 || { cat "$folder/install"; bail_out "make install"; }
}

# write_policy [JSON to merge, more arguments of mkpki …]: certificates where the daemon reads them, its key as a credential.
write_policy() {
    [[ -e $folder/policy.json ]] || scripts/mkpki "$folder" --user root "${@:2}" || bail_out "no PKI"
    merge_policy "${1:-{\}}"
    install -m 600 "$folder/in-cse.key" /etc/e2ekeyd/credentials/
    install -m 644 "$folder"/{in-cse,field-ca}.pem /etc/e2ekeyd/
    sed 's|"in-cse\.key"|"credential:e2ekeyd_in-cse.key"|' "$folder/policy.json" >/etc/e2ekeyd/policy.json
}

ours() { find /etc /run /usr /var -xdev -name '*e2ekey*' -not -path '/var/tmp/*' | sort; } # files of this system
main_pid() { systemctl show --property=MainPID --value e2ekeyd.service; }
is_active() { [[ $(systemctl is-active "$1") == active ]]; }

has_new_process() { # the old one
    local pid
    pid=$(main_pid)
    [[ $pid -ne 0 && $pid -ne $1 ]] && is_active e2ekeyd.service
}

request() { # method, From, media type, JSON, path: the answer
    curl -sS --max-time 30 -X "$1" -H "X-M2M-Origin: $2" -H 'X-M2M-RI: 1' -H 'X-M2M-RVI: 3' \
        -H "Content-Type: $3" -d "$4" "http://127.0.0.1:$port$5"
}

member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; } # name: of the answer on stdin

# By OpenSSL and curl: a credential's name, as whom. Its export ends up in $folder/theirs.
establish() {
    local message answer kind='application/json;ty=30001' method=POST
    start_initiator openssl "$1" --server-name in-cse.m2m.example --export "$folder/theirs"
    for _ in 1 3; do
        read_initiator message || break
        answer=$(request "$method" "$2" "$kind" "{\"m2m:e2ek\":{\"eckm\":\"$message\"}}" /cse-in/e2EKeyCSE) || break
        write_initiator "$(member eckm <<<"$answer")"
        kind=application/json method=PUT
    done
    read_initiator _ _ # its last line: it is done
    end_initiator
}

same_key() { # peer: what the socket gives is what the initiator exported
    e2ekeyctl get --peer "$1" --raw | cmp -s - <(tail -c 32 "$folder/theirs")
}

journal() { # more arguments of journalctl …: the daemon's own entries
    journalctl --sync && journalctl --quiet --output=json _SYSTEMD_UNIT=e2ekeyd.service "$@"
}

id() { sed -n "s/^#define LOG_EVENT_$1 *\"\(.*\)\"/\1/p" src/observe/log.h; } # name: its MESSAGE_ID

journal_has() { # FIELD=VALUE …
    journal "$@" | grep -q MESSAGE_ID
}

# Waits until COMMAND … succeeds; what it waits for has no event to wait on.
await() {
    local deadline=$((SECONDS + DAEMON_TIMEOUT_S))
    until "$@"; do
        [[ $SECONDS -lt $deadline ]] || return 1
        sleep 0.05
    done
}
