#!/usr/bin/env bats

load support/ipc
load support/sysv
load support/processes

setup() {
    setup_keys
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
    remove_keys
}

# typed TYPE...: a queue with a message "mTYPE" for each, in that order.
typed() {
    make_queue
    printf '%s\n' "$@" | sed 's/.*/&	m&/' | msgsend -P "$K"
}

# left TEXT...: the messages in the queue are these lines; afterwards it is empty.
left() {
    msgrecv -d "$K" >left
    printf '%s\n' "$@" | cmp left -
}

# stall_pipe: `pipe` has a reader that does not read, descriptor 9, and no room.
stall_pipe() {
    rm -f pipe
    mkfifo pipe
    exec 9<>pipe
    dd if=/dev/zero of=pipe bs=4096 oflag=nonblock conv=notrunc 2>/dev/null || true
}

stalled() {
    holds 0 && sleeps "$pid"
}

@test "receives one message by default, the oldest" {
    typed 3 1 2
    run msgrecv "$K"
    expect 0 m3
    run msgrecv -T 0 "$K"
    expect 0 m1
    left m2
}

@test "-T N receives the oldest of that type" {
    typed 1 2 9223372036854775807 2
    run msgrecv -d -T 2 "$K"
    expect 0 $'m2\nm2'
    run msgrecv -T 9223372036854775807 "$K"
    expect 0 m9223372036854775807
    run msgrecv -n -T 2 "$K"
    expect 1 ""
    left m1
}

@test "-T -N receives the lowest type up to N, the oldest of it first" {
    typed 5 3 9 3 4
    run msgrecv -T -4 -P "$K"
    expect 0 $'3\tm3'
    run msgrecv -d -T -5 "$K"
    expect 0 $'m3\nm4\nm5'
    run msgrecv -n -T -8 "$K"
    expect 1 ""
    run msgrecv -T -9223372036854775807 "$K"
    expect 0 m9
}

@test "-x receives any but that type" {
    typed 1 2 3 2
    run msgrecv -d -x -T 2 "$K"
    expect 0 $'m1\nm3'
    left m2 m2
}

@test "a wait for a type is not ended by another" {
    make_queue
    start msgrecv -T 2 "$K" >out
    eventually sleeps "$pid"
    msgsend -T 1 "$K" other
    msgsend -T 2 "$K" wanted
    ends 0
    [ "$(cat out)" = wanted ]
    left other
}

@test "wrong usage exits 64 and takes nothing" {
    local words
    typed 1
    for words in '-n -t1' '-f -d' '-f -N1' '-P -j' '-k -f' '-x' '-x -T0' '-x -T-1' '-T-0' '-T--1' \
        '-T+1' '-T1x' '-T0x1' '-T9223372036854775808' '-T-9223372036854775808' '-N0' '-a' extra; do
        # shellcheck disable=SC2086
        run timeout 10 msgrecv "$K" $words
        expect 64 || {
            echo "for $words"
            return 1
        }
    done
    for words in '' 0 id:4294967296 4294967296; do
        run msgrecv -n "$words"
        expect 64
    done
    run msgrecv "$K" -d
    expect 0 m1
}

@test "-k shows messages without taking them" {
    typed 3 1 2
    run msgrecv -k "$K"
    expect 0 m3
    run msgrecv -k -d -P "$K"
    expect 0 $'3\tm3\n1\tm1\n2\tm2'
    run msgrecv -k -N 2 "$K"
    expect 0 $'m3\nm1'
    left m3 m1 m2
}

@test "-k shows what -T, -T -N and -x would receive, in that order" {
    local selection
    for selection in '-T 2' '-T -3' '-x -T 2' '-T 7' '-T -3 -N 3' '-T -9223372036854775807'; do
        remove_keys
        typed 5 2 3 1 2 3
        # shellcheck disable=SC2086
        msgrecv -d -k $selection -j "$K" >shown
        holds 6
        # shellcheck disable=SC2086
        msgrecv -d $selection -j "$K" | cmp - shown
    done
}

