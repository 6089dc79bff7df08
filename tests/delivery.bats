#!/usr/bin/env bats
# What mqrecv promises about its output: pipes whose readers go, --confirm, and
# what becomes of messages that cannot be delivered.

load support/ipc
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return
    mqcreate -s 64 "$Q"
    mkfifo pipe
}

teardown() {
    stop_started
    remove_queues
}

holds() {
    [ "$(mqstat -H -o messages "$Q")" = "$1" ]
}

# Descriptor 5 is a FIFO, `errors`, without room.
stalled_errors() {
    mkfifo errors
    exec 5<>errors
    dd if=/dev/zero of=errors bs=4096 count=1000 oflag=nonblock 2>/dev/null || true
}

# left TEXT...: the messages in the queue are these lines; afterwards it is empty.
left() {
    mqrecv -d "$Q" >left
    printf '%s\n' "$@" | cmp left -
}

# taken: the receiver $pid has taken all, and waits.
taken() {
    holds 0 && sleeps "$pid"
}

# receives OPTION...: a receiver $pid into `pipe`, whose only reader is descriptor 9.
receives() {
    exec 9<>pipe
    TMPDIR=$PWD start mqrecv "$@" "$Q" >pipe 2>errors 9>&-
    exec 8<pipe 9>&-
    exec 9<&8 8<&-
}

# reads BYTES: from the pipe, and no more.
reads() {
    dd bs=1 count="$1" status=none <&9
}

# waits: $pid has not ended, and not just because it has not got round to it.
waits() {
    sleep 0.15
    run ! has_ended "$pid"
}

# Whether $pid has seen every signal sent to it.
seen_signals() {
    grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$pid/status"
}

kept_file() {
    sed -n 's/.* kept in \([^ ]*\) .*/\1/p' errors
}

# take_rest: what $sender sends, what is in the queue, and what has been kept.
take_rest() {
    local receiver
    start mqrecv -f "$Q" >rest
    receiver=$pid
    pid=$sender
    ends 0
    [ -z "$(kept_file)" ] || mqsend -S -P "$Q" <"$(kept_file)"
    mqwait --empty "$Q"
    mqunlink "$Q"
    pid=$receiver
    ends 0
}

@test "what a reader that goes has not read is put back in order, 80" {
    mqsend -p 7 "$Q" one two three
    mqsend "$Q" four
    receives -f
    eventually taken
    [ "$(reads 4)" = one ]
    exec 9<&-
    ends 80
    grep -q "the reader of standard output has gone" errors
    grep -q "3 messages put back on queue /$Q" errors
    grep -q "1 message received from queue /$Q" errors
    run mqrecv -d -P "$Q"
    expect 0 $'7\ttwo\n7\tthree\n0\tfour'
}

@test "a message that has been read in part is put back whole" {
    mqsend "$Q" one two three
    receives -f
    eventually taken
    [ "$(reads 6)" = $'one\ntw' ]
    exec 9<&-
    ends 80
    left two three
}

@test "a reader that has read all and goes: 74, and nothing is put back" {
    mqsend "$Q" one two
    receives -f
    eventually taken
    [ "$(reads 8)" = $'one\ntwo' ]
    exec 9<&-
    ends 74
    grep -q "2 messages received" errors
    holds 0
}

@test "a reader that goes before the end of -d is noticed, too" {
    need strace
    mqsend "$Q" one two
    exec 9<>pipe
    start strace -qq -o trace -e inject=write:delay_exit=3000000:when=1 mqrecv -d "$Q" >pipe 2>errors 9>&-
    eventually holds 0
    [ "$(reads 4)" = one ]
    exec 9>&-
    ends 80
    left two
}

@test "what was unread comes back before what was in hand" {
    local file sender
    mqunlink "$Q"
    mqcreate -M 10 -s 8192 "$Q"
    seq -f %08000.f 30 >records
    start mqsend "$Q" <records
    sender=$pid
    receives -f
    full() { holds 10 && sleeps "$pid" && holds 10; }
    eventually full
    reads 8001 >first
    exec 9<&-
    ends 80
    file=$(kept_file)
    [ "$(stat -c %a "$file")" = 600 ]
    take_rest
    cat first rest | sed 's/^0*//' | sort -n | cmp - <(seq 30)
    tr ',' '\n' <"$file" | sed -n 's/.*\t0*//p' | sort -n -c
}

@test "output of no bytes counts as read" {
    mqsend "$Q" '' ''
    receives -r -f
    eventually taken
    exec 9<&-
    ends 74
    holds 0
}

@test "long C strings that leave little to read are put back, too" {
    printf '5:ab\0cd,3:e\0f,' | mqsend -S "$Q"
    receives --string -f
    eventually taken
    [ "$(reads 3)" = ab ]
    exec 9<&-
    ends 80
    mqrecv -S "$Q" | cmp - <(printf '3:e\0f,')
}

