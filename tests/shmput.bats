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

need_private_shm() {
    need_root
    unshare -m sh -c 'mount -t tmpfs -o size=2M none /dev/shm' || skip "needs mount namespaces"
}

# Whether there is one: other tests may be at work on theirs.
stray() {
    compgen -G "$(hidden)*"
}

no_stray() {
    ! stray
}

# Its size, then its content.
content() {
    shmstat -H -o size "$Q"
    shmget "$Q"
}

@test "creates a missing object with the content and mode 0600" {
    umask 0
    run shmput "$Q" hello
    expect 0 ""
    run shmstat -H -o size,mode "$Q"
    expect 0 $'5\t0600'
    run shmget "$Q"
    expect 0 hello
}

@test "-m is the mode of what is created, and only of that" {
    umask 077
    shmput -m 664 "$Q" a
    shmput --mode=600 "$Q" b
    run shmstat -H -o mode "$Q"
    expect 0 0664
}

@test "grows and shrinks to exactly the input, in place" {
    shmput "$Q" short
    local inode
    inode=$(stat -c %i "/dev/shm/$Q")
    shmput "$Q" "something longer"
    run content
    expect 0 $'16\nsomething longer'
    shmput "$Q" tiny
    run content
    expect 0 $'4\ntiny'
    [ "$(stat -c %i "/dev/shm/$Q")" = "$inode" ]
}

@test "empty input, of any kind, is empty content" {
    shmput "$Q" full
    shmput "$Q" ""
    run content
    expect 0 0
    shmput "$Q" full
    shmput "$Q" </dev/null
    run content
    expect 0 0
    : | shmput "$Q2"
    run shmstat -H -o size "$Q2"
    expect 0 0
}

@test "reads standard input of any kind: file, pipe, /proc" {
    head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    shmput "$Q" <"$BATS_TEST_TMPDIR/data"
    shmget "$Q" | cmp - "$BATS_TEST_TMPDIR/data"
    cat "$BATS_TEST_TMPDIR/data" | shmput "$Q"
    shmget "$Q" | cmp - "$BATS_TEST_TMPDIR/data"
    shmput "$Q" </proc/sys/kernel/ostype
    run shmget "$Q"
    expect 0 Linux
}

@test "a regular file is read from its offset" {
    printf 0123456789 >"$BATS_TEST_TMPDIR/data"
    { read -r -N 4 && shmput "$Q"; } <"$BATS_TEST_TMPDIR/data"
    run shmget "$Q"
    expect 0 456789
}

@test "-o writes in place, and what is around stays" {
    shmput "$Q" 0123456789
    shmput -o 3 "$Q" abc
    run content
    expect 0 $'10\n012abc6789'
    printf xyz | shmput --offset=9 "$Q"
    run content
    expect 0 $'12\n012abc678xyz'
    shmput -o 0 "$Q" ""
    run content
    expect 0 $'12\n012abc678xyz'
}

@test "-o past the end fills the gap with zeros, with memory of its own" {
    shmput "$Q" ab
    shmput -o 20000 "$Q" z
    run shmstat -H -o size,resident "$Q"
    expect 0 $'20001\t20480'
    cmp <(shmget "$Q") <(printf ab; head -c 19998 /dev/zero; printf z)
    shmput -o 5 "$Q2" z
    cmp <(shmget "$Q2") <(printf '\0\0\0\0\0z')
}

@test "the object itself can be the input" {
    shmput "$Q" 0123456789
    shmput -o 3 "$Q" <"/dev/shm/$Q"
    run content
    expect 0 $'13\n0120123456789'
    seq 400000 >"$BATS_TEST_TMPDIR/data"
    shmput "$Q" <"$BATS_TEST_TMPDIR/data"
    shmput -o 1 "$Q" <"/dev/shm/$Q"
    cmp <(shmget "$Q") <(printf 1; cat "$BATS_TEST_TMPDIR/data")
    { read -r -N 3 && shmput "$Q"; } <"/dev/shm/$Q"
    cmp <(shmget "$Q") <(tail -c +3 "$BATS_TEST_TMPDIR/data")
}

@test "an input that has become shorter meanwhile leaves no bytes of its own" {
    local option
    for option in "" "-o 2"; do
        shmput "$Q" old
        printf 0123456789 >"$BATS_TEST_TMPDIR/data"
        exec 4<"/dev/shm/$Q"
        flock 4
        start_job bash -c 'exec shmput $3 "$1" <"$2"' - "$Q" "$BATS_TEST_TMPDIR/data" "$option"
        waits() { [ "$(cat "/proc/$pid/comm")" != bash ] && sleeps "$pid"; }
        eventually waits
        truncate -s 4 "$BATS_TEST_TMPDIR/data"
        flock -u 4
        ended
        expect 0 ""
        run content
        case $option in
        -o*) expect 0 $'6\nol0123' ;;
        *) expect 0 $'4\n0123' ;;
        esac
    done
}