@test "-k waits for as many as are wanted, -n and -t end it" {
    typed 1
    run --separate-stderr msgrecv -k -n -N 2 "$K"
    expect 1 m1
    [ "$stderr" = "msgrecv: 1 of 2 messages shown from queue $K" ]
    run --separate-stderr msgrecv -k -t 50ms -N 2 "$K"
    expect 124 m1
    says "1 of 2 messages shown"
    run msgrecv -k -n -T 2 "$K"
    expect 1 ""
    start msgrecv -k -N 2 "$K" >out
    eventually sleeps "$pid"
    msgsend "$K" late
    ends 0
    printf '%s\n' m1 late | cmp - out
    holds 2
}

@test "-k into a full device exits 74, and nothing is taken" {
    typed 1
    run bash -c 'msgrecv -k "$1" >/dev/full' - "$K"
    expect 74
    run bash -c 'msgrecv -k -d "$1" >&-' - "$K"
    expect 74
    left m1
}

@test "-k on a queue that is removed while it waits exits 69" {
    make_queue
    start msgrecv -k "$K" >out
    eventually sleeps "$pid"
    ipcrm -Q "$K"
    ends 69
}

@test "-N, -d, -n and -t say how many" {
    local before
    typed 1 2 3
    run msgrecv -d -N 2 "$K"
    expect 0 $'m1\nm2'
    run --separate-stderr msgrecv -n -N 2 "$K"
    expect 1 m3
    [ "$stderr" = "msgrecv: 1 of 2 messages received from queue $K" ]
    run msgrecv -d "$K"
    expect 0 ""
    before=$(ticks)
    run msgrecv -t 200ms "$K"
    expect 124 ""
    [ $(($(ticks) - before)) -ge 19 ]
    run msgrecv -t 0 "$K"
    expect 124 ""
    run msgrecv -n "$K"
    expect 1 ""
    msgsend "$K" a
    run msgrecv -t 0 "$K"
    expect 0 a
}

@test "-t longer than a second is not cut short" {
    local before
    make_queue
    before=$(ticks)
    run msgrecv -t 1.3 "$K"
    expect 124 ""
    [ $(($(ticks) - before)) -ge 129 ]
}

@test "-l, -0, -S and -r write messages as they are, with -P their type" {
    local framing
    make_queue
    for framing in -l -0 -S -r; do
        printf '2:2\t,7:9\ta\nb\0c,' | msgsend -S -P "$K"
        msgrecv -d -P "$framing" "$K" >"out$framing"
    done
    printf '2\t\n9\ta\nb\0c\n' | cmp - out-l
    printf '2\t\0009\ta\nb\0c\0' | cmp - out-0
    printf '2:2\t,7:9\ta\nb\0c,' | cmp - out-S
    printf '2\t9\ta\nb\0c' | cmp - out-r
}

