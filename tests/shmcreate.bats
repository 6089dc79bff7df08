#!/usr/bin/env bats
#
# shellcheck disable=SC2016 # for other shells

load support/ipc
load support/processes

setup() {
    setup_names
}

teardown() {
    remove_objects
}

@test "creates an object of zeros, its memory reserved" {
    run shmcreate "$Q" 100K
    expect 0 ""
    run shmstat -H -o size,resident "$Q"
    expect 0 $'102400\t102400'
    cmp <(shmget "$Q") <(head -c 102400 /dev/zero)
}

@test "the name may have its slash" {
    shmcreate "/$Q" 10
    run shmstat -H -o name "$Q"
    expect 0 "/$Q"
}

@test "the mode is as asked for, whatever the umask" {
    umask 077
    shmcreate -m 666 "$Q" 10
    run shmstat -H -o mode "$Q"
    expect 0 0666
}

@test "the default mode is 0600" {
    umask 0
    shmcreate "$Q" 10
    run shmstat -H -o mode "$Q"
    expect 0 0600
}

@test "-u and -g set the owner" {
    need_root
    shmcreate -u 12345 --group=54321 --mode=640 "$Q" 10
    run shmstat -H -o user,group,mode "$Q"
    expect 0 $'12345\t54321\t0640'
}

@test "an unknown user is wrong usage, and nothing is created" {
    run shmcreate -u no-such-user "$Q" 10
    expect 64
    says no-such-user
    [ ! -e "/dev/shm/$Q" ]
}

@test "another user cannot give an object away, and nothing is left" {
    need_other_user
    run as_other_user "$(command -v shmcreate)" -u root "$Q" 10
    expect 77
    [ ! -e "/dev/shm/$Q" ]
}

@test "an object of no bytes is one" {
    shmcreate "$Q" 0
    run shmstat -H -o size "$Q"
    expect 0 0
}

@test "an existing object is 73 and stays as it is" {
    shmput "$Q" hello
    run shmcreate "$Q" 5
    expect 73
    says "exists already"
    run shmget "$Q"
    expect 0 hello
}

@test "-i is content with the same size, mode and owner" {
    shmcreate -m 640 "$Q" 4K
    run shmcreate -i -m 640 "$Q" 4096
    expect 0 ""
    run shmcreate --if-missing -m 640 -g "$(id -g)" "$Q" 4096
    expect 0 ""
}

@test "-i creates what is missing" {
    run shmcreate -i "$Q" 7
    expect 0 ""
    run shmstat -H -o size "$Q"
    expect 0 7
}

@test "-i names what differs" {
    shmcreate -m 640 "$Q" 10
    run shmcreate -i -m 640 "$Q" 11
    expect 73
    says "size of 10, not 11"
    run shmcreate -i "$Q" 10
    expect 73
    says 0640 0600
    need_root
    run shmcreate -i -m 640 -u 12345 "$Q" 10
    expect 73
    says 12345
}

@test "what can never fit is 75 and leaves nothing" {
    run shmcreate "$Q" 900T
    expect 75
    says "989560464998400 bytes asked for" "free in /dev/shm"
    [ ! -e "/dev/shm/$Q" ]
}

@test "in a tmpfs of 2 MB, too much is 75 and all of it can be had" {
    need_root
    unshare -m true || skip "needs mount namespaces"
    run unshare -m sh -c 'mount -t tmpfs -o size=2M none /dev/shm && {
        shmcreate a 3M; echo "$?"; ls -A /dev/shm; shmcreate a 2M; echo "$?"; shmcreate b 1; echo "$?"; }'
    says "3145728 bytes asked for, 2097152 free"
    says "1 bytes asked for, 0 free"
    [ "${lines[1]}" = 75 ]
    [ "${lines[2]}" = 0 ]
    [ "${lines[4]}" = 75 ]
}

@test "RLIMIT_FSIZE is a limit that is named, not a signal" {
    run bash -c 'ulimit -f 1; shmcreate "$1" 1M' - "$Q"
    expect 75
    says RLIMIT_FSIZE 1048576 1024
    [ ! -e "/dev/shm/$Q" ]
}

@test "sizes are parsed whole" {
    local size
    for size in -1 1x "" " 1" 1.5 99999999999999999999 8388608T; do
        run shmcreate -- "$Q" "$size"
        expect 64
        says "invalid size"
    done
    [ ! -e "/dev/shm/$Q" ]
}

