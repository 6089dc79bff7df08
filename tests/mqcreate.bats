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

limit() {
    cat "/proc/sys/fs/mqueue/$1"
}

# Queues are small where their size does not matter: RLIMIT_MSGQUEUE is for all
# queues of a user.
create() {
    mqcreate -M 2 -s 64 "$@"
}

missing() {
    run --separate-stderr mqstat "$1"
    expect 66
}

@test "creates with the mode asked for, whatever the umask" {
    umask 077
    run create -m 666 "$Q"
    expect 0 ""
    run mqstat -H -o mode "$Q"
    expect 0 0666
    umask 000
    run create -m 640 "$Q2"
    expect 0 ""
    run mqstat -H -o mode "$Q2"
    expect 0 0640
}

@test "the mode is 0600 unless another is asked for" {
    umask 000
    create "$Q"
    umask 0777
    create "$Q2"
    run mqstat -H -o mode "$Q" "$Q2"
    expect 0 $'0600\n0600'
}

@test "a mode of 0 is a mode" {
    create -m 0 "$Q"
    run mqstat -H -o mode "$Q"
    if [ "$(id -u)" -eq 0 ]; then
        expect 0 0000
    else
        expect 77
    fi
}

@test "the sizes are those asked for" {
    mqcreate --max-messages 3 --message-size 100 "$Q"
    run mqstat -H -o messages,maxmsg,msgsize "$Q"
    expect 0 $'0\t3\t100'
    mqcreate -M1 -s1K "$Q2"
    run mqstat -H -o messages,maxmsg,msgsize "$Q2"
    expect 0 $'0\t1\t1024'
}

@test "without sizes, those of the system" {
    mqcreate "$Q"
    run mqstat -H -o maxmsg,msgsize "$Q"
    expect 0 "$(limit msg_default)	$(limit msgsize_default)"
}

@test "a size that is not given is the system's" {
    mqcreate -s 32 "$Q"
    run mqstat -H -o maxmsg,msgsize "$Q"
    expect 0 "$(limit msg_default)	32"
    mqcreate -M 1 "$Q2"
    run mqstat -H -o maxmsg,msgsize "$Q2"
    expect 0 "1	$(limit msgsize_default)"
}

@test "a queue that exists is 73 and stays as it is" {
    create "$Q"
    mqsend "$Q" kept
    run --separate-stderr create -m 644 "$Q"
    expect 73 ""
    says "mqcreate: cannot create queue /$Q: it exists already"
    run mqstat -H -o messages,mode "$Q"
    expect 0 $'1\t0600'
}

@test "-i takes a queue with the same attributes for success" {
    create -m 640 "$Q"
    mqsend "$Q" kept
    run create -i -m 640 "$Q"
    expect 0 ""
    run create --if-missing -m 640 "$Q" "$Q2"
    expect 0 ""
    run mqstat -H -o messages,maxmsg,mode "$Q" "$Q2"
    expect 0 $'1\t2\t0640\n0\t2\t0640'
}

@test "-i compares with the defaults of the system" {
    mqcreate "$Q"
    run mqcreate -i "$Q"
    expect 0 ""
    mqcreate -M 1 -s 64 "$Q2"
    run mqcreate -i "$Q2"
    expect 73
}

@test "-i with other sizes or another mode is 73 and names the difference" {
    create "$Q"
    run mqcreate -i -M 1 -s 64 "$Q"
    expect 73
    says "queue /$Q exists already" "maximum number of messages of 2, not 1"
    run mqcreate -i -M 2 -s 65 "$Q"
    expect 73
    says "message size of 64, not 65"
    run create -i -m 644 "$Q"
    expect 73
    says "mode 0600, not 0644"
}

@test "-i with another owner is 73 and names both" {
    need_root
    create -m 600 -u 12345 -g 12346 "$Q"
    run create -i "$Q"
    expect 73
    says "owned by user 12345, not $(id -un)"
    run create -i -u 12347 "$Q"
    expect 73
    says "owned by user 12345, not 12347"
    run create -i -u 12345 -g 12347 "$Q"
    expect 73
    says "group 12346, not 12347"
    run create -i -u 12345 -g 12346 "$Q"
    expect 0 ""
}

@test "-i on a queue that may not be looked at is 77" {
    need_other_user
    create "$Q"
    run as_other_user mqcreate -i "$Q"
    expect 77
    says "/$Q exists already" "cannot be compared"
}

@test "-i on a queue that may only be written compares it" {
    need_other_user
    create -m 222 "$Q"
    run as_other_user mqcreate -i -M 2 -s 64 -m 222 "$Q"
    expect 73
    says "owned by user"
    run as_other_user mqcreate -i -M 2 -s 63 -m 222 "$Q"
    expect 73
    says "message size of 64, not 63"
}

@test "-u and -g give the queue away with the mode asked for" {
    need_root
    umask 077
    create -u nobody -g nogroup -m 660 "$Q" 2>/dev/null || create -u nobody -g nobody -m 660 "$Q"
    run mqstat -H -o user,mode "$Q"
    expect 0 $'nobody\t0660'
    create -u 12345 -g 54321 -m 664 "$Q2"
    run mqstat -H -o user,group,mode "$Q2"
    expect 0 $'12345\t54321\t0664'
}

