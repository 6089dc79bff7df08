# shellcheck shell=bash disable=SC2016,SC2034 # for other shells; for the tests
#
# Processes that a test starts and must not leave behind, and commands run as
# another user.

started=()
jobs=()

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

# start_job COMMAND...: the same in a process group of its own, as a shell with a
# terminal does, and with no input; $log is where it speaks.
start_job() {
    log=$BATS_TEST_TMPDIR/log.${#jobs[@]}
    set -m
    env --default-signal=HUP,INT,QUIT,TERM "$@" </dev/null >"$log" 2>&1 3>&- &
    pid=$!
    set +m
    jobs+=("$pid")
    # It has become the COMMAND once it is no longer this shell, nor env.
    eventually became_command "$pid" "$1"
}

# Whether a process runs COMMAND by now, or has ended already.
became_command() {
    local name
    read -r name 2>/dev/null <"/proc/$1/comm" || return 0
    [ "$name" = "${2##*/}" ] || { [ "$name" != bash ] && [ "$name" != env ]; }
}

has_ended() {
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
    '' | Z*) return 0 ;;
    *) return 1 ;;
    esac
}

is_running() {
    ! has_ended "$1"
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

# ended: $status and $output of job $pid, for expect and says, once it has ended.
ended() {
    eventually has_ended "$pid" || {
        echo "it says: $(cat "$log")"
        return 1
    }
    status=0
    wait "$pid" || status=$?
    output=$(cat "$log")
    stderr=
}

# For teardown. The number of one that has ended may be another process's by now.
stop_started() {
    local process
    for process in $(jobs -rp) $(jobs -sp); do
        kill -KILL -- "-$process" 2>/dev/null || kill -KILL "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}

# Centiseconds of a clock that nobody sets.
ticks() {
    local up
    read -r up _ </proc/uptime
    echo "${up/./}"
}

holds_messages() {
    [ "$(mqstat -H -o messages "$1")" = "$2" ]
}

# Another user, whom nothing in the system belongs to, as $other.
need_other_user() {
    need_root
    need setpriv
    other=$((20000 + $$ % 40000))
    as_other_user test -x "$(command -v mqstat)" || skip "another user cannot reach the tools"
}

as_other_user() {
    setpriv --reuid "$other" --regid "$other" --clear-groups -- "$@"
}

# A COMMAND as another user, where no mqueue file system is mounted (none), or
# one in a directory (at DIRECTORY). For `unshare -m`.
mounted_none='umount -a -t mqueue; exec "$@"'
mounted_at='umount -a -t mqueue; mkdir -p "$1" && mount -t mqueue none "$1" && shift && exec "$@"'
