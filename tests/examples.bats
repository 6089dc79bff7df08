#!/usr/bin/env bats
#
# The scripts of examples/, as a user would call them.

load support/ipc
load support/processes

setup() {
    setup_names
    PATH=$IPC_SOURCE/examples:$PATH
    work=$BATS_TEST_TMPDIR
    cd "$work" || return
}

teardown() {
    stop_started
    if [ -n "${disk-}" ]; then cd / && umount "$disk"; fi
    mqunlink --quiet --force "$Q" "$Q2" "$Q.failed"
    remove_objects
    shmunlink --quiet --force "$Q.0.left" "$Q.1.left"
    semunlink --quiet --force "$Q.0" "$Q.1"
}

# Whether no process has the name $Q in its arguments.
nothing_runs() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        if { tr '\0' ' ' <"$file" | grep -qF -- "$Q"; } 2>/dev/null; then return 1; fi
    done
}

# a_signal_ends COMMAND...: TERM ends it, and all that it has started; once the file
# $ready is there, if that is set.
a_signal_ends() {
    start "$@"
    eventually sleeps "$pid"
    eventually has_child "$pid"
    [ -z "${ready-}" ] || eventually test -s "$ready"
    kill -TERM "$pid"
    ends 143
    eventually nothing_runs
}

has_child() {
    [ -n "$(cat "/proc/$1/task/$1/children")" ]
}

# need_disk SIZE: a directory with little room, as $disk.
need_disk() {
    need_root
    mkdir disk
    mount -t tmpfs -o "size=$1" none disk 2>/dev/null || skip "nothing can be mounted here"
    disk=$work/disk
}

small() {
    mqcreate --max-messages=8 --message-size=64 "$@"
}

@test "every example is listed, can be executed, and says how it is called" {
    listed=$(grep -oE '^\| `.*` \|' "$IPC_SOURCE/examples/README.md" | grep -oE '[a-z][a-z-]+' | sort)
    diff <(cd "$IPC_SOURCE/examples" && ls | grep -v README) <(echo "$listed")
    for example in $listed; do
        run "$example"
        [ "$status" -ne 0 ]
        says "usage: $example"
    done
}

@test "error-log writes the most severe of what waits first, and ends with the queue" {
    mqcreate --max-messages=10 --message-size=1K "$Q"
    mqsend -p 4 "$Q" "disk 90 % full"
    mqsend -p 6 "$Q" "3 sectors lost"
    start error-log "$Q" log
    mqwait --timeout=30s --empty "$Q"
    mqunlink "$Q"
    ends 0
    run sed 's/^[^ ]*Z //' log
    expect 0 "severity 6: 3 sectors lost
severity 4: disk 90 % full"
}

@test "error-log writes what is most severe first also where much waits" {
    mqcreate --max-messages=10 --message-size=1K "$Q"
    mkfifo gate
    start error-log "$Q" gate # it waits until somebody reads
    seq -f "minor %g" 5 | mqsend "$Q"
    eventually holds_messages "$Q" 4
    mqsend -p 6 "$Q" worst
    mqunlink "$Q"
    start sh -c 'exec 4<>gate; head -n 6 <&4 >log'
    ends 0
    run -0 sed 's/^[^ ]*Z //' log
    [ "${lines[1]}" = "severity 6: worst" ]
}

@test "error-log lets no message pass for two" {
    mqcreate --max-messages=10 --message-size=1K "$Q"
    mqsend "$Q" $'one\n2026-01-01T00:00:00Z severity 9: forged'
    start error-log "$Q" log
    mqwait --timeout=30s --empty "$Q"
    mqunlink "$Q"
    ends 0
    [ "$(grep -c '^2' log)" -eq 1 ]
    grep -qx '    2026-01-01T00:00:00Z severity 9: forged' log
}

@test "error-log puts a message back where the disk is full" {
    mqcreate --max-messages=10 --message-size=1K "$Q"
    mqsend "$Q" precious
    run error-log "$Q" /dev/full
    expect 80
    [ "$(mqrecv --nonblock "$Q")" = precious ]
}

@test "job-queue does each job, and keeps apart what fails three times" {
    start job-queue start "$Q" sh -c 'read -r job; echo "$job" >>done; [ "$job" != bad ]'
    eventually mqstat "$Q.failed" >/dev/null
    run -0 job-queue add "$Q" good bad better
    run -0 job-queue stop "$Q"
    ends 0
    [ "$(sort "./done" | uniq -c | awk '{ print $2 $1 }' | tr '\n' ' ')" = "bad3 better1 good1 " ]
    run job-queue failed "$Q"
    expect 0 1
    small "$Q"
    job-queue again "$Q"
    run mqrecv -n "$Q"
    expect 0 bad
}

