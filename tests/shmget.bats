#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
    TEXTBOOK=$IPC_BUILD/tests/support/textbook-shm
}

teardown() {
    stop_started
    remove_objects
}

@test "3 MB of random bytes come back as they were" {
    head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    cat "$BATS_TEST_TMPDIR/data" | shmput "$Q"
    shmget "$Q" | cmp - "$BATS_TEST_TMPDIR/data"
    shmget "$Q" >"$BATS_TEST_TMPDIR/copy"
    cmp "$BATS_TEST_TMPDIR/copy" "$BATS_TEST_TMPDIR/data"
}

@test "an empty object is no bytes and success" {
    shmput "$Q" ""
    run shmget "$Q"
    expect 0 ""
}

@test "-o and -L choose a range" {
    shmput "$Q" 0123456789
    run shmget -o 3 "$Q"
    expect 0 3456789
    run shmget -L 3 "$Q"
    expect 0 012
    run shmget --offset=4 --length=2 "$Q"
    expect 0 45
    run shmget -L 0 "$Q"
    expect 0 ""
}

@test "a range past the end is cut there" {
    shmput "$Q" 0123456789
    run shmget -o 8 -L 5 "$Q"
    expect 0 89
    run shmget -o 10 "$Q"
    expect 0 ""
    run shmget -o 8000T "$Q"
    expect 0 ""
}

@test "a range of a large object is exact" {
    head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    shmput "$Q" <"$BATS_TEST_TMPDIR/data"
    shmget -o 1000001 -L 1500003 "$Q" >"$BATS_TEST_TMPDIR/range"
    tail -c +1000002 "$BATS_TEST_TMPDIR/data" | head -c 1500003 | cmp - "$BATS_TEST_TMPDIR/range"
}

@test "--string stops before the first NUL" {
    printf 'one\0two' | shmput "$Q"
    run shmget --string "$Q"
    expect 0 one
    run shmget --string -o 4 "$Q"
    expect 0 two
    run shmget --string -o 3 "$Q"
    expect 0 ""
}

@test "--string finds the NUL of a long string" {
    { head -c 2000000 /dev/zero | tr '\0' x; printf '\0more'; head -c 2000000 /dev/zero; } | shmput "$Q"
    [ "$(shmget --string "$Q" | wc -c)" -eq 2000000 ]
}

@test "prints what a textbook program has written" {
    "$TEXTBOOK" write "/$Q" "hello from C"
    run shmget --string "$Q"
    expect 0 "hello from C"
    [ "$(shmget "$Q" | wc -c)" -eq 4096 ]
}

@test "a missing object is 66, silent with -q" {
    run shmget "$Q"
    expect 66 "shmget: cannot open shared memory object /$Q: no such object; shmcreate or shmput makes it, --await waits for it"
    run shmget -q "$Q"
    expect 66 ""
}

@test "-a waits for the object" {
    start_job shmget -a "$Q"
    eventually sleeps "$pid"
    shmput "$Q" hello
    ended
    expect 0 hello
}

@test "-a waits for a size, and with --string for a first byte" {
    shmput "$Q" ""
    start_job shmget --await "$Q"
    eventually sleeps "$pid"
    shmput -o 0 "$Q" hello
    ended
    expect 0 hello
    shmcreate "$Q2" 100
    start_job shmget -a --string "$Q2"
    eventually sleeps "$pid"
    "$TEXTBOOK" write "/$Q2" text
    ended
    expect 0 text
}

@test "-a with -t gives up" {
    run shmget -a -t 20ms "$Q"
    expect 124 ""
    shmput "$Q" ""
    run shmget -a -t 0 "$Q"
    expect 124 ""
}

@test "-a --string against a textbook producer is never empty" {
    local i
    for ((i = 0; i < 60; i++)); do
        "$TEXTBOOK" write "/$Q" "text $i" 3>&- &
        run shmget -t 30s -a --string "$Q"
        wait
        expect 0 "text $i"
        shmunlink "$Q"
    done
}

@test "a lock that is taken is 1 with -n, 124 with -t, and waited for without" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    flock 4
    run shmget -n "$Q"
    expect 1 ""
    run shmget --timeout=20ms "$Q"
    expect 124 ""
    run shmget -t 0 "$Q"
    expect 124 ""
    start_job shmget "$Q"
    eventually sleeps "$pid"
    flock -u 4
    ended
    expect 0 hello
}

@test "-t waits for the lock no longer than that, and no shorter" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    flock 4
    local before after
    before=$(ticks)
    run shmget -t 300ms "$Q"
    after=$(ticks)
    expect 124 ""
    [ $((after - before)) -ge 29 ]
    [ $((after - before)) -lt 500 ]
}

