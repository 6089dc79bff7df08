#!/usr/bin/env bats

load support/ipc

setup() {
    setup_names
}

teardown() {
    remove_queues
}

@test "waits for a message and takes none" {
    mqcreate -s 64 "$Q"
    mqwait "$Q" 3>&- &
    local waiter=$!
    eventually sleeps "$waiter"
    mqsend "$Q" hello
    wait "$waiter"
    run mqrecv -n "$Q"
    expect 0 hello
}

@test "-n is 1 at once, -t is 124" {
    mqcreate -s 64 "$Q"
    run mqwait -n "$Q"
    expect 1 ""
    run mqwait -t 20ms "$Q"
    expect 124 ""
    run mqwait -t 0 "$Q"
    expect 124 ""
}

@test "--room waits for room" {
    mqcreate -M 1 -s 64 "$Q"
    mqsend "$Q" x
    run mqwait -n --room "$Q"
    expect 1
    mqwait --room "$Q" 3>&- &
    local waiter=$!
    eventually sleeps "$waiter"
    mqrecv "$Q"
    wait "$waiter"
}

@test "--empty waits until all is taken" {
    mqcreate -s 64 "$Q"
    mqsend "$Q" 1 2
    mqwait --empty "$Q" 3>&- &
    local waiter=$!
    eventually sleeps "$waiter"
    mqrecv "$Q"
    mqrecv "$Q"
    wait "$waiter"
}

@test "--at-least and --at-most take messages or percent" {
    mqcreate -M 4 -s 64 "$Q"
    mqsend "$Q" 1 2
    run mqwait -n --at-least=2 "$Q"
    expect 0
    run mqwait -n --at-least=3 "$Q"
    expect 1
    run mqwait -n --at-least=50% "$Q"
    expect 0
    run mqwait -n --at-least=51% "$Q"
    expect 1
    run mqwait -n --at-most=2 "$Q"
    expect 0
    run mqwait -n --at-most=1 "$Q"
    expect 1
    run mqwait -n --at-most=74% "$Q"
    expect 0
    run mqwait -n --at-most=49% "$Q"
    expect 1
}

@test "a depth that can never be is 75" {
    mqcreate -M 4 -s 64 "$Q"
    run mqwait --at-least=5 "$Q"
    expect 75
    says "maximum is 4"
}

@test "wrong depths are 64" {
    mqcreate -s 64 "$Q"
    local wrong
    for wrong in "" % 101% -1 1.5 x 4294967296; do
        run mqwait --at-least="$wrong" "$Q"
        expect 64
    done
}

@test "two conditions contradict each other" {
    run mqwait --room --empty "$Q"
    expect 64
    run mqwait --at-least=1 --at-most=2 "$Q"
    expect 64
    run mqwait -n -t 1 "$Q"
    expect 64
    run mqwait -n -a "$Q"
    expect 64
}

@test "a missing queue is 66, and is waited for with -a" {
    run mqwait "$Q"
    expect 66
    mqwait -a "$Q" 3>&- &
    local waiter=$!
    eventually sleeps "$waiter"
    mqcreate -s 64 "$Q"
    mqsend "$Q" x
    wait "$waiter"
    run mqwait -a -t 20ms "$Q2"
    expect 124
}

@test "a queue removed while it is waited for is 69" {
    mqcreate -s 64 "$Q"
    local condition
    for condition in --message --at-least=1; do
        mqcreate -i -s 64 "$Q"
        mqwait "$condition" "$Q" 2>"$BATS_TEST_TMPDIR/error" 3>&- &
        local waiter=$!
        eventually sleeps "$waiter"
        mqunlink "$Q"
        local status=0
        wait "$waiter" || status=$?
        [ "$status" -eq 69 ]
        grep -q removed "$BATS_TEST_TMPDIR/error"
    done
}

@test "permission to read or to write is enough" {
    need_root
    mqcreate -s 64 -m 444 "$Q"
    mqcreate -s 64 -m 222 "$Q2"
    run su nobody -s /bin/sh -c "'$(command -v mqwait)' -n --empty '$Q' && '$(command -v mqwait)' -n --empty '$Q2'"
    expect 0
    mqcreate -s 64 "$Q3"
    run su nobody -s /bin/sh -c "'$(command -v mqwait)' -n --empty '$Q3'"
    expect 77
}
