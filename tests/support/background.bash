# shellcheck shell=bash
# Processes that a test starts in the background and must not leave behind.

started=()

# start COMMAND...: runs it in the background, as process $pid. Redirections of
# the call are COMMAND's ("<&0": else bash gives it /dev/null). With the signals
# that bash has background jobs ignore; without bats's descriptor, for whose end
# bats waits. Returns once it is COMMAND, for a signal before that may be lost.
start() {
    (
        trap - INT QUIT
        exec "$@"
    ) <&0 3>&- &
    pid=$!
    started[pid]=1
    while cmp -s "/proc/$$/cmdline" "/proc/$pid/cmdline"; do :; done
}

has_ended() {
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
    '' | Z*) return 0 ;;
    *) return 1 ;;
    esac
}

# result: how process $pid ended, in $result; it has half a minute.
result() {
    eventually has_ended "$pid"
    result=0
    wait "$pid" || result=$?
    unset "started[pid]"
}

# ends STATUS: process $pid ends by itself, with that status.
ends() {
    result
    if [ "$result" -ne "$1" ]; then
        echo "process ended with $result, expected $1"
        return 1
    fi
}

# For teardown. The number of one that has ended may be another process's by now.
stop_started() {
    local process
    for process in $(jobs -rp) $(jobs -sp); do
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