@test "an unknown user or group is 64 and nothing is created" {
    run create -u no-such-user "$Q"
    expect 64
    says "no user 'no-such-user'"
    run create -g no-such-group "$Q"
    expect 64
    says "no group 'no-such-group'"
    run create -u 4294967295 "$Q"
    expect 64
    run create -u -1 "$Q"
    expect 64
    missing "$Q"
}

@test "giving away without the privilege is 77 and leaves no queue" {
    need_other_user
    run as_other_user mqcreate -M 1 -s 64 -u 0 "$Q"
    expect 77
    says "cannot create queue /$Q: only root may give it to that owner"
    missing "$Q"
}

@test "too many messages is 75 and names msg_max with both numbers" {
    run mqcreate -M 1000000 -s 10 "$Q"
    expect 75
    says "/$Q" 1000000 "fs.mqueue.msg_max" "$(limit msg_max)"
    missing "$Q"
}

@test "too large a message is 75 and names msgsize_max with both numbers" {
    run mqcreate -M 1 -s 1T "$Q"
    expect 75
    says "/$Q" 1099511627776 "fs.mqueue.msgsize_max" "$(limit msgsize_max)"
    missing "$Q"
}

@test "what is too much for anyone is named, not what is too much for some" {
    run mqcreate -M 20 -s 17M "$Q"
    expect 75
    says "a message size of 17825792 is more than fs.mqueue.msgsize_max allows" 16777216
    run mqcreate -M 70000 -s 8 "$Q"
    expect 75
    says "a maximum number of messages of 70000 is more than fs.mqueue.msg_max allows" 65536
}

@test "RLIMIT_MSGQUEUE is 75 and named with the bytes needed and allowed" {
    run bash -c 'ulimit -q 1000 && exec mqcreate -M 10 -s 1000 "$1"' - "$Q"
    expect 75
    says "/$Q" RLIMIT_MSGQUEUE "ulimit -q" "allows all queues of a user 1000 bytes"
    [[ $output =~ "needs "([0-9]+)" bytes" ]]
    [ "${BASH_REMATCH[1]}" -gt 10000 ]
    missing "$Q"
}

