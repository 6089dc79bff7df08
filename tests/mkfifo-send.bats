#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

# holds BYTES: that many are unread in ./f.
holds() {
    not_under_valgrind "it cannot look into a FIFO"
    [ "$(fifostat -H -o unread f)" = "$1" ]
}

reader_waits() {
    [ "$(fifostat -H -o readers f 2>/dev/null)" = "${1:-$pid}" ]
}

written_by() {
    [ "$(fifostat -H -o writers f 2>/dev/null)" = "$1" ]
}

# A reader that takes nothing before the file "go" is there; its output is "got".
slow_reader() {
    mkfifo f
    start bash -c 'exec <f; until [ -e go ]; do sleep 0.01; done; exec cat' >got
}

# In one step: whoever finds none makes it again.
replace_fifo() {
    mkfifo new
    mv new f
}

@test "without a reader, -n is 1 and -t is 124, at once and in time, and silent" {
    run mkfifo-send -n f x
    expect 1 ""
    run mkfifo-send -t 0 f x
    expect 124 ""
    local before
    before=$(ticks)
    run mkfifo-send -t 200ms f x
    expect 124 ""
    (($(ticks) - before >= 19))
    run mkfifo-send -n f </dev/null
    expect 1 ""
}

@test "without a reader under load, the status is the same and no process stays" {
    local _
    for _ in 1 2 3 4; do start bash -c 'while :; do :; done'; done
    for _ in {1..10}; do
        run mkfifo-send -n f x
        expect 1 ""
        run mkfifo-send -t 20ms f x
        expect 124 ""
    done
    run fifostat -H -o readers,writers f
    expect 0 $'-\t-'
}

@test "a sender that comes before the reader, and one that comes after" {
    start mkfifo-send f early
    eventually test -p f
    run cat f
    expect 0 early
    ends 0
    start cat f >got
    eventually reader_waits "$pid(opening)"
    mkfifo-send f late
    ends 0
    [ "$(cat got)" = late ]
}

@test "each operand is one record, whatever it looks like" {
    start mkfifo-send f -n -x -- '' --help 'a  b' $'two\nlines'
    mkfifo-recv f | cmp - <(printf '%s\n' -n -x -- '' --help 'a  b' $'two\nlines')
    ends 0
    start mkfifo-send -- f -- x
    mkfifo-recv f | cmp - <(printf '%s\n' -- x)
    ends 0
}

@test "-0 ends records in NUL, -r adds nothing, -l is the default for operands" {
    start mkfifo-send -0 f a '' b
    mkfifo-recv f | cmp - <(printf 'a\0\0b\0')
    start mkfifo-send -r f a '' b
    mkfifo-recv f | cmp - <(printf 'ab')
    start mkfifo-send -l f a '' b
    mkfifo-recv f | cmp - <(printf 'a\n\nb\n')
}

@test "standard input is a stream of bytes, unless records are asked for" {
    printf 'a\n\0b' >in
    start mkfifo-send f <in
    mkfifo-recv f | cmp - in
    start mkfifo-send --raw f <in
    mkfifo-recv f | cmp - in
    start mkfifo-send --lines f <in
    mkfifo-recv f | cmp - <(printf 'a\n\0b\n')
    start mkfifo-send --null f <in
    mkfifo-recv f | cmp - <(printf 'a\n\0b\0')
}

@test "a line is sent as soon as it is complete" {
    mkfifo in
    start mkfifo-recv f >got
    start mkfifo-send -l f <>in
    printf 'one\ntw' >in
    eventually grep -qx one got
    run ! grep -q tw got
    printf 'o\n' >in
    eventually grep -qx two got
}

@test "empty input is an empty stream" {
    start mkfifo-send f </dev/null
    run mkfifo-recv f
    expect 0 ""
    ends 0
}

@test "four writers of 1,000 records of 4,000 bytes: each arrives whole" {
    four_writers 1000 4000
}

@test "four writers of records of 100,000 bytes: each arrives whole" {
    four_writers 50 100000
}

