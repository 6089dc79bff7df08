#!/usr/bin/env bats
#
# mqrun --journal: what was taken outlasts the death of mqrun, at any moment.

load support/ipc
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return
    mqcreate -M 8 -s 8192 "$Q"
    J=/dev/shm/$Q.journal
}

teardown() {
    stop_started
    remove_queues
    rm -f "$J" "$J.other"
}

waiting() {
    [ "$(mqstat -H -o messages "$Q")" = "$1" ]
}

# taken_and_killed MESSAGE...: mqrun has taken each and is then killed, with as
# many jobs, and the commands as well.
taken_and_killed() {
    mqsend "$Q" "$@"
    start mqrun --journal="$J" --jobs=$# --count=$# "$Q" sh -c 'echo $$ >>commands; exec sleep 60'
    begun() { [ "$(wc -l <commands)" -eq "$1" ]; }
    eventually begun $#
    kill -KILL "$pid"
    # shellcheck disable=SC2046 # numbers
    kill -KILL $(cat commands)
    ends 137
    rm commands
}

@test "what a killed mqrun had taken is handled by the next one, before it takes" {
    taken_and_killed one
    mqsend -p 9 "$Q" two
    run mqrun --journal="$J" -N 1 "$Q" cat
    expect 0
    says "is handled again (priority 0, 3 bytes)" one
    run ! says two
    run mqrun --journal="$J" -d "$Q" cat
    expect 0 two
}

@test "a clean end leaves an empty journal of mode 0600, to be used again" {
    mqsend "$Q" one
    run mqrun --journal="$J" "$Q" cat
    expect 0 one
    [ "$(stat -c %a "$J")" = 600 ]
    run mqrun --journal="$J" --nonblock "$Q" cat
    expect 1 ""
    run mqrun --journal="$J" --jobs=5 --nonblock "$Q" cat
    expect 1 ""
}

@test "messages without bytes, with any bytes and of the largest size are handled again" {
    head -c 8192 /dev/urandom >large
    printf '\0\377x' >odd
    : >empty
    for file in large odd empty; do
        mqsend -r "$Q" <"$file"
    done
    start mqrun --journal="$J" -J 3 -N 3 "$Q" sh -c 'echo $$ >>commands; exec sleep 60'
    begun() { [ "$(wc -l <commands)" -eq 3 ]; }
    eventually begun
    kill -KILL "$pid"
    # shellcheck disable=SC2046 # numbers
    kill -KILL $(cat commands)
    ends 137
    run -0 mqrun --journal="$J" -J 3 -d "$Q" sh -c 'cat >"again.$MQ_LENGTH"'
    cmp large again.8192
    cmp odd again.3
    cmp empty again.0
}

@test "a journal in use is refused, and the next mqrun can have it" {
    mqsend "$Q" one
    start mqrun --journal="$J" "$Q" sh -c 'echo >begun; exec sleep 60'
    eventually test -e begun
    run mqrun --journal="$J" --nonblock "$Q" true
    expect 75
    says "$J is in use by another mqrun"
    kill "$pid"
    eventually no_signal_pending "$pid"
    kill "$pid"
    result
    run mqrun --journal="$J" --drain "$Q" cat
    expect 0 one
}

@test "a command that outlives its killed mqrun does not keep the journal" {
    mqsend "$Q" one
    start mqrun --journal="$J" "$Q" sh -c 'echo $$ >command; exec sleep 60'
    eventually test -s command
    kill -KILL "$pid"
    ends 137
    run mqrun --journal="$J" --drain "$Q" cat
    kill "$(cat command)"
    expect 0
    says one
}

@test "attempts before the death count, and one more is always made" {
    mqsend "$Q" one
    start mqrun --journal="$J" --retries=2 --retry-delay=0 "$Q" \
        sh -c '[ "$MQ_ATTEMPT" = 2 ] || exit 1; echo $$ >command; exec sleep 60'
    eventually test -s command
    kill -KILL "$pid"
    kill -KILL "$(cat command)"
    ends 137
    run mqrun --journal="$J" --retries=2 --retry-delay=0 "$Q" sh -c 'echo "attempt $MQ_ATTEMPT"'
    says "attempt 3"
    expect 0
}

@test "more attempts begun than there are to be: still one more, and then it is given up" {
    mqsend "$Q" one
    start mqrun --journal="$J" --retries=2 --retry-delay=0 "$Q" \
        sh -c '[ "$MQ_ATTEMPT" = 3 ] || exit 1; echo $$ >command; exec sleep 60'
    eventually test -s command
    kill -KILL "$pid"
    kill -KILL "$(cat command)"
    ends 137
    run mqrun --journal="$J" "$Q" sh -c 'echo "attempt $MQ_ATTEMPT"; exit 1'
    expect 80
    says "attempt 1 of 1"
}

