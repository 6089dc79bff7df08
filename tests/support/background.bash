# shellcheck shell=bash
# Processes that a test starts in the background and must not leave behind.

started=()

# start COMMAND...: runs it in the background, as process $pid. Redirections of
# the call are COMMAND's ("<&0": else bash gives it /dev/null). As a job of its
# own, since others ignore SIGINT; without bats's descriptor, for whose end bats
# waits.
start() {
    set -m
    "$@" <&0 3>&- &
    pid=$!
    set +m
    started[pid]=1
}

has_ended() {
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
    '' | Z*) return 0 ;;
    *) return 1 ;;
    esac
}

# ends STATUS: process $pid ends by itself, with that status.
ends() {
    local result=0
    eventually has_ended "$pid"
    wait "$pid" || result=$?
    unset "started[pid]"
    if [ "$result" -ne "$1" ]; then
        echo "process ended with $result, expected $1"
        return 1
    fi
}

# For teardown.
stop_started() {
    local process
    for process in "${!started[@]}"; do
        kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}

# Centiseconds of a clock that nobody sets.
ticks() {
    local up
    read -r up _ </proc/uptime
    echo "${up/./}"
}

# as_nobody COMMAND...: as a user without privileges, where root can be one.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

need_nobody() {
    need_root
    need setpriv
    as_nobody mqsend --version >/dev/null 2>&1 || skip "needs a build that any user can run"
}
