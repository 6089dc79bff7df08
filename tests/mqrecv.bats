#!/usr/bin/env bats
# shellcheck disable=SC2016 # for other shells

load support/ipc
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
    remove_queues
}

# holds N: the queue holds that many messages.
holds() {
    [ "$(mqstat -H -o messages "$Q")" = "$1" ]
}

# left TEXT: the messages in the queue are these lines; afterwards it is empty.
left() {
    mqrecv -d "$Q" >left
    printf '%s\n' "$@" | cmp left -
}

# open_pipe: `pipe` has a reader that does not read, descriptor 9.
open_pipe() {
    mkfifo pipe
    exec 9<>pipe
}

# stall_pipe: and there is no room in it.
stall_pipe() {
    open_pipe
    dd if=/dev/zero of=pipe bs=4096 oflag=nonblock conv=notrunc 2>/dev/null || true
}

# stalled: the receiver $pid holds all that was in the queue and waits.
stalled() {
    holds 0 && sleeps "$pid"
}

# kept_file: the file that standard error names.
kept_file() {
    sed -n 's/.* kept in \([^ ]*\) .*/\1/p' "$@"
}

# Ten random netstrings with priorities, in the order in which a queue gives
# them back.
random_records() {
    local number priority sizes=(0 1 8192 4096 2 4097 8191 511 4095 8192)
    for ((number = 0; number < 8; number++)); do
        echo $((RANDOM % 32768))
    done | cat - <(printf '0\n32767\n') | sort -rn >priorities
    number=0
    while read -r priority; do
        printf '%d:%d\t' $((${#priority} + 1 + sizes[number])) "$priority"
        head -c "${sizes[number]}" /dev/urandom
        printf ,
        number=$((number + 1))
    done <priorities
}

@test "receives one message by default" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" one two
    run mqrecv "$Q"
    expect 0 one
    left two
}

@test "the highest priority comes first, then the oldest" {
    mqcreate -s 64 "$Q"
    mqsend -p 1 "$Q" a b
    mqsend -p 32767 "$Q" c
    mqsend "$Q" d
    run mqrecv -d -P "$Q"
    expect 0 $'32767\tc\n1\ta\n1\tb\n0\td'
}

@test "-N receives that many, waiting for them" {
    mqcreate -s 64 "$Q"
    start mqrecv -N 3 "$Q" >out
    mqsend "$Q" 1 2
    eventually sleeps "$pid"
    mqsend "$Q" 3 4
    ends 0
    printf '%s\n' 1 2 3 | cmp - out
    left 4
    local bad
    for bad in 0 -1 '' 1x 18446744073709551616; do
        run mqrecv -N "$bad" "$Q"
        expect 64
    done
}

@test "-d drains and never waits, with -N until whichever comes first" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" 1 2 3 4 5
    run mqrecv -d -N 2 "$Q"
    expect 0 $'1\n2'
    run mqrecv -d -N 5 "$Q"
    expect 0 $'3\n4\n5'
    run mqrecv -d "$Q"
    expect 0 ""
    run mqrecv -d -N 1 "$Q"
    expect 0 ""
}

@test "an empty queue with -n exits 1" {
    mqcreate -s 64 "$Q"
    run mqrecv -n "$Q"
    expect 1 ""
    run mqrecv -n -N 2 "$Q"
    expect 1 ""
}

@test "an empty queue with -t exits 124" {
    local before
    mqcreate -s 64 "$Q"
    before=$(ticks)
    run mqrecv -t 0.2 "$Q"
    expect 124 ""
    [ $(($(ticks) - before)) -ge 19 ]
    run mqrecv -t 0 "$Q"
    expect 124 ""
    mqsend "$Q" a
    run mqrecv -t 0 "$Q"
    expect 0 a
}

@test "-N 5 that stops after three says 3" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" a b c
    run --separate-stderr mqrecv -N 5 -n "$Q"
    expect 1 $'a\nb\nc'
    [ "$stderr" = "mqrecv: 3 of 5 messages received from queue /$Q" ]
    mqsend "$Q" a b c
    run --separate-stderr mqrecv -N 5 -t 20ms "$Q"
    expect 124 $'a\nb\nc'
    [ "$stderr" = "mqrecv: 3 of 5 messages received from queue /$Q" ]
    mqsend "$Q" a b c
    run --separate-stderr mqrecv -q -N 5 -n "$Q"
    expect 1 $'a\nb\nc'
    [ -z "$stderr" ]
}

