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
    mqunlink --quiet --force "$Q" "$Q2" "$Q.failed"
    remove_objects
    shmunlink --quiet --force "$Q.0" "$Q.1" "$Q.2"
    semunlink --quiet --force "$Q.0" "$Q.1" "$Q.2"
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

@test "back-pressure hands on every line, never more than ten ahead" {
    run -0 back-pressure 'i=0; while [ $i -lt 60 ]; do echo $i; i=$((i + 1)); done' \
        'read -r line; echo "$line" >>got' 3
    [ "$(sort -n got)" = "$(seq 0 59)" ]
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
