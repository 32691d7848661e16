# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests in the machine: exchanges going on while the daemon comes and goes, whose keys can be
# counted, and somebody at both sockets. Source it after tests/systemd/machine.bash, and then
# write_policy '{"keys": {"perPeer": 64}}' --meters $METERS
source tests/systemd/service.bash

METERS=8

# One exchange after the other, at most as many as the cache keeps of a peer; the ids of the keys go
# to a file each. What a crash cuts off fails, and is begun anew.
load() { # meter
    local id
    for _ in {1..60}; do
        [[ ! -e $folder/enough ]] || return 0
        id=$(e2ekeyctl --json exchange --url "http://127.0.0.1:$port/cse-in/e2EKeyCSE" --from "Cmeter-$1" \
            --certificate "$folder/meter-$1.pem" --private-key "$folder/meter-$1.key" \
            --anchors "$folder/field-ca.pem" --server-identity //m2m.example/in-cse 2>/dev/null |
            grep -oE '[0-9a-f]{32}' | head -n 1) || :
        [[ -z $id ]] || echo "$id" >>"$folder/told-$1"
        sleep 0.2 # many ways to end have to fit in
    done
}

start_load() {
    local meter
    exec {knocking}> >(exec python3 tests/systemd/knock "$port" "$socket" >"$folder/knocked" 2>"$folder/refused")
    knocker=$!
    loads=()
    for ((meter = 1; meter <= METERS; meter++)); do
        load $meter {knocking}>&- &
        loads+=($!)
    done
}

end_load() {
    touch "$folder/enough"
    wait "${loads[@]}"
    exec {knocking}>&-
    wait "$knocker"
}

told() { cat "$folder"/told-* 2>/dev/null | sort; } # the ids of keys that initiators know
told_more() { [[ $(told | wc -l) -ge $1 ]]; }
kept() { e2ekeyctl --json list 2>/dev/null | grep -oE '"keyId": ?"[0-9a-f]{32}"' | grep -oE '[0-9a-f]{32}' | sort; }
lost() { comm -23 <(echo "$1") <(kept); } # of these ids