@test "what is put back is not in the journal any more" {
    mqsend "$Q" one
    run mqrun --journal="$J" "$Q" false
    expect 80
    run mqrun --journal="$J" --drain "$Q" cat
    expect 0 one
}

@test "a journal that is not on a tmpfs is refused with 65" {
    place=$(mktemp -d /var/tmp/ipcutils.XXXXXX)
    [ "$(stat -f -c %T "$place")" != tmpfs ] || skip "/var/tmp is a tmpfs"
    run mqrun --journal="$place/journal" --nonblock "$Q" true
    rmdir "$place" # nothing is left there
    expect 65
    says "is not on a tmpfs"
}

@test "what is no journal is refused with 65, and left as it is" {
    echo "some text" >"$J"
    run mqrun --journal="$J" --nonblock "$Q" true
    expect 65
    says "it is damaged, or no journal"
    [ "$(cat "$J")" = "some text" ]
    rm "$J"
    ln -s "$J.other" "$J"
    run mqrun --journal="$J" --nonblock "$Q" true
    expect 65
    [ ! -e "$J.other" ]
    rm "$J"
    mkfifo "$J"
    run timeout 20 mqrun --journal="$J" --nonblock "$Q" true
    expect 65
    run mqrun --journal=/dev/shm --nonblock "$Q" true
    expect 65
}

@test "a journal that was cut short or changed is refused, and left as it is" {
    taken_and_killed one
    cp "$J" whole
    truncate -s -1 "$J"
    run mqrun --journal="$J" --drain "$Q" cat
    expect 65
    cp whole "$J"
    printf X | dd of="$J" bs=1 seek=9 conv=notrunc status=none
    run mqrun --journal="$J" --drain "$Q" cat
    expect 65
    cp whole "$J"
    run mqrun --journal="$J" --drain "$Q" cat
    expect 0
    says one
}

@test "another queue's journal is refused with 65" {
    taken_and_killed one
    mqcreate -M 8 -s 8192 "$Q2"
    run mqrun --journal="$J" --nonblock "$Q2" true
    expect 65
    says "it is that of queue /$Q"
}

@test "messages of more jobs are finished with as many, not lost with fewer" {
    taken_and_killed one two
    run mqrun --journal="$J" --drain "$Q" cat
    expect 65
    says "--jobs=2"
    run mqrun --journal="$J" --jobs=2 --drain "$Q" cat
    expect 0
    says one two
}

@test "a tmpfs without room is 75, and no message is taken" {
    need_root
    unshare -m true 2>/dev/null || skip "needs a mount namespace of its own"
    mqsend "$Q" one
    mkdir small
    run unshare -m sh -c 'mount -t tmpfs -o size=64k none small && mqrun --journal=small/journal \
        --jobs=50 "$0" cat' "$Q"
    expect 75
    says "more than is free"
    waiting 1
}

@test "a limit of locked memory is 75 and named, and no message is taken" {
    need_bare "mlock(2) is without effect"
    need_other_user
    mqsend "$Q" one
    chmod 777 .
    as_other_user mqcreate -M 2 -s 64 "$Q2"
    run as_other_user sh -c 'ulimit -l 4 && mqrun --journal="/dev/shm/$0.other" --nonblock "$0" cat' "$Q2"
    expect 75
    says RLIMIT_MEMLOCK
}

# sweep ENTRY-OR-EXIT JOBS: mqrun is killed there of every STRIDEth system call
# of its run, and another one ends the work.
sweep() {
    local n status=0 expected
    # Not one that ends in the byte 0xff: that is the blemish that mqrun(1) tells of.
    { head -c 8191 /dev/urandom; printf x; } | tr '\0\n' 'ab' >large
    expected="1 $(cksum </dev/null)
2 $(cksum <large)
3 $(printf x | cksum)"
    for ((n = 1 + RANDOM % stride; status != 3; n += stride)); do
        mqsend -p 1 "$Q" ""
        mqsend -r -p 2 "$Q" <large
        mqsend -p 3 "$Q" x
        : >got
        status=0
        "$IPC_BUILD/tests/support/kill-at" "$n" "$1" mqrun --journal="$J" --jobs="$2" --drain "$Q" \
            sh -c 'echo "$MQ_PRIORITY $(cksum)" >>got' || status=$?
        [ "$status" = 0 ] || [ "$status" = 3 ]
        mqrun --quiet --journal="$J" --jobs="$2" --drain "$Q" \
            sh -c 'echo "$MQ_PRIORITY $(cksum)" >>got'
        [ "$(sort -u got)" = "$expected" ] || {
            echo "killed at the $1 of call $n with $2 jobs; handled:"
            cat got
            return 1
        }
    done
    killed_at=$n
}