@test "-l, -0, -S and -r write messages as they are, also empty ones" {
    mqcreate -s 64 "$Q"
    local framing
    for framing in -l -0 -S -r; do
        printf '0:,5:a\nb\0c,1:d,' | mqsend -S "$Q"
        mqrecv -d "$framing" "$Q" >"out$framing"
    done
    printf '\na\nb\0c\nd\n' | cmp - out-l
    printf '\0a\nb\0c\0d\0' | cmp - out-0
    printf '0:,5:a\nb\0c,1:d,' | cmp - out-S
    printf 'a\nb\0cd' | cmp - out-r
}

@test "-P writes the priority in every framing" {
    mqcreate -s 64 "$Q"
    local framing
    for framing in -l -0 -S -r; do
        mqsend -p 32767 "$Q" high
        mqsend "$Q" ''
        mqrecv -d -P "$framing" "$Q" >"out$framing"
    done
    printf '32767\thigh\n0\t\n' | cmp - out-l
    printf '32767\thigh\0000\t\0' | cmp - out-0
    printf '10:32767\thigh,2:0\t,' | cmp - out-S
    printf '32767\thigh0\t' | cmp - out-r
}

@test "--string ends a message before its first NUL" {
    mqcreate -s 6 "$Q"
    printf '6:abc\0de,1:\0,6:no-NUL,' | mqsend -S "$Q"
    mqrecv -d --string "$Q" | cmp - <(printf 'abc\n\nno-NUL\n')
    mqsend --string -p 2 "$Q" abc
    run mqrecv --string -S -P "$Q"
    expect 0 $'5:2\tabc,'
}

