#!/usr/bin/env bats

load support/ipc
load support/sem
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
    remove_semaphores
}

@test "adds one to the value, without a word" {
    semcreate "$Q" 0
    run sempost "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 1 ]
}

@test "-N posts so many times" {
    semcreate "$Q" 2
    run sempost -N 3 "$Q"
    expect 0 ""
    run sempost --count=1000 "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 1005 ]
}

@test "wakes a waiter" {
    semcreate "$Q" 0
    start semwait "$Q"
    eventually sleeps "$pid"
    sempost "$Q"
    ends 0
    [ "$(value_of "$Q")" = 0 ]
}

@test "-N wakes as many waiters" {
    semcreate "$Q" 0
    local waiters=()
    while [ "${#waiters[@]}" -lt 3 ]; do
        start semwait "$Q"
        waiters+=("$pid")
    done
    for pid in "${waiters[@]}"; do eventually sleeps "$pid"; done
    sempost -N 3 "$Q"
    for pid in "${waiters[@]}"; do ends 0; done
    [ "$(value_of "$Q")" = 0 ]
}

@test "beyond the highest value is 75, and says so" {
    semcreate "$Q" 2147483646
    sempost "$Q"
    run sempost "$Q"
    expect 75
    says 2147483647 "highest"
    [ "$(value_of "$Q")" = 2147483647 ]
}

@test "-N that does not fit adds nothing" {
    semcreate "$Q" 2147483640
    run sempost -N 8 "$Q"
    expect 75
    says "nothing was posted"
    [ "$(value_of "$Q")" = 2147483640 ]
    run sempost -N 7 "$Q"
    expect 0 ""
}

@test "-N takes 1 to 2147483647" {
    semcreate "$Q" 0
    local count
    for count in 0 2147483648 -1 x ''; do
        run sempost -N "$count" "$Q"
        expect 64
    done
    [ "$(value_of "$Q")" = 0 ]
}

@test "a missing semaphore is 66, in silence with -q" {
    run sempost "$Q"
    expect 66
    says "no such semaphore"
    run sempost -q "$Q"
    expect 66 ""
}

@test "what is no semaphore is 65, never SIGBUS" {
    refused() {
        run sempost "$Q"
        expect 65 && says "no semaphore"
    }
    plant_each refused
}

@test "without permission it is 77" {
    need_other_user
    semcreate -m 644 "$Q" 0
    run as_other_user sempost "$Q"
    expect 77
    [ "$(value_of "$Q")" = 0 ]
}

@test "another user posts where the mode allows" {
    need_other_user
    semcreate -m 666 "$Q" 0
    run as_other_user sempost "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 1 ]
}

@test "a textbook program that waits gets it" {
    "$IPC_BUILD/tests/support/textbook-sem" create "/$Q" 0
    start "$IPC_BUILD/tests/support/textbook-sem" wait "/$Q"
    eventually sleeps "$pid"
    sempost "$Q"
    ends 0
}

@test "a bad name is 64" {
    run sempost a/b
    expect 64
}

@test "-v says how many were added, -q is accepted" {
    semcreate "$Q" 0
    run sempost -v -N 2 "$Q"
    expect 0
    says "added 2" "/$Q"
    run sempost -q "$Q"
    expect 0 ""
}
