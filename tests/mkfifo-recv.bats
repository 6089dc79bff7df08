#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

opened_by() {
    [ "$(fifostat -H -o readers f 2>/dev/null)" = "$1" ]
}

# Nothing is left in the FIFO.
taken() {
    [ "$(fifostat -H -o unread f)" = 0 ]
}

# holds FIFO BYTES: at least that many are unread.
holds() {
    not_under_valgrind "it cannot look into a FIFO"
    [ "$(fifostat -H -o unread "$1")" -ge "$2" ]
}

# No page of it is free.
is_full() {
    local unread capacity
    read -r unread capacity <<<"$(fifostat -H -o unread,capacity "$1")"
    ((unread > capacity - $(getconf PAGESIZE)))
}

planted_writer_waits() {
    [ "$(fifostat -H -o writers sticky/f)" = "$pid(opening)" ]
}

lines_in() {
    [ "$(wc -l <"$1")" -ge "$2" ]
}

# In one step: whoever finds none makes it again.
replace_fifo() {
    mkfifo new
    mv new f
}

@test "it copies until the last writer has gone" {
    start mkfifo-recv f >got
    eventually opened_by "$pid"
    exec 4>f 5>f
    printf 'one\0\n' >&4
    exec 4>&-
    printf two >&5
    exec 5>&-
    ends 0
    cmp got <(printf 'one\0\ntwo')
}

@test "without a writer, -n is 1 and -t is 124, and silent" {
    run mkfifo-recv -n f
    expect 1 ""
    run mkfifo-recv -t 0 f
    expect 124 ""
    local before
    before=$(ticks)
    run mkfifo-recv -t 200ms f
    expect 124 ""
    (($(ticks) - before >= 19))
    run mkfifo-recv -N 1 -n f
    expect 1 ""
    run mkfifo-recv -N 1 -t 20ms f
    expect 124 ""
    run mkfifo-recv -f -n f
    expect 1 ""
}

@test "-n takes what is there, -t waits for each piece, both say how much it was" {
    mkfifo f
    exec 4<>f
    printf hello >&4
    run mkfifo-recv -n f
    expect 1 $'hellomkfifo-recv: 5 bytes received from FIFO f'
    printf hello >&4
    run --separate-stderr mkfifo-recv -t 20ms f
    expect 124 hello
    says "5 bytes received"
    printf hello >&4
    run mkfifo-recv -q -t 20ms f
    expect 124 hello
    exec 4>&-
}

@test "-N takes its records and leaves the next byte to the next reader" {
    mkfifo f
    exec 4<>f
    printf '1\n2\n3\n4\n5' >&4
    run mkfifo-recv -N 3 f
    expect 0 $'1\n2\n3'
    [ "$(fifostat -H -o unread f)" = 3 ]
    run mkfifo-recv -N 1 f
    expect 0 4
    [ "$(dd bs=1 count=1 status=none <&4)" = 5 ]
    exec 4>&-
}

@test "-N counts records that end in NUL with -0, lines with -l" {
    mkfifo f
    exec 4<>f
    printf 'a\nb\0c\0d\n' >&4
    mkfifo-recv -0 -N 1 f | cmp - <(printf 'a\nb\0')
    mkfifo-recv -l -N 1 f | cmp - <(printf 'c\0d\n')
    exec 4>&-
}

@test "-N takes records longer than the FIFO, and thousands of them" {
    { printf '%0200000d\n' 1; seq 5000; echo rest; } >in
    start mkfifo-send f <in
    mkfifo-recv -N 5001 f >got
    head -n 5001 in | cmp - got
}

@test "receivers with -N take turns: each record goes to one of them, whole" {
    local i receivers=()
    mkfifo f
    exec 4<>f
    for i in 1 2 3 4; do
        start mkfifo-recv -N 500 f >"got$i"
        receivers+=("$pid")
    done
    seq 2000 | mkfifo-send -l f
    for pid in "${receivers[@]}"; do ends 0; done
    exec 4>&-
    for i in 1 2 3 4; do [ "$(wc -l <"got$i")" -eq 500 ]; done
    cmp <(sort got?) <(seq 2000 | sort)
}

@test "-N waits for its turn at most for -t, and not at all with -n" {
    start mkfifo-recv -N 1 f
    eventually opened_by "$pid"
    run mkfifo-recv -N 1 -t 20ms f
    expect 124 ""
    run mkfifo-recv -N 1 -n f
    expect 1 ""
}

