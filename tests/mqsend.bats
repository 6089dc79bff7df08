#!/usr/bin/env bats

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

# came_through FILE: the queue's messages, as netstrings, are FILE byte for byte.
came_through() {
    mqrecv -d -S "$Q" >received
    cmp received "$1"
}

# drained TEXT: the same for a text.
drained() {
    printf %s "$1" >expected
    came_through expected
}

@test "each operand is one message, whatever it looks like" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" -x -- '' --help 'a  b' $'two\nlines'
    drained $'2:-x,2:--,0:,6:--help,4:a  b,9:two\nlines,'
}

@test "what follows the queue is never an option" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" -p 5
    mqsend -p 5 -- "$Q" --
    run mqrecv -d -P "$Q"
    expect 0 $'5\t--\n0\t-p\n0\t5'
}

@test "every line of a log comes through as an operand" {
    local line
    mqcreate -s 64 "$Q"
    printf '%s\n' 'GET / 200' '- - [24/Nov] "x"' -n --drop -- - '' '  padded  ' "\\n%s" \
        $'\ttab\e[31m' >log
    while IFS= read -r line; do
        mqsend -n "$Q" "$line"
    done <log
    mqrecv -d "$Q" | cmp - log
}

@test "records of standard input are lines, also empty ones and one without newline" {
    mqcreate -s 64 "$Q"
    printf 'a\n\n b \nlast' | mqsend "$Q"
    drained '1:a,0:,3: b ,4:last,'
    printf 'a\n\n' | mqsend -l "$Q"
    drained '1:a,0:,'
    mqsend "$Q" </dev/null
    holds 0
}

@test "-0 sends records that end in NUL" {
    mqcreate -s 64 "$Q"
    printf 'a\nb\0\0last' | mqsend -0 "$Q"
    drained $'3:a\nb,0:,4:last,'
}

@test "-S sends any bytes exactly" {
    mqcreate -s 64 "$Q"
    printf '0:,4:a\0\n,,3:\xff\xfe\0,' >records
    mqsend -S "$Q" <records
    came_through records
}

@test "-S sends messages of the queue's message size" {
    mqcreate "$Q"
    { printf 8192: && head -c 8192 /dev/urandom && printf ,; } >records
    cat records records >twice
    mqsend -S "$Q" <twice
    came_through twice
}

@test "-r sends all of standard input as one message, also if it is empty" {
    mqcreate -s 64 "$Q"
    printf 'a\nb\0c\n' | mqsend -r "$Q"
    mqsend --raw "$Q" </dev/null
    printf '6:a\nb\0c\n,0:,' >expected
    came_through expected
    run mqsend -r "$Q" < <(printf '%065d' 0)
    expect 65
    says "message of 65 bytes" "message size 64"
    holds 0
}

@test "-P takes the priority from the record" {
    mqcreate -s 64 "$Q"
    printf '0\tlow\n32767\thigh\n7\ttab\tin it\n7\t\n' | mqsend -P "$Q"
    run mqrecv -d -S -P "$Q"
    expect 0 $'10:32767\thigh,11:7\ttab\tin it,2:7\t,5:0\tlow,'
    mqcreate -s 5 "$Q2"
    printf '1\ta\0' | mqsend -0 -P "$Q2"
    printf '11:32767\t12345,' | mqsend -S -P "$Q2"
    printf '3\tx\ny' | mqsend -r -P "$Q2"
    run mqrecv -d -S -P "$Q2"
    expect 0 $'11:32767\t12345,5:3\tx\ny,3:1\ta,'
}

@test "-P with a malformed priority exits 65 after what came before it" {
    local bad
    mqcreate -s 64 "$Q"
    for bad in 'none' $'x\ta' $'32768\ta' $'-1\ta' $'+1\ta' $'\ta' $' 1\ta' $'1 \ta' \
        $'4294967296\ta' $'18446744073709551617\ta' $'0000000000000000000000000001\ta' '1\0\ta' ''; do
        run mqsend -P "$Q" < <(printf "1\tgood\n$bad\n2\tafter\n")
        expect 65
        says "malformed record" "1 message sent"
        drained '4:good,'
    done
}

@test "--string appends a NUL to every message" {
    mqcreate -s 5 "$Q"
    mqsend --string "$Q" ab ''
    printf 'cd\n' | mqsend --string "$Q"
    printf '3\tefgh\n' | mqsend --string -P "$Q"
    printf '5:efgh\0,3:ab\0,1:\0,3:cd\0,' >expected
    came_through expected
    run mqsend --string "$Q" 12345
    expect 65
    says "6 bytes" "message size 5"
}

