#!/usr/bin/env bats
#
# How far a tool has come: on a terminal, under --verbose.

load support/ipc
load support/sysv

setup() {
    need script
    setup_names
    setup_keys
    cd "$BATS_TEST_TMPDIR" || return
    screen=$PWD/screen
    export TERM=xterm
}

teardown() {
    remove_queues
    remove_objects
    remove_keys
}

# on_terminal COMMAND: runs it with standard error on a terminal; what that shows
# is in $screen.
on_terminal() {
    script -qefc "$1" "$screen" </dev/null >/dev/null
    tail -n +2 "$screen" >screen.rest # without the head, which names the command
}

# shows EXPRESSION: some look at the progress matches.
shows() {
    tr '\r' '\n' <screen.rest | grep -qE -- "$1" || {
        cat -v screen.rest
        return 1
    }
}

# Input that takes longer than the interval between two looks.
slowly() {
    local i
    for ((i = 0; i < 8; i++)); do
        head -c "$1" /dev/zero
        sleep 0.05
    done
}

four() {
    local i
    for i in 1 2 3 4; do
        echo "$i"
        sleep 0.5
    done
}

@test "shmput shows the bytes it gathers" {
    mkfifo pipe
    slowly 300000 >pipe 3>&- &
    on_terminal "shmput -v '$Q' <pipe"
    shows '^shmput: [0-9.]+ [KM]iB, [0-9.]+ [KM]iB/s'
    shows '2400000 bytes written'
}

@test "shmget shows the bytes and the share" {
    truncate -s 3M three
    shmput "$Q" <three
    on_terminal "shmget -v '$Q' | { sleep 0.3; cat >/dev/null; }"
    shows '^shmget: [0-9.]+ [KM]iB, [0-9.]+ .*B/s, [0-9]+ %'
}

@test "mkfifo-send shows the bytes and the share, mkfifo-recv the bytes" {
    truncate -s 9M nine
    mkfifo f
    { sleep 1; mkfifo-recv f | { sleep 1; cat >/dev/null; }; } 3>&- &
    on_terminal "mkfifo-send -v f <nine"
    wait
    shows '^mkfifo-send: [0-9.]+ [KM]iB, [0-9.]+ .*B/s, [0-9]+ %'
    { slowly 100000 | mkfifo-send f; } 3>&- &
    on_terminal "mkfifo-recv -v f >/dev/null"
    wait
    shows '^mkfifo-recv: [0-9.]+ [KM]iB, [0-9.]+ .*B/s'
}

@test "mkfifo-send -l shows the records" {
    mkfifo f
    mkfifo pipe
    four >pipe 3>&- &
    mkfifo-recv f >got 3>&- &
    on_terminal "mkfifo-send -v -l f <pipe"
    wait
    shows '^mkfifo-send: [123] records?, [0-9]+/s'
    [ "$(cat got)" = "$(seq 4)" ]
}

@test "mqsend and mqrecv show messages, and their share where the size is known" {
    mqcreate -M 8 -s 64 "$Q"
    seq 16 >sixteen
    { sleep 1.5; mqrecv -N 16 "$Q" >/dev/null; } 3>&- &
    on_terminal "mqsend -v '$Q' <sixteen"
    wait
    shows '^mqsend: [0-9]+ messages?, [0-9]+/s, [0-9]+ %'
    { four | mqsend "$Q"; } 3>&- &
    on_terminal "mqrecv -v -N 4 '$Q' >/dev/null"
    wait
    shows '^mqrecv: [123] messages?, [0-9]+/s, (25|50|75) %'
}

@test "msgrecv shows messages, too" {
    make_queue
    { four | msgsend "$K"; } 3>&- &
    on_terminal "msgrecv -v -N 4 $K >/dev/null"
    wait
    shows '^msgrecv: [123] messages?, [0-9]+/s, (25|50|75) %'
}

@test "at most ten looks a second, and the last line stands alone" {
    local before=$EPOCHREALTIME after
    mkfifo f
    { for ((i = 0; i < 200; i++)); do echo "$i"; sleep 0.002; done; } | mkfifo-send f &
    on_terminal "mkfifo-recv -v f >/dev/null"
    after=$EPOCHREALTIME
    wait
    looks=$(tr '\r' '\n' <screen.rest | grep -c '/s') || true
    echo "$looks looks"
    [ "$looks" -ge 1 ]
    [ "$looks" -le $(((${after/[.,]/} - ${before/[.,]/}) / 100000)) ]
    # What is drawn is taken away before what stays is said.
    grep -qE $'\r\033\\[K''mkfifo-recv: [0-9]+ bytes received' screen.rest
}

@test "nothing is shown without -v, elsewhere than on a terminal, or on a dumb one" {
    mkfifo f
    slowly 1000 | mkfifo-send f &
    on_terminal "mkfifo-recv f >/dev/null"
    wait
    run ! grep -q mkfifo-recv screen.rest
    slowly 1000 | mkfifo-send f &
    mkfifo-recv -v f 2>&1 >/dev/null | cat >said
    wait
    [ "$(cat said)" = "mkfifo-recv: 8000 bytes received from FIFO f" ]
    slowly 1000 | mkfifo-send f &
    TERM=dumb on_terminal "mkfifo-recv -v f >/dev/null"
    wait
    run ! grep -q /s screen.rest
    shows '8000 bytes received'
}

@test "a terminal that is stopped by Ctrl-S stops neither the tool nor its end" {
    need python3
    mqcreate -M 8 -s 64 "$Q"
    run python3 "$IPC_SOURCE/tests/support/on-terminal.py" stopped 2 \
        "for i in 0 1 2 3; do mqsend '$Q' \$i; sleep 0.15; done" sh -c 'exec mqrecv -v -f "$0" >got' "$Q"
    expect 0 -15
    [ "$(cat got)" = $'0\n1\n2\n3' ]
}
