#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
}

teardown() {
    stop_started
    remove_queues
}

create() {
    mqcreate -M 5 -s 16 "$@" "$Q"
}

# fill N: exactly N messages are in the queue.
fill() {
    local i
    mqrecv -d "$Q" >/dev/null
    for ((i = 0; i < $1; i++)); do
        mqsend "$Q" "$i"
    done
}

# waiting COMMAND...: starts it, and it is waiting.
waiting() {
    start_job "$@"
    eventually sleeps "$pid"
    is_running "$pid"
}

@test "waits for a message" {
    create
    waiting mqwait "$Q"
    mqsend "$Q" here
    ended
    expect 0 ""
    waiting mqwait --at-least 2 "$Q"
    mqsend "$Q" here
    ended
    expect 0 ""
}

@test "a message that is there is no wait" {
    create
    mqsend "$Q" here
    run mqwait "$Q"
    expect 0 ""
    run mqwait --message "$Q"
    expect 0 ""
    run mqwait -n "$Q"
    expect 0 ""
}

@test "an empty message is a message" {
    create
    mqsend "$Q" ""
    run mqwait -n "$Q"
    expect 0 ""
    run mqwait -n --empty "$Q"
    expect 1 ""
}

@test "waits for room" {
    create
    fill 5
    run mqwait -n --room "$Q"
    expect 1 ""
    waiting mqwait --room "$Q"
    mqrecv "$Q"
    ended
    expect 0 ""
    run mqwait -n --room "$Q"
    expect 0 ""
}

@test "waits until the queue is empty" {
    create
    fill 2
    waiting mqwait --empty "$Q"
    mqrecv "$Q"
    run mqwait -n --empty "$Q"
    expect 1 ""
    is_running "$pid"
    mqrecv "$Q"
    ended
    expect 0 ""
}

@test "waits until there are at least so many" {
    create
    fill 2
    run mqwait -n --at-least=3 "$Q"
    expect 1 ""
    waiting mqwait --at-least=3 "$Q"
    mqsend "$Q" third
    ended
    expect 0 ""
    run mqwait -n --at-least 3 "$Q"
    expect 0 ""
    run mqwait -n --at-least 0 "$Q"
    expect 0 ""
}

@test "waits until there are at most so many" {
    create
    fill 3
    run mqwait -n --at-most=2 "$Q"
    expect 1 ""
    waiting mqwait --at-most=2 "$Q"
    mqrecv "$Q"
    ended
    expect 0 ""
    run mqwait -n --at-most 2 "$Q"
    expect 0 ""
    run mqwait -n --at-most 1000000 "$Q"
    expect 0 ""
    run mqwait -n --at-most 0 "$Q"
    expect 1 ""
}

@test "a share of the queue counts only when it is reached" {
    create # half of five is between two and three
    fill 2
    run mqwait -n --at-least 50% "$Q"
    expect 1
    run mqwait -n --at-least 40% "$Q"
    expect 0
    run mqwait -n --at-most 50% "$Q"
    expect 0
    fill 3
    run mqwait -n --at-least 50% "$Q"
    expect 0
    run mqwait -n --at-most 50% "$Q"
    expect 1
    run mqwait -n --at-most 60% "$Q"
    expect 0
}

@test "0% is empty and 100% is full" {
    create
    run mqwait -n --at-most 0% "$Q"
    expect 0
    run mqwait -n --at-least 0% "$Q"
    expect 0
    fill 4
    run mqwait -n --at-least 100% "$Q"
    expect 1
    fill 5
    run mqwait -n --at-least 100% "$Q"
    expect 0
    run mqwait -n --at-most 100% "$Q"
    expect 0
    run mqwait -n --at-most 0% "$Q"
    expect 1
}

@test "-n does not wait: 1, silently" {
    create
    local condition
    for condition in --message --at-least=1 --at-least=100%; do
        run mqwait -n "$condition" "$Q"
        expect 1 ""
    done
    fill 5
    for condition in --room --empty --at-most=4 --at-most=0%; do
        run mqwait --nonblock "$condition" "$Q"
        expect 1 ""
    done
}

@test "-t gives up after a while: 124, silently" {
    create
    run mqwait -t 0.05 "$Q"
    expect 124 ""
    run mqwait -t 50ms --at-least 1 "$Q"
    expect 124 ""
    fill 5
    run mqwait --timeout=0.05s --room "$Q"
    expect 124 ""
    run mqwait -t 0.05 --empty "$Q"
    expect 124 ""
}

@test "-t waits as long as it says" {
    create
    local before after
    before=$(date +%s%N)
    run mqwait -t 0.3 "$Q"
    expect 124
    run mqwait -t 0.3 --at-least 2 "$Q"
    expect 124
    after=$(date +%s%N)
    [ $((after - before)) -ge 600000000 ]
}

@test "-t 0 looks once" {
    create
    run mqwait -t 0 "$Q"
    expect 124 ""
    run mqwait -t 0 --at-least 1 "$Q"
    expect 124 ""
    mqsend "$Q" here
    run mqwait -t 0 "$Q"
    expect 0 ""
}

@test "what comes before the timeout ends the wait" {
    create
    waiting mqwait -t 1h "$Q"
    mqsend "$Q" here
    ended
    expect 0 ""
}

@test "a missing queue is 66" {
    run --separate-stderr mqwait "$Q"
    expect 66 ""
    says "mqwait: cannot open queue /$Q: no such queue"
    run mqwait -q "$Q"
    expect 66 ""
    run mqwait -n "$Q"
    expect 66
    run mqwait -t 1h "$Q"
    expect 66
}

