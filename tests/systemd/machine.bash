# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests that need a systemd to themselves. Source it from the top folder of the project, first:
# the script then runs, from its beginning, as root in a throwaway copy of this system that was
# booted for it, with loopback as its only network. What it changes is gone afterwards; the project
# is at the same place, read-only.
#
# The copy is an overlay over the root file system, booted by systemd-nspawn: about a second.

MACHINE_TIMEOUT_S=60

machine_cannot() {
    echo "Bail out! no machine to test in: $*"
    exit 1
}

machine_child() { # its first process: with it all others end, and systemd-nspawn tidies up
    local child=''
    read -r child _ <"/proc/$machine_pid/task/$machine_pid/children"
    echo "$child"
} 2>/dev/null

machine_stop() {
    local child
    if [[ -n $machine_pid ]]; then
        child=$(machine_child)
        kill -KILL "${child:-$machine_pid}"
        wait "$machine_pid"
    fi 2>/dev/null
    umount --recursive --lazy "$machine" 2>/dev/null
    rmdir "$machine"
}

machine_mount() {
    local root=$machine/root
    mount -t tmpfs -o mode=700 e2ekeyd-machine "$machine" || machine_cannot "mount is refused"
    mkdir "$machine"/{changes,work,root}
    mount -t overlay -o "lowerdir=/,upperdir=$machine/changes,workdir=$machine/work" overlay "$root" ||
        machine_cannot "an overlay over / is refused"
    systemd-id128 new >"$root/etc/machine-id"
    rm -rf "$root"/etc/systemd/system/*.wants "$root"/var/log/journal # only what the test needs
    rm -f "$root/usr/sbin/policy-rc.d" # by which containers keep packages from starting services
}

machine_init() { # the process id of its systemd, once it is up
    local init deadline=$((SECONDS + MACHINE_TIMEOUT_S))
    while kill -0 "$machine_pid" 2>/dev/null && [[ $SECONDS -lt $deadline ]]; do
        init=$(machine_child)
        if [[ -n $init ]] && nsenter --target "$init" --all systemctl is-system-running 2>/dev/null |
            grep -qE '^(running|degraded)'; then
            echo "$init"
            return
        fi
        sleep 0.1
    done
    return 1
}

# @memlock: the keys are locked; @keyring: KeyringMode=; bpf: IPAddressDeny=. systemd-nspawn forbids
# them unless asked.
machine_boot() {
    systemd-nspawn --quiet --boot --register=no --keep-unit --link-journal=no --private-network \
        --machine="e2ekeyd-$$" --system-call-filter='@memlock @keyring bpf' --bind-ro="$PWD" \
        --directory="$machine/root" >"$machine/console" 2>&1 </dev/null 9>&- &
    machine_pid=$!
    init=$(machine_init) || {
        tail -n 20 "$machine/console" >&2
        machine_cannot "systemd-nspawn does not boot it"
    }
}

machine_run() {
    [[ $(id -u) -eq 0 ]] || machine_cannot "only root may boot one"
    for tool in systemd-nspawn nsenter; do
        [[ -x $(command -v "$tool") ]] || machine_cannot "$tool is missing: scripts/setup"
    done
    local init machine machine_pid=''
    exec 9>/run/lock/e2ekeyd-machine && flock 9 # one at a time: they share a control group
    machine=$(mktemp -d "${TMPDIR:-/tmp}/e2ekeyd-machine.XXXXXX") || exit
    trap machine_stop EXIT
    trap 'exit 1' HUP INT TERM
    machine_mount
    machine_boot
    nsenter --target "$init" --all --wdns="$PWD" env -i PATH="$PATH" HOME=/root TMPDIR=/tmp LC_ALL=C.UTF-8 \
        BUILD="${BUILD:-build}" MACHINE=inside "tests/systemd/${0##*/}" "$@"
    exit
}

[[ ${MACHINE:-} == inside ]] || machine_run "$@"