@test "-N 5 with three records is 69 when the writer goes, 1 with -n, 124 with -t; it says 3" {
    mkfifo f
    start mkfifo-recv -N 5 f >got 2>err
    seq 3 | mkfifo-send f
    ends 69
    cmp got <(seq 3)
    grep -q "3 of 5 records" err
    exec 4<>f
    seq 3 >&4
    run --separate-stderr mkfifo-recv -N 5 -n f
    expect 1 $'1\n2\n3'
    says "3 of 5 records"
    seq 3 >&4
    run --separate-stderr mkfifo-recv -N 5 -t 20ms f
    expect 124 $'1\n2\n3'
    says "3 of 5 records"
    exec 4>&-
}

@test "a last record without its end counts when the writer goes" {
    start mkfifo-send -r f a$'\n'b
    mkfifo-recv -N 2 f | cmp - <(printf 'a\nb')
}

@test "-f -N waits for the next writers" {
    start mkfifo-recv -f -N 3 f >got
    local receiver=$pid
    mkfifo-send -C f one
    mkfifo-send -C f two
    exec 4<>f
    run flock -n 4 # it is still its turn
    expect 1
    exec 4>&-
    mkfifo-send -C f three
    pid=$receiver
    ends 0
    cmp got <(printf 'one\ntwo\nthree\n')
}

@test "-f survives writers that come and go, hundreds of times, and ends with the FIFO" {
    local i
    start mkfifo-recv -f f >got
    for i in {1..300}; do mkfifo-send -t 10s f "$i"; done
    eventually lines_in got 300
    run ! has_ended "$pid"
    rm f
    ends 0
    cmp got <(seq 300)
}

@test "-f is idle between writers" {
    start mkfifo-recv -f f >got
    mkfifo-send f x
    eventually lines_in got 1
    local before after
    before=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    run mkfifo-recv -N 1 -t 500ms f
    after=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
    ((after - before <= 5))
}

@test "-u loses nothing that a sender was told was sent, and leaves nobody waiting" {
    local i receivers=() senders=()
    for i in 1 2; do
        start bash -c 'until [ -e stop ]; do mkfifo-recv -t 1s -u f; done; true' >"got$i" 2>/dev/null
        receivers+=("$pid")
    done
    for i in a b c; do
        start bash -c 'for n in {1..150}; do mkfifo-send -t 10s f '$i'$n && echo '$i'$n; done' \
            >"sent$i"
        senders+=("$pid")
    done
    for pid in "${senders[@]}"; do ends 0; done
    touch stop
    for pid in "${receivers[@]}"; do ends 0; done
    [ "$(cat sent? | wc -l)" -eq 450 ]
    cmp <(sort sent?) <(sort got?)
    [ ! -e f ] || [ "$(fifostat -H -o readers,writers f)" = $'-\t-' ]
}

@test "-u waits for a sender that opened the FIFO before it was removed" {
    need_strace
    start strace -o trace -e inject=unlink,unlinkat:delay_enter=3000000 mkfifo-recv -u f >got
    eventually test -p f
    mkfifo-send f first
    eventually grep -q first got # and then it sees the end, and removes the FIFO
    mkfifo-send -t 5s f second
    ends 0
    [ "$(cat got)" = $'first\nsecond' ]
    [ ! -e f ]
}

@test "-u removes the FIFO also where nobody came, and not under a writer" {
    local option
    for option in "-n" "-t 0" "-t 20ms" "-f -t 20ms"; do
        # shellcheck disable=SC2086 # words
        run mkfifo-recv -u $option f
        expect "$([[ $option == -n ]] && echo 1 || echo 124)" ""
        [ ! -e f ]
    done
    mkfifo f
    exec 4<>f
    run mkfifo-recv -u -n f
    expect 1 ""
    [ -p f ]
    exec 4>&-
}

@test "-u hears a sender that comes when the time is up, or lets it find no reader" {
    need_strace
    start strace -o trace -e inject=unlink,unlinkat:delay_enter=3000000 \
        mkfifo-recv -u -t 20ms f >got
    eventually test -p f
    sleep 0.3 # until it is about to remove the FIFO
    run mkfifo-send -t 3s f late
    if [ "$status" -eq 0 ]; then
        ends 0
        [ "$(cat got)" = late ]
    else
        ends 124
    fi
}