sweep_both() {
    need_ptrace
    stride=${IPC_KILL_STRIDE:-4}
    sweep entry "$1"
    [ "$killed_at" -gt 50 ]
    sweep exit "$1"
}

need_ptrace() {
    not_under_valgrind "it would be traced itself"
    "$IPC_BUILD/tests/support/kill-at" 1 entry true || skip "needs ptrace"
}

@test "killed at any system call of its run, it loses no message" {
    sweep_both 1
}

@test "killed at any system call of its run with three jobs, it loses no message" {
    sweep_both 3
}

handled() {
    sort -un got 2>/dev/null | grep -c . || true
}

# Kills come after some messages, and each takes some time, for else a fast
# machine would have handled all of them before the second.
@test "killed at random again and again, it loses no message" {
    not_under_valgrind "its moments are too short"
    local killed=0 total=500 enough job='read -r message; sleep 0.005; echo "$message" >>got'
    seq "$total" | mqsend "$Q" &
    while [ "$(handled)" -lt "$total" ]; do
        # shellcheck disable=SC2034 # for eval
        enough=$(($(handled) + RANDOM % 30))
        start mqrun --quiet --journal="$J" --jobs=2 --follow "$Q" sh -c "$job"
        eventually eval '[ "$(handled)" -ge "$enough" ] || [ "$(handled)" -eq "$total" ]'
        sleep "0.00$((RANDOM % 10))"
        kill -KILL "$pid"
        killed=$((killed + 1))
        wait "$pid" 2>/dev/null || true
    done
    mqrun --quiet --journal="$J" --jobs=2 --drain "$Q" sh -c "$job"
    [ "$(grep . got | sort -un)" = "$(seq "$total")" ]
    echo "killed: $killed"
    [ "$killed" -gt 5 ]
}

@test "what a full queue does not take back stays in the journal" {
    mqunlink "$Q"
    mqcreate -M 1 -s 64 "$Q"
    mqsend "$Q" first
    # Its place is taken while it is handled.
    run mqrun --journal="$J" "$Q" sh -c 'mqsend "$0" second; exit 1' "$Q"
    expect 80
    says "1 message left in journal $J"
    [ "$(mqrecv "$Q")" = second ]
    run --separate-stderr mqrun --journal="$J" -n "$Q" cat
    expect 0 first
}

@test "an empty file becomes the journal, but not another user's" {
    touch "$J"
    mqsend "$Q" one
    run mqrun --journal="$J" "$Q" cat
    expect 0 one
    need_other_user
    : >"$J.other"
    chown "$other" "$J.other"
    run mqrun -d --journal="$J.other" "$Q" cat
    expect 65
    says "an empty file of another user"
    [ "$(stat -c %u.%s "$J.other")" = "$other.0" ]
}

@test "of two that make a journal at once, the slower uses that of the other" {
    need_strace
    start strace -qq -o trace -e trace=linkat -e inject=linkat:delay_enter=2000000 mqrun -d --journal="$J" "$Q" cat
    making() { readlink "/proc/$(pgrep -n -P "$pid")"/fd/* | grep -qF /dev/shm/#; }
    eventually making
    run mqrun -d --journal="$J" "$Q" cat
    expect 0 ""
    ends 0
    grep -q 'linkat.*EEXIST' trace
}

@test "a journal in a directory that is not there is 65, also with -q" {
    run mqrun -q --journal=no/where --nonblock "$Q" true
    expect 65 "mqrun: cannot make journal no/where: there is no such directory"
}

@test "an empty journal of more jobs than can be locked in memory is made anew with fewer" {
    need_bare "mlock(2) is without effect"
    need_other_user
    chmod 777 .
    as_other_user mqcreate -M 2 -s 64 "$Q2"
    run as_other_user sh -c 'mqrun --journal="$1" -J 100 --nonblock "$0" cat; ulimit -l 64
        mqrun --journal="$1" --nonblock "$0" cat; stat -c %s "$1"; rm "$1"' "$Q2" "/dev/shm/$Q2.journal"
    expect 0 8192
}

@test "a journal larger than a file may be names the limit" {
    run bash -c 'ulimit -f 4; exec mqrun -d --journal="$1" "$2" cat' - "$J" "$Q"
    expect 75
    says "RLIMIT_FSIZE (ulimit -f)"
}
