#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
}

teardown() {
    stop_started
    remove_objects
}

lock_is() {
    [ "$(shmstat -H -o lock "$Q")" = "$1" ]
}

@test "exits with the status of COMMAND" {
    shmput "$Q" x
    run shmrun "$Q" true
    expect 0 ""
    run shmrun "$Q" sh -c 'exit 42'
    expect 42 ""
    run shmrun "$Q" sh -c 'kill -KILL $$'
    expect 137
}

@test "its own failures are 125, 126 and 127" {
    run shmrun "$Q" true
    expect 125
    says "no such object"
    shmput "$Q" x
    run shmrun --no-such-option "$Q" true
    expect 125
    run shmrun "$Q"
    expect 125
    run shmrun a/b true
    expect 125
    run shmrun "sem.$Q" true
    expect 125
    run -127 shmrun "$Q" no-such-command
    expect 127
    says no-such-command
    run shmrun "$Q" /etc/passwd
    expect 126
}

@test "COMMAND holds an exclusive lock, with -s a shared one" {
    shmput "$Q" x
    run shmrun "$Q" shmstat -H -o lock "$Q"
    expect 0 exclusive
    run shmrun -s "$Q" shmstat -H -o lock "$Q"
    expect 0 shared
    run shmrun --shared "$Q" flock -n -s "/dev/shm/$Q" echo both
    expect 0 both
    lock_is none
}

@test "flock(1) and these tools exclude each other" {
    shmput "$Q" x
    run shmrun "$Q" flock -n "/dev/shm/$Q" true
    expect 1
    run flock "/dev/shm/$Q" shmrun -n "$Q" true
    expect 1 ""
    run flock "/dev/shm/$Q" shmget -n "$Q"
    expect 1 ""
    run flock "/dev/shm/$Q" shmput -n "$Q" y
    expect 1 ""
}

@test "-n is 1, -t is 124, and -E chooses the status" {
    shmput "$Q" x
    exec 4<"/dev/shm/$Q"
    flock 4
    run shmrun -n "$Q" echo never
    expect 1 ""
    run shmrun --timeout=20ms "$Q" echo never
    expect 124 ""
    run shmrun -n -E 9 "$Q" echo never
    expect 9 ""
    run shmrun -t 0 --conflict-exit-code=0 "$Q" echo never
    expect 0 ""
    run shmrun -E 256 "$Q" true
    expect 125
}

@test "-c -n -E is a mutex in one line" {
    start_job shmrun -c -n -E 9 "$Q" sleep 60
    eventually lock_is exclusive
    run shmrun -c -n -E 9 "$Q" echo twice
    expect 9 ""
    run shmstat -H -o size,mode "$Q"
    expect 0 $'0\t0600'
}

@test "-c leaves an object that is there as it is" {
    shmput "$Q" x
    run shmrun --create "$Q" shmget "$Q"
    expect 0 x
}

@test "shmput and shmget within know that the lock is held" {
    shmput "$Q" 1
    run timeout -s KILL 10 shmrun "$Q" sh -c 'shmput "$1" 2; shmget "$1"' - "$Q"
    expect 0 2
    run timeout -s KILL 10 shmrun -s "$Q" shmget "$Q"
    expect 0 2
    run timeout -s KILL 10 shmrun "$Q" shmrun "$Q" shmget "$Q"
    expect 0 2
    run timeout -s KILL 10 shmrun "$Q" shmrun -s "$Q" shmput "$Q" 3
    expect 0 ""
}

@test "they know it of two objects, and also without the descriptor" {
    shmput "$Q" 1
    shmput "$Q2" 2
    run timeout -s KILL 10 shmrun "$Q" shmrun "$Q2" sh -c 'shmget "$1"; shmget "$2"' - "$Q" "$Q2"
    expect 0 12
    run timeout -s KILL 10 shmrun --close "$Q" shmput "$Q" 3
    expect 0 ""
    run timeout -s KILL 10 shmrun --close -s "$Q" shmget "$Q"
    expect 0 3
}

@test "shmput within a shared lock, and --atomic within any, are 64" {
    shmput "$Q" old
    run timeout -s KILL 10 shmrun -s "$Q" shmput "$Q" new
    expect 64
    says "--shared"
    run timeout -s KILL 10 shmrun "$Q" shmput --atomic "$Q" new
    expect 64
    says "--atomic"
    run timeout -s KILL 10 shmrun -s --close "$Q" shmput "$Q" new
    expect 64
    run timeout -s KILL 10 shmrun -s "$Q" shmrun "$Q" true
    expect 125
    run shmget "$Q"
    expect 0 old
}