@test "as much as a pipe holds is remembered" {
    mqunlink "$Q"
    mqcreate -M 10 -s 64 "$Q"
    seq 4000 >numbers
    start mqsend "$Q" <numbers
    sender=$pid
    receives -f
    receiver=$pid
    pid=$sender
    ends 0
    pid=$receiver
    eventually taken
    reads 8 | cmp - <(seq 4)
    exec 9<&-
    ends 80
    { mqrecv -d "$Q" && mqsend -S -P "$Q2" <"$(kept_file)"; } >rest 2>/dev/null || true
    mqcreate -s 64 "$Q2"
    start mqrecv -f "$Q2" >>rest
    mqsend -S -P "$Q2" <"$(kept_file)"
    mqwait --empty "$Q2"
    mqunlink "$Q2"
    ends 0
    cmp rest <(seq 5 4000)
}

@test "a pipe with other bytes in it puts back too much rather than too little" {
    mqsend "$Q" one two
    receives -f
    eventually taken
    printf other >pipe
    [ "$(reads 4)" = one ]
    exec 9<&-
    ends 80
    mqrecv -d "$Q" >left
    grep -q two left
}

@test "without --confirm, it ends before its reader has read" {
    mqsend "$Q" one
    receives -N 1
    ends 0
    [ "$(reads 4)" = one ]
}

@test "--confirm ends once all is read" {
    local options
    for options in -N2 -d -dj -d0 -dS -dr -dP -n; do
        mqsend "$Q" 1 2
        mqrecv -d -S -P "$Q" | mqsend -S -P "$Q"
        receives -C "$options"
        [ "$options" = -n ] || eventually taken
        eventually sleeps "$pid"
        waits
        head -c 1 <&9 >first
        waits
        exec 8<&9 9<&-
        cat <&8 >rest
        exec 8<&-
        ends 0
        [ ! -s errors ]
        mqrecv -d "$Q" >"left$options"
    done
    [ "$(cat left-n)" = 2 ]
}

@test "--confirm puts back what the reader left, 80" {
    mqsend "$Q" one two three
    receives --confirm -d
    eventually taken
    [ "$(reads 4)" = one ]
    exec 9<&-
    ends 80
    left two three
}

@test "a signal to --confirm stops the taking and waits for the reader" {
    local signal
    for signal in 15:TERM 2:INT 1:HUP 3:QUIT; do
        mqsend "$Q" one two
        receives -C -f
        eventually taken
        kill -"${signal#*:}" "$pid"
        eventually seen_signals
        mqsend "$Q" three
        sleep 0.2
        holds 1
        waits
        [ "$(reads 8)" = $'one\ntwo' ]
        ends $((128 + ${signal%:*}))
        exec 9<&-
        left three
    done
}

@test "a signal to --confirm, and a reader that goes then: the rest is put back" {
    mqsend "$Q" one two
    receives -C -f
    eventually taken
    kill -INT "$pid"
    [ "$(reads 4)" = one ]
    waits
    exec 9<&-
    ends 130
    grep -q "1 message put back" errors
    left two
}

@test "a second signal ends the waiting for the reader, and all is put back" {
    mqsend "$Q" one two
    receives -C -f
    eventually taken
    kill -TERM "$pid"
    eventually seen_signals
    sleep 0.3
    waits
    kill -TERM "$pid"
    ends 143
    left one two
    exec 9<&-
}

@test "a signal without --confirm puts back for a reader that has gone" {
    mqsend "$Q" one
    receives -f
    eventually taken
    kill -STOP "$pid"
    exec 9<&-
    kill -TERM "$pid"
    kill -CONT "$pid"
    result
    [ "$result" -eq 143 ] || [ "$result" -eq 80 ]
    left one
}

@test "--confirm on a file or a device is satisfied by the write" {
    mqsend "$Q" one two
    mqrecv -C "$Q" >file
    [ "$(cat file)" = one ]
    mqrecv -C "$Q" >/dev/null
    holds 0
}

@test "--confirm on a socket is refused, and nothing is taken" {
    need python3
    mqsend "$Q" one
    run python3 -c 'import os, socket, subprocess, sys
a, b = socket.socketpair()
sys.exit(subprocess.call(sys.argv[1:], stdout=b))' mqrecv -C "$Q"
    expect 65
    says "it is a socket"
    left one
}

@test "what can neither be put back nor kept is lost: 82 says how many" {
    need prlimit
    mqsend "$Q" one two
    exec 7> >(exec cat >errors 3>&-) # not a file: there the limit would hold as well
    exec 9<>pipe
    TMPDIR=$PWD start mqrecv -f "$Q" >pipe 2>&7 7>&- 9>&-
    exec 7>&-
    eventually taken
    prlimit --pid "$pid" --fsize=0
    kill -STOP "$pid"
    mqunlink "$Q"
    exec 9<&-
    kill -CONT "$pid"
    ends 82
    eventually grep -q "2 messages from queue /$Q lost" errors
    [ -z "$(find . -name 'mqrecv.*')" ]
}

