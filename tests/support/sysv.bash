# shellcheck shell=bash
# System V message queues that a test makes and must not leave behind.

setup_keys() {
    K=$(printf '0x%08x' $((0x10000000 + (BASHPID % 0xfffff) * 256 + BATS_TEST_NUMBER * 2)))
    K2=$(printf '0x%08x' $((K + 1)))
    export K K2
}

remove_keys() {
    local key
    for key in "$K" "$K2" "$@"; do
        ipcrm -Q "$key" 2>/dev/null || true
    done
}

# make_queue [KEY]: an empty queue, by msgsend itself.
# shellcheck disable=SC2120 # the tests pass them
make_queue() {
    msgsend -c "${1:-$K}" made
    msgrecv "${1:-$K}" >/dev/null
}

# id_of KEY: as the kernel has it.
id_of() {
    awk -v key=$(($1)) '$1 == key { print $2 }' /proc/sysvipc/msg
}

# holds N [KEY]: the queue holds that many messages.
holds() {
    [ "$(awk -v key=$((${2:-$K})) '$1 == key { print $5 }' /proc/sysvipc/msg)" = "$1" ]
}

# fill: nothing more fits into queue $K. A message has a byte less than 1024.
fill() {
    make_queue
    yes "$(printf '%01023d' 0)" | msgsend -q -n "$K" || [ $? -eq 1 ]
}
