#!/usr/bin/env bats

load support/ipc

setup() {
    setup_names
}

teardown() {
    remove_queues
}

@test "creates with the mode asked for, whatever the umask" {
    umask 077
    run mqcreate -m 666 "$Q"
    expect 0 ""
    run mqstat -H -o mode "$Q"
    expect 0 0666
}
