#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
}

teardown() {
    remove_objects
}

@test "removes the objects named" {
    shmput "$Q" a
    shmput "$Q2" b
    run shmunlink "$Q" "/$Q2"
    expect 0 ""
    [ ! -e "/dev/shm/$Q" ]
    [ ! -e "/dev/shm/$Q2" ]
}

@test "a missing one is 66, and the others are removed" {
    shmput "$Q2" b
    run shmunlink "$Q" "$Q2"
    expect 66
    says "/$Q: no such object"
    [ ! -e "/dev/shm/$Q2" ]
}

@test "-f is content with a missing one" {
    run shmunlink -f "$Q"
    expect 0 ""
    run shmunlink --force "$Q"
    expect 0 ""
}

@test "-q says nothing of a missing one, with the same status" {
    run shmunlink -q "$Q"
    expect 66 ""
}

@test "-v says what was removed" {
    shmput "$Q" a
    run shmunlink -v "$Q"
    expect 0
    says "removed" "/$Q"
}

@test "a bad name is refused before anything is removed" {
    shmput "$Q" a
    run shmunlink "$Q" a/b
    expect 64
    run shmget "$Q"
    expect 0 a
}

@test "what is no shared memory object is not removed" {
    mkfifo "/dev/shm/$Q"
    mkdir "/dev/shm/$Q2"
    ln -s nowhere "/dev/shm/$Q3"
    run shmunlink -f "$Q" "$Q2" "$Q3"
    expect 65
    [ -p "/dev/shm/$Q" ]
    [ -d "/dev/shm/$Q2" ]
    [ -L "/dev/shm/$Q3" ]
}

@test "a semaphore is not removed" {
    touch "/dev/shm/sem.$Q"
    run shmunlink "sem.$Q"
    local there=0
    [ -e "/dev/shm/sem.$Q" ] || there=1
    rm -f "/dev/shm/sem.$Q"
    expect 65
    [ "$there" -eq 0 ]
}

@test "another user's object is 77" {
    need_other_user
    shmput -m 666 "$Q" a
    run as_other_user "$(command -v shmunlink)" "$Q"
    expect 77
    says "permission denied"
    [ -e "/dev/shm/$Q" ]
}

@test "who has it open goes on using it" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    shmunlink "$Q"
    [ "$(cat <&4)" = hello ]
}

@test "every operand is tried, whatever becomes of the message" {
    cd "$BATS_TEST_TMPDIR"
    shmput "$Q2" x
    run bash -c '{ sleep 0.2; exec shmunlink "$1" "$2"; } 2>&1 | true; exit "${PIPESTATUS[0]}"' - "$Q" "$Q2"
    expect 66
    [ ! -e "/dev/shm/$Q2" ]
    shmput "$Q2" x
    run bash -c 'ulimit -c 0; ulimit -f 0; exec shmunlink "$1" "$2" 2>errors' - "$Q" "$Q2"
    expect 66
    [ ! -e "/dev/shm/$Q2" ]
}
