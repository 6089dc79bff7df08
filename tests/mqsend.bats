#!/usr/bin/env bats

load support/ipc

setup() {
    setup_names
}

teardown() {
    remove_queues
}

@test "operands are data, also -x, -- and the empty string" {
    mqcreate -s 64 "$Q"
    run mqsend "$Q" -x -- --help ""
    expect 0 ""
    run mqrecv -d "$Q"
    expect 0 $'-x\n--\n--help'
}

@test "records are lines, and the last needs no newline" {
    mqcreate -s 64 "$Q"
    printf 'a\n\nb' | mqsend "$Q"
    run mqstat -H -o messages,bytes "$Q"
    expect 0 $'3\t2'
}

@test "no input is no message, but with -r an empty one" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" </dev/null
    run mqstat -H -o messages "$Q"
    expect 0 0
    mqsend -r "$Q" </dev/null
    run mqstat -H -o messages "$Q"
    expect 0 1
}

@test "-0, -S and -r take their records" {
    mqcreate -s 64 "$Q"
    printf 'a\nb\0c' | mqsend -0 "$Q"
    printf '3:x\ny,0:,' | mqsend -S "$Q"
    printf 'r\nr' | mqsend -r "$Q"
    run bash -c 'mqrecv -d -S "$1"' - "$Q"
    expect 0 $'3:a\nb,1:c,3:x\ny,0:,3:r\nr,'
}

@test "malformed netstrings are 65, and what came before is sent" {
    mqcreate -s 64 "$Q"
    local wrong
    for wrong in x 01:a, 3:ab 3:abcd, :, 1a:b, -1:, 99999999999999999999:; do
        run bash -c 'printf "1:k,%s" "$2" | mqsend -S "$1"' - "$Q" "$wrong"
        expect 65
        says "1 message sent"
        run mqrecv -n "$Q"
        expect 0 k
    done
}

@test "-p is 0 to 32767, and higher comes first" {
    mqcreate -s 64 "$Q"
    run mqsend -p 32768 "$Q" x
    expect 64
    run mqsend -p -1 "$Q" x
    expect 64
    mqsend "$Q" low
    mqsend -p 32767 "$Q" high
    run mqrecv -d -P "$Q"
    expect 0 $'32767\thigh\n0\tlow'
}

@test "-P takes the priority from the record" {
    mqcreate -s 8 "$Q"
    printf '5\tfive\n32767\t12345678\n' | mqsend -P "$Q"
    run mqrecv -d -P "$Q"
    expect 0 $'32767\t12345678\n5\tfive'
    local wrong
    for wrong in five $'\tx' $'32768\tx' $'-1\tx' $' 1\tx' 5; do
        run bash -c 'printf "%s\n" "$2" | mqsend -P "$1"' - "$Q" "$wrong"
        expect 65
    done
    run mqsend -P "$Q" x
    expect 64
}

@test "--string appends a NUL, and refuses one inside" {
    mqcreate -s 64 "$Q"
    mqsend --string "$Q" abc
    echo de | mqsend --string "$Q"
    run mqstat -H -o messages,bytes "$Q"
    expect 0 $'2\t7'
    run mqrecv -d --string "$Q"
    expect 0 $'abc\nde'
    run bash -c 'printf "a\0b" | mqsend --string -r "$1"' - "$Q"
    expect 65
}

@test "a full queue with -n exits 1, silent if nothing moved" {
    mqcreate -M 2 -s 64 "$Q"
    run mqsend -n "$Q" 1 2 3
    expect 1
    says "2 messages sent"
    run mqsend -n "$Q" 3
    expect 1 ""
}

@test "a full queue with -t exits 124" {
    mqcreate -M 1 -s 64 "$Q"
    run mqsend -t 20ms "$Q" 1 2
    expect 124
    says "1 message sent"
    run mqsend -t 0 "$Q" 3
    expect 124 ""
}

@test "waits for room, and goes on" {
    mqcreate -M 1 -s 64 "$Q"
    mqsend "$Q" 1 2 3>&- &
    local sender=$!
    eventually sleeps "$sender"
    run mqrecv "$Q"
    expect 0 1
    wait "$sender"
    run mqrecv "$Q"
    expect 0 2
}

@test "--drop discards what does not fit, counts it, and is 81" {
    mqcreate -M 2 -s 64 "$Q"
    run bash -c 'seq 5 | mqsend --drop "$1"' - "$Q"
    expect 81
    says "3 of 5 messages dropped"
    run mqrecv -d "$Q"
    expect 0 $'1\n2'
    run mqsend --drop "$Q" x
    expect 0 ""
}

@test "a message that is too large is 65 before it is sent" {
    mqcreate -s 4 "$Q"
    run mqsend "$Q" 1234 12345 x
    expect 65
    says "message of 5 bytes" "message size 4" "1 message sent"
    run mqrecv -d "$Q"
    expect 0 1234
}

@test "an endless record is refused in fixed memory" {
    mqcreate -s 64 "$Q"
    # The address sanitizer reserves address space beyond any bound.
    [ -n "${IPC_SANITIZERS-}" ] || ulimit -v 50000
    local framing
    for framing in -l -0 -r; do
        run bash -c 'head -c 100000000 /dev/zero | tr "\0" x | mqsend "$2" "$1"' - "$Q" "$framing"
        expect 65
    done
    run mqstat -H -o messages "$Q"
    expect 0 0
}