@test "-o writes large input from a pipe" {
    head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    shmput "$Q" head
    cat "$BATS_TEST_TMPDIR/data" | shmput -o 4 "$Q"
    cmp <(shmget "$Q") <(printf head; cat "$BATS_TEST_TMPDIR/data")
    cat "$BATS_TEST_TMPDIR/data" | shmput -o 4 "$Q2"
    cmp <(shmget -o 4 "$Q2") "$BATS_TEST_TMPDIR/data"
}

@test "--string appends a NUL, which a textbook program needs" {
    shmput --string "$Q" "hello C"
    run shmstat -H -o size "$Q"
    expect 0 8
    run "$TEXTBOOK" print "/$Q"
    expect 0 "hello C"
    printf more | shmput --string "$Q"
    run "$TEXTBOOK" print "/$Q"
    expect 0 more
}

@test "--string refuses a NUL in the input, of any length" {
    shmput "$Q" old
    run bash -c 'printf "a\0b" | shmput --string "$1"' - "$Q"
    expect 65
    run bash -c 'head -c 2M /dev/zero | tr "\0" x | { cat; printf "\0"; } | shmput --string "$1"' - "$Q"
    expect 65
    run shmget "$Q"
    expect 0 old
    head -c 2M /dev/zero | tr '\0' x | shmput --string "$Q"
    run shmstat -H -o size "$Q"
    expect 0 2097153
}

@test "operands are data: options come before the name" {
    local data
    for data in -x -- --help -n " "; do
        shmput "$Q" "$data"
        run shmget "$Q"
        expect 0 "$data"
    done
    run shmput "$Q" a b
    expect 64
}

@test "a lock that is taken is 1 with -n, 124 with -t, and waited for without" {
    shmput "$Q" old
    exec 4<"/dev/shm/$Q"
    flock -s 4
    run shmput -n "$Q" new
    expect 1 ""
    run shmput -t 20ms "$Q" new
    expect 124 ""
    run shmput -n --atomic "$Q" new
    expect 1 ""
    run shmget "$Q"
    expect 0 old
    start_job shmput "$Q" new
    eventually sleeps "$pid"
    flock -u 4
    ended
    expect 0 ""
    run shmget "$Q"
    expect 0 new
}

@test "--no-lock does not ask for the lock" {
    shmput "$Q" old
    exec 4<"/dev/shm/$Q"
    flock 4
    run shmput --no-lock "$Q" new
    expect 0 ""
    run shmget --no-lock "$Q"
    expect 0 new
}

@test "-a waits for the object instead of creating it" {
    start_job shmput --await "$Q" new
    eventually sleeps "$pid"
    [ ! -e "/dev/shm/$Q" ]
    shmcreate "$Q" 100
    ended
    expect 0 ""
    run shmget "$Q"
    expect 0 new
    run shmput -a -t 20ms "$Q2" new
    expect 124 ""
    [ ! -e "/dev/shm/$Q2" ]
}

@test "a stalled producer blocks no reader, and is not seen" {
    shmput "$Q" old
    mkfifo "$BATS_TEST_TMPDIR/in"
    start_job bash -c 'exec shmput "$1" <"$2"' - "$Q" "$BATS_TEST_TMPDIR/in"
    exec 4>"$BATS_TEST_TMPDIR/in"
    head -c 3M /dev/zero >&4
    eventually sleeps "$pid"
    run shmget -n "$Q"
    expect 0 old
    run shmput -n "$Q" other
    expect 0 ""
    exec 4>&-
    ended
    expect 0 ""
    run shmstat -H -o size "$Q"
    expect 0 3145728
}

@test "a producer that is killed midway leaves the old content and nothing else" {
    shmput "$Q" old
    mkfifo "$BATS_TEST_TMPDIR/in"
    start_job bash -c 'exec shmput "$1" <"$2"' - "$Q" "$BATS_TEST_TMPDIR/in"
    exec 4>"$BATS_TEST_TMPDIR/in"
    head -c 3M /dev/zero >&4
    eventually sleeps "$pid"
    kill "$pid"
    ended
    expect 143 ""
    run shmget "$Q"
    expect 0 old
}