@test "a writer that had opened the FIFO before it was removed is read to its end" {
    local option
    for option in "" -f; do
        # shellcheck disable=SC2086 # nothing, or one
        start mkfifo-recv $option f >got
        eventually opened_by "$pid"
        exec 4>f
        rm f
        sleep 0.5 # it looks for the FIFO
        [ ! -e f ]
        echo late >&4
        exec 4>&-
        ends 0
        [ "$(cat got)" = late ]
    done
}

@test "-f hears a writer that opened the FIFO after the last one went, before it was removed" {
    need_strace
    # Its second open is late: what follows happens before it.
    start strace -o trace -P "$PWD/f" -P f -e inject=open,openat:delay_enter=3000000:when=2 \
        mkfifo-recv -f f >got
    mkfifo-send f first
    # It has seen that the writer is gone, and is about to open anew.
    eventually grep -qE '^(splice|read)\(.* = 0$' trace
    exec 4>f
    rm f
    eventually grep -q 'ENOENT' trace # the second open fails
    echo second >&4
    exec 4>&-
    ends 0
    [ "$(cat got)" = $'first\nsecond' ]
}

@test "-N goes on with a FIFO that was removed and made again; with -f that is 69" {
    start mkfifo-recv -N 1 f >got
    eventually opened_by "$pid"
    replace_fifo
    mkfifo-send -t 10s f hello
    ends 0
    [ "$(cat got)" = hello ]
    start mkfifo-recv -f -N 2 f >got 2>err
    eventually opened_by "$pid"
    mkfifo-send f one
    eventually lines_in got 1
    rm f
    ends 69
    grep -q "FIFO f was removed" err
    grep -q "1 of 2 records" err
}

@test "the end is seen also by a reader that came after the last writer went" {
    mkfifo f
    exec 4<>f 5<f
    printf hello >&4
    exec 4>&-
    mkfifo-recv -t 5s f >>got
    exec 5<&-
    [ "$(cat got)" = hello ]
    # Also where there was no room at the moment of the end.
    need_strace
    exec 4<>f
    exec 5<f
    echo hello >&4
    exec 4>&-
    run timeout 20 strace -qq -o trace -e inject=splice:error=EAGAIN:when=2 mkfifo-recv f
    expect 0 hello
    exec 5<&-
}

@test "it finds a FIFO that was removed and made again, and makes it again itself" {
    start mkfifo-recv f >got
    local receiver=$pid
    eventually opened_by "$pid"
    rm f
    eventually opened_by "$receiver"
    replace_fifo
    mkfifo-send -t 10s f hello
    pid=$receiver
    ends 0
    [ "$(cat got)" = hello ]
}

@test "-e is 66 for a missing FIFO, -a waits for it" {
    run mkfifo-recv -e f
    expect 66
    says "no such FIFO"
    run mkfifo-recv -q -e f
    expect 66 ""
    run mkfifo-recv -a -t 20ms f
    expect 124 ""
    [ ! -e f ]
    start mkfifo-recv -a f >got
    eventually sleeps "$pid"
    mkfifo f
    mkfifo-send f x
    ends 0
    [ "$(cat got)" = x ]
}

@test "-m is exact, whatever the umask" {
    umask 077
    run mkfifo-recv -n f
    [ "$(stat -c %a f)" = 600 ]
    run mkfifo-recv -n -m 666 g
    [ "$(stat -c %a g)" = 666 ]
}

@test "what is not a FIFO is refused, untouched: a file, a directory, links, a device" {
    echo kept >file
    mkdir dir
    mkfifo fifo
    ln -s file link
    ln -s fifo fifolink
    local path
    for path in file dir link fifolink /dev/null; do
        run timeout 5 mkfifo-recv "$path"
        expect 65
        says "as a FIFO: it is"
        run timeout 5 mkfifo-recv -e -u "$path"
        expect 65
    done
    [ "$(cat file)" = kept ]
}

@test "somebody else's FIFO in a sticky directory is 77, and its writer sleeps on" {
    need_other_user
    mkdir -m 1777 sticky
    as_other_user mkfifo -m 666 sticky/f
    start bash -c 'echo planted >sticky/f'
    eventually planted_writer_waits
    run timeout 5 mkfifo-recv sticky/f
    expect 77
    says "belongs to user $other"
    run ! has_ended "$pid"
    run timeout 5 mkfifo-recv -e sticky/f
    expect 0 planted
}

