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

@test "removes a semaphore, without a word" {
    semcreate "$Q" 1
    run semunlink "$Q"
    expect 0 ""
    [ ! -e "$(file_of "$Q")" ]
}

@test "a missing one is 66, and the others are removed" {
    semcreate "$Q" 1
    semcreate "$Q3" 1
    run semunlink "$Q" "$Q2" "$Q3"
    expect 66
    says "no such semaphore" "/$Q2"
    [ ! -e "$(file_of "$Q")" ]
    [ ! -e "$(file_of "$Q3")" ]
}

@test "-f: a missing one is success" {
    run semunlink -f "$Q"
    expect 0 ""
    run semunlink --force "$Q" "$Q2"
    expect 0 ""
}

@test "-q is silent about a missing one, the status is the same" {
    run semunlink -q "$Q"
    expect 66 ""
}

@test "-v says what was removed" {
    semcreate "$Q" 1
    run semunlink -v "$Q"
    expect 0
    says "/$Q"
}

@test "a bad name is 64, and nothing is removed" {
    semcreate "$Q" 1
    run semunlink "$Q" a/b
    expect 64
    [ "$(value_of "$Q")" = 1 ]
}

@test "somebody else's is 77" {
    need_other_user
    semcreate -m 666 "$Q" 1
    run as_other_user semunlink "$Q"
    expect 77
    [ "$(value_of "$Q")" = 1 ]
}

@test "a program that has it open goes on using it" {
    semcreate "$Q" 1
    start "$IPC_BUILD/tests/support/textbook-sem" hold "/$Q"
    eventually sleeps "$pid"
    semunlink "$Q"
    semcreate "$Q" 7
    [ "$(value_of "$Q")" = 7 ]
}

@test "a short file planted under its name can be removed" {
    [[ $(file_of x) == */sem.x ]] || skip "these semaphores have no names of their own"
    printf 123 >"$(file_of "$Q")"
    run semunlink "$Q"
    expect 0 ""
    [ ! -e "$(file_of "$Q")" ]
}

@test "a directory planted under its name is 65, and stays" {
    mkdir "$(file_of "$Q")"
    run semunlink "$Q"
    expect 65
    says "no semaphore"
    rmdir "$(file_of "$Q")"
}
