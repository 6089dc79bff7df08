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
    run mqcreate -s 64 -m 666 "$Q"
    expect 0 ""
    run mqstat -H -o mode "$Q"
    expect 0 0666
}

@test "the default mode is 0600" {
    umask 0
    mqcreate -s 64 "$Q"
    run mqstat -H -o mode "$Q"
    expect 0 0600
}

@test "-M and -s set the sizes" {
    mqcreate -M 3 -s 1K "$Q"
    run mqstat -H -o maxmsg,msgsize "$Q"
    expect 0 $'3\t1024'
}

@test "without them the system's defaults hold" {
    mqcreate "$Q"
    run mqstat -H -o maxmsg,msgsize "$Q"
    expect 0 "$(cat /proc/sys/fs/mqueue/msg_default)"$'\t'"$(cat /proc/sys/fs/mqueue/msgsize_default)"
}

@test "an existing queue is 73, and the others are created" {
    mqcreate -s 64 "$Q"
    run mqcreate -s 64 "$Q" "$Q2"
    expect 73
    says "exists already"
    run mqstat -H -o name "$Q2"
    expect 0 "/$Q2"
}

@test "-i is content with a queue of the same attributes" {
    mqcreate -M 3 -s 64 -m 640 "$Q"
    run mqcreate -i -M 3 -s 64 -m 640 "$Q"
    expect 0 ""
}

@test "-i names the attribute that differs" {
    mqcreate -M 3 -s 64 "$Q"
    run mqcreate -i -M 4 -s 64 "$Q"
    expect 73
    says "messages of 3, not 4"
    run mqcreate -i -M 3 -s 65 "$Q"
    expect 73
    says "size of 64, not 65"
    run mqcreate -i -M 3 -s 64 -m 644 "$Q"
    expect 73
    says "mode 0600, not 0644"
}

@test "-i does not take another user's queue for its own" {
    need_root
    mqcreate -s 64 -u nobody "$Q"
    run mqcreate -i -s 64 "$Q"
    expect 73
    says "owned by user"
    run mqcreate -i -s 64 -u nobody "$Q"
    expect 0
}

@test "-u and -g give the queue away" {
    need_root
    mqcreate -s 64 -m 640 -u nobody -g daemon "$Q"
    run mqstat -H -o user,group,mode "$Q"
    expect 0 $'nobody\tdaemon\t0640'
}

@test "an unknown user or group is 64" {
    run mqcreate -u no-such-user "$Q"
    expect 64
    run mqcreate -g no-such-group "$Q"
    expect 64
    run mqstat "$Q"
    expect 66
}

@test "giving a queue away without the right to leaves none behind" {
    need_root
    run su nobody -s /bin/sh -c "'$(command -v mqcreate)' -s 64 -u root '$Q'"
    expect 77
    run mqstat "$Q"
    expect 66
}

@test "more messages than msg_max is 75 with both numbers" {
    run mqcreate -M 1000000 -s 10 "$Q"
    expect 75
    says msg_max 1000000 "$(cat /proc/sys/fs/mqueue/msg_max)"
}

@test "larger messages than msgsize_max is 75 with both numbers" {
    run mqcreate -M 1 -s 900M "$Q"
    expect 75
    says msgsize_max 943718400 "$(cat /proc/sys/fs/mqueue/msgsize_max)"
}

@test "RLIMIT_MSGQUEUE is 75 with the bytes needed and allowed" {
    need prlimit
    run prlimit --msgqueue=1000 mqcreate -M 10 -s 8192 "$Q"
    expect 75
    says RLIMIT_MSGQUEUE "needs 82880 bytes" "1000 bytes"
}

@test "the bytes that it says are needed are just enough" {
    need prlimit
    run prlimit --msgqueue=82879 mqcreate -M 10 -s 8192 "$Q"
    expect 75
    # What this user's other queues take counts too: a user without any.
    need_root
    run su daemon -s /bin/sh -c "prlimit --msgqueue=82880 '$(command -v mqcreate)' -M 10 -s 8192 '$Q'"
    expect 0
}

@test "a lack of descriptors is not blamed on RLIMIT_MSGQUEUE" {
    need prlimit
    run prlimit --nofile=3 mqcreate -s 64 "$Q"
    expect 71
    [[ $output != *RLIMIT_MSGQUEUE* ]]
}

@test "queues_max is 75 and named" {
    need_root
    run unshare -i sh -c 'echo 1 >/proc/sys/fs/mqueue/queues_max && mqcreate -s 64 a; mqcreate -s 64 b'
    expect 75
    says queues_max "allows, 1"
}

@test "wrong numbers are 64" {
    local wrong
    for wrong in 0 -1 +1 1x "" 99999999999999999999 " 1"; do
        run mqcreate -M "$wrong" "$Q"
        expect 64
    done
    for wrong in 0 1Q 1KB 99999999T K; do
        run mqcreate -s "$wrong" "$Q"
        expect 64
    done
    for wrong in 8 1777 0x1 ""; do
        run mqcreate -m "$wrong" "$Q"
        expect 64
    done
    run mqstat "$Q"
    expect 66
}

@test "wrong names are 64" {
    local wrong
    for wrong in "" / . .. /. a/b //a a/ "$(printf '%256s' '' | tr ' ' x)"; do
        run mqcreate -- "$wrong"
        expect 64
    done
}

@test "a name of 255 bytes is a name" {
    local name
    name=$(printf '%.255s' "$Q$(printf '%255s' '' | tr ' ' x)")
    run mqcreate -s 64 "$name"
    expect 0
    run mqunlink "$name"
    expect 0
}

@test "a pasted path is told what the name is" {
    run mqcreate /dev/mqueue/jobs
    expect 64
    says "the name is 'jobs'"
}

@test "a bad name is refused before anything is created" {
    run mqcreate -s 64 "$Q" a/b
    expect 64
    run mqstat "$Q"
    expect 66
}
