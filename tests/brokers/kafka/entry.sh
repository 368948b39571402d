#!/bin/sh
# Starts one Kafka node from its environment, as the image apache/kafka does: KAFKA_LOG_DIRS is log.dirs, two underscores
# are one underscore, three are a dash; CLUSTER_ID and KAFKA_HEAP_OPTS are what they are there.
set -eu

settings=/opt/kafka/server.properties
env | sed -n 's/^KAFKA_\([A-Z_]*\)=/\1=/p' | grep -v '^HEAP_OPTS=' | while IFS='=' read -r name value; do
    key=$(printf %s "$name" | tr '[:upper:]' '[:lower:]' | sed 's/___/-/g; s/__/%/g; s/_/./g; s/%/_/g')
    printf '%s=%s\n' "$key" "$value"
done >"$settings"

java() {
    # The heap options are a list.
    # shellcheck disable=SC2086
    exec java ${KAFKA_HEAP_OPTS:-} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '/opt/kafka/libs/*' \
        -Dlog4j2.configurationFile=/opt/kafka/log4j2.properties "$@"
}

# A container that is started again finds what it had.
(java kafka.tools.StorageTool format --ignore-formatted --cluster-id "$CLUSTER_ID" --config "$settings")
java kafka.Kafka "$settings"