@test "a directory without room is passed over for the next one" {
    local file
    need_root
    mkdir full
    mount -t tmpfs -o size=4k,nr_inodes=3 none full 2>/dev/null || skip "needs a mount"
    head -c 4096 /dev/zero >full/filler
    mqsend "$Q" one
    exec 9<>pipe
    TMPDIR=$PWD/full start mqrecv -f "$Q" >pipe 2>errors 9>&-
    eventually taken
    mqunlink "$Q"
    kill -STOP "$pid"
    exec 9>&-
    kill -CONT "$pid"
    ends 80
    file=$(kept_file)
    [ "$(ls full)" = filler ]
    umount full
    [ "$(cat "$file")" = "5:0	one," ]
    rm "$file"
}

@test "behind a busy sender what is put back goes to the tail or to the file, in order" {
    local sender
    mqunlink "$Q"
    mqcreate -M 4 -s 64 "$Q"
    seq 3000 >numbers
    start mqsend "$Q" <numbers
    sender=$pid
    receives -f
    eventually test -n "$(reads 1)"
    reads 1 >/dev/null
    exec 9<&-
    ends 80
    take_rest
    sort -n rest | cmp - <(seq 2 3000)
    [ -z "$(kept_file)" ] || tr , '\n' <"$(kept_file)" | sed -n 's/.*\t//p' | sort -n -c
}

@test "a reader that has read much before it goes leaves exactly the rest" {
    local sender receiver
    mqunlink "$Q"
    mqcreate -M 10 -s 64 "$Q"
    seq -f %09.f 20000 >records
    start mqsend "$Q" <records
    sender=$pid
    receives -f
    receiver=$pid
    dd bs=10000 count=9 iflag=fullblock status=none <&9 >first
    full() { holds 10 && sleeps "$sender" && sleeps "$receiver" && holds 10; }
    eventually full
    exec 9<&-
    ends 80
    take_rest
    cat first rest | sort -n | cmp - records
}

@test "a signal to --confirm: what is in hand is still written for a reader that reads" {
    mqunlink "$Q"
    mqcreate -M 10 -s 8192 "$Q"
    seq -f %08000.f 10 | mqsend "$Q"
    receives -C -f
    stalled() { holds 1 && sleeps "$pid" && holds 1; }
    eventually stalled
    kill -TERM "$pid"
    eventually seen_signals
    exec 8<&9 9<&-
    cat <&8 >out
    ends 143
    exec 8<&-
    [ ! -s errors ]
    { cat out && mqrecv "$Q"; } | sed 's/^0*//' | cmp - <(seq 10)
}

# ---- Standard error ----------------------------------------------------------

@test "a reader of standard error that has gone loses nothing" {
    mqsend "$Q" one two
    exec 5> >(:)
    eventually output_is_broken 5
    run bash -c 'exec mqrun -f -R 1 --retry-delay=1ms "$1" false 2>&5' - "$Q"
    expect 80 ""
    left two one
    mqsend "$Q" one
    mqcreate -s 64 "$Q2"
    run bash -c 'exec mqrun -d -R 1 --retry-delay=1ms -D "$2" "$1" false 2>&5' - "$Q" "$Q2"
    expect 123
    exec 5>&-
    run mqrecv -d "$Q2"
    expect 0 one
}

# A pipe whose reader has gone.
output_is_broken() {
    ! (printf x >&"$1") 2>/dev/null
}

@test "a standard error that has stalled does not keep a signal from ending it" {
    stalled_errors
    mqsend "$Q" one
    start mqrun -f -R 1 --retry-delay=1h "$Q" false 2>&5
    eventually sleeps "$pid"
    eventually holds 0
    kill -TERM "$pid"
    ends 143
    left one
    exec 5>&-
}

@test "a signal that is ignored is no reason not to say where a message is" {
    stalled_errors
    mqsend "$Q" one
    start bash -c 'trap "" HUP; exec mqrecv "$1" >/dev/full' - "$Q" 2>&5
    eventually taken
    kill -HUP "$pid"
    sleep 1.5 # a signal that is not ignored makes it wait for a second
    timeout 20 tr -d '\0' <errors >said 5>&- &
    local reader=$!
    ends 80
    exec 5>&-
    wait "$reader"
    grep -q "1 message put back on queue /$Q" said
}

@test "an empty message of a burst that could not be written goes back with the others" {
    mqsend "$Q" "" one
    run bash -c 'mqrecv -r -d "$1" >/dev/full' - "$Q"
    expect 80
    says "2 messages put back on queue /$Q"
    left "" one
}