@test "--string refuses a NUL inside" {
    mqcreate -s 64 "$Q"
    printf '1:a,3:b\0c,1:d,' >records
    run mqsend --string -S "$Q" <records
    expect 65
    says "NUL" "1 message sent"
    holds 1
}

@test "-p takes 0 to 32767" {
    local bad
    mqcreate -s 64 "$Q"
    mqsend -p 32767 "$Q" a
    mqsend -p 0 "$Q" b
    for bad in 32768 -1 '' 1x ' 1' 1.0 4294967296 18446744073709551616; do
        run mqsend -p "$bad" "$Q" c
        expect 64
    done
    run mqrecv -d -P "$Q"
    expect 0 $'32767\ta\n0\tb'
}

@test "the highest priority comes first, the oldest first among equals" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" a b
    mqsend -p 9 "$Q" c d
    mqsend -p 10 "$Q" e
    run mqrecv -d "$Q"
    expect 0 $'e\nc\nd\na\nb'
}

@test "a missing queue exits 66, and -q says nothing" {
    run --separate-stderr mqsend "$Q" a
    expect 66 ""
    [ "$stderr" = "mqsend: cannot open queue /$Q: no such queue; mqcreate makes it, --await waits for it" ]
    run mqsend -q "$Q" a
    expect 66 ""
}

@test "-c creates a missing queue and uses an existing one" {
    umask 077
    mqsend -c "$Q" a
    [ "$(mqstat -H -o mode "$Q")" = 0600 ]
    mqsend -c "$Q" b
    drained '1:a,1:b,'
}

@test "-a waits for the queue to appear" {
    start mqsend -a "$Q" late
    eventually sleeps "$pid"
    mqcreate -s 64 "$Q"
    ends 0
    drained '4:late,'
}

@test "-a with -t gives up in time" {
    local before
    before=$(ticks)
    run mqsend -a -t 200ms "$Q" never
    expect 124 ""
    [ $(($(ticks) - before)) -ge 19 ]
    run mqsend -a -t 0 "$Q" never
    expect 124 ""
}

@test "a full queue with -n exits 1" {
    mqcreate -M 2 -s 64 "$Q"
    run mqsend -n "$Q" < <(seq 5)
    expect 1 "mqsend: 2 messages sent to queue /$Q"
    run mqsend -n "$Q" a
    expect 1 ""
    run mqsend -n "$Q" a b
    expect 1 ""
    run mqsend -n "$Q" < <(seq 5)
    expect 1 ""
    drained '1:1,1:2,'
    run mqsend -q -n "$Q" 1 2 3
    expect 1 ""
    drained '1:1,1:2,'
}

@test "a full queue with -t exits 124" {
    local before
    mqcreate -M 2 -s 64 "$Q"
    before=$(ticks)
    run mqsend -t 0.2 "$Q" a b c
    expect 124 "mqsend: 2 messages sent to queue /$Q"
    [ $(($(ticks) - before)) -ge 19 ]
    run mqsend -t 0 "$Q" c
    expect 124 ""
    drained '1:a,1:b,'
}

@test "it waits for room, and goes on" {
    mqcreate -M 1 -s 64 "$Q"
    start mqsend "$Q" <<<$'1\n2\n3'
    eventually holds 1
    eventually sleeps "$pid"
    run mqrecv -N 3 "$Q"
    expect 0 $'1\n2\n3'
    ends 0
}

@test "--drop discards what does not fit, and counts it" {
    mqcreate -M 2 -s 64 "$Q"
    run mqsend --drop "$Q" < <(seq 5)
    expect 81 "mqsend: 3 of 5 messages dropped: queue /$Q was full"
    run mqsend --drop "$Q" a
    expect 81 "mqsend: 1 of 1 messages dropped: queue /$Q was full"
    drained '1:1,1:2,'
    run mqsend --drop -n "$Q" a b
    expect 0 ""
}

@test "a message too large exits 65, and nothing after it is sent" {
    mqcreate -s 4 "$Q"
    run mqsend "$Q" a 12345 b
    expect 65
    says "mqsend: cannot send to queue /$Q: message of 5 bytes is larger than the queue's message size 4" \
        "1 message sent"
    run mqsend "$Q" < <(printf '1234\n12345\nc\n')
    expect 65
    says "message of 5 bytes" "message size 4" "1 message sent"
    run mqsend -S "$Q" < <(printf '1:d,5:12345,1:e,')
    expect 65
    says "message size 4" "1 message sent"
    drained '1:a,4:1234,1:d,'
}