@test "an object that was replaced while its lock was waited for is noticed" {
    shmput "$Q" old
    exec 4<"/dev/shm/$Q"
    flock 4
    start_job shmput -o 0 "$Q" X
    eventually sleeps "$pid"
    shmunlink "$Q"
    shmput "$Q" new
    flock -u 4
    ended
    expect 0 ""
    run shmget "$Q"
    expect 0 Xew
}

@test "too much, from a file and from a pipe, is 75 and leaves the old content" {
    need_private_shm
    head -c 3M /dev/zero >"$BATS_TEST_TMPDIR/data"
    run unshare -m bash -c 'mount -t tmpfs -o size=2M none /dev/shm && {
        shmput "$1" old
        shmput "$1" <"$2"; echo "status $?"
        cat "$2" | shmput "$1"; echo "status $?"
        shmput --atomic "$1" <"$2"; echo "status $?"
        shmput -o 2000000 "$1" <"$2"; echo "status $?"
        shmput missing <"$2"; echo "status $?"
        shmget "$1"; echo; ls -A /dev/shm; }' - "$Q" "$BATS_TEST_TMPDIR/data"
    [ "$(grep -c 'status 75' <<<"$output")" -eq 5 ]
    [ "$(tail -n 2 <<<"$output")" = $'old\n'"$Q" ]
    says "3145728 bytes asked for, 2093056 free in /dev/shm" \
        "gather the input" "bytes asked for, 2093056 free"
}

@test "all that there is room for can be written" {
    need_private_shm
    run unshare -m bash -c 'mount -t tmpfs -o size=2M none /dev/shm &&
        head -c 2M /dev/zero | shmput "$1" && shmstat -H -o size "$1"' - "$Q"
    expect 0 2097152
}

@test "RLIMIT_FSIZE is a limit that is named, not a signal" {
    shmput "$Q" old
    run bash -c 'ulimit -f 1; head -c 1M /dev/zero | shmput "$1"' - "$Q"
    expect 75
    says RLIMIT_FSIZE
    run bash -c 'ulimit -f 1; head -c 3M /dev/zero | shmput "$1"' - "$Q"
    expect 75
    run shmget "$Q"
    expect 0 old
}

@test "--atomic replaces the object, keeping mode and owner, and its readers keep the old one" {
    need_root
    shmput -m 640 "$Q" old
    chown 12345:54321 "/dev/shm/$Q"
    exec 4<"/dev/shm/$Q"
    run shmput --atomic "$Q" new
    expect 0 ""
    run shmget "$Q"
    expect 0 new
    run shmstat -H -o user,group,mode "$Q"
    expect 0 $'12345\t54321\t0640'
    [ "$(cat <&4)" = old ]
}

@test "--atomic creates a missing object, and takes input from a pipe" {
    head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
    cat "$BATS_TEST_TMPDIR/data" | shmput --atomic -m 600 "$Q"
    shmget "$Q" | cmp - "$BATS_TEST_TMPDIR/data"
    shmput "$Q" x
    cat "$BATS_TEST_TMPDIR/data" | shmput --atomic "$Q"
    cmp "/dev/shm/$Q" "$BATS_TEST_TMPDIR/data"
    shmput --atomic "$Q" <"$BATS_TEST_TMPDIR/data"
    cmp "/dev/shm/$Q" "$BATS_TEST_TMPDIR/data"
}

@test "--atomic is never torn, even for cat" {
    local i
    head -c 2000000 /dev/zero | tr '\0' a >"$BATS_TEST_TMPDIR/a"
    head -c 2000000 /dev/zero | tr '\0' b >"$BATS_TEST_TMPDIR/b"
    shmput "$Q" <"$BATS_TEST_TMPDIR/a"
    start_job bash -c 'cd "$2"; until [ -e stop ]; do shmput --atomic "$1" <a; done' - \
        "$Q" "$BATS_TEST_TMPDIR"
    start_job bash -c 'cd "$2"; until [ -e stop ]; do cat b | shmput --atomic "$1"; done' - \
        "$Q" "$BATS_TEST_TMPDIR"
    for ((i = 0; i < 100; i++)); do
        cat "/dev/shm/$Q" >"$BATS_TEST_TMPDIR/got"
        cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/a" ||
            cmp "$BATS_TEST_TMPDIR/got" "$BATS_TEST_TMPDIR/b"
    done
    stop_writers
}