@test "the bytes said to be needed are exactly those needed" {
    need_other_user # who has no other queue
    local size needed
    for size in "1 1" "3 64" "10 1000" "7 8191"; do
        # shellcheck disable=SC2086
        set -- -M ${size% *} -s ${size#* } "$Q"
        run as_other_user bash -c 'ulimit -q 10 && exec mqcreate "$@"' - "$@"
        expect 75
        [[ $output =~ "needs "([0-9]+)" bytes" ]]
        needed=${BASH_REMATCH[1]}
        run as_other_user bash -c "ulimit -q $((needed - 1)) && exec mqcreate \"\$@\"" - "$@"
        expect 75
        run as_other_user bash -c "ulimit -q $needed && exec mqcreate \"\$@\"" - "$@"
        expect 0 ""
        mqunlink "$Q"
    done
}

@test "a limit that other queues have used up is told from one too low" {
    need_other_user
    # shellcheck disable=SC2016
    run as_other_user bash -c 'ulimit -q 3000 && mqcreate -M 1 -s 2000 "$1" && exec mqcreate -M 1 -s 2000 "$2"' - "$Q" "$Q2"
    expect 75
    says "/$Q2" "allows all queues of a user 3000 bytes" "of which too few are free"
    run mqstat -H -o maxmsg "$Q"
    expect 0 1
}

@test "too few file descriptors are not blamed on RLIMIT_MSGQUEUE" {
    need_bare "descriptors of its own"
    run bash -c 'exec 0<&-; ulimit -n 3; exec mqcreate -M 1 -s 64 "$1"' - "$Q"
    expect 71
    says "cannot create queue /$Q" "too many open files"
    [[ $output != *RLIMIT* ]]
}

@test "as many queues as the system allows is 75 and names queues_max" {
    need_other_user # root may be exempt
    unshare -i true 2>/dev/null || skip "needs a namespace of its own"
    # The limit is one of the namespace.
    # shellcheck disable=SC2016
    run unshare -i bash -c 'echo 1 >/proc/sys/fs/mqueue/queues_max || exit 99; exec "$@"' - \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqcreate -M 1 -s 64 one two
    [ "$status" -ne 99 ] || skip "fs.mqueue.queues_max cannot be set"
    expect 75
    says "cannot create queue /two" "fs.mqueue.queues_max allows, 1"
}

@test "an operand that fails does not keep the others from being created" {
    create "$Q2"
    run create "$Q" "$Q2" "$Q3"
    expect 73
    says "/$Q2: it exists already"
    run mqstat -H -o name "$Q" "$Q3"
    expect 0 "/$Q"$'\n'"/$Q3"
}

@test "a bad name refuses all before anything is created" {
    run create "$Q" a/b
    expect 64
    missing "$Q"
}

@test "wrong numbers and modes are 64" {
    local option
    for option in -M0 -M-1 -M+1 "-M 1" -M1x -M0x10 -M1.5 -M18446744073709551617 -M9223372036854775808 \
        -s0 -s-1 -s1X -s1KB -s9999999999G "-s1 K" -M "" \
        -m8 -m1000 -m-1 -mu=rw -m0o600 "-m "; do
        if [ -n "$option" ]; then
            run mqcreate "$option" "$Q"
        else
            run mqcreate -M "" "$Q"
        fi
        expect 64 || {
            echo "with $option"
            return 1
        }
    done
    missing "$Q"
}

@test "a name with and without its slash is one queue" {
    create "/$Q"
    run create "$Q"
    expect 73
    run mqstat -H -o name "$Q"
    expect 0 "/$Q"
}

@test "names that are none are 64" {
    local name long
    printf -v long '%0256d' 0
    for name in "" / . .. /. /.. a/b //a a/ "$long" "/$long"; do
        run mqcreate -M 1 -s 64 "$name"
        expect 64 || {
            echo "with '$name'"
            return 1
        }
        says "invalid queue name"
    done
}

@test "a name of 255 bytes is one" {
    printf -v Q3 '%s%0*d' "$Q3" $((255 - ${#Q3})) 0
    [ "${#Q3}" -eq 255 ]
    run create "$Q3"
    expect 0 ""
    run mqstat -H -o name "$Q3"
    expect 0 "/$Q3"
}

@test "who pastes a path is told the name" {
    run mqcreate -M 1 -s 64 /dev/mqueue/jobs
    expect 64
    says "the name is 'jobs'"
}

@test "a name with bytes of any kind is one queue, shown on one line" {
    Q3=$Q3$' \n\e[31m\\\xff'
    create "$Q3"
    run --separate-stderr create "$Q3"
    expect 73 ""
    says '.c\x20\n\x1b[31m\\\xff: it exists already'
    [[ $stderr != *$'\n'* ]]
}

@test "options may follow the names" {
    run mqcreate "$Q" -M 1 "$Q2" -s 64
    expect 0 ""
    run mqstat -H -o maxmsg "$Q" "$Q2"
    expect 0 $'1\n1'
}

@test "a name that begins with a dash comes after --" {
    Q3=-$Q3
    create -- "$Q3"
    run mqstat -H -o name -- "$Q3"
    expect 0 "/$Q3"
    mqunlink -- "$Q3"
    Q3=${Q3#-}
}

@test "-v says what is there" {
    run create -v "$Q"
    expect 0 "mqcreate: queue /$Q is there"
}

@test "a queue of another user exists, too" {
    need_other_user
    create "$Q"
    run as_other_user mqcreate -M 2 -s 64 "$Q"
    expect 73
    says "it exists already"
}

@test "a signal leaves no queue half made" {
    cd "$BATS_TEST_TMPDIR"
    need_root
    need_bare "system calls of its own"
    need_strace
    run strace -qq -o trace -e trace=fchown -e inject=fchown:signal=TERM mqcreate -M 2 -s 64 -u 12345 "$Q"
    expect 143
    run mqstat -H -o user,mode "$Q"
    expect 0 $'12345\t0600'
}

@test "-i waits for a queue that is just being made for another user" {
    cd "$BATS_TEST_TMPDIR"
    need_root
    need_bare "system calls of its own"
    need_strace
    start strace -qq -o trace -e trace=fchown -e inject=fchown:delay_enter=500000 \
        mqcreate -M 2 -s 64 -u 12345 "$Q"
    there() { mqstat "$Q" 2>/dev/null; }
    eventually there
    run mqcreate -i -M 2 -s 64 -u 12345 "$Q"
    expect 0
    ends 0
}

@test "a queue that is just being made for another group keeps nobody out who waits" {
    cd "$BATS_TEST_TMPDIR"
    need_other_user
    need_bare "system calls of its own"
    need_strace
    start setpriv --reuid "$other" --regid "$other" --clear-groups strace -qq -o /dev/null \
        -e trace=fchown -e inject=fchown:delay_enter=300000 mqcreate -M 2 -s 64 -g "$other" "$Q"
    run as_other_user mqwait -t 10 -a --empty "$Q"
    expect 0
    ends 0
    run as_other_user mqwait -a --empty "$Q"
    expect 0
    mqunlink "$Q"
    mqcreate -M 2 -s 64 "$Q"
    for timeout in 0 10; do
        run as_other_user mqwait -t "$timeout" -a --empty "$Q"
        expect 77
    done
}

@test "where the defaults cannot be read, a size is not ignored: 71" {
    need_root
    need_bare "they need /proc"
    unshare -m true || skip "needs mount namespaces"
    run unshare -m sh -c 'mount -t tmpfs none /proc && exec mqcreate -s 64 "$1"' - "$Q"
    expect 71
    says "give --max-messages and --message-size"
    run unshare -m sh -c 'mount -t tmpfs none /proc && exec mqcreate -M 2 -s 64 "$1"' - "$Q"
    expect 0 ""
}