@test "-j writes one valid JSON object per message, whatever its bytes" {
    need jq
    mqcreate -s 64 "$Q"
    mqsend -p 3 "$Q" text ''
    run mqrecv -d -j "$Q"
    expect 0 "{\"queue\":\"/$Q\",\"priority\":3,\"length\":4,\"message\":\"text\"}
{\"queue\":\"/$Q\",\"priority\":3,\"length\":0,\"message\":\"\"}"
    printf 'a"\\/\n\t\b\001\033\177\0z\303\244\360\237\230\200' >text
    mqsend -r "$Q" <text
    mqrecv -j "$Q" | jq -j .message | cmp - text
    # Not UTF-8: a lone byte, cut short, overlong, a surrogate, beyond the last.
    local bytes
    for bytes in '\377' 'a\303' '\300\200' '\355\240\200' '\364\220\200\200' '\377\0ab' '\200'; do
        # shellcheck disable=SC2059
        printf "$bytes" >bytes
        mqsend -r "$Q" <bytes
        mqrecv -j "$Q" >object
        jq -r .message_base64 object | base64 -d | cmp - bytes
        [ "$(jq -c '[.length, has("message")]' object)" = "[$(wc -c <bytes),false]" ]
    done
    mqsend "$Q" a
    mqrecv -j -0 "$Q" >object
    [ "$(tail -c 2 object | od -An -tx1)" = " 7d 00" ]
}

@test "-j leaves no control character for a terminal" {
    local control=$'\xc2\x9b31m \x1b[0m \x7f \xc2\xa0'
    mqcreate -M 8 -s 64 "$Q"
    mqsend "$Q" "$control" "$control"
    run mqrecv -j "$Q"
    says '"message":"\u009b31m \u001b[0m \u007f '$'\xc2\xa0"'
    need jq
    [ "$(mqrecv -j "$Q" | jq -r .message)" = "$control" ]
}

@test "-j writes any queue name" {
    need jq
    Q=$Q.$'"\\\n\e\xc3\xa4'
    mqcreate -s 64 "$Q"
    mqsend "$Q" a
    mqrecv -j "$Q" | jq -j .queue | cmp - <(printf %s "/$Q")
    mqunlink "$Q"
    Q=$Q.$'\xff'
    mqcreate -s 64 "$Q"
    mqsend "$Q" a
    mqrecv -j "$Q" | jq -r .queue_base64 | base64 -d | cmp - <(printf %s "/$Q")
}

@test "random messages are dumped and restored byte for byte in the same order" {
    local round
    mqcreate -M 10 -s 8192 "$Q" "$Q2"
    for round in 1 2 3; do
        random_records >records
        mqsend -n -S -P "$Q" <records
        mqrecv -d -S -P "$Q" >dump
        cmp dump records
        mqsend -n -S -P "$Q" <dump
        mqrecv -d -S -P "$Q" | mqsend -S -P "$Q2"
        mqrecv -d -S -P "$Q2" | cmp - records
    done
}

@test "a queue is dumped to itself through a pipe" {
    mqcreate -s 4000 "$Q"
    { printf '3006:32767\t' && head -c 3000 /dev/urandom && printf ',2:9\t,8:1\tab\0\ncd,3:0\tx,'; } >records
    mqsend -S -P "$Q" <records
    mqrecv -d -S -P "$Q" | mqsend -S -P "$Q"
    mqrecv -d -S -P "$Q" | cmp - records
}

@test "output is not held back while it waits" {
    local line
    mqcreate -s 64 "$Q"
    open_pipe
    start mqrecv -f "$Q" >pipe 9>&-
    mqsend "$Q" hello
    read -r -t 30 line <&9
    [ "$line" = hello ]
    mqsend "$Q" again
    read -r -t 30 line <&9
    [ "$line" = again ]
    eventually sleeps "$pid"
    mqunlink "$Q"
    ends 0
    exec 9>&-
}

@test "-f ends with 0 once the queue is removed and drained" {
    mqcreate -s 64 "$Q"
    stall_pipe
    mqsend "$Q" 1 2 3
    start mqrecv -f "$Q" >pipe 9>&-
    eventually stalled
    mqsend "$Q" 4 5
    mqunlink "$Q"
    start cat <pipe >out 9>&-
    exec 9>&-
    ends 0
    tr -d '\0' <out | cmp - <(seq 5)
}

@test "every -f ends after mqwait --empty and mqunlink" {
    local receivers=() before
    mqcreate -s 64 "$Q"
    for _ in 1 2 3; do
        start mqrecv -f "$Q" >>out
        receivers+=("$pid")
    done
    all_open() { [ "$(mqstat -H -p "$Q" | grep -c mqrecv)" -eq 3 ]; }
    eventually all_open
    seq 100 | mqsend "$Q"
    mqwait --empty "$Q"
    before=$(ticks)
    mqunlink "$Q"
    for pid in "${receivers[@]}"; do
        ends 0
    done
    [ $(($(ticks) - before)) -lt 1000 ]
    sort -n out | cmp - <(seq 100)
}

@test "a queue that is removed while it waits exits 69" {
    mqcreate -s 64 "$Q"
    start mqrecv -N 2 "$Q" >out 2>errors
    mqsend "$Q" a
    eventually stalled
    mqunlink "$Q"
    ends 69
    grep -q "queue /$Q has been removed" errors
    grep -q "1 of 2 messages" errors
    [ "$(cat out)" = a ]
}

@test "a missing queue exits 66, and -q says nothing" {
    run --separate-stderr mqrecv "$Q"
    expect 66 ""
    [ "$stderr" = "mqrecv: cannot open queue /$Q: no such queue; mqcreate makes it, --await waits for it" ]
    run mqrecv -q -d "$Q"
    expect 66 ""
}

@test "-a waits for the queue to appear, -t bounds it" {
    start mqrecv -a "$Q" >out
    eventually sleeps "$pid"
    mqcreate -s 64 "$Q"
    mqsend "$Q" late
    ends 0
    [ "$(cat out)" = late ]
    run mqrecv -a -t 50ms "$Q2"
    expect 124 ""
}

@test "wrong usage exits 64 and takes nothing" {
    local words
    mqcreate -s 64 "$Q"
    mqsend "$Q" a
    for words in '-n -t1' '-n -a' '-f -d' '-f -N1' '-P -j' 'extra'; do
        # shellcheck disable=SC2086
        run mqrecv "$Q" $words
        expect 64
    done
    for words in '' / . .. a/b //a "$(printf '%0256d' 0)"; do
        run mqrecv -n "$words"
        expect 64
    done
    run mqrecv "$Q" -d
    expect 0 a
}

@test "no permission exits 77" {
    need_other_user
    mqcreate -m 622 -s 64 "$Q"
    run as_other_user mqrecv -n "$Q"
    expect 77 "mqrecv: cannot open queue /$Q: permission denied"
}

@test "a closed standard output exits 74, and nothing is taken" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" a b
    run bash -c 'mqrecv -d "$1" >&-' - "$Q"
    expect 74
    says "nothing was taken"
    run bash -c 'mqrecv -d "$1" 1</dev/null' - "$Q"
    expect 74
    left a b
}

@test "a reader that has gone exits 74, and nothing is taken" {
    local trap
    mqcreate -s 64 "$Q"
    mqsend "$Q" a b
    mkfifo pipe
    exec 9<>pipe
    exec 8>pipe
    exec 9>&-
    for trap in "trap '' PIPE" "trap - PIPE"; do
        run bash -c "$trap;"' mqrecv -d "$1" >&8' - "$Q"
        expect 74
        says "nothing was taken"
    done
    exec 8>&-
    left a b
}

