# shellcheck shell=bash disable=SC2016,SC2034 # for other shells; for the tests
#
# Processes that a test starts and waits for, and commands run as another user.

# start COMMAND...: runs it in the background, in a process group of its own and
# with the default dispositions of signals; $pid is its process, $log what it
# says.
start() {
    log=$BATS_TEST_TMPDIR/log.${#started[@]}
    set -m
    env --default-signal=HUP,INT,QUIT,TERM "$@" </dev/null >"$log" 2>&1 3>&- &
    pid=$!
    set +m
    started+=("$pid")
    # It has become the COMMAND once it is no longer this shell, nor env.
    eventually became_command "$pid" "$1"
}
started=()

# Whether a process runs COMMAND by now, or has ended already.
became_command() {
    local name
    read -r name 2>/dev/null <"/proc/$1/comm" || return 0
    [ "$name" = "${2##*/}" ] || { [ "$name" != bash ] && [ "$name" != env ]; }
}

# ended: $status and $output of the process started last, once it has ended.
ended() {
    local tries
    for ((tries = 0; tries < 3000; tries++)); do
        [[ $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) == [!Z]* ]] || break
        sleep 0.01
    done
    [ "$tries" -lt 3000 ] || {
        echo "process $pid never ends; it says:"
        cat "$log"
        return 1
    }
    status=0
    wait "$pid" || status=$?
    output=$(cat "$log")
    stderr=
}

# For teardown: no process stays behind a test that failed.
end_started() {
    local process
    # Only those that still run: the number of one that has ended may be another's.
    for process in $(jobs -rp) $(jobs -sp); do
        kill -KILL -- "-$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
}

running() {
    [[ $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == [!Z]* ]]
}

holds_messages() {
    [ "$(mqstat -H -o messages "$1")" = "$2" ]
}

# Another user, whom nothing in the system belongs to.
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
