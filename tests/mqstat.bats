#!/usr/bin/env bats

load support/ipc

setup() {
    setup_names
}

teardown() {
    remove_queues
}

@test "shows the columns of a queue" {
    mqcreate -M 4 -s 100 "$Q"
    mqsend "$Q" one three
    run mqstat "$Q"
    expect 0
    [[ ${lines[0]} =~ ^NAME\ +MESSAGES\ MAXMSG\ MSGSIZE\ BYTES\ USE%\ USER\ +GROUP\ +MODE\ NOTIFY$ ]]
    run mqstat -H "$Q"
    expect 0 "/$Q"$'\t2\t4\t100\t8\t50\t'"$(id -un)"$'\t'"$(id -gn)"$'\t0600\t0'
}

@test "-o chooses the columns and their order, in any case of letters" {
    mqcreate -M 4 -s 100 "$Q"
    run mqstat -H -o MaxMsg,name "$Q"
    expect 0 $'4\t'"/$Q"
    run mqstat -o nonsense "$Q"
    expect 64
    says "no column 'nonsense'" MSGSIZE
}

@test "JSON is valid for any name" {
    need jq
    local name
    for name in $'a\nb' $'\033[31m' '"\' $'\377' 'ä'; do
        mqcreate -s 64 "$Q$name"
        run mqstat -j "$Q$name"
        mqunlink "$Q$name"
        expect 0
        jq -e '.messages == 0 and (.name // .name_base64)' <<<"$output"
    done
}

@test "no name reaches the terminal raw" {
    local name=$Q$'\n\033[31m\tx \302\233'
    mqcreate -s 64 "$name"
    run mqstat -o name "$name"
    mqunlink "$name"
    expect 0
    [ "${lines[1]}" = "/$Q"'\n\x1b[31m\tx\x20\xc2\x9b' ]
    run mqstat "$name"
    expect 66
    [ "${#lines[@]}" -eq 1 ]
}

@test "-0 gives names that xargs -0 takes" {
    mqcreate -s 64 "$Q" "$Q2"
    mqstat -0 "$Q" "$Q2" | xargs -0 mqunlink
    run mqstat "$Q"
    expect 66
}

@test "a missing queue is 66 and the others are shown" {
    mqcreate -s 64 "$Q2"
    run --separate-stderr mqstat -H -o name "$Q" "$Q2"
    expect 66 "/$Q2"
    [[ $stderr == *"/$Q: no such queue"* ]]
}

@test "root lists all queues with no mqueue file system mounted" {
    need_root
    mqcreate -s 64 "$Q"
    run unshare -m sh -c "umount -a -t mqueue; mqstat -H -o name | grep -Fx '/$Q'"
    expect 0 "/$Q"
}

@test "another user is told how to mount one, and may still ask for a queue" {
    need_root
    mqcreate -s 64 -m 644 "$Q"
    run unshare -m sh -c "umount -a -t mqueue
        su nobody -s /bin/sh -c '$(command -v mqstat)'"
    expect 77
    says "mount -t mqueue"
    run unshare -m sh -c "umount -a -t mqueue
        su nobody -s /bin/sh -c '$(command -v mqstat) -H -o name $Q'"
    expect 0 "/$Q"
}

@test "another user lists the queues where a file system is mounted" {
    need_root
    mqcreate -s 64 "$Q"
    run unshare -m sh -c "mkdir '$BATS_TEST_TMPDIR/mq dir' && chmod 755 '$BATS_TEST_TMPDIR' &&
        mount -t mqueue none '$BATS_TEST_TMPDIR/mq dir' &&
        su nobody -s /bin/sh -c '$(command -v mqstat) -H -o name,messages,mode' | grep '^/$Q'"
    expect 0 "/$Q"$'\t?\t0600'
}

@test "-p shows who has a queue open, and how" {
    mqcreate -s 64 "$Q"
    mqrecv -f "$Q" >"$BATS_TEST_TMPDIR/out" 3>&- &
    local reader=$!
    mkfifo "$BATS_TEST_TMPDIR/in"
    mqsend "$Q" <"$BATS_TEST_TMPDIR/in" 3>&- &
    local writer=$!
    exec 4>"$BATS_TEST_TMPDIR/in"
    two_processes() { [ "$(mqstat -H -p "$Q" | wc -l)" -eq 2 ]; }
    eventually two_processes
    run mqstat -H -p "$Q"
    exec 4>&-
    wait "$writer"
    says "/$Q"$'\t'"$reader"$'\trw\tmqrecv' "/$Q"$'\t'"$writer"$'\tw\tmqsend'
    need jq
    run mqstat -j -p "$Q"
    jq -e ".processes[0].pid == $reader and .processes[0].access == \"rw\"" <<<"$output"
    mqunlink "$Q"
    wait "$reader"
}

@test "--limits are those of /proc" {
    run mqstat --limits -H
    expect 0
    local name
    for name in queues_max msg_max msgsize_max msg_default msgsize_default; do
        says "fs.mqueue.$name"$'\t'"$(cat "/proc/sys/fs/mqueue/$name")"
    done
    says RLIMIT_MSGQUEUE
    run mqstat --limits "$Q"
    expect 64
}

@test "a table that cannot be written is 74" {
    mqcreate -s 64 "$Q"
    run bash -c 'mqstat "$1" >/dev/full' - "$Q"
    expect 74
    run bash -c 'mqstat "$1" >&-' - "$Q"
    expect 74
}