@test "SIGTERM ends one that waits for the lock" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    flock 4
    start_job shmget -t 60s "$Q"
    eventually sleeps "$pid"
    kill "$pid"
    ended
    expect 143 ""
}

@test "readers share the lock" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    flock -s 4
    run shmget -n "$Q"
    expect 0 hello
}

@test "--no-lock does not ask for the lock" {
    shmput "$Q" hello
    exec 4<"/dev/shm/$Q"
    flock 4
    run shmget --no-lock "$Q"
    expect 0 hello
}

@test "an object that was replaced while its lock was waited for is noticed" {
    shmput "$Q" old
    exec 4<"/dev/shm/$Q"
    flock 4
    start_job shmget "$Q"
    eventually sleeps "$pid"
    shmunlink "$Q"
    shmput "$Q" new
    flock -u 4
    ended
    expect 0 new
}

@test "an object that was removed while its lock was waited for is 66" {
    shmput "$Q" old
    exec 4<"/dev/shm/$Q"
    flock 4
    start_job shmget "$Q"
    eventually sleeps "$pid"
    shmunlink "$Q"
    flock -u 4
    ended
    expect 66
}

@test "a slow consumer of 1 MiB holds no lock" {
    shmcreate "$Q" 1M
    mkfifo "$BATS_TEST_TMPDIR/out"
    shmget "$Q" >"$BATS_TEST_TMPDIR/out" 3>&- &
    local reader=$!
    exec 4<"$BATS_TEST_TMPDIR/out"
    eventually sleeps "$reader"
    run shmput -t 30s "$Q" x
    expect 0 ""
    [ "$(wc -c <&4)" -eq 1048576 ]
    wait "$reader"
}

@test "an object truncated while it is read is 81, saying how much was copied" {
    shmcreate "$Q" 4M
    mkfifo "$BATS_TEST_TMPDIR/out"
    start_job bash -c 'exec shmget "$1" >"$2"' - "$Q" "$BATS_TEST_TMPDIR/out"
    exec 4<"$BATS_TEST_TMPDIR/out"
    eventually sleeps "$pid"
    head -c 1 <&4 >/dev/null
    truncate -s 1M "/dev/shm/$Q"
    cat <&4 >/dev/null
    ended
    expect 81
    says truncated "of 4194304 bytes copied"
}

@test "what is planted there is refused: no hang, no following" {
    mkfifo "/dev/shm/$Q"
    ln -s /etc/passwd "/dev/shm/$Q2"
    mkdir "/dev/shm/$Q3"
    local name
    for name in "$Q" "$Q2" "$Q3"; do
        run timeout -s KILL 10 shmget "$name"
        expect 65
        says "/$name"
    done
    run shmget "sem.$Q"
    expect 65
    says semaphore
}

@test "another user's object is 77 without permission, and read with it" {
    need_other_user
    shmput "$Q" secret
    run as_other_user "$(command -v shmget)" "$Q"
    expect 77
    says "permission denied"
    chmod 644 "/dev/shm/$Q"
    run as_other_user "$(command -v shmget)" "$Q"
    expect 0 secret
}

@test "an output that cannot be written is 74" {
    shmput "$Q" hello
    run bash -c 'shmget "$1" >/dev/full' - "$Q"
    expect 74
    run bash -c 'shmget "$1" >&-' - "$Q"
    expect 74
}

@test "contradictions and bad numbers are 64" {
    local wrong
    for wrong in "-n -t 1" "-n -a" "-o -1" "-L x" "-o 1.5"; do
        run shmget $wrong "$Q"
        expect 64
    done
    run shmget "$Q" "$Q2"
    expect 64
}

@test "never torn against two writers" {
    local i
    head -c 2000000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/a"
    head -c 2000000 /dev/zero | tr '\0' b >"$BATS_TEST_TMPDIR/b"
    shmput "$Q" <"$BATS_TEST_TMPDIR/a"
    start_job bash -c 'cd "$2"; until [ -e stop ]; do shmput "$1" <a; cat a | shmput "$1"; done' - \
        "$Q" "$BATS_TEST_TMPDIR"
    start_job bash -c 'cd "$2"; until [ -e stop ]; do shmput "$1" <b; cat b | shmput "$1"; done' - \
        "$Q" "$BATS_TEST_TMPDIR"
    for ((i = 0; i < 100; i++)); do
        shmget "$Q" >"$BATS_TEST_TMPDIR/got"
        cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/a" ||
            cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/b"
    done
    stop_writers
}

@test "-v says how much was copied" {
    printf 'one\0two' | shmput "$Q"
    run shmget -v --string "$Q"
    expect 0
    says one "3 bytes" "/$Q"
}