@test "names are checked before anything is done" {
    local name
    for name in "" / . .. /.. a/b //a "$(printf '%0256d' 0)"; do
        run shmcreate "$name" 10
        expect 64
    done
    run shmcreate "/dev/shm/$Q" 10
    expect 64
    says "the name is '$Q'"
}

@test "a name of 255 bytes is one" {
    local name
    name=$Q.$(printf '%0255d' 0)
    run shmcreate "${name:0:255}" 10
    expect 0 ""
    shmunlink "${name:0:255}"
}

@test "the name of a semaphore is refused" {
    run shmcreate "sem.$Q" 10
    expect 65
    says "semaphore /$Q"
    [ ! -e "/dev/shm/sem.$Q" ]
}

@test "what is planted there is refused, and not followed" {
    mkfifo "/dev/shm/$Q"
    ln -s "/dev/shm/$Q3" "/dev/shm/$Q2"
    run timeout -s KILL 10 shmcreate "$Q" 10
    expect 65
    run timeout -s KILL 10 shmcreate -i "$Q2" 10
    expect 65
    says "symbolic link"
    [ ! -e "/dev/shm/$Q3" ]
}

@test "-i makes anew what is removed just then" {
    need_strace
    shmcreate "$Q" 10
    strace -qq -o "$BATS_TEST_TMPDIR/trace" -P "/dev/shm/$Q" -e inject=newfstatat:delay_exit=3000000:when=1 \
        shmcreate -i "$Q" 10 3>&- &
    eventually grep -q newfstatat "$BATS_TEST_TMPDIR/trace"
    shmunlink "$Q"
    wait $!
    run shmstat -H -o size "$Q"
    expect 0 10
}

@test "-i reserves the memory of one that was only given a size" {
    (umask 077 && truncate -s 1M "/dev/shm/$Q")
    run shmcreate -i "$Q" 1M
    expect 0 ""
    run shmstat -H -o size,resident "$Q"
    expect 0 $'1048576\t1048576'
}

# without DIRECTORY COMMAND...: an empty one in its place.
without() {
    run timeout -s KILL 20 unshare -m sh -c 'mount -t tmpfs none "$1" && shift && exec "$@"' - "$@"
}

@test "without /dev/shm it is 71, at once" {
    need_root
    unshare -m true || skip "needs mount namespaces"
    without /dev shmcreate "$Q" 1
    expect 71 "shmcreate: cannot create shared memory object /$Q: there is no directory /dev/shm"
    without /dev shmput -q "$Q" x
    expect 71 "shmput: cannot write shared memory object /$Q: there is no directory /dev/shm"
    without /dev shmrun -c "$Q" true
    expect 71
    says "there is no directory /dev/shm"
    without /dev shmstat -q
    expect 71
    says "cannot list /dev/shm"
    without /dev semstat -q
    expect 71
    says "cannot list the semaphores in /dev/shm"
}

@test "without /proc objects are made all the same" {
    need_root
    need_bare "they need /proc"
    unshare -m true || skip "needs mount namespaces"
    without /proc shmcreate "$Q" 1
    expect 0 ""
    without /proc shmput --atomic "$Q" new
    expect 0 ""
    without /proc shmput "$Q2" content
    expect 0 ""
    run shmget "$Q"
    expect 0 new
    run shmget "$Q2"
    expect 0 content
    # It cannot be seen that shmrun has the lock: that is no reason to wait for it.
    without /proc shmrun "$Q" shmput "$Q" x
    expect 71
    says "/proc/locks cannot be read"
    run ! compgen -G "$(hidden)*"
}

@test "a size has a unit, in powers of 1024" {
    local size
    for size in 1048576 1024K 1024KiB 1M 1MiB; do
        shmcreate "$Q" "$size"
        run shmstat -H -o size "$Q"
        expect 0 1048576
        shmunlink "$Q"
    done
    for size in 1G 1GiB 1T 1TiB; do
        run bash -c 'ulimit -f 1; exec shmcreate "$1" "$2"' - "$Q" "$size"
        expect 75
        case $size in 1G*) says "1073741824 bytes asked for" ;; *) says "1099511627776 bytes asked for" ;; esac
    done
    for size in "" -1 +1 " 1" 1x 1k 1KB 1.5M 16777216T; do
        run shmcreate "$Q" "$size"
        expect 64
    done
}