@test "four writers of records below and above PIPE_BUF, mixed: each arrives whole" {
    four_writers 500 300 12000
}

# four_writers COUNT SIZE [SIZE]
four_writers() {
    local writer
    mkfifo f
    local writers=()
    exec 4<>f # they begin, fill it, and get into each other's way
    for writer in a b c d; do
        awk -v c="$writer" -v count="$1" -v one="$2" -v other="${3:-$2}" 'BEGIN {
            line = c; while (length(line) < 100000) line = line line
            for (i = 0; i < count; i++) {
                head = c " " i " "
                print head substr(line, 1, (i % 2 ? one : other) - 1 - length(head)) } }' >"$writer"
        start mkfifo-send -l f <"$writer"
        writers+=("$pid")
    done
    start mkfifo-recv f >got 4>&-
    local reader=$pid
    for pid in "${writers[@]}"; do ends 0; done
    exec 4>&-
    pid=$reader
    ends 0
    cmp <(sort a b c d) <(sort got)
}

@test "a long record with a stalled reader keeps others out, and they time out" {
    mkfifo f
    exec 4<>f
    start mkfifo-send f "$(printf %0100000d 0)"
    eventually holds 65536
    run mkfifo-send -t 50ms f x
    expect 124 ""
    kill -STOP "$pid" # and there is room, which it has not seen
    head -c 8192 <&4 >got
    run mkfifo-send -t 50ms f x
    expect 124 ""
    run mkfifo-send -n f x
    expect 1 ""
    kill -CONT "$pid"
    head -c $((100001 - 8192)) <&4 >>got
    cmp got <(printf '%0100000d\n' 0)
    ends 0
    run mkfifo-send -n f x
    expect 0 ""
    holds 2
    exec 4>&-
}

@test "an input of just the FIFO's capacity is sent, also where nothing may wait" {
    need python3
    mkfifo f
    exec 4<>f
    python3 -c 'import fcntl; print(fcntl.fcntl(4, 1031, 65536))' >capacity
    head -c 1048576 /dev/zero >in
    run bash -c 'mkfifo-send -n f <in'
    expect 0 ""
    timeout 10 head -c 1048576 <&4 >/dev/null
    run bash -c 'mkfifo-send -t 50ms f < <(cat in)'
    expect 0 ""
    exec 4>&-
}

@test "a full FIFO is 1 with -n and 124 with -t, and the count is said" {
    slow_reader
    eventually reader_waits "$pid(opening)"
    seq 100000 >in
    run mkfifo-send -l -n f <in
    expect 1
    says "records sent to FIFO f"
    run mkfifo-send -l -t 30ms f <in
    expect 124 ""
    touch go
    ends 0
    [ "$(head -n 1 got)" = 1 ]
}

@test "where sending lines stops, the next sender resumes" {
    slow_reader
    eventually reader_waits "$pid(opening)"
    seq 30000 >in
    exec 4<in 5>f # the reader sees no end between the two
    run mkfifo-send -q -l -n f <&4
    expect 1 ""
    touch go
    mkfifo-send -l f <&4
    exec 4<&- 5>&-
    ends 0
    cmp in got
}

# The reader has to go on within a second: under load, not at the first try.
@test "a signal in the middle of a long record waits for a reader that goes on" {
    local _
    mkfifo f
    exec 4<>f
    for _ in {1..5}; do
        start mkfifo-send f "$(printf %0100000d 0)"
        eventually holds 65536
        kill -TERM "$pid"
        timeout 5 head -c 100001 <&4 >got || true
        eventually has_ended "$pid"
        [ "$(stat -c %s got)" -ne 100001 ] || break
    done
    exec 4>&-
    cmp got <(printf '%0100000d\n' 0)
}

@test "a signal ends a sender that waits for a reader, and one whose reader has stalled" {
    start mkfifo-send f x
    eventually sleeps "$pid"
    kill -TERM "$pid"
    ends 143
    exec 4<>f
    start mkfifo-send f "$(printf %0100000d 0)"
    eventually holds 65536
    kill -TERM "$pid"
    ends 143
    exec 4>&-
}

