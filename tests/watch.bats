#!/usr/bin/env bats
#
# The live view (--watch) of the tools that have one, on a terminal and elsewhere.

load support/ipc
load support/processes

setup() {
    setup_names
    screen=$BATS_TEST_TMPDIR/screen
    unset LC_ALL LC_CTYPE LANG NO_COLOR
    export TERM=xterm
}

teardown() {
    stop_started
    remove_queues
    remove_objects
    semunlink --quiet --force "$Q"
}

# on_terminal COMMAND: begins it on a terminal of 8 rows and 40 columns; what it
# draws is in $screen, and what is written to descriptor 9 is typed.
on_terminal() {
    need script
    rm -f "$BATS_TEST_TMPDIR/keys"
    mkfifo "$BATS_TEST_TMPDIR/keys"
    exec 9<>"$BATS_TEST_TMPDIR/keys"
    # shellcheck disable=SC2016 # for the inner shell
    start_job sh -c 'exec script -qefc "$1" "$2" <"$3"' - "stty rows 8 cols 40; exec $1" "$screen" \
        "$BATS_TEST_TMPDIR/keys"
}

drawn() {
    tail -n +2 "$screen" | grep -aqF -- "$1" # without the head that names the command
}

@test "elsewhere than on a terminal, one table follows the other" {
    mqcreate -M 8 -s 64 "$Q"
    start_job mqstat --watch=20ms --output=name,messages "$Q"
    eventually grep -qx "/$Q *0" "$log"
    mqsend "$Q" one
    eventually grep -qx "/$Q *1" "$log"
    [ "$(grep -c NAME "$log")" -ge 2 ]
    kill -TERM "$pid"
    ended
    [ "$status" -eq 143 ]
}

@test "with JSON each look is a line, with the same members as without" {
    mqcreate -M 8 -s 64 "$Q"
    start_job mqstat -w0.02 -j "$Q"
    lines_at_least() { [ "$(wc -l <"$log")" -ge "$1" ]; }
    eventually lines_at_least 3
    kill "$pid"
    ended
    [ "$(head -n 1 "$log")" = "$(mqstat -j "$Q")" ]
}

@test "the view ends with the reader of its output" {
    mqcreate -M 8 -s 64 "$Q"
    run timeout 20 bash -o pipefail -c 'mqstat --watch=1h --noheadings "$0" | head -n 1' "$Q"
    [ "$status" -eq 141 ]
    # There is nothing to write, and so no error.
    run timeout 20 bash -o pipefail -c 'shmstat -q --watch=1h --noheadings "$0" | true' "$Q"
    [ "$status" -eq 141 ]
    run timeout 20 bash -o pipefail -c 'trap "" PIPE; shmstat -q --watch=1h --noheadings "$0" | true' "$Q"
    [ "$status" -eq 74 ]
}

@test "bar and history follow the queue, full only when it is full" {
    mqcreate -M 8 -s 8 "$Q"
    mqsend "$Q" 1
    run mqstat -H -o fill "$Q"
    expect 0 "#........."
    mqsend "$Q" 2 3 4 5 6 7
    run mqstat -H -o fill "$Q"
    expect 0 "########.."
    mqsend "$Q" 8
    LANG=C.UTF-8 run mqstat -H -o fill "$Q"
    expect 0 "██████████"
    start_job mqstat -w0.02 -H -o history "$Q"
    eventually grep -qx '##*' "$log"
    mqrecv -d "$Q" >/dev/null
    eventually grep -q '#_' "$log"
    looked_often() { [ "$(wc -l <"$log")" -ge 20 ]; }
    eventually looked_often
    kill "$pid"
    ended
    [ "$(awk '{ if (length > most) most = length } END { print most }' "$log")" -le 16 ]
}

@test "each look adds one step to the history, however many rows an object has" {
    mqcreate -M 8 -s 8 "$Q"
    mqsend "$Q" 1 2 3 4 5 6 7 8
    start_job mqstat -w1h -H -o history "$Q" "$Q"
    two_rows() { [ "$(cat "$log")" = $'#\n#' ]; }
    eventually two_rows
    kill "$pid"
    ended
}

@test "an interval that is too short is refused" {
    run mqstat --watch=0
    expect 64
    says "10ms or more"
    run mqstat --watch=x
    expect 64
}

@test "on a terminal it is drawn in place, and q gives the screen back" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "sh -c 'mqstat -w0.05 -o messages,name $Q; echo'"
    eventually drawn "0 /$Q"
    mqsend "$Q" one
    eventually drawn "1 /$Q"
    drawn $'\e[?1049h'
    printf q >&9
    ended
    drawn $'\e[?1049l'
    exec 9>&-
}

@test "after q the keys are as before, and the status is 0" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "sh -c 'mqstat -w0.05 -o messages $Q; echo status \$?; stty -a'"
    eventually drawn MESSAGES
    printf q >&9
    ended
    drawn "status 0"
    drawn " icanon"
    drawn " echo "
    exec 9>&-
}

@test "why it cannot be shown is said where it can be read" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "sh -c 'mqstat -w -o no-such-column $Q; echo status \$?'"
    ended
    drawn "status 64"
    if grep -aqF $'\e[?1049h' "$screen"; then
        [[ $(cat "$screen") == *$'\e[?1049l'*"no column 'no-such-column'"* ]]
    fi
    drawn "no column 'no-such-column'"
}