@test "nothing is taken where standard output is closed or its reader has gone" {
    not_under_valgrind "descriptors of its own"
    mkfifo f
    exec 4<>f
    echo hello >&4
    run bash -c 'mkfifo-recv f >&-'
    expect 74
    run bash -c 'mkfifo-recv -N 1 f >&-'
    expect 74
    start bash -c 'exec mkfifo-recv f 1<f'
    ends 74
    mkfifo pipe
    exec 9<>pipe 8>pipe 9>&-
    run bash -c 'exec mkfifo-recv f >&8'
    expect 74
    exec 8>&-
    [ "$(fifostat -H -o unread f)" = 6 ]
    exec 4>&-
}

@test "a full disk is 74 and says so; bytes in hand are kept in a private file: 80" {
    mkfifo f
    exec 4<>f
    echo hello >&4
    run --separate-stderr bash -c 'mkfifo-recv -N 1 f >/dev/full'
    expect 74
    says "cannot write to standard output"
    [ "$(fifostat -H -o unread f)" = 6 ]
    TMPDIR=$PWD run --separate-stderr bash -c 'mkfifo-recv f >/dev/full'
    expect 80
    says "cannot write to standard output: no space left on device" "6 bytes of FIFO f kept in $PWD/mkfifo-recv."
    [ "$(cat mkfifo-recv.*)" = hello ]
    [ "$(stat -c %a mkfifo-recv.*)" = 600 ]
    exec 4>&-
}

@test "a limit on the size of files is told; what can be kept nowhere either is lost: 82" {
    mkfifo f
    exec 4<>f
    head -c 3000 /dev/zero >&4
    run --separate-stderr bash -c 'ulimit -f 1; exec mkfifo-recv f >got'
    expect 82
    says "cannot write to standard output: file too large" "1976 bytes of FIFO f lost: cannot be kept: file too large"
    exec 4>&-
}

@test "a reader of its output that leaves ends it with 74" {
    start bash -c 'set -o pipefail; yes | mkfifo-send f 2>/dev/null'
    run --separate-stderr bash -c 'set -o pipefail; mkfifo-recv f | head -n 1'
    expect 74 y
    mkfifo g
    exec 4<>g
    run bash -c 'set -o pipefail; mkfifo-recv g | true'
    expect 74
    exec 4>&-
}

@test "it holds nothing when the reader of its output goes" {
    need_strace
    mkfifo f p
    exec 4<>f 6<>p 7<p
    # 64 KiB of room, and 128 KiB to come.
    head -c $((1024 * 1024 - 64 * 1024)) /dev/zero >most
    mkfifo-send p <most
    head -c 128K /dev/zero >twice
    mkfifo-send f <twice
    exec 6>&-
    start strace -qq -o trace -e inject=splice:error=EINVAL mkfifo-recv f >p 2>errors 7<&-
    eventually is_full p
    exec 7<&-
    ends 74
    [ "$(fifostat -H -o unread f)" = 65536 ]
    # Likewise where it goes while splice(2) says that there is no room.
    exec 6<>p 7<p
    mkfifo-send p <most
    exec 6>&-
    mkfifo-send f <most
    start strace -qq -o trace -e inject=splice:delay_exit=500000 mkfifo-recv f >p 2>errors 7<&-
    eventually grep -q 'splice.*EAGAIN' trace
    exec 7<&-
    ends 74
    [ "$(fifostat -H -o unread f)" = 983040 ]
    # And where it goes between a write and the next read.
    exec 6<>p 7<p 6>&-
    start strace -qq -o trace -e inject=splice:error=EINVAL -e inject=write:delay_exit=500000:when=1 \
        mkfifo-recv f >p 2>errors 7<&-
    eventually grep -q 'write.* = 4096' trace
    exec 7<&-
    ends 74
    exec 4>&-
}

@test "a signal ends it, waiting for a writer or with its output stalled" {
    start mkfifo-recv f
    eventually opened_by "$pid"
    kill -TERM "$pid"
    ends 143
    mkfifo stalled
    exec 4<>f 5<>stalled
    local option
    for option in "-f" "-N9999999"; do
        start mkfifo-recv "$option" f >stalled
        local receiver=$pid
        start bash -c 'exec yes >f'
        eventually holds stalled 4096
        eventually sleeps "$receiver"
        kill -TERM "$receiver"
        kill -KILL "$pid"
        pid=$receiver
        ends 143
    done
    exec 4>&- 5>&-
}