@test "a reader that goes while it waits exits 74, and no more is taken" {
    mqcreate -s 64 "$Q"
    open_pipe
    start mqrecv -f "$Q" >pipe 2>errors 9>&-
    mqsend "$Q" a
    read -r -t 30 _ <&9
    eventually sleeps "$pid"
    exec 9>&-
    ends 74
    grep -q "the reader of standard output has gone" errors
    mqsend "$Q" b
    left b
}

@test "a reader that goes while messages are in hand: they are put back, 80" {
    local trap
    mqcreate -s 64 "$Q"
    for trap in "trap '' PIPE" "trap - PIPE"; do
        mqsend "$Q" a b c
        stall_pipe
        start bash -c "$trap;"' exec mqrecv -d "$1"' - "$Q" >pipe 2>errors 9>&-
        eventually stalled
        exec 9>&-
        ends 80
        grep -q "3 messages put back on queue /$Q" errors
        left a b c
        rm pipe
    done
}

@test "a full disk exits 80, and the messages are back in order" {
    mqcreate -s 64 "$Q"
    printf '7\ta\n7\tb\n0\tc\n0\td\n' >records
    mqsend -P "$Q" <records
    run bash -c 'mqrecv -d "$1" >/dev/full' - "$Q"
    expect 80
    says "no space left on device" "4 messages put back on queue /$Q"
    mqrecv -d -P "$Q" | cmp - records
}

@test "a file size limit exits 80, and the messages are back in order" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" a b c
    run bash -c 'ulimit -f 0; mqrecv -d "$1" >file' - "$Q"
    expect 80
    says "file too large" "3 messages put back"
    left a b c
}

@test "what may not be put back is kept in a private file" {
    local file
    need_other_user
    mqcreate -m 444 -s 64 "$Q"
    printf '3:7\ta,5:0\tb\n\0,2:0\t,' >records
    mqsend -S -P "$Q" <records
    unset TMPDIR
    as_other_user mqrecv -d "$Q" >/dev/full 2>errors || [ $? -eq 80 ]
    grep -q "3 messages kept in /tmp/mqrecv\..* may not be written" errors
    file=$(kept_file errors)
    mv "$file" kept
    [ "$(stat -c '%a %u' kept)" = "600 $other" ]
    cmp kept records
    mqsend -S -P "$Q" <kept
    mqrecv -d -S -P "$Q" | cmp - records
}

@test "what a full queue does not take back is kept, in order" {
    local file
    mqcreate -M 4 -s 64 "$Q"
    mqsend -p 1 "$Q" 1 2 3
    stall_pipe
    TMPDIR=$PWD start mqrecv -f "$Q" >pipe 2>errors 9>&-
    eventually stalled
    mqsend "$Q" a b c
    kill -TERM "$pid"
    ends 143
    exec 9>&-
    grep -q "1 message put back on queue /$Q" errors
    grep -q "2 messages kept in .*is full" errors
    file=$(kept_file errors)
    [ "$(stat -c %a "$file")" = 600 ]
    left 1 a b c
    mqsend -S -P "$Q" <"$file"
    run mqrecv -d -P "$Q"
    expect 0 $'1\t2\n1\t3'
}

@test "what was taken from a queue that is removed then is kept" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" 1 2
    stall_pipe
    TMPDIR=$PWD start mqrecv -d "$Q" >pipe 2>errors 9>&-
    eventually stalled
    mqunlink "$Q"
    kill -TERM "$pid"
    ends 143
    exec 9>&-
    grep -q "2 messages kept in .*removed" errors
    [ "$(cat "$(kept_file errors)")" = $'3:0\t1,3:0\t2,' ]
}

@test "a signal while it waits ends it by that signal, with nothing taken" {
    local signal
    mqcreate -s 64 "$Q"
    for signal in 15:TERM 2:INT 1:HUP 3:QUIT; do
        start mqrecv -f "$Q" >out 2>errors
        eventually sleeps "$pid"
        kill -"${signal#*:}" "$pid"
        ends $((128 + ${signal%:*}))
    done
    mqsend "$Q" a
    left a
    [ ! -s out ]
    [ ! -s errors ]
}

@test "a signal that was ignored stays ignored" {
    mqcreate -s 64 "$Q"
    start bash -c 'trap "" HUP INT; exec mqrecv "$1"' - "$Q" >out
    eventually sleeps "$pid"
    kill -HUP "$pid"
    kill -INT "$pid"
    mqsend "$Q" a
    ends 0
    [ "$(cat out)" = a ]
}