@test "job-queue again loses no job where the queue is gone or full" {
    mqcreate --max-messages=2 --message-size=64 "$Q" "$Q.failed"
    mqsend -p 5 "$Q.failed" one
    mqsend "$Q.failed" two
    mqsend "$Q" full full
    start job-queue again "$Q"
    eventually holds_messages "$Q.failed" 1
    kill -TERM "$pid" # it waits for its command
    eventually no_signal_pending "$pid"
    kill -TERM "$pid" # which a second signal ends
    ends 143
    holds_messages "$Q.failed" 2
    mqunlink "$Q"
    run job-queue again "$Q"
    expect 80
    run mqrecv -d -P "$Q.failed"
    expect 0 "5	one
0	two"
}

@test "job-queue start has the status of mqrun, and a signal leaves nothing behind" {
    a_signal_ends job-queue start "$Q" cat
    job-queue add "$Q" job
    run -127 job-queue start "$Q" "$work/none"
    holds_messages "$Q" 1
}

@test "count misses no addition of four processes" {
    for i in 1 2 3 4; do
        start sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do count "$0" 2 >>counts; done' "$Q"
    done
    for pid in "${!started[@]}"; do
        ends 0
    done
    run shmget "$Q"
    expect 0 80
    [ "$(sort -u counts | wc -l)" -eq 40 ]
}

@test "count runs nothing that an object holds, and takes no number that is none" {
    for value in 'a[$(touch ran)]' 010 1x; do
        shmput "$Q" "$value"
        for shell in sh bash; do
            run "$shell" "$IPC_SOURCE/examples/count" "$Q"
            expect 65
        done
        [ "$(shmget "$Q")" = "$value" ]
    done
    shmput "$Q" 5
    run count "$Q" 'a[$(touch ran)]'
    expect 65
    run count "$Q" -7
    expect 0 -2
    [ ! -e ran ]
}

@test "only-one runs a job once at a time, and again once it has ended" {
    mkfifo go
    start only-one "$Q" sh -c 'echo runs >>ran; read -r line <go; exit 3'
    eventually test -s ran
    run only-one "$Q" sh -c 'echo runs >>ran'
    expect 0
    says "still running"
    echo >go
    ends 3
    run only-one "$Q" sh -c 'echo runs >>ran'
    expect 0
    [ "$(wc -l <ran)" -eq 2 ]
}

@test "only-one leaves standard input to what it runs" {
    echo data >data
    run only-one "$Q" cat <data
    expect 0 data
}

@test "only-one hands a signal on, and waits for what it runs" {
    ready=ready a_signal_ends only-one "$Q" sh -c 'sleep 60 & trap "kill $!; echo end >>ended; exit 143" TERM
        echo >ready; wait' "$Q"
    [ "$(cat ended)" = end ]
}

@test "barrier lets three scripts go on together, twice, and leaves no gate" {
    for i in 1 2 3; do
        start sh -euc 'echo a >>a; barrier "$0" 3; wc -l <a >>seen
                       echo b >>b; barrier "$0" 3; wc -l <b >>seen' "$Q"
    done
    for pid in "${!started[@]}"; do
        ends 0
    done
    [ "$(sort -u seen)" = 3 ]
    shmunlink "$Q"
    [ -z "$(find /dev/shm -name "*$Q*")" ]
}

@test "barrier takes only numbers, and a signal leaves nothing that waits" {
    for n in 0 -1 x 03; do
        run barrier "$Q" "$n"
        expect 64
    done
    shmput "$Q" 'a[$(touch ran)]'
    run bash "$IPC_SOURCE/examples/barrier" "$Q" 2
    [ "$status" -ne 0 ]
    [ ! -e ran ]
    shmunlink "$Q"
    a_signal_ends barrier "$Q" 2
}

@test "back-pressure hands on every line" {
    run -0 back-pressure 'i=0; while [ $i -lt 60 ]; do echo $i; i=$((i + 1)); done' \
        'read -r line; echo "$line" >>got' 3
    [ "$(sort -n got)" = "$(seq 0 59)" ]
}

@test "back-pressure ends where a consumer or the producer fails, and leaves no queue" {
    run back-pressure 'seq 1000000' 'read -r line; [ "$line" -lt 20 ]' 3
    expect 80
    run back-pressure 'seq 20; exit 3' 'read -r line; echo "$line" >>got' 3
    expect 3
    [ "$(sort -n got)" = "$(seq 20)" ]
    run back-pressure 'seq 20; head -c 5000 /dev/zero' 'read -r line; echo "$line" >>again' 1
    expect 65
    [ "$(cat again)" = "$(seq 20)" ]
    [ -z "$(mqstat --noheadings --output=name | grep back-pressure)" ]
}

@test "back-pressure that a signal ends leaves no process and no queue" {
    # Its first message is handled: all five commands run, and the last has set its trap.
    ready=got a_signal_ends back-pressure "seq 100000; : $Q" "cat >>got; sleep 0.1" 2
    no_queue() { ! mqstat --quiet "back-pressure.$pid" >queue; }
    eventually no_queue
}

@test "collect keeps every line of many writers whole" {
    start collect "$work/in" log
    for i in 1 2 3; do
        seq -f "writer $i line %g" 200 >"lines.$i"
        start mkfifo-send --lines "$work/in"  <"lines.$i"
        senders+=("$pid")
    done
    for pid in "${senders[@]}"; do
        ends 0
    done
    all_there() { [ "$(wc -l <log)" -eq 600 ]; }
    eventually all_there
    [ "$(sort log)" = "$(sort lines.*)" ]
    rm "$work/in"
}