@test "output that is appended to a file, and a socket or a terminal, work as well" {
    seq 30000 >in
    start mkfifo-send f <in
    mkfifo-recv f >>got
    cmp in got
    need script
    start mkfifo-send f hello
    run script -qec "mkfifo-recv f" /dev/null
    expect 0
    says hello
}

@test "a stream of 64 MiB arrives, into a file and through a pipe" {
    head -c 64M /dev/urandom >in
    start mkfifo-send f <in
    mkfifo-recv f >got
    cmp in got
    start mkfifo-send f <in
    mkfifo-recv f | cmp - in
    start bash -c 'cat in | mkfifo-send f'
    mkfifo-recv f | cmp - in
}

@test "-v says how much was received" {
    start mkfifo-send f hello
    run mkfifo-recv -v f
    expect 0 $'hello\nmkfifo-recv: 6 bytes received from FIFO f'
}

@test "contradictions are wrong usage" {
    run mkfifo-recv -n -t 1 f
    expect 64
    run mkfifo-recv -n -a f
    expect 64
    run mkfifo-recv -N 0 f
    expect 64
    run mkfifo-recv f g
    expect 64
    [ ! -e f ]
}

@test "with -N, what it takes in place of what another reader took is not lost" {
    need_bare "system calls of its own"
    need_strace
    mkfifo f
    exec 4<>f
    printf 'one\ntwo\n' >&4
    # Its third read takes what it has written: meanwhile another takes that.
    start strace -qq -o trace -e inject=read:delay_enter=2000000:when=3 mkfifo-recv -N 1 f >got 2>errors
    eventually grep -q one got
    [ "$(timeout 5 head -c 4 <&4)" = one ]
    ends 71
    grep -q "another process reads FIFO f too" errors
    [ "$(cat got)" = $'one\ntwo' ]
    exec 4>&-
}

@test "-f says why it cannot go on, and does not take it for the end of the FIFO" {
    need_strace
    mkfifo f
    start strace -qq -o trace -P "$PWD/f" -P f -e inject=open,openat:error=EACCES:when=2 mkfifo-recv -f f >got 2>errors
    mkfifo-send f hello
    ends 77
    [ "$(cat got)" = hello ]
    grep -q "cannot open FIFO f anew, for its next writer: permission denied" errors
}

@test "-n does not wait for room in its output either" {
    mkfifo f p
    exec 4<>f 5<>p
    head -c 1M /dev/zero >zeros
    run mkfifo-send -n p <zeros
    echo hi >&4
    run timeout 20 bash -c 'mkfifo-recv -n f >p'
    expect 1
    run timeout 20 bash -c 'mkfifo-recv -n -N 1 f >p'
    expect 1
    holds f 3
    exec 4>&- 5>&-
}

@test "one that waits for its turn goes to the FIFO that is at the path by now" {
    mkfifo f
    exec 4<>f
    start mkfifo-recv -N 2 f >first 4>&-
    echo one >&4
    eventually lines_in first 1
    start mkfifo-recv -N 1 f >got 4>&-
    eventually has_open "$pid" "$PWD/f"
    replace_fifo
    run mkfifo-send -t 20 f hello
    expect 0
    ends 0
    [ "$(cat got)" = hello ]
    exec 4>&-
}

@test "-n -u hears a sender that comes as it gives up, to its end" {
    need_strace
    mkfifo input
    exec 8<>input
    start strace -qq -o trace -e inject=unlink,unlinkat:delay_enter=2000000 mkfifo-recv -n -u f >got 8>&-
    local receiver=$pid
    eventually grep -q unlink trace
    start mkfifo-send f <input 8>&-
    gone() { [ ! -e f ]; }
    eventually gone
    sleep 0.2
    echo precious >&8
    exec 8>&-
    ends 0
    pid=$receiver
    ends 0
    [ "$(cat got)" = precious ]
}

@test "into a socket that blocks nothing is spliced: the kernel would sleep with the FIFO locked" {
    need_strace
    need python3
    mkfifo f
    start python3 -c 'import socket, subprocess, sys
here, there = socket.socketpair()
tool = subprocess.Popen(sys.argv[1:], stdout=there)
there.close()
print(here.makefile().read(), end="")
sys.exit(tool.wait())' strace -qq -o trace -e trace=splice mkfifo-recv f >got
    mkfifo-send f hello
    ends 0
    [ "$(cat got)" = hello ]
    [ ! -s trace ]
}