@test "an environment that claims a lock is not believed" {
    shmput "$Q" old
    local claim
    # What an environment looks like whose shmrun has ended.
    claim=$(shmrun "$Q" sh -c 'echo "$SHMRUN_LOCKS"')
    exec 4<"/dev/shm/$Q"
    flock 4
    run env SHMRUN_LOCKS="$claim" shmput -n "$Q" new
    expect 1 ""
    # Nor one that names a descriptor of the object without a lock.
    exec 5<"/dev/shm/$Q"
    run env SHMRUN_LOCKS="5:${claim#*:}" shmput -n "$Q" new
    expect 1 ""
    for claim in "" : 1:2 x "-1:${claim#*:}" "999999:${claim#*:}"; do
        run env SHMRUN_LOCKS="$claim" shmput -n "$Q" new
        expect 1 ""
    done
}

@test "a claim does not take a lock that stays" {
    shmput "$Q" old
    local claim
    claim=$(shmrun "$Q" sh -c 'echo "$SHMRUN_LOCKS"')
    exec 5<"/dev/shm/$Q"
    run env SHMRUN_LOCKS="5:${claim#*:}" shmput -n "$Q" new
    expect 0 ""
    lock_is none
}

@test "a lock on another object does not count" {
    shmput "$Q" 1
    shmput "$Q2" 2
    exec 4<"/dev/shm/$Q2"
    flock 4
    run shmrun "$Q" shmput -n "$Q2" 3
    expect 1 ""
}

@test "four writers times 25 end at 100" {
    shmput "$Q" 0
    local i
    for i in 1 2 3 4; do
        start_job bash -c 'for i in {1..25}; do
            shmrun "$1" sh -c "n=\$(shmget $1); shmput $1 \$((n + 1))"; done' - "$Q"
    done
    for pid in "${jobs[@]}"; do
        ended
        expect 0 ""
    done
    run shmget "$Q"
    expect 0 100
}

@test "nothing is lost with --atomic under the lock of a second object" {
    shmput "$Q" 0
    local i
    for i in 1 2 3 4; do
        start_job bash -c 'for i in {1..50}; do
            shmrun -c "$2" sh -c "n=\$(shmget $1); shmput --atomic $1 \$((n + 1))"; done' - "$Q" "$Q2"
    done
    start_job bash -c 'while shmget "$1" >/dev/null; do :; done' - "$Q"
    for pid in "${jobs[@]:0:4}"; do
        ended
        expect 0 ""
    done
    run shmget "$Q"
    expect 0 200
}

@test "a lock on an object that is replaced again and again is always that of the name" {
    shmput "$Q" 0
    local i
    shmput "$Q2" x
    start_job bash -c 'until [ -e "$2/stop" ]; do shmput --atomic "$1" "$(shmget "$1")"; done' - \
        "$Q2" "$BATS_TEST_TMPDIR"
    for ((i = 0; i < 50; i++)); do
        run shmrun "$Q2" sh -c '[ "$(stat -L -c %i "/proc/self/fd/${SHMRUN_LOCKS%%:*}")" = \
            "$(stat -c %i "/dev/shm/$1")" ]' - "$Q2"
        expect 0 ""
    done
    stop_writers
}

@test "SIGKILL of shmrun and its COMMAND leaves no lock" {
    shmput "$Q" x
    start_job shmrun "$Q" sleep 60
    eventually lock_is exclusive
    kill -KILL -- "-$pid"
    eventually lock_is none
    run shmput -t 10s "$Q" y
    expect 0 ""
}

@test "SIGKILL of shmrun alone: the lock lasts as long as COMMAND" {
    shmput "$Q" x
    mkfifo "$BATS_TEST_TMPDIR/go"
    start_job shmrun "$Q" sh -c 'read line <"$1"' - "$BATS_TEST_TMPDIR/go"
    exec 4>"$BATS_TEST_TMPDIR/go"
    kill -KILL "$pid"
    wait "$pid" || true
    run shmget -n "$Q"
    expect 1 ""
    exec 4>&-
    run shmget -t 10s "$Q"
    expect 0 x
}

@test "what COMMAND leaves running keeps the lock, with --close it does not" {
    shmput "$Q" x
    mkfifo "$BATS_TEST_TMPDIR/go"
    shmrun "$Q" sh -c 'cat "$1" >/dev/null 3>&- &' - "$BATS_TEST_TMPDIR/go" 3>&-
    exec 4>"$BATS_TEST_TMPDIR/go"
    run shmget -n "$Q"
    expect 1 ""
    exec 4>&-
    run shmget -t 10s "$Q"
    expect 0 x
    shmrun --close "$Q" sh -c 'cat "$1" >/dev/null 3>&- &' - "$BATS_TEST_TMPDIR/go" 3>&-
    exec 4>"$BATS_TEST_TMPDIR/go"
    run shmget -n "$Q"
    expect 0 x
    exec 4>&-
}

