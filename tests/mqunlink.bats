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
    mqcreate -M 2 -s 64 "$@"
}

missing() {
    run --separate-stderr mqstat -- "$1"
    expect 66
}

@test "removes a queue, with its slash or without" {
    create "$Q" "$Q2"
    run mqunlink "$Q" "/$Q2"
    expect 0 ""
    missing "$Q"
    missing "$Q2"
}

@test "removes a queue that holds messages" {
    create "$Q"
    mqsend "$Q" one two
    run mqunlink "$Q"
    expect 0 ""
    create "$Q"
    run mqstat -H -o messages "$Q"
    expect 0 0
}

@test "a missing queue is 66" {
    run --separate-stderr mqunlink "$Q"
    expect 66 ""
    says "mqunlink: cannot remove queue /$Q: no such queue"
}

@test "the others are removed although one is missing" {
    create "$Q" "$Q3"
    run mqunlink "$Q" "$Q2" "$Q3"
    expect 66 "mqunlink: cannot remove queue /$Q2: no such queue"
    missing "$Q"
    missing "$Q3"
}

@test "the same queue twice is missing the second time" {
    create "$Q"
    run mqunlink "$Q" "/$Q"
    expect 66
    missing "$Q"
}

@test "with -f a missing queue is success" {
    create "$Q2"
    run mqunlink -f "$Q" "$Q2"
    expect 0 ""
    missing "$Q2"
    run mqunlink --force "$Q" "$Q2"
    expect 0 ""
}

@test "with -q a missing queue is still 66, silently" {
    create "$Q2"
    run mqunlink -q "$Q" "$Q2"
    expect 66 ""
    missing "$Q2"
}

@test "a bad name refuses all before anything is removed" {
    create "$Q"
    run mqunlink -f "$Q" a/b
    expect 64
    says "invalid queue name 'a/b'"
    run mqunlink -f "$Q" ""
    expect 64
    run mqstat -H -o name "$Q"
    expect 0 "/$Q"
}

@test "only the owner may remove a queue: 77" {
    need_other_user
    create -m 666 "$Q"
    create -u "$other" "$Q2"
    run as_other_user mqunlink "$Q" "$Q2"
    expect 77
    says "cannot remove queue /$Q: "
    [[ $output != *"$Q2"* ]]
    run mqstat -H -o name "$Q"
    expect 0 "/$Q"
    missing "$Q2"
}

@test "with -f too, a queue of another user is 77" {
    need_other_user
    create -m 666 "$Q"
    run as_other_user mqunlink -f "$Q"
    expect 77
    says "/$Q"
}

@test "the first failure is the status" {
    need_other_user
    create -m 666 "$Q"
    run as_other_user mqunlink "$Q2" "$Q"
    expect 66
    run as_other_user mqunlink "$Q" "$Q2"
    expect 77
}

@test "who has the queue open goes on using it" {
    create "$Q"
    start_job mqrecv -f "$Q"
    mqsend "$Q" before
    eventually grep -qx before "$log"
    kill -STOP "$pid"
    mqsend "$Q" after
    mqunlink "$Q"
    kill -CONT "$pid"
    ended
    expect 0 $'before\nafter'
}

@test "the name is free again while the old queue lives on" {
    create "$Q"
    start_job mqrecv "$Q"
    eventually sleeps "$pid"
    mqunlink "$Q"
    run create "$Q"
    expect 0 ""
    mqsend "$Q" for-the-new-one
    ended
    expect 69
    run mqrecv -n "$Q"
    expect 0 for-the-new-one
}

@test "a name with bytes of any kind is removed, and shown on one line" {
    Q3=$Q3$' \n\e[31m\\\xff'
    create "$Q3"
    run mqunlink "$Q3"
    expect 0 ""
    run mqunlink "$Q3"
    expect 66
    says '.c\x20\n\x1b[31m\\\xff: no such queue'
}

@test "a name that begins with a dash comes after --" {
    create -- "-$Q"
    run mqunlink -- "-$Q"
    expect 0 ""
    missing "-$Q"
}

@test "-v says what was removed" {
    create "$Q"
    run mqunlink -v "$Q"
    expect 0 "mqunlink: removed queue /$Q"
}