@test "-a waits for the queue to appear" {
    waiting mqwait -a "$Q"
    create
    is_running "$pid"
    mqsend "$Q" here
    ended
    expect 0 ""
    mqunlink "$Q"
    waiting mqwait -a --empty "$Q"
    create
    ended
    expect 0 ""
}

@test "-a does not wait longer than -t" {
    run mqwait -a -t 0.05 "$Q"
    expect 124 ""
    run mqwait --await -t 0 "$Q"
    expect 124 ""
}

@test "a queue removed while waiting is 69" {
    local condition
    for condition in --message --at-least=1 --at-least=100%; do
        create
        waiting mqwait "$condition" "$Q"
        mqunlink "$Q"
        ended
        expect 69 "mqwait: queue /$Q has been removed"
    done
    for condition in --room --empty --at-most=1; do
        create
        fill 5
        waiting mqwait "$condition" "$Q"
        mqunlink "$Q"
        ended
        expect 69
    done
}

@test "a depth that can never be is 75 and names both numbers" {
    create
    run mqwait -n --at-least 6 "$Q"
    expect 75 "mqwait: queue /$Q never holds 6 messages: its maximum is 5"
    run mqwait --at-least 6 "$Q"
    expect 75
    run mqwait -n --at-least 5 "$Q"
    expect 1 ""
}

@test "options that contradict each other are 64" {
    create
    local -a conditions=(--message --room --empty --at-least=1 --at-most=1)
    local one other
    for one in 0 1 2 3 4; do
        for ((other = one + 1; other < 5; other++)); do
            run mqwait -n "${conditions[one]}" "${conditions[other]}" "$Q"
            expect 64
            says "contradict each other"
        done
    done
    run mqwait -n -t 1 "$Q"
    expect 64
    says --nonblock --timeout
    run mqwait -n -a "$Q"
    expect 64
    says --nonblock --await
}

@test "wrong depths are 64, also where there is no queue" {
    local depth
    for depth in "" % -1 +1 x 1x 101% 1%% 1.5 " 1" 18446744073709551617; do
        run mqwait -n --at-least "$depth" "$Q"
        expect 64
        run mqwait -n --at-most "$depth" "$Q"
        expect 64
        says "invalid depth '"
    done
}

@test "a depth that no queue has is 75, however large" {
    local depth
    mqcreate -M 10 -s 64 "$Q"
    for depth in 11 4294967295 4294967296 18446744073709551615; do
        run mqwait --at-least="$depth" "$Q"
        expect 75
        says "never holds $depth messages"
    done
    run mqwait --at-least=18446744073709551616 "$Q"
    expect 64
}

@test "a duration has a unit, or is without end" {
    mqcreate -M 2 -s 64 "$Q"
    local duration
    for duration in 0.01 .01 10ms 0.01s 0.0001m 0.00001h 0.0000001d; do
        run mqwait -t "$duration" "$Q"
        expect 124
    done
    waiting mqwait -t inf "$Q"
    mqsend "$Q" x
    ends 0
}

@test "wrong durations are 64" {
    local duration
    for duration in "" -1 +1 x 1x 1e3 . " 1" 1ms2 99999999999999999999; do
        run mqwait -t "$duration" "$Q"
        expect 64
        says --timeout
    done
}

@test "exactly one queue" {
    run mqwait
    expect 64
    run mqwait -n "$Q" "$Q2"
    expect 64
    says "extra operand"
    run mqwait -n a/b
    expect 64
}

@test "takes nothing" {
    create
    fill 5
    run mqwait "$Q"
    expect 0
    run mqwait --at-least 100% "$Q"
    expect 0
    run mqwait -t 0.05 --room "$Q"
    expect 124
    run mqstat -H -o messages "$Q"
    expect 0 5
    run mqrecv -d "$Q"
    expect 0 $'0\n1\n2\n3\n4'
}

@test "a receiver that is faster leaves mqwait waiting" {
    create
    waiting mqwait --at-least 3 "$Q"
    fill 2
    fill 1
    is_running "$pid"
    fill 3
    ended
    expect 0 ""
}

@test "to read or to write is permission enough" {
    need_other_user
    local mode
    for mode in 0444 0222; do
        create -m "$mode"
        run as_other_user mqwait -n "$Q"
        expect 1 ""
        start_job setpriv --reuid "$other" --regid "$other" --clear-groups mqwait "$Q"
        eventually sleeps "$pid"
        mqsend "$Q" here
        ended
        expect 0 ""
        fill 5
        run as_other_user mqwait -n --room "$Q"
        expect 1 ""
        mqunlink "$Q"
    done
}

@test "a queue that may neither be read nor written is 77" {
    need_other_user
    create -m 600
    run as_other_user mqwait -n "$Q"
    expect 77 "mqwait: cannot open queue /$Q: permission denied"
}

@test "several may wait for one message" {
    create
    waiting mqwait "$Q"
    local first=$pid
    waiting mqwait "$Q"
    mqsend "$Q" here
    ended
    expect 0 ""
    pid=$first
    ended
    expect 0 ""
}

@test "a signal ends it as it ends any program" {
    create
    waiting mqwait "$Q"
    kill -TERM "$pid"
    ended
    expect 143 ""
    waiting mqwait --at-least 2 "$Q"
    kill -INT "$pid"
    ended
    expect 130 ""
    waiting mqwait -a "$Q2"
    kill -HUP "$pid"
    ended
    expect 129 ""
}

@test "-v says how many there are" {
    create
    mqsend "$Q" one
    run mqwait -v "$Q"
    expect 0 "mqwait: queue /$Q holds 1 message"
    mqsend "$Q" two
    run mqwait -v --at-least 2 "$Q"
    expect 0 "mqwait: queue /$Q holds 2 messages"
}