@test "ask-c talks to a C program in C strings" {
    small "$Q" "$Q2"
    # A textbook program: the whole buffer, with whatever is behind the NUL.
    start sh -c 'mqrecv -r "$0" >request && printf "answer\0rubbish" | mqsend -r "$1"' "$Q" "$Q2"
    run ask-c "$Q" "$Q2" question
    expect 0 answer
    printf 'question\0' | cmp - request
}

@test "ask-c does not take an old answer for its own" {
    small "$Q" "$Q2"
    mqsend "$Q2" late later
    start sh -c 'mqrecv "$0" >request && mqsend "$1" answer' "$Q" "$Q2"
    run ask-c "$Q" "$Q2" question
    expect 0 answer
    run ask-c "$Q" "$Q2"
    [ "$status" -ne 0 ]
    says "usage: ask-c"
}

@test "backup-queue saves a queue, and restores it with its priorities" {
    small "$Q"
    mqsend -p 3 "$Q" three $'two\nlines' ""
    mqsend "$Q" zero
    backup-queue "$Q" saved
    run mqstat -H -o messages "$Q"
    expect 0 0
    backup-queue -r "$Q" saved
    run mqrecv -d -P "$Q"
    expect 0 "3	three
3	two
lines
3	
0	zero"
    [ ! -s saved ]
}

@test "backup-queue keeps in the file what a full queue has no room for" {
    small "$Q"
    seq 8 | mqsend "$Q"
    backup-queue "$Q" saved
    seq 7 | mqsend "$Q"
    run backup-queue -r "$Q" saved
    expect 1
    mqrecv -d "$Q" >/dev/null
    backup-queue -r "$Q" saved
    run mqrecv -d "$Q"
    expect 0 "$(seq 2 8)"
}

@test "backup-queue -r without its file leaves nothing behind" {
    mqcreate -M 2 -s 64 "$Q"
    run backup-queue -r "$Q" missing
    [ "$status" -ne 0 ]
    says missing
    ! ls missing* 2>/dev/null
}

@test "backup-queue on a disk that fills keeps whole messages, and the rest is in the queue" {
    need_disk 16K
    mqcreate --max-messages=10 --message-size=4K "$Q"
    head -c 9000 /dev/zero >"$disk/filler"
    for i in 1 2 3 4; do
        printf '%s\0\n%4000s' "$i" "" | mqsend -r -p "$i" "$Q"
    done
    run backup-queue "$Q" "$disk/-saved"
    expect 80
    rm "$disk/filler"
    cd "$disk" || return
    backup-queue "$Q" -saved
    run backup-queue -r "$Q" -saved
    expect 0
    [ "$(ls)" = -saved ]
    [ ! -s ./-saved ]
    run mqrecv -d -P "$Q"
    [ "$(tr -d ' \n\t' <<<"$output")" = 44332211 ]
}

@test "backup-queue -r changes what is in its file, and nothing else of it" {
    small "$Q"
    mqsend "$Q" one
    backup-queue "$Q" real
    chmod 600 real
    ln -s real link
    echo mine >link.rest
    seq 8 | mqsend "$Q"
    run backup-queue -r "$Q" link
    expect 1
    [ -L link ]
    [ "$(stat -c %a real)" = 600 ]
    [ "$(cat real)" = "5:0	one," ]
    [ "$(cat link.rest)" = mine ]
    [ "$(ls)" = "link
link.rest
real" ]
}

@test "alert cries once when the queue fills up, and once when it is well" {
    small "$Q"
    start alert "$Q" 75 sh -c 'echo "$1" >>cries' -
    seq 6 | mqsend "$Q"
    cried() { [ "$(tr '\n' ' ' <cries)" = "$1" ]; }
    eventually cried "full "
    mqrecv -d "$Q" >/dev/null
    eventually cried "full well "
    seq 8 | mqsend "$Q"
    eventually cried "full well full "
    mqunlink "$Q"
    ends 0
}

@test "alert goes on where its command fails, and says why it ends" {
    small "$Q"
    start alert "$Q" 50 sh -c 'echo "$1" >>cries; exit 1' -
    seq 4 | mqsend "$Q"
    cried() { [ "$(tr '\n' ' ' <cries)" = "$1" ]; }
    eventually cried "full "
    mqrecv -d "$Q" >/dev/null
    eventually cried "full well "
    mqunlink "$Q"
    ends 0
    run alert "$Q" 50 true
    expect 66
    says "no such queue"
    for percent in 0 101 x; do
        run alert "$Q" "$percent" true
        expect 64
    done
    run alert "$Q" 50
    [ "$status" -ne 0 ]
    says "usage: alert"
}

@test "alert that a signal ends leaves nothing that waits" {
    small "$Q"
    a_signal_ends alert "$Q" 50 true
}