@test "--atomic killed at any system call leaves old or new, and no stray after the next run" {
    need_strace
    local call count i killed
    seq 100000 >"$BATS_TEST_TMPDIR/new"
    shmput "$Q" old
    strace -o "$BATS_TEST_TMPDIR/trace" shmput --atomic "$Q" <"$BATS_TEST_TMPDIR/new"
    for call in $(sed 's/(.*//' "$BATS_TEST_TMPDIR/trace" | grep -x '[a-z0-9_]*' | sort -u); do
        [ "$call" != execve ] || continue
        count=$(grep -c "^$call(" "$BATS_TEST_TMPDIR/trace")
        for ((i = 1; i <= count; i++)); do
            shmput "$Q" old
            killed=0
            strace -o /dev/null -e "inject=$call:signal=KILL:when=$i" \
                shmput --atomic "$Q" <"$BATS_TEST_TMPDIR/new" || killed=$?
            [ "$killed" -eq 137 ]
            [ "$(cat "/dev/shm/$Q")" = old ] || cmp "/dev/shm/$Q" "$BATS_TEST_TMPDIR/new"
            shmput --atomic "$Q" next
            [ "$(cat "/dev/shm/$Q")" = next ]
            no_stray || {
                echo "left at $call $i"
                return 1
            }
        done
    done
}

@test "shmunlink removes what a killed --atomic has left, too" {
    need_strace
    shmput "$Q" old
    run strace -o /dev/null -e inject=rename,renameat,renameat2:signal=KILL shmput --atomic "$Q" new
    run shmget "$Q"
    expect 0 old
    stray
    shmunlink "$Q"
    no_stray
}

@test "what another --atomic holds at that moment is not taken for left over" {
    need_strace
    shmput "$Q" old
    start_job strace -o /dev/null -e inject=rename,renameat,renameat2:delay_enter=3000000 shmput --atomic "$Q" first
    eventually stray
    run shmput --no-lock --atomic "$Q" second
    expect 0 ""
    stray
    ended
    expect 0
    run shmget "$Q"
    expect 0 first
    no_stray
}

@test "--atomic notices that its object was replaced at the last moment" {
    need_strace
    shmput "$Q" old
    start_job strace -o /dev/null -e inject=fchmod:delay_enter=3000000:when=1 shmput --atomic "$Q" first
    locked() { ! flock -n "/dev/shm/$Q" true; }
    eventually locked
    shmunlink "$Q"
    shmput -m 640 "$Q" second
    ended
    expect 0
    run shmget "$Q"
    expect 0 first
    run shmstat -H -o mode "$Q"
    expect 0 0640 # what replaced the object counts, not the object before
}

@test "--atomic without a hidden name left says so and changes nothing" {
    local place
    shmput "$Q" old
    for place in {0..7}; do
        mkdir "$(hidden)$place"
    done
    run shmput --atomic "$Q" new
    rmdir "$(hidden)"*
    expect 71
    says "hidden names"
    run shmget "$Q"
    expect 0 old
}

@test "a file system without unnamed files will do" {
    need_strace
    local without=(strace -o /dev/null -P /dev/shm -e "inject=open,openat:error=EOPNOTSUPP")
    "${without[@]}" shmput "$Q" one
    run shmget "$Q"
    expect 0 one
    "${without[@]}" shmput --atomic "$Q" two
    "${without[@]}" shmcreate "$Q2" 10
    run shmget "$Q"
    expect 0 two
    run shmstat -H -o size "$Q2"
    expect 0 10
    # What is gathered there before it is written: more than is kept in memory.
    local how
    for how in "" --atomic --offset=5; do
        # shellcheck disable=SC2086
        head -c 2M /dev/zero | "${without[@]}" shmput $how "$Q"
        no_stray
    done
    [ "$(shmget "$Q" | wc -c)" -eq $((2 * 1024 * 1024 + 5)) ]
    shmunlink "$Q"
    head -c 2M /dev/zero | "${without[@]}" shmput "$Q"
    no_stray
}

@test "what does not fit leaves nothing behind, without unnamed files either" {
    need_private_shm
    need_strace
    head -c 3M /dev/zero >"$BATS_TEST_TMPDIR/data"
    run unshare -m bash -c 'mount -t tmpfs -o size=2M none /dev/shm && {
        without=(strace -o /dev/null -P /dev/shm -e inject=open,openat:error=EOPNOTSUPP)
        shmput "$1" old
        cat "$2" | "${without[@]}" shmput "$1"; echo "status $?"
        "${without[@]}" shmput --atomic "$1" <"$2"; echo "status $?"
        (ulimit -f 2048; "${without[@]}" shmput missing <"$2"); echo "status $?"
        shmget "$1"; echo; ls -A /dev/shm; }' - "$Q" "$BATS_TEST_TMPDIR/data"
    [ "$(grep -c 'status 75' <<<"$output")" -eq 3 ]
    [ "$(tail -n 2 <<<"$output")" = $'old\n'"$Q" ]
}