@test "a signal ends a sender whose input is endless and whose reader keeps up" {
    mkfifo f
    start bash -c 'exec cat f >/dev/null'
    start mkfifo-send -0 f </dev/zero
    eventually written_by "$pid"
    kill -TERM "$pid"
    ends 143
}

@test "a reader that leaves midway is 81 and a byte count, with SIGPIPE default or ignored" {
    head -c 3000000 /dev/zero >in
    mkfifo f
    local how
    for how in "env --default-signal=PIPE" "env --ignore-signal=PIPE"; do
        start bash -c 'exec head -c 1000 >/dev/null <f'
        # shellcheck disable=SC2086 # words
        run $how mkfifo-send f <in
        expect 81
        [[ $output == *"the reader of FIFO f went away: it took "*" bytes"* ]]
        start bash -c 'exec head -c 1000 >/dev/null <f'
        # shellcheck disable=SC2086 # words
        run $how mkfifo-send f "$(printf %0100000d 0)"
        expect 81
    done
}

# Sleeps, and not because there is no reader yet.
fifo_is_full() {
    [ -s got ] && [ "$(fifostat -H -o unread f)" -gt 60000 ] && sleeps "$pid"
}

@test "the byte count is what the reader took" {
    mkfifo f
    start bash -c 'exec <f; dd bs=1000 count=1 status=none >got; until [ -e go ]; do sleep 0.01; done'
    head -c 3000000 /dev/zero >in
    start mkfifo-send f <in 2>err
    eventually fifo_is_full
    touch go
    ends 81
    grep -q "it took 1000 bytes" err
}

@test "without -C, a reader that leaves bytes unread goes unnoticed; with -C it is 81" {
    mkfifo f
    start bash -c 'exec <f; until [ -e go ]; do sleep 0.01; done'
    mkfifo-send f hello
    start mkfifo-send -C f hello 2>err
    eventually sleeps "$pid"
    touch go
    ends 81
    grep -q "went away" err
}

@test "-C with nothing to send is 0 where the reader leaves bytes of another writer" {
    mkfifo f
    exec 4<>f 5<f
    printf x >&4
    exec 4>&-
    start mkfifo-send -C f </dev/null 5<&-
    eventually written_by "$pid"
    exec 5<&-
    ends 0
}

@test "-C waits until all is read, -t bounds it, -n does not wait" {
    slow_reader
    eventually reader_waits "$pid(opening)"
    run mkfifo-send -C -t 30ms f hello
    expect 124
    says "6 bytes in the FIFO have not been read"
    run mkfifo-send -C -n f hello
    expect 1
    start mkfifo-send --confirm f hello
    eventually holds 18
    run ! has_ended "$pid"
    touch go
    ends 0
}

@test "a reader that leaves before the first byte makes no difference" {
    mkfifo in f
    start mkfifo-send f <>in
    local sender=$pid
    start sleep 100 <f
    eventually written_by "$sender"
    kill "$pid"
    eventually written_by -
    start cat f >got
    eventually written_by "$sender"
    printf hello >in
    eventually grep -q hello got
}

@test "it finds a FIFO that was removed and made again" {
    mkfifo f
    start mkfifo-send f hello
    eventually sleeps "$pid"
    rm f
    eventually test -p f
    replace_fifo
    run cat f
    expect 0 hello
    ends 0
}

@test "-u removes the FIFO when all is written, and not what was put in its place" {
    start mkfifo-send -u f hello
    run mkfifo-recv f
    expect 0 hello
    ends 0
    [ ! -e f ]
    slow_reader
    start mkfifo-send -u -C f hello
    eventually holds 6
    mv f old
    echo kept >f
    touch go
    ends 0
    [ "$(cat f)" = kept ]
}

