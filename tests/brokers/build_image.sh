#!/bin/sh
# Builds the image order-incident-tracker/kafka:local where no image registry is reachable: a base system with Java from
# Debian's packages, Kafka from the jars that Maven brings (tests/brokers/jars.py). It is started as apache/kafka is.
# Run it as often as you like: it builds only when an input changed. The base system is cached outside the tree.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/order-incident-tracker
image=order-incident-tracker/kafka:local
python=${PYTHON:-python3}

fail() { echo "build_image: $*" >&2; exit 1; }

install_tools() {
    missing=
    command -v debootstrap >/dev/null || missing="$missing debootstrap"
    command -v mvn >/dev/null || missing="$missing maven default-jre-headless"
    [ -z "$missing" ] && return
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "as root on Debian: apt-get install$missing"
    apt-get update -qq
    # $missing is a list
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# The smallest Debian that runs Java, from where this machine gets its packages.
build_base() {
    [ "$(id -u)" = 0 ] || fail "only root can make a base system"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1)
    [ -n "$mirror" ] || fail "apt knows no package source: apt-get update"
    root=$scratch/root
    debootstrap --variant=minbase --include=default-jre-headless "$suite" "$root" "$mirror" >"$cache/debootstrap.log" ||
        fail "see $cache/debootstrap.log"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
        "$root"/usr/share/locale/* "$root"/dev/*
    tar -C "$root" --exclude=./opt -cf "$scratch/base.tar" .
    mv "$scratch/base.tar" "$base"
    rm -rf "$root"
}

mkdir -p "$cache"
install_tools
docker version >/dev/null 2>&1 || fail "no Docker engine answers; run $here/start_docker.sh"
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
base=$cache/base-$suite-java.tar
inputs=$(cat "$here/kafka/jars.sha256" "$here/kafka/entry.sh" "$here/kafka/log4j2.properties" "$0" | sha256sum | cut -c1-64)
if [ "$(docker image inspect --format '{{index .Config.Labels "inputs"}}' "$image" 2>/dev/null)" = "$inputs" ]; then
    echo "build_image: $image is up to date"
    exit 0
fi
jars=$(cd "$here/../.." && "$python" -m tests.brokers.jars)
scratch=$(mktemp -d "$cache/image.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
[ -s "$base" ] || build_base

mkdir -p "$scratch/opt/kafka/libs"
cp "$jars"/*.jar "$scratch/opt/kafka/libs/"
cp "$here/kafka/log4j2.properties" "$scratch/opt/kafka/"
install -m 755 "$here/kafka/entry.sh" "$scratch/opt/kafka/entry"
cp "$base" "$scratch/image.tar"
tar -C "$scratch" --owner=0 --group=0 -rf "$scratch/image.tar" ./opt
docker import --change 'CMD ["/opt/kafka/entry"]' --change 'EXPOSE 9092' --change "LABEL inputs=$inputs" \
    --change 'ENV LANG=C.UTF-8' "$scratch/image.tar" "$image" >/dev/null
docker image inspect --format "build_image: $image, {{.Size}} bytes" "$image"