@test "the lock is out of the way of the descriptors that scripts use" {
    shmput "$Q" x
    run timeout -s KILL 10 shmrun "$Q" bash -c 'exec 3>/dev/null 4>&3 5>&3 6>&3 7>&3 8>&3 9>&3
        shmput -n "$1" y && flock -n "/dev/shm/$1" true' - "$Q"
    expect 1
    run shmget "$Q"
    expect 0 y
}

@test "signals are passed on to COMMAND, and its end is waited for" {
    local signal
    shmput "$Q" x
    for signal in TERM HUP INT QUIT; do
        start_job shmrun "$Q" bash -c 'trap "echo got; exit 3" '"$signal"'; shmput "$1" ready
            while :; do sleep 0.01; done' - "$Q"
        ready() { [ "$(shmget --no-lock "$Q")" = ready ]; }
        eventually ready
        kill -"$signal" "$pid"
        ended
        expect 3 got
        shmput "$Q" x
    done
}

@test "COMMAND has the signal mask and dispositions of shmrun" {
    shmput "$Q" x
    # Without signals 32 and 33, which glibc's posix_spawn(3) has ignored for itself.
    local show=(sed -nE 's/^(Sig(Blk|Ign|Cgt)):.*(.{7})$/\1 \3/p' /proc/self/status)
    run diff <("${show[@]}") <(shmrun "$Q" "${show[@]}")
    expect 0 ""
    run diff <(env --ignore-signal=INT,TERM "${show[@]}") \
        <(env --ignore-signal=INT,TERM shmrun -t 10s "$Q" "${show[@]}")
    expect 0 ""
}

@test "SIGCHLD inherited as ignored changes nothing" {
    shmput "$Q" x
    run env --ignore-signal=CHLD shmrun "$Q" sh -c 'exit 7'
    expect 7 ""
}

@test "SIGTERM ends one that waits for the lock, and it takes none" {
    shmput "$Q" x
    exec 4<"/dev/shm/$Q"
    flock 4
    start_job shmrun "$Q" echo never
    eventually sleeps "$pid"
    kill "$pid"
    ended
    expect 143 ""
}

@test "from the terminal, COMMAND gets a signal once" {
    need script
    shmput "$Q" x
    cat >"$BATS_TEST_TMPDIR/count" <<'END'
trap 'n=$((n + 1))' INT
shmput "$1" ready
until [ "${n:-0}" -ge 1 ]; do sleep 0.01; done
for i in $(seq 50); do sleep 0.01; done
echo "signals: $n"
END
    mkfifo "$BATS_TEST_TMPDIR/keys"
    start_job bash -c 'exec script -qec "shmrun $1 bash $2/count $1" /dev/null <"$2/keys"' - "$Q" \
        "$BATS_TEST_TMPDIR"
    exec 4>"$BATS_TEST_TMPDIR/keys"
    ready() { [ "$(shmget --no-lock "$Q")" = ready ]; }
    eventually ready
    printf '\003' >&4
    ended
    exec 4>&-
    says "signals: 1"
}

@test "what is planted there is refused" {
    mkfifo "/dev/shm/$Q"
    ln -s "/dev/shm/$Q3" "/dev/shm/$Q2"
    run timeout -s KILL 10 shmrun -c "$Q" true
    expect 125
    run timeout -s KILL 10 shmrun -c "$Q2" true
    expect 125
    says "symbolic link"
    [ ! -e "/dev/shm/$Q3" ]
}

@test "operands are COMMAND's: its options are not shmrun's" {
    shmput "$Q" x
    run shmrun "$Q" echo -n -t --close
    expect 0 "-t --close"
}

@test "a script without #!, found by PATH, is run by sh" {
    shmput "$Q" x
    mkdir "$BATS_TEST_TMPDIR/bin"
    echo 'echo "ran with $1"' >"$BATS_TEST_TMPDIR/bin/plain-script"
    chmod +x "$BATS_TEST_TMPDIR/bin/plain-script"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run shmrun "$Q" plain-script one
    expect 0 "ran with one"
}

@test "-v says that the object is locked" {
    shmput "$Q" x
    run shmrun -v "$Q" true
    expect 0 "shmrun: shared memory object /$Q is locked"
}

@test "a signal that comes before COMMAND is there ends shmrun, and COMMAND does not begin" {
    need_strace
    shmput "$Q" x
    run strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=flock,fork,vfork,clone,clone3 -e inject=flock:signal=TERM \
        shmrun "$Q" touch "$BATS_TEST_TMPDIR/ran"
    expect 143
    run ! grep -E 'fork|clone' "$BATS_TEST_TMPDIR/trace"
}
