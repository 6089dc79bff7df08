# shellcheck shell=bash
# What every test file loads: names of its own, clean-up, and short assertions.

bats_require_minimum_version 1.5.0

# For script(1), which has it run its command.
export SHELL=/bin/sh

# For make coverage.
if [ -n "${IPC_COVERAGE-}" ]; then
    export GCOV_PREFIX=$IPC_COVERAGE/${BATS_TEST_FILENAME##*/}.$BATS_TEST_NUMBER
fi

# Object names that no other test and no other run uses. A test that needs more
# than these adds a suffix and removes them itself.
setup_names() {
    local prefix="bats.$$.$BATS_TEST_NUMBER.${BATS_TEST_FILENAME##*/}"
    Q=$prefix.a
    Q2=$prefix.b
    Q3=$prefix.c
    export Q Q2 Q3
}

# For teardown of the message queue tools.
remove_queues() {
    mqunlink --quiet --force "$Q" "$Q2" "$Q3"
}

# For teardown of the shared memory tools: whatever a test has planted, too.
remove_objects() {
    local name
    for name in "$Q" "$Q2" "$Q3"; do
        shmunlink --quiet --force "$name" 2>/dev/null || rm -rf "/dev/shm/$name"
    done
}

# For writers that go on until there is a file "stop": one that is killed may be
# within the very system call that makes the object anew.
stop_writers() {
    local process
    touch "$BATS_TEST_TMPDIR/stop"
    for process in "${jobs[@]}"; do
        wait "$process" || true
    done
}

# What begins the hidden names of shared memory object $Q: its hash is FNV-1a.
hidden() {
    local name=/$Q hash=0xcbf29ce484222325 i character
    for ((i = 0; i < ${#name}; i++)); do
        printf -v character %d "'${name:i:1}"
        hash=$(((hash ^ character) * 1099511628211))
    done
    printf '/dev/shm/.ipcutils.%s.%016x.' "$(id -u)" "$hash"
}

# expect STATUS [OUTPUT]: what the last `run` must have given.
expect() {
    if [ "$status" -ne "$1" ]; then
        printf 'status %s, expected %s; output:\n%s\n%s\n' "$status" "$1" "$output" "${stderr-}"
        return 1
    fi
    if [ $# -gt 1 ] && [ "$output" != "$2" ]; then
        printf 'output:\n%s\nexpected:\n%s\n' "$output" "$2"
        return 1
    fi
}

# says TEXT...: the last output, or its standard error, contains each TEXT.
says() {
    local text
    for text in "$@"; do
        case "$output${stderr-}" in
        *"$text"*) ;;
        *)
            printf 'missing: %s\nin: %s\n%s\n' "$text" "$output" "${stderr-}"
            return 1
            ;;
        esac
    done
}

# eventually COMMAND...: it succeeds within half a minute.
eventually() {
    local tries
    for ((tries = 0; tries < 3000; tries++)); do
        "$@" && return 0
        sleep 0.01
    done
    echo "never true: $*"
    return 1
}

# Whether a process sleeps in a system call (and so waits).
sleeps() {
    [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1)" = S ]
}

need_root() {
    [ "$(id -u)" -eq 0 ] || skip "needs root"
}

need() {
    command -v "$1" >/dev/null || skip "needs $1"
}

# Whether process $1 has an object of that name open.
has_open() {
    readlink "/proc/$1"/fd/* | grep -qF -- "$2"
}

# Whether a process has seen every signal that was sent to it.
no_signal_pending() {
    grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$1/status"
}

# need_bare REASON: neither the sanitizers nor valgrind around the tools.
need_bare() {
    [ -z "${IPC_INSTRUMENTED-}" ] || skip "not under $IPC_INSTRUMENTED: $1"
}

# not_under_valgrind REASON
not_under_valgrind() {
    [ "${IPC_INSTRUMENTED-}" != valgrind ] || skip "not under valgrind: $1"
}

need_strace() {
    need strace
    strace -o /dev/null true || skip "strace cannot trace here"
    not_under_valgrind "it would be traced itself"
}