@test "a signal ends it also when its output has stalled, and all is put back" {
    local signal
    mqcreate -s 64 "$Q"
    stall_pipe
    for signal in 15:TERM 2:INT 1:HUP 3:QUIT; do
        mqsend "$Q" 1 2 3 4 5
        start mqrecv -f "$Q" >pipe 2>errors 9>&-
        eventually stalled
        kill -"${signal#*:}" "$pid"
        ends $((128 + ${signal%:*}))
        grep -q "5 messages put back on queue /$Q" errors
        left 1 2 3 4 5
    done
    start cat <pipe >out 9>&-
    exec 9>&-
    ends 0
    [ "$(tr -d '\0' <out | wc -c)" -eq 0 ]
}

@test "a record written in part is put back whole" {
    local receiver sender file
    mqcreate -M 2 -s 8192 "$Q"
    open_pipe
    printf '%08192d\n' {1..30} >records
    start mqsend "$Q" <records 9>&-
    sender=$pid
    TMPDIR=$PWD start mqrecv -f "$Q" >pipe 2>errors 9>&-
    receiver=$pid
    full_and_stalled() { holds 2 && sleeps "$sender" && sleeps "$receiver" && holds 2; }
    eventually full_and_stalled
    kill -TERM "$receiver"
    ends 143
    grep -q "had been written in part: [1-9][0-9]* bytes" errors
    start cat <pipe >out 9>&-
    exec 9>&-
    ends 0
    start mqrecv -f "$Q" >rest
    receiver=$pid
    pid=$sender
    ends 0
    file=$(kept_file errors)
    [ -z "$file" ] || mqsend -S -P "$Q" <"$file"
    mqwait --empty "$Q"
    mqunlink "$Q"
    pid=$receiver
    ends 0
    [ "$(wc -l <out)" -lt 30 ]
    { cat out && echo && cat rest; } | awk 'length == 8192 { print $0 + 0 }' | sort -n | cmp - <(seq 30)
}

# rounds COUNT OUTPUT: that many receivers with that output, each ended at a
# random moment of a stream of 30 numbers a round, which goes on at $number.
rounds() {
    local signals=(15:TERM 2:INT 1:HUP) signal round
    for ((round = 0; round < $1; round++)); do
        signal=${signals[RANDOM % 3]}
        TMPDIR=$PWD/kept start mqrecv -f "$Q" >>"$2" 2>>errors 6>&- 7>&- 8>&- 9>&-
        # shellcheck disable=SC2046 # a word each
        printf '%0400d\n' $(seq "$number" $((number + 29))) >&7
        number=$((number + 30))
        read -r -t "0.00$((RANDOM % 8))" _ <&6 || true
        kill -"${signal#*:}" "$pid"
        ends $((128 + ${signal%:*}))
    done
}

@test "6,000 messages for 200 receivers ended by signals arrive exactly once" {
    local number=1 sender reader last file
    mqcreate -s 512 "$Q"
    mkdir kept
    mkfifo input never
    open_pipe
    exec 6<>never 7<>input 8>pipe
    start mqsend "$Q" <input 6>&- 7>&- 8>&- 9>&-
    sender=$pid
    # So slow that receivers stall with messages in hand.
    start bash -c 'while [ "$(head -c 4096 | tee -a slow | wc -c)" -gt 0 ]; do sleep 0.01; done' \
        <pipe 6>&- 7>&- 8>&- 9>&-
    reader=$pid
    exec 9>&-
    rounds 150 fast
    rounds 50 pipe
    exec 7>&- 8>&-
    start mqrecv -f "$Q" >rest 6>&-
    exec 6>&-
    for file in kept/*; do
        [ ! -e "$file" ] || mqsend -S -P "$Q" <"$file"
    done
    last=$pid
    pid=$sender
    ends 0
    mqwait --empty "$Q"
    mqunlink "$Q"
    pid=$last
    ends 0
    pid=$reader
    ends 0
    cat fast slow rest | sed 's/^0*//' | sort -n >all
    cmp all <(seq 6000)
    grep -qE 'put back|kept' errors
}

@test "a textbook program's messages are received" {
    mqcreate -s 64 "$Q"
    "$IPC_BUILD/tests/support/textbook-mq" send "/$Q" 4 "hello, shell"
    run mqrecv --string -P "$Q"
    expect 0 $'4\thello, shell'
}