@test "an endless record is refused in fixed memory" {
    local framing
    (ulimit -v 30000 && mqsend --version) >/dev/null 2>&1 || skip "needs a build that starts in 30 MB"
    mqcreate -s 64 "$Q"
    for framing in -l -0 -r; do
        run bash -c 'ulimit -v 30000
            head -c 300M /dev/zero | tr "\0" x | mqsend "$1" "$2"' - "$framing" "$Q"
        expect 65
        says "larger than the queue's message size 64"
    done
    run mqsend -S "$Q" < <(printf '300000000:' && tr '\0' x </dev/zero)
    expect 65
    holds 0
    # So is a long input whose records are fine.
    run bash -c 'ulimit -v 30000
        yes "a record that the queue could take" | head -c 40M | mqsend --drop "$1"' - "$Q"
    expect 81
}

@test "a malformed netstring exits 65, with the count of those before it" {
    local bad
    mqcreate -s 64 "$Q"
    for bad in x 3 '3abc,' '3:abcd,' '3:ab,' 3:ab 3:abc '01:a,' '00:,' ':a,' ',' '-1:a,' '+1:a,' \
        ' 1:a,' '1 :a,' '1234567890123456789:a,' '18446744073709551617:a,'; do
        run mqsend -S "$Q" < <(printf '2:ok,%s' "$bad")
        expect 65
        says "1 message sent to queue /$Q"
        drained '2:ok,'
    done
    run mqsend -S "$Q" < <(printf '2:ok,1:a,\n')
    expect 65
    says "2 messages sent to queue /$Q"
}

@test "a record of a slow producer is sent as soon as it is complete" {
    local framing record
    mqcreate -s 64 "$Q"
    mkfifo input
    for framing in -l -0 -S; do
        exec 9<>input
        start mqsend "$framing" "$Q" <input 9>&-
        case $framing in
        -l) record='one\nincompl' ;;
        -0) record='one\0incompl' ;;
        *) record='3:one,11:incompl' ;;
        esac
        # shellcheck disable=SC2059
        printf "$record" >&9
        eventually holds 1
        eventually sleeps "$pid"
        holds 1
        case $framing in
        -l) printf 'ete\n' >&9 ;;
        -0) printf 'ete\0' >&9 ;;
        *) printf 'ete ,' >&9 ;;
        esac
        eventually holds 2
        exec 9>&-
        ends 0
        mqrecv -d "$Q" >/dev/null
    done
}

@test "a file is resumed at the first record not sent after a full queue or a timeout" {
    mqcreate -M 3 -s 64 "$Q"
    seq 8 >file
    { mqsend -n "$Q" || true; mqrecv -d "$Q"; mqsend -n "$Q" || true; mqrecv -d "$Q"; cat; } <file >out
    cmp out file
    printf '%s,' 1:1 2:22 1:3 1:4 1:5 >file
    { mqsend -S -t 50ms "$Q" || [ $? -eq 124 ]; cat; } <file >out 2>errors
    [ "$(cat out)" = 1:4,1:5, ]
    { mqsend -n -r "$Q" || true; cat; } <file >out
    cmp out file
    drained 1:1,2:22,1:3,
}

@test "a file is resumed at the first record not sent after a signal" {
    mqcreate -M 3 -s 64 "$Q"
    seq 8 >file
    exec 9<file
    start mqsend "$Q" <&9
    eventually holds 3
    eventually sleeps "$pid"
    kill -TERM "$pid"
    ends 143
    mqrecv -d "$Q" >out
    cat <&9 >>out
    exec 9<&-
    cmp out file
}

@test "a file is sent exactly once by senders ended by signals at random moments" {
    not_under_valgrind "its moments are too short"
    local signals=(TERM INT HUP QUIT) receiver result=1 ended=0
    mqcreate -s 64 "$Q"
    mkfifo never
    exec 8<>never
    start mqrecv -f "$Q" >out 8>&-
    receiver=$pid
    seq 60000 >file
    exec 9<file
    while [ "$result" -ne 0 ]; do
        start mqsend "$Q" <&9 8>&- 9>&-
        read -r -t "0.00$((RANDOM % 4))" _ <&8 || true
        kill -"${signals[RANDOM % 4]}" "$pid" || true
        result
        case $result in
        0) ;;
        129 | 130 | 131 | 143) ended=$((ended + 1)) ;;
        *) return 1 ;;
        esac
    done
    exec 8>&- 9<&-
    mqwait --empty "$Q"
    mqunlink "$Q"
    pid=$receiver
    ends 0
    cmp out <(seq 60000)
    [ "$ended" -gt 0 ]
}