@test "-e is 66 for a missing FIFO, -a waits for it" {
    run mkfifo-send -e f x
    expect 66
    says "no such FIFO"
    run mkfifo-send -q -e f x
    expect 66 ""
    run mkfifo-send -a -t 20ms f x
    expect 124 ""
    [ ! -e f ]
    start mkfifo-send -a f x
    eventually sleeps "$pid"
    mkfifo f
    run cat f
    expect 0 x
    ends 0
}

@test "-m is exact, whatever the umask, without a chmod by path" {
    umask 077
    run mkfifo-send -n f x
    [ "$(stat -c %a f)" = 600 ]
    run mkfifo-send -n -m 666 f x
    [ "$(stat -c %a f)" = 600 ]
    run mkfifo-send -n -m 666 g x
    [ "$(stat -c %a g)" = 666 ]
    need_strace
    run strace -o trace -e trace=all mkfifo-send -n -m 640 h x
    [ "$(stat -c %a h)" = 640 ]
    run ! grep -q 'chmod' trace
    grep -q 'open.*"h".*O_NONBLOCK.*O_NOFOLLOW' trace
}

@test "what is not a FIFO is refused, untouched: a file, a directory, links, a device" {
    echo kept >file
    mkdir dir
    mkfifo fifo
    ln -s file link
    ln -s fifo fifolink
    local path
    for path in file dir link fifolink /dev/null; do
        run timeout 5 mkfifo-send "$path" x
        expect 65
        says "as a FIFO: it is"
        run timeout 5 mkfifo-send -e "$path" x
        expect 65
    done
    [ "$(cat file)" = kept ]
    run mkfifo-send missing/f x
    expect 66
    run mkfifo-send file/f x
    expect 66
    run mkfifo-send "" x
    expect 64
}

@test "somebody else's FIFO in a sticky directory is 77, not opened; -e accepts it" {
    need_other_user
    mkdir -m 1777 sticky
    as_other_user mkfifo -m 666 sticky/f
    run timeout 5 mkfifo-send -n sticky/f x
    expect 77
    says "belongs to user $other" --existing
    run timeout 5 mkfifo-send -n -e sticky/f x
    expect 1 ""
    chmod 0755 sticky
    run timeout 5 mkfifo-send -n sticky/f x
    expect 1 ""
    need_strace
    chmod 1777 sticky
    run strace -o trace -e trace=openat,open mkfifo-send -n sticky/f x
    run ! grep -q 'sticky/f' trace
}

@test "a FIFO without write permission is 77" {
    need_other_user
    chmod 755 .
    mkfifo -m 600 f
    run as_other_user mkfifo-send -n f x
    expect 77
    says "permission denied"
}

@test "changing the input file after the sender's exit does not reach a slow reader" {
    head -c 12M /dev/urandom >in
    cp in copy
    mkfifo f
    start bash -c 'exec <f; head -c 12522912; until [ -e go ]; do sleep 0.01; done; exec cat' >got
    mkfifo-send f <in
    tr '\0-\377' X <copy | dd of=in conv=notrunc status=none
    touch go
    ends 0
    cmp got copy
}

@test "nor one with two pipes between, all of them full" {
    head -c 12M /dev/urandom >in
    cp in copy
    mkfifo f g
    # What is left fits in the three, 1 MiB each, and the sender can exit.
    start bash -c 'exec <g; head -c 9600000; until [ -e go ]; do sleep 0.01; done; exec cat' >got
    local reader=$pid
    start bash -c 'mkfifo-recv f | mkfifo-send g'
    start mkfifo-send f <in
    ends 0
    tr '\0-\377' X <copy | dd of=in conv=notrunc status=none
    touch go
    pid=$reader
    ends 0
    cmp got copy
}

@test "a record above the longest is 65, what came before it is sent" {
    { echo first; head -c 17000000 /dev/zero; } >in
    start mkfifo-recv f >got
    run mkfifo-send -l f <in
    expect 65
    says "longer than 16777216 bytes"
    ends 0
    [ "$(cat got)" = first ]
}

@test "input that cannot be read is 74" {
    start mkfifo-recv f
    run bash -c 'mkfifo-send f <&-'
    expect 74
    start mkfifo-recv f
    run mkfifo-send -l f <.
    expect 74
    says "standard input"
}