@test "random messages of every type are dumped and restored byte for byte" {
    local type size number=0 sizes=(0 1 1023 4096 8000 17)
    for type in 9223372036854775807 1 2147483648 4294967296 2147483647 9223372036854775806; do
        size=${sizes[number++]}
        printf '%d:%d\t' $((${#type} + 1 + size)) "$type"
        head -c "$size" /dev/urandom
        printf ,
    done >records
    make_queue
    make_queue "$K2"
    msgsend -n -S -P "$K" <records
    msgrecv -d -S -P "$K" | msgsend -S -P "$K2"
    msgrecv -d -S -P "$K2" | cmp - records
}

@test "-j writes queue, type, length and message" {
    make_queue
    msgsend -T 9223372036854775807 "$K" 'say "hi"'
    msgsend -r "$K" < <(printf '\377')
    run msgrecv -d -j "$K"
    expect 0 "{\"queue\":\"$K\",\"type\":9223372036854775807,\"length\":8,\"message\":\"say \\\"hi\\\"\"}
{\"queue\":\"$K\",\"type\":1,\"length\":1,\"message_base64\":\"/w==\"}"
}

@test "--string ends a message before its first NUL" {
    make_queue
    printf '6:abc\0de,1:\0,6:no-NUL,' | msgsend -S "$K"
    msgrecv -d --string "$K" | cmp - <(printf 'abc\n\nno-NUL\n')
}

@test "a message longer than the usual limit comes whole, taken or shown" {
    need_root
    need unshare
    run unshare -i bash -c 'echo 100000 >/proc/sys/kernel/msgmax && echo 200000 >/proc/sys/kernel/msgmnb || exit 99
        head -c 70000 /dev/urandom >long
        msgsend -c 1 first && msgsend -r 1 <long && msgsend 1 last || exit 98
        cat <(echo first) long <(printf "\nlast\n") >all
        msgrecv -k -d 1 | cmp - all && msgrecv -d 1 | cmp - all || exit 97
        msgsend -r 1 <long
        echo 8192 >/proc/sys/kernel/msgmax
        msgrecv -k 1 >/dev/null; [ $? -eq 75 ] && msgrecv -r 1 | cmp - long'
    [ "$status" -ne 99 ] || skip "the limit cannot be set here"
    expect 0
}

@test "-f goes on until the queue is removed, and that is success" {
    local line
    make_queue
    mkfifo pipe
    exec 9<>pipe
    start msgrecv -f "$K" >pipe 9>&-
    msgsend "$K" hello ''
    read -r -t 30 line <&9
    [ "$line" = hello ]
    read -r -t 30 line <&9
    [ -z "$line" ]
    eventually sleeps "$pid"
    ipcrm -Q "$K"
    ends 0
    exec 9>&-
}

@test "a queue that is removed while it waits exits 69" {
    make_queue
    start msgrecv -N 2 "$K" >out 2>errors
    msgsend "$K" a
    eventually stalled
    ipcrm -Q "$K"
    ends 69
    grep -q "queue $K has been removed" errors
    grep -q "1 of 2 messages" errors
    [ "$(cat out)" = a ]
}

@test "a queue that is removed before it waits exits 69" {
    typed 1
    stall_pipe
    start msgrecv -N 2 "$K" >pipe 2>errors 9>&-
    eventually stalled
    ipcrm -Q "$K"
    receiver=$pid
    start cat <pipe >out 9>&-
    exec 9>&-
    pid=$receiver
    ends 69
    grep -q "queue $K has been removed" errors
}

@test "a missing queue exits 66, and -q says nothing" {
    run msgrecv "$K"
    expect 66 "msgrecv: cannot open queue $K: no such queue (ipcs -q lists them)"
    run msgrecv -q "$K"
    expect 66 ""
}

@test "no permission exits 77, taking or peeking" {
    need_other_user
    typed 1
    run as_other_user msgrecv -n "$K"
    expect 77 "msgrecv: cannot receive from queue $K: permission denied"
    run as_other_user msgrecv -k "$K"
    expect 77 "msgrecv: cannot peek into queue $K: permission denied"
}

@test "a closed standard output exits 74, and nothing is taken" {
    typed 1 2
    run bash -c 'msgrecv -d "$1" >&-' - "$K"
    expect 74
    left m1 m2
}

@test "what a full device does not take is put back with its type" {
    typed 7 9223372036854775807
    run bash -c 'msgrecv -d "$1" >/dev/full' - "$K"
    expect 80
    says "2 messages put back on queue $K"
    run msgrecv -d -P "$K"
    expect 0 $'7\tm7\n9223372036854775807\tm9223372036854775807'
}

@test "what can be neither written nor put back is kept in a file that msgsend reads" {
    typed 7 8
    stall_pipe
    TMPDIR=$PWD start msgrecv -d "$K" >pipe 2>errors 9>&-
    eventually stalled
    ipcrm -Q "$K"
    exec 9>&-
    ends 80
    grep -q "2 messages kept in .*msgsend -S -P" errors
    make_queue
    msgsend -S -P "$K" <"$(sed -n 's/.* kept in \([^ ]*\) .*/\1/p' errors)"
    run msgrecv -d -P "$K"
    expect 0 $'7\tm7\n8\tm8'
}

@test "a signal ends it while it waits, and while its output has stalled" {
    local signal
    make_queue
    for signal in 1 2 3 15; do
        start msgrecv "$K" >out
        eventually sleeps "$pid"
        kill -"$signal" "$pid"
        ends $((128 + signal))
        msgsend "$K" a b
        stall_pipe
        start msgrecv -f "$K" >pipe 2>errors 9>&-
        eventually stalled
        kill -"$signal" "$pid"
        ends $((128 + signal))
        exec 9>&-
        left a b
    done
}

@test "a reader that goes while it waits exits 74, and no more is taken" {
    make_queue
    mkfifo pipe
    exec 9<>pipe
    start msgrecv -f "$K" >pipe 9>&-
    msgsend "$K" a
    read -r -t 30 _ <&9
    eventually sleeps "$pid"
    exec 9>&-
    ends 74
    msgsend "$K" b
    left b
}

@test "receivers ended by signals at random moments lose and double nothing" {
    not_under_valgrind "its moments are too short"
    local sender number=${IPC_STRESS:-600}
    make_queue
    start bash -c 'seq "$2" | while read -r line; do echo "$line"; done | msgsend "$1"' - "$K" "$number"
    sender=$pid
    while ! has_ended "$sender" || ! holds 0; do
        start msgrecv -f "$K" >>out 2>>errors
        sleep "0.00$((RANDOM % 10))"
        kill -"$((RANDOM % 2 ? 15 : 2))" "$pid"
        result
        [ "$result" -gt 128 ]
    done
    pid=$sender
    ends 0
    sort -n out | cmp - <(seq "$number")
}

@test "a textbook program's messages are received" {
    make_queue
    "$IPC_BUILD/tests/support/textbook-msg" send "$K" 42 'hello there'
    run msgrecv --string -P -T 42 "$K"
    expect 0 $'42\thello there'
}

# into_pipe OPTION...: a receiver $pid of all into `pipe`, whose only reader is descriptor 9.
into_pipe() {
    mkfifo pipe
    exec 9<>pipe
    start msgrecv "$@" "$K" >pipe 2>errors 9>&-
    exec 8<pipe 9>&-
    exec 9<&8 8<&-
}

@test "what a reader that goes has not read is put back with its types, 80" {
    typed 1 2 3
    into_pipe -f -P
    eventually stalled
    [ "$(dd bs=1 count=5 status=none <&9)" = "1	m1" ]
    exec 9<&-
    ends 80
    left m2 m3
}

@test "--confirm ends once all is read" {
    typed 1 2
    into_pipe -C -N 2
    eventually stalled
    kill -0 "$pid"
    [ "$(dd bs=1 count=6 status=none <&9)" = $'m1\nm2' ]
    ends 0
    exec 9<&-
}

@test "a signal to --confirm puts back what its reader leaves" {
    typed 1 2
    into_pipe -C -f
    eventually stalled
    kill -TERM "$pid"
    exec 9<&-
    ends 143
    left m1 m2
}

@test "-k -T -N looks no further than for what is wanted" {
    need_strace
    make_queue
    seq 1 20 | sed 's/$/\tx/' | msgsend -P "$K"
    run strace -qq -o trace -e trace=msgrcv msgrecv -k -T -100 -P "$K"
    expect 0 $'1\tx'
    [ "$(grep -c msgrcv trace)" -le 50 ]
}

@test "-k shows what it can before a message that it cannot copy: 75, with a count" {
    need_root
    run --separate-stderr unshare --ipc bash -c '
        msgsend -c 1 small
        head -c 5000 /dev/zero | msgsend -r 1
        msgsend 1 behind
        echo 1000 >/proc/sys/kernel/msgmax
        msgrecv -k 1
        msgrecv -k -d 1'
    expect 75 $'small\nsmall'
    says "larger than kernel.msgmax, 1000; it can only be taken" "1 message shown"
}

@test "what is not put back since the limit is lower now says so" {
    need_root
    cd "$BATS_TEST_TMPDIR"
    TMPDIR=$PWD run unshare --ipc bash -c '
        head -c 5000 /dev/zero | msgsend -c -r 1
        echo 1000 >/proc/sys/kernel/msgmax
        msgrecv 1 >/dev/full'
    expect 80
    says "takes no message of that size any more"
}