@test "a file is resumed at a bad record" {
    mqcreate -s 4 "$Q"
    printf 'a\nb\ntoo long\nc\n' >file
    { mqsend "$Q" || [ $? -eq 65 ]; cat; } <file >out 2>errors
    [ "$(cat out)" = $'too long\nc' ]
    printf '1:a,1:b,8:too long,1:c,' >file
    { mqsend -S "$Q" || [ $? -eq 65 ]; cat; } <file >out 2>errors
    [ "$(cat out)" = '8:too long,1:c,' ]
    printf '1:a,1:b,x1:c,' >file
    { mqsend -S "$Q" || [ $? -eq 65 ]; cat; } <file >out 2>errors
    [ "$(cat out)" = x1:c, ]
    printf '1\ta\nx\tb\n1\tc' >file
    { mqsend -P "$Q" || [ $? -eq 65 ]; cat; } <file >out 2>errors
    [ "$(cat out)" = $'x\tb\n1\tc' ]
    mqrecv -d "$Q" >/dev/null
    { printf 'a\n' && head -c 200K /dev/zero && printf '\nc\n'; } >file
    { mqsend "$Q" || [ $? -eq 65 ]; cat; } <file >out 2>errors
    tail -c +3 file | cmp - out
}

@test "a file is sent from where its offset is, and operands leave it there" {
    mqcreate -s 64 "$Q"
    printf 'first\nsecond\nthird\n' >file
    {
        mqsend "$Q" operand
        read -r _
        mqsend "$Q"
        [ -z "$(cat)" ]
    } <file
    drained '7:operand,6:second,5:third,'
}

@test "a queue that is removed while it waits exits 69" {
    mqcreate -M 2 -s 64 "$Q"
    start mqsend "$Q" 1 2 3 2>errors
    eventually holds 2
    eventually sleeps "$pid"
    mqunlink "$Q"
    ends 69
    grep -q "queue /$Q has been removed" errors
    grep -q "2 messages sent" errors
}

@test "what comes after a queue's removal is not sent to nowhere" {
    mqcreate -s 64 "$Q"
    mkfifo input
    exec 9<>input
    start mqsend "$Q" <input 2>errors 9>&-
    echo one >&9
    eventually holds 1
    mqunlink "$Q"
    echo two >&9
    ends 69
    exec 9>&-
    grep -q "1 message sent" errors
}

@test "options that contradict each other are wrong usage" {
    local pair
    mqcreate -s 64 "$Q"
    for pair in '-n -t1' '-n -a' '--drop -t1' '--drop -a' '-p1 -P'; do
        # shellcheck disable=SC2086
        run mqsend $pair "$Q"
        expect 64
        says contradict
    done
    run mqsend -P "$Q" '1	a'
    expect 64
    holds 0
}

@test "a queue that one may not write exits 77" {
    need_other_user
    mqcreate -m 644 -s 64 "$Q"
    run as_other_user mqsend "$Q" a
    expect 77 "mqsend: cannot open queue /$Q: permission denied"
    run as_other_user mqsend -c "$Q" a
    expect 77 "mqsend: cannot open queue /$Q: permission denied"
    mqcreate -m 622 -s 64 "$Q2"
    as_other_user mqsend "$Q2" a
    [ "$(mqrecv -n "$Q2")" = a ]
}

@test "names are checked before anything is done" {
    local name long
    long=$(printf '%0256d' 0)
    for name in '' / . .. /. /.. //a a/b /a/b a/ "$long" "/$long"; do
        run mqsend -c "$name" a
        expect 64
    done
    run mqsend -c "/dev/mqueue/$Q" a
    expect 64
    says "the name is '$Q'"
}

@test "a name of 255 bytes is fine, with or without its slash" {
    Q=$Q.$(printf '%0255d' 0)
    Q=${Q:0:255}
    mqcreate -s 64 "$Q"
    mqsend "$Q" a
    mqsend "/$Q" b
    drained '1:a,1:b,'
}

@test "a name is never printed raw" {
    Q=$Q.$'\n\e[31m\xff\\ x'
    run mqsend "$Q" a
    expect 66
    [ "${#lines[@]}" -eq 1 ]
    says '\n\x1b[31m\xff\\\x20x: no such queue'
    run mqsend $'a/\e[31m' a
    expect 64
    says 'a/\x1b[31m'
    mqcreate -M 1 -s 64 "$Q"
    run mqsend -n "$Q" a b
    expect 1
    [ "${#lines[@]}" -eq 1 ]
    says '\n\x1b[31m'
}

@test "a standard input that cannot be read exits 74" {
    mqcreate -s 64 "$Q"
    run bash -c 'mqsend "$1" <&-' - "$Q"
    expect 74
    says "standard input"
    run mqsend "$Q" </
    expect 74
    says "standard input"
    mqsend "$Q" operand <&-
    drained '7:operand,'
}

@test "a textbook program receives what is sent" {
    mqcreate -s 64 "$Q"
    mqsend --string -p 7 "$Q" 'hello, world'
    run "$IPC_BUILD/tests/support/textbook-mq" receive "/$Q"
    expect 0 "7 hello, world"
}
