#!/usr/bin/env bats

load support/ipc

setup() {
    setup_names
}

teardown() {
    remove_queues
}

@test "removes every queue named" {
    mqcreate -s 64 "$Q" "$Q2"
    run mqunlink "$Q" "/$Q2"
    expect 0 ""
    run mqstat "$Q"
    expect 66
}

@test "a missing queue is 66 and the others are removed" {
    mqcreate -s 64 "$Q2"
    run mqunlink "$Q" "$Q2"
    expect 66
    says "no such queue" "/$Q"
    run mqstat "$Q2"
    expect 66
}

@test "-f makes a missing queue a success" {
    run mqunlink -f "$Q"
    expect 0 ""
}

@test "-q says nothing of a missing queue and keeps the status" {
    run mqunlink -q "$Q"
    expect 66 ""
}

@test "a bad name is refused before anything is removed" {
    mqcreate -s 64 "$Q"
    run mqunlink "$Q" a/b
    expect 64
    run mqstat -H -o name "$Q"
    expect 0 "/$Q"
}

@test "a queue that is open lives on for who has it open" {
    mqcreate -s 64 "$Q"
    mkfifo "$BATS_TEST_TMPDIR/in"
    mqsend "$Q" <"$BATS_TEST_TMPDIR/in" 3>&- &
    local sender=$!
    exec 4>"$BATS_TEST_TMPDIR/in"
    echo first >&4
    mqwait "$Q"
    mqrecv "$Q" -N 2 >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- 4>&- &
    local receiver=$!
    eventually test -s "$BATS_TEST_TMPDIR/out"
    mqunlink "$Q"
    local status=0
    wait "$receiver" || status=$?
    [ "$status" -eq 69 ]
    exec 4>&-
    wait "$sender"
}

@test "another user's queue is 77" {
    need_root
    mqcreate -s 64 "$Q"
    run su nobody -s /bin/sh -c "'$(command -v mqunlink)' '$Q'"
    expect 77
    says "cannot remove queue /$Q"
}