@test "-v says what was sent, -q no count" {
    start mkfifo-recv f >got
    run mkfifo-send -v f a b
    expect 0 "mkfifo-send: 2 records sent to FIFO f"
    ends 0
    start mkfifo-recv f >got
    run mkfifo-send -v f <<<hello
    expect 0 "mkfifo-send: 6 bytes written to FIFO f"
}

@test "contradictions and unknown modes are wrong usage" {
    run mkfifo-send -n -t 1 f x
    expect 64
    run mkfifo-send -n -a f x
    expect 64
    run mkfifo-send -m 999 f x
    expect 64
    run mkfifo-send -t -1 f x
    expect 64
    [ ! -e f ]
}

@test "a path is shown escaped, on one line" {
    run mkfifo-send -e $'a\nb\e[31m' x
    expect 66
    says 'a\nb\x1b[31m'
    [ "${#lines[@]}" -eq 1 ]
}

@test "from a terminal nothing is spliced: the kernel would sleep with the FIFO locked" {
    need_strace
    need script
    mkfifo f
    start cat f >got
    printf 'typed\n\004' | script -qec 'strace -qq -o trace -e trace=splice mkfifo-send f' /dev/null >/dev/null
    ends 0
    [ "$(cat got)" = typed ]
    [ ! -s trace ]
}

is_full() {
    not_under_valgrind "it cannot look into a FIFO"
    [ "$(fifostat -H -o unread f)" -gt 60000 ]
}

@test "a stream keeps out of a long record of another mkfifo-send" {
    slow_reader
    local reader=$pid
    head -c 2M /dev/zero | tr '\0' x >long
    start mkfifo-send -l f <long
    local first=$pid
    eventually is_full
    echo short >short
    start mkfifo-send f <short
    eventually written_by "$first,$pid"
    touch go
    ends 0
    pid=$first
    ends 0
    pid=$reader
    ends 0
    [ "$(tr -s x <got)" = $'x\nshort' ]
}

@test "while it has written nothing, it goes to the FIFO that is at the path by now" {
    mkfifo f
    exec 4<>f
    head -c 64K /dev/zero >&4
    start mkfifo-send f hello 4>&-
    local sender=$pid
    eventually has_open "$sender" "$PWD/f"
    replace_fifo
    start cat f >got 4>&-
    ends 0
    [ "$(cat got)" = hello ]
    pid=$sender
    ends 0
    exec 4>&-
}

@test "a signal waits for a reader that goes on, however slowly" {
    mkfifo f
    start bash -c 'exec <f; until [ -e go ]; do read -r -N 400 x; printf %s "$x"; sleep 0.2; done; exec cat' >got
    local reader=$pid
    head -c 200000 /dev/zero | tr '\0' x >long
    start mkfifo-send -l f <long
    eventually is_full
    kill -TERM "$pid"
    sleep 2
    touch go
    result
    [ "$result" -eq 143 ] || [ "$result" -eq 0 ]
    pid=$reader
    ends 0
    [ "$(wc -c <got)" -eq 200001 ]
}

@test "a stream that has ended does not wait for another's long record" {
    mkfifo f go
    exec 4<>f 5<>go
    start bash -c '{ echo hi; read -r _ <go; } | mkfifo-send -n f'
    local stream=$pid
    eventually holds 3
    head -c 3M /dev/zero | tr '\0' a >long
    start mkfifo-send -l f <long
    begun() { ! holds 3; }
    eventually begun
    echo >&5
    pid=$stream
    ends 0
    exec 4>&- 5>&-
}

@test "from a file whose server may not answer nothing is spliced" {
    need_strace
    head -c 6M /dev/zero >zeros
    start mkfifo-recv f >got
    # What cannot be told of its file system is taken for that.
    strace -qq -o trace -e trace=splice,fstatfs -e inject=fstatfs:error=EIO mkfifo-send f <zeros
    ends 0
    cmp got zeros
    grep -q fstatfs trace
    ! grep -q splice trace
}