@test "what is planted there is refused: no hang, no following" {
    mkfifo "/dev/shm/$Q"
    ln -s "$BATS_TEST_TMPDIR/target" "/dev/shm/$Q2"
    mkdir "/dev/shm/$Q3"
    local name option
    for name in "$Q" "$Q2" "$Q3"; do
        for option in --atomic --no-lock --offset=1; do
            run timeout -s KILL 10 shmput "$option" "$name" x
            expect 65
            says "/$name"
        done
    done
    [ ! -e "$BATS_TEST_TMPDIR/target" ]
    run shmput "sem.$Q" x
    expect 65
    [ ! -e "/dev/shm/sem.$Q" ]
}

@test "another user's object is 77 without permission" {
    need_other_user
    shmput "$Q" secret
    run as_other_user "$(command -v shmput)" "$Q" x
    expect 77
    says "permission denied"
    chmod 666 "/dev/shm/$Q"
    run as_other_user "$(command -v shmput)" "$Q" x
    expect 0 ""
    run as_other_user "$(command -v shmput)" --atomic "$Q" y
    expect 77
    run shmget "$Q"
    expect 0 x
    no_stray
}

@test "an input that cannot be read is 74 and changes nothing" {
    shmput "$Q" old
    run bash -c 'shmput "$1" <&-' - "$Q"
    expect 74
    run bash -c 'shmput "$1" <.' - "$Q"
    expect 74
    run shmget "$Q"
    expect 0 old
}

@test "contradictions and bad numbers are 64" {
    local wrong
    for wrong in "-n -t 1" "-n -a" "-o 1 --atomic" "-a -m 600" "-o -1" "-m 888" "-t x"; do
        run shmput $wrong "$Q" x
        expect 64
    done
    [ ! -e "/dev/shm/$Q" ]
}

@test "once it has begun, a signal waits until the content is whole" {
    need_strace
    head -c 600000 /dev/zero | tr '\0' a | shmput "$Q"
    head -c 600000 /dev/zero | tr '\0' b >"$BATS_TEST_TMPDIR/b"
    run bash -c 'cat "$2" | strace -o "$2.trace" -e inject=pwrite64:signal=TERM shmput "$1"' - "$Q" \
        "$BATS_TEST_TMPDIR/b"
    grep -q pwrite64 "$BATS_TEST_TMPDIR/b.trace"
    cmp <(shmget "$Q") "$BATS_TEST_TMPDIR/b"
}

@test "-v says how much was written" {
    run shmput -v "$Q" hello
    expect 0
    says "5 bytes" "/$Q"
}

@test "a file size limit leaves the old content, also where nothing grows" {
    head -c 5000 /dev/zero | tr '\0' A | shmput "$Q"
    run bash -c 'ulimit -f 1; head -c 5000 /dev/zero | shmput "$1"' - "$Q"
    expect 75
    says "RLIMIT_FSIZE allows 1024" "nothing was changed"
    run bash -c 'ulimit -f 1; shmput -o 2000 "$1" DATA' - "$Q"
    expect 75
    [ "$(shmget "$Q" | tr -d A | wc -c)" -eq 0 ]
}

@test "it holds no lock while it says what it did" {
    mkfifo "$BATS_TEST_TMPDIR/stalled"
    exec 4<>"$BATS_TEST_TMPDIR/stalled"
    dd if=/dev/zero of="$BATS_TEST_TMPDIR/stalled" bs=4K oflag=nonblock 2>"$BATS_TEST_TMPDIR/dd" || true
    shmput "$Q" old
    head -c 2M /dev/zero >"$BATS_TEST_TMPDIR/large"
    start bash -c 'cat "$1" | shmput --atomic -v "$2" 2>&4' - "$BATS_TEST_TMPDIR/large" "$Q"
    replaced() { [ "$(shmstat -H -o size "$Q")" = 2097152 ]; }
    eventually replaced
    run shmrun -t 20s "$Q" true
    expect 0 ""
    cat <&4 >"$BATS_TEST_TMPDIR/said" 3>&- 4>&- &
    local reader=$!
    ends 0
    kill "$reader"
    exec 4>&-
}