@test "a record of a slow producer is sent as soon as it is complete" {
    mqcreate -s 64 "$Q"
    mkfifo "$BATS_TEST_TMPDIR/in"
    mqsend "$Q" <"$BATS_TEST_TMPDIR/in" 3>&- &
    local sender=$!
    exec 4>"$BATS_TEST_TMPDIR/in"
    printf 'one\ntw' >&4
    run mqrecv -t 20 "$Q"
    expect 0 one
    printf 'o\n' >&4
    run mqrecv -t 20 "$Q"
    expect 0 two
    exec 4>&-
    wait "$sender"
}

@test "a file's offset stands at the first record not sent" {
    mqcreate -M 2 -s 4 "$Q"
    printf '%s\n' 1 2 3 4 12345 6 >"$BATS_TEST_TMPDIR/file"
    exec 4<"$BATS_TEST_TMPDIR/file"
    run mqsend -n "$Q" <&4
    expect 1
    mqrecv -d "$Q" >/dev/null
    run mqsend -t 20ms "$Q" <&4
    expect 65
    run mqrecv -d "$Q"
    expect 0 $'3\n4'
    run cat <&4
    exec 4<&-
    expect 0 $'12345\n6'
}

@test "so it does after a signal while mqsend waits" {
    mqcreate -M 2 -s 64 "$Q"
    seq 5 >"$BATS_TEST_TMPDIR/file"
    exec 4<"$BATS_TEST_TMPDIR/file"
    mqsend "$Q" <&4 3>&- &
    local sender=$!
    eventually mqwait -n --at-least=100% "$Q"
    eventually sleeps "$sender"
    kill -TERM "$sender"
    local status=0
    wait "$sender" || status=$?
    [ "$status" -eq 143 ]
    run cat <&4
    exec 4<&-
    expect 0 $'3\n4\n5'
}

@test "a queue removed while mqsend waits for room is 69" {
    mqcreate -M 1 -s 64 "$Q"
    mqsend "$Q" 1 2 2>"$BATS_TEST_TMPDIR/error" 3>&- &
    local sender=$!
    eventually sleeps "$sender"
    mqunlink "$Q"
    local status=0
    wait "$sender" || status=$?
    [ "$status" -eq 69 ]
    grep -q "1 message sent" "$BATS_TEST_TMPDIR/error"
}

@test "nothing is sent to a queue that has been removed" {
    mqcreate -s 64 "$Q"
    mkfifo "$BATS_TEST_TMPDIR/in"
    mqsend "$Q" <"$BATS_TEST_TMPDIR/in" 2>"$BATS_TEST_TMPDIR/error" 3>&- &
    local sender=$!
    exec 4>"$BATS_TEST_TMPDIR/in"
    echo x >&4
    mqrecv -t 20 "$Q"
    mqunlink "$Q"
    echo y >&4
    local status=0
    wait "$sender" || status=$?
    exec 4>&-
    [ "$status" -eq 69 ]
}

@test "a missing queue is 66, created with -c, waited for with -a" {
    run mqsend "$Q" x
    expect 66
    says "no such queue"
    run mqsend -q "$Q" x
    expect 66 ""
    run mqsend -c "$Q" x
    expect 0
    run mqstat -H -o mode,messages "$Q"
    expect 0 $'0600\t1'
    mqsend -a "$Q2" x 3>&- &
    local sender=$!
    eventually sleeps "$sender"
    mqcreate -s 64 "$Q2"
    wait "$sender"
    run mqsend -a -t 20ms "$Q3" x
    expect 124
}

@test "contradictions are 64" {
    local options
    for options in "-n -t1" "-n -a" "--drop -t1" "-p1 -P"; do
        # shellcheck disable=SC2086 # two words
        run mqsend $options "$Q"
        expect 64
    done
}

@test "no permission is 77" {
    need_root
    mqcreate -s 64 -m 444 "$Q"
    run su nobody -s /bin/sh -c "'$(command -v mqsend)' '$Q' x"
    expect 77
    says "permission denied"
}

@test "standard input that cannot be read is 74" {
    mqcreate -s 64 "$Q"
    run bash -c 'mqsend "$1" <&-' - "$Q"
    expect 74
    run mqsend "$Q" </
    expect 74
}

@test "every line of a log is sent as it is" {
    mqcreate -s 64 "$Q"
    printf '%s\n' '-x an option?' '--' '' '  blanks  ' 'back\slash' '%s' >"$BATS_TEST_TMPDIR/log"
    local line
    while IFS= read -r line; do
        mqsend "$Q" "$line"
    done <"$BATS_TEST_TMPDIR/log"
    mqrecv -d "$Q" | cmp - "$BATS_TEST_TMPDIR/log"
}

@test "speaks to a program from a textbook, and it to mqrecv" {
    mqcreate -s 64 "$Q"
    mqsend --string -p 3 "$Q" "hello, program"
    run "$IPC_BUILD/tests/support/textbook-mq" receive "/$Q"
    expect 0 "3 hello, program"
    "$IPC_BUILD/tests/support/textbook-mq" send "/$Q" 4 "hello, shell"
    run mqrecv --string -P "$Q"
    expect 0 $'4\thello, shell'
}
