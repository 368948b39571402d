#!/bin/sh
# Makes a Docker engine answer: starts one when none does, installs it first when it is missing and we may.
# Run it as often as you like. The engine goes on running; its log is ~/.cache/order-incident-tracker/dockerd.log.
set -eu

cache=${XDG_CACHE_HOME:-$HOME/.cache}/order-incident-tracker
log=$cache/dockerd.log
run=${TRACKER_TEST_DOCKER_RUN:-/var/run}

answers() { docker version >/dev/null 2>&1; }
fail() { echo "start_docker: $*" >&2; exit 1; }

install_engine() {
    command -v apt-get >/dev/null || fail "no Docker engine; install one"
    [ "$(id -u)" = 0 ] || fail "no Docker engine; as root: apt-get install docker.io"
    apt-get update -qq
    # Not to be started by the package, whose settings may not do in a sandbox.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io iptables >/dev/null
}

# Forgets engines that were killed: their numbers may be other processes' by now, and dockerd would wait for those.
forget() {
    pid=$(cat "$1" 2>/dev/null) || return 0
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] || rm -f "$1"
}

# Starts the engine with the given settings, and tells whether it answers; a failed try leaves nothing behind.
try() {
    echo "start_docker: dockerd $*" >>"$log"
    setsid dockerd "$@" >>"$log" 2>&1 </dev/null &
    engine=$!
    for _ in $(seq 100); do
        answers && return 0
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.3
    done
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    return 1
}

mkdir -p "$cache"
: >>"$log"
if ! command -v docker >/dev/null || { ! answers && ! command -v dockerd >/dev/null; }; then install_engine; fi
if ! answers; then
    [ "$(id -u)" = 0 ] || fail "no Docker engine answers, and only root can start one"
    forget "$run/docker.pid" dockerd
    forget "$run/docker/containerd/containerd.pid" containerd
    # The first that works: a layered file system before copies, own networks before the host's.
    try --storage-driver=overlay2 ||
        try --storage-driver=vfs ||
        try --storage-driver=overlay2 --iptables=false --ip6tables=false --bridge=none ||
        try --storage-driver=vfs --iptables=false --ip6tables=false --bridge=none ||
        fail "no settings make dockerd start here; see $log"
fi
docker info --format 'Docker {{.ServerVersion}}, {{.Driver}}, networks: {{.Plugins.Network}}'
