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

@test "creates a semaphore with its value, without a word" {
    run semcreate "$Q" 3
    expect 0 ""
    [ "$(value_of "$Q")" = 3 ]
}

@test "the mode is exactly what was asked for, whatever the umask" {
    umask 077
    run semcreate -m 666 "$Q" 1
    expect 0 ""
    run semstat -H -o mode "$Q"
    expect 0 0666
}

@test "the default mode is 0600, whatever the umask" {
    umask 0
    semcreate "$Q" 1
    run semstat -H -o mode "$Q"
    expect 0 0600
}

@test "-u and -g say whose it is" {
    need_root
    run semcreate -u nobody -g 12345 -m 640 "$Q" 1
    expect 0 ""
    run semstat -H -o user,group,mode "$Q"
    expect 0 $'nobody\t12345\t0640'
}

@test "who may not give it away is told so, and nothing is left" {
    need_other_user
    run as_other_user semcreate -u root "$Q" 1
    expect 77
    says "only root"
    [ ! -e "$(file_of "$Q")" ]
}

@test "an unknown user or group is 64" {
    run semcreate -u no.such.user "$Q" 1
    expect 64
    run semcreate --group=no.such.group "$Q" 1
    expect 64
}

@test "one that exists is 73" {
    semcreate "$Q" 1
    run semcreate "$Q" 1
    expect 73
    says "exists already" "/$Q"
}

@test "-i: one that exists with this mode and owner is success, and keeps its value" {
    semcreate "$Q" 5
    run semcreate -i "$Q" 1
    expect 0 ""
    [ "$(value_of "$Q")" = 5 ]
    run semcreate --if-missing "$Q2" 1
    expect 0 ""
    [ "$(value_of "$Q2")" = 1 ]
}

@test "-i: another mode is 73, and both are named" {
    semcreate -m 640 "$Q" 5
    run semcreate -i "$Q" 5
    expect 73
    says 0640 0600
}

@test "-i: another owner is 73" {
    need_root
    semcreate -u nobody "$Q" 5
    run semcreate -i "$Q" 5
    expect 73
    says "owned by user nobody, not $(id -un)"
    run semcreate -i -u nobody "$Q" 5
    expect 0 ""
}

@test "what is there and no semaphore is 65, with and without -i" {
    refused() {
        run semcreate "$Q" 5
        expect 65 || return
        run semcreate -i "$Q" 5
        expect 65 && says "no semaphore"
    }
    plant_each refused
}

@test "the highest value is 2147483647, and 2147483648 is 64" {
    run semcreate "$Q" 2147483648
    expect 64
    says 2147483647
    [ ! -e "$(file_of "$Q")" ]
    run semcreate "$Q" 2147483647
    expect 0 ""
    [ "$(value_of "$Q")" = 2147483647 ]
}

@test "a value is digits and nothing else" {
    local value
    for value in '' -1 +1 1x ' 1' 1.0 0x1 18446744073709551617; do
        run semcreate -- "$Q" "$value"
        expect 64
    done
    [ ! -e "$(file_of "$Q")" ]
}

@test "a mode with execute bits is 64, as is one that is no mode" {
    run semcreate -m 700 "$Q" 1
    expect 64
    says "read and write"
    run semcreate -m 8 "$Q" 1
    expect 64
    run semcreate -m "" "$Q" 1
    expect 64
}

@test "a name has up to 251 bytes" {
    local name
    name=$(printf '%0251d' "$$")
    run semcreate "${name}x" 1
    expect 64
    says 251
    run semcreate "$name" 1
    semunlink -f "$name"
    expect 0 ""
}

@test "a bad name is 64 before anything happens" {
    local name
    for name in '' / . .. /.. a/b //x /dev/shm/x; do
        run semcreate "$name" 1
        expect 64
        says "invalid semaphore name"
    done
}

@test "a name with and without its slash is the same" {
    semcreate "/$Q" 1
    run semcreate "$Q" 1
    expect 73
}

@test "a textbook program uses it" {
    semcreate "$Q" 2
    run "$IPC_BUILD/tests/support/textbook-sem" wait "/$Q"
    expect 0
    run "$IPC_BUILD/tests/support/textbook-sem" value "/$Q"
    expect 0 1
}

@test "of twenty that create it at once, one succeeds" {
    local i pids=() created=0
    for ((i = 0; i < 20; i++)); do
        semcreate -q "$Q" "$i" 2>/dev/null 3>&- &
        pids+=("$!")
    done
    for i in "${pids[@]}"; do
        wait "$i" && created=$((created + 1))
    done
    [ "$created" -eq 1 ]
}

@test "a full /dev/shm is 75" {
    need_root
    unshare -m true 2>/dev/null || skip "needs mount namespaces"
    # shellcheck disable=SC2016 # for the inner shell
    run unshare -m sh -c 'mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero \
        >/dev/shm/full && exec semcreate x 1'
    expect 75
    says "bytes asked for, 0 free in /dev/shm"
    # shellcheck disable=SC2016 # for the inner shell
    run unshare -m sh -c 'mount -t tmpfs -o nr_inodes=2 none /dev/shm && : >/dev/shm/full && exec semcreate x 1'
    expect 75
    says "holds as many files as it can, 2"
    run bash -c 'ulimit -f 0; exec semcreate "$1" 1' - "$Q"
    expect 75
    says "bytes asked for, RLIMIT_FSIZE allows 0"
}

@test "missing and extra operands are 64" {
    run semcreate "$Q"
    expect 64
    run semcreate "$Q" 1 2
    expect 64
}

@test "--version says whose semaphores these are" {
    run semcreate --version
    expect 0
    [[ ${lines[1]} =~ ^"semaphores of "(glibc|musl)", kept as /dev/shm/" ]]
}

@test "-v says that it is there, -q is accepted" {
    run semcreate -v "$Q" 1
    expect 0
    says "/$Q"
    run semcreate -q "$Q2" 1
    expect 0 ""
}

@test "who pastes the file name is told the name" {
    run semcreate "$(file_of "$Q")" 1
    expect 64
    says "the name is '$Q'"
}

@test "-i: one that exists may be unreadable" {
    need_other_user
    semcreate -u "$other" -m 200 "$Q" 5
    run as_other_user semcreate -i -m 200 "$Q" 1
    expect 0 ""
}