@test "without headings one table follows the other on a terminal too" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "timeout 1 mqstat -w0.05 -H -o name $Q"
    ended
    drawn "/$Q"
    ! drawn $'\e[?1049h'
}

@test "wide characters take two columns, combining ones none" {
    local wide="$Q-日本" combining="$Q-e"$'\xcc\x81x'
    mqcreate -M 8 -s 64 "$wide" "$combining"
    LC_ALL=C.UTF-8 run mqstat -o name,messages "$wide" "$combining"
    mqunlink "$wide" "$combining"
    [ "${lines[1]}" = "/$wide        0" ]
    [ "${lines[2]}" = "/$combining          0" ]
}

@test "Ctrl-C ends it by the signal, and the keys are as before" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "sh -c 'trap : INT; mqstat -w0.05 -o messages $Q; echo status \$?; stty -a'"
    eventually drawn MESSAGES
    printf '\003' >&9
    ended
    drawn "status 130"
    drawn " icanon"
    exec 9>&-
}

@test "lines are cut to the terminal, and rows to its height" {
    for i in 1 2 3 4 5 6 7 8 9; do
        mqcreate -M 8 -s 64 "$Q.$i"
    done
    on_terminal "mqstat -w0.05 -o messages,mode,maxmsg,msgsize,name $(echo "$Q".{1..9})"
    eventually drawn MSGSIZE
    printf q >&9
    ended
    mqunlink "$Q".{1..9}
    run awk 'BEGIN { RS = "\033\\[H" } { lines = gsub(/\r\n/, ""); if (lines > most) most = lines }
             END { print most }' "$screen"
    expect 0 7
    run ! drawn "$Q.1"
    exec 9>&-
}

@test "a full queue is red on a terminal, and not under NO_COLOR" {
    mqcreate -M 1 -s 8 "$Q"
    mqsend "$Q" 1
    on_terminal "mqstat -w0.05 -o messages $Q"
    eventually drawn $'\e[31m'
    printf q >&9
    ended
    NO_COLOR=1 on_terminal "mqstat -w0.05 -o messages $Q"
    eventually drawn MESSAGES
    printf q >&9
    ended
    run ! drawn $'\e[31m'
    exec 9>&-
}

@test "shared memory objects and semaphores are watched in the same way" {
    shmput "$Q" x
    semcreate "$Q" 3
    start_job shmstat -w0.02 -H -o size "$Q"
    eventually grep -qx 1 "$log"
    shmput "$Q" xyz
    eventually grep -qx 3 "$log"
    kill "$pid"
    ended
    [ "$status" -eq 143 ]
    start_job semstat -w0.02 -H -o value "$Q"
    eventually grep -qx 3 "$log"
    semwait "$Q"
    eventually grep -qx 2 "$log"
    kill "$pid"
    ended
    [ "$status" -eq 143 ]
}

@test "FIFOs are watched in the same way" {
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    exec 9<>"$BATS_TEST_TMPDIR/fifo"
    start_job fifostat -w0.02 -H -o unread,fill "$BATS_TEST_TMPDIR/fifo"
    eventually grep -qx "0	.........." "$log"
    printf abc >&9
    eventually grep -qx "3	#........." "$log"
    kill "$pid"
    ended
    exec 9>&-
    [ "$status" -eq 143 ]
}

@test "a terminal that has stalled does not keep a signal from ending the view" {
    need python3
    mqcreate -M 8 -s 64 "$Q"
    TERM=xterm run python3 "$IPC_SOURCE/tests/support/on-terminal.py" stopped 01 "sleep 0.5" \
        mqstat -w0.01 "$Q"
    expect 0 -15
}

@test "Ctrl-Z gives the terminal back, and fg goes on" {
    mqcreate -M 8 -s 64 "$Q"
    # The shell's own jobs: it leads, and the view has a group of its own.
    on_terminal "bash -c 'set -m; mqstat -w0.05 -o messages $Q; echo stopped; stty -a; fg; echo status \$?'"
    eventually drawn MESSAGES
    printf '\032' >&9
    eventually drawn " icanon"
    drawn $'\e[?1049l'
    again() { [ "$(grep -aoF $'\e[?1049h' "$screen" | wc -l)" = 2 ]; }
    eventually again
    printf q >&9
    ended
    drawn "status 0"
    exec 9>&-
}

@test "Ctrl-Z stops nothing where nobody could have it go on" {
    mqcreate -M 8 -s 64 "$Q"
    on_terminal "mqstat -w0.05 -o messages $Q"
    eventually drawn MESSAGES
    printf '\032' >&9
    again() { [ "$(grep -aoF $'\e[?1049h' "$screen" | wc -l)" = 2 ]; }
    eventually again
    printf '\003' >&9
    ended
    expect 130
    exec 9>&-
}

@test "in the background a signal ends it" {
    mqcreate -M 8 -s 64 "$Q"
    # timeout(1) has its command in a group that is not the terminal's.
    on_terminal "sh -c 'timeout 3 mqstat -w $Q; echo status \$?'"
    ended
    drawn "status 124"
    exec 9>&-
}