@test "what a sender writes and removes at the moment of the opening is received" {
    need_strace
    start mkfifo-send -u f hello
    made() { [ -p f ]; }
    eventually made
    run timeout 20 strace -qq -o trace -P "$PWD/f" -e inject=open,openat:delay_exit=1000000 mkfifo-recv "$PWD/f"
    expect 0 hello
    ends 0
    start mkfifo-send -u f hello
    eventually made
    run timeout 20 strace -qq -o trace -P "$PWD/f" -e inject=open,openat:delay_exit=1000000 mkfifo-recv -N 1 "$PWD/f"
    expect 0 hello
    ends 0
}

@test "one that waits for its turn takes what was sent before the FIFO was removed and made again" {
    mkfifo f
    # In a group of its own: where one of a group is stopped, the kernel may hang up all.
    start_job mkfifo-recv -N 2 f
    eventually opened_by "$pid"
    local first=$pid
    exec 4>f
    echo one >&4
    eventually lines_in "$log" 1
    start mkfifo-recv -N 1 f >got 4>&-
    eventually has_open "$pid" "$PWD/f"
    # Whoever has the turn does not take it.
    kill -STOP "$first"
    mkfifo-send f hello
    replace_fifo
    sleep 0.5 # the one that waits looks about every 20 ms
    kill -KILL "$first"
    exec 4>&-
    ends 0
    [ "$(cat got)" = hello ]
}

@test "-u hears the last call with -N too" {
    need_strace
    start strace -qq -o trace -e trace=unlink,unlinkat -e inject=unlink,unlinkat:delay_enter=1000000 \
        mkfifo-recv -u -t 20ms -N 1 f >got
    eventually grep -q unlink trace
    mkfifo-send -e -t 20 f hello
    ends 0
    [ "$(cat got)" = hello ]
    run mkfifo-recv -u -n -N 1 f
    expect 1 ""
    [ ! -e f ]
}

@test "those who share a file for their output do not overwrite each other" {
    mkfifo f g
    head -c 32M /dev/zero >zeros
    start bash -c 'mkfifo-recv f & mkfifo-recv g & wait' >got
    mkfifo-send f <zeros &
    mkfifo-send g <zeros
    wait $!
    ends 0
    [ "$(stat -c %s got)" -eq $((64 * 1024 * 1024)) ]
}

@test "a signal costs nothing that has been taken" {
    need_strace
    mkfifo f
    exec 4<>f
    start strace -qq -o trace -P "$PWD/f" -e inject=read:delay_exit=3000000 mkfifo-recv -f "$PWD/f" >>got
    echo hello >&4
    eventually taken
    kill -TERM "$(pgrep -P "$pid")"
    ends 143
    [ "$(cat got)" = hello ]
    exec 4>&-
}

@test "a signal has what an output does not take kept in a file, once it is taken" {
    need_strace
    need python3
    mkfifo f
    exec 4<>f
    echo hello >&4
    TMPDIR=$PWD start python3 -c 'import os, socket, sys
here, there = socket.socketpair()
here.set_inheritable(True)
os.dup2(there.fileno(), 1)
os.execvp(sys.argv[1], sys.argv[1:])' strace -qq -o trace -e inject=sendto:error=EAGAIN mkfifo-recv f 2>errors
    eventually taken
    kill -TERM "$(pgrep -P "$pid")"
    ends 143
    grep -q "6 bytes of FIFO f kept in $PWD/mkfifo-recv\." errors
    [ "$(cat mkfifo-recv.*)" = hello ]
    exec 4>&-
}

@test "what is in hand when the tool cannot go on is kept" {
    need_strace
    mkfifo f
    exec 4<>f
    echo hello >&4
    TMPDIR=$PWD run bash -c 'exec strace -qq -o trace -e inject=timer_create:error=EAGAIN mkfifo-recv f >/dev/full'
    expect 80
    says "cannot make a timer" "6 bytes of FIFO f kept in $PWD/mkfifo-recv."
    [ "$(cat mkfifo-recv.*)" = hello ]
    exec 4>&-
}

@test "with -f -N, what a writer leaves without its end is a record of its own" {
    start mkfifo-recv -f -N 3 f >got
    eventually opened_by "$pid"
    printf one >f
    has() { [ "$(cat got)" = "$1" ]; }
    eventually has one
    eventually sleeps "$pid"
    printf 'two\nthree' >f
    ends 0
    printf 'one\ntwo\nthree' | cmp got -
}