@test "a message that is larger than a file may be goes back" {
    mqunlink "$Q"
    mqcreate -M 4 -s 2000 "$Q"
    head -c 1500 /dev/zero | mqsend -r "$Q"
    run bash -c 'ulimit -c 0; ulimit -f 1; exec mqrun -d "$1" wc -c' - "$Q"
    expect 75
    says "1 message put back on queue /$Q"
    holds 1
}

@test "that nothing more came is no reason where a message failed afterwards" {
    local end
    mqsend "$Q" one
    for end in -n --timeout=50ms; do
        run mqrun "$end" -N 2 -J 2 "$Q" sh -c 'sleep 0.3; exit 1'
        expect 80
        holds 1
    done
}

@test "each file that messages are kept in is named, with the queue's name" {
    need_strace
    mkdir kept
    mqsend "$Q" a1 a2 a3 a4 a5
    # None can be put back, and the first directory is full at once.
    TMPDIR=$PWD/kept run bash -c 'strace -qq -o trace -e inject=mq_timedsend:error=EAGAIN \
        -e inject=writev:error=ENOSPC:when=2 mqrecv -d "$1" >/dev/full' - "$Q"
    rm -f "$(sed -n 's/.* kept in \(\/tmp\/mqrecv\.[^ ]*\) .*/\1/p' <<<"$output")"
    expect 80
    says "1 message kept in $PWD/kept/mqrecv." "4 messages kept in /tmp/mqrecv."
    [ "$(grep -c "(queue /$Q is full or removed)" <<<"$output")" -eq 2 ]
}

@test "an output that cannot be opened anew and has stalled does not keep a signal from ending it" {
    need python3
    need_other_user
    mqunlink "$Q"
    mqcreate -m 666 -M 8 -s 4000 "$Q"
    head -c 3900 /dev/zero | tr '\0' x >long
    run python3 "$IPC_SOURCE/tests/support/on-terminal.py" unread 1 \
        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do mqsend -t 0.1 -r '$Q' <long || :; done" \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqrecv -q -f "$Q"
    [ "${lines[-1]}" = -15 ]
}

@test "a sender whose input another process has read is still ended by a signal" {
    need_strace
    mkfifo input
    exec 8<>input
    start strace -qq -o trace -e trace=ppoll,read -P "$PWD/input" -e inject=read:delay_enter=2000000 \
        mqsend "$Q" <&8
    echo taken >&8
    seen() { grep -q '^ppoll.* = 1' trace; }
    eventually seen
    read -r -t 20 -u 8
    local sender
    sender=$(pgrep -P "$pid")
    kill -TERM "$sender"
    ends 143
    exec 8>&-
}

@test "a sender that never has to wait is ended by a signal" {
    start mqsend --drop -0 "$Q" </dev/zero
    sent() { ! holds 0; }
    eventually sent
    kill -TERM "$pid"
    ends 143
}

@test "a child from before keeps mqrun neither from waiting for its queue nor from a signal" {
    start bash -c 'cat pipe & echo $! >child; exec mqrun -a "$1" cat' - "$Q2"
    eventually became_command "$pid" mqrun
    eventually sleeps "$pid"
    : >pipe
    eventually has_ended "$(cat child)"
    eventually sleeps "$pid"
    kill -TERM "$pid"
    ends 143
}

@test "what would be sent to a queue that went while there was no room for it is 69" {
    mqunlink "$Q"
    mqcreate -M 2 -s 64 "$Q"
    mqsend "$Q" a b
    start mqrun -N 2 "$Q" sh -c 'touch has.$MQ_ATTEMPT.$(cat); until [ -e go ]; do sleep 0.01; done'
    local runner=$pid
    eventually test -e has.1.a
    mqsend "$Q" c
    start mqsend "$Q" lost
    eventually has_open "$pid" "$Q"
    eventually sleeps "$pid"
    mqunlink "$Q"
    touch go
    ends 69
    pid=$runner
    ends 0
}

@test "without a descriptor for what may have to be kept, nothing is taken" {
    local tool
    mqsend "$Q" one
    for tool in 'mqrecv -d "$1"' 'mqrun -d "$1" true'; do
        run bash -c "exec 3>&-; ulimit -n 4; exec $tool" - "$Q"
        expect 75
        says "RLIMIT_NOFILE (ulimit -n) allows 4; nothing was taken"
        holds 1
    done
}

@test "no COMMAND gets the file of messages that are kept" {
    need_strace
    mqsend "$Q" one
    TMPDIR=$PWD run bash -c 'strace -qq -s 500 -o trace \
        -e inject=mq_timedsend:error=EAGAIN mqrecv "$1" >/dev/full' - "$Q"
    grep -q "$PWD/mqrecv.*O_CLOEXEC" trace
}
