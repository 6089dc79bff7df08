#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
    TEXTBOOK=$IPC_BUILD/tests/support/textbook-shm
}

teardown() {
    exec 4>&-
    stop_started
    remove_objects
}

@test "shows an object under its headings" {
    shmput "$Q" hello
    run shmstat "$Q"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    read -ra headings <<<"${lines[0]}"
    [ "${headings[*]}" = "NAME SIZE RESIDENT USER GROUP MODE MODIFIED LOCK" ]
    read -ra values <<<"${lines[1]}"
    [ "${values[*]}" = "/$Q 5 4096 $(id -un) $(id -gn) 0600 $(
        TZ=UTC stat -c %y "/dev/shm/$Q" | sed -E 's/(.*) (.*)\..*/\1T\2Z/') none" ]
}

@test "lists all objects, by name, without semaphores and what is none" {
    shmput "$Q2" b
    shmput "$Q" a
    mkfifo "/dev/shm/$Q3"
    : >"/dev/shm/sem.$Q"
    run shmstat -H -o name
    rm -f "/dev/shm/sem.$Q"
    expect 0
    [ "$(grep -F -- "$Q" <<<"$output")" = "/$Q" ]
    [ "$(grep -F -- "${Q%a}" <<<"$output")" = "/$Q"$'\n'"/$Q2" ]
}

@test "-o chooses the columns and their order" {
    shmput "$Q" hello
    run shmstat -H --output=size,name "$Q"
    expect 0 $'5\t'"/$Q"
    run shmstat -o nonsense "$Q"
    expect 64
    says "no column 'nonsense'" RESIDENT
}

@test "RESIDENT is the memory in use, not the size" {
    truncate -s 1M "/dev/shm/$Q"
    shmput -o 5000 "$Q" x
    run shmstat -H -o size,resident "$Q"
    expect 0 $'1048576\t4096'
}

@test "LOCK shows a lock that is held" {
    shmput "$Q" x
    exec 4<"/dev/shm/$Q"
    flock 4
    run shmstat -H -o lock "$Q"
    expect 0 exclusive
    flock -s 4
    run shmstat -H -o lock "$Q"
    expect 0 shared
    flock -u 4
    run shmstat -H -o lock "$Q"
    expect 0 none
}

@test "LOCK does not show one that is waited for" {
    shmput "$Q" x
    exec 4<"/dev/shm/$Q"
    flock -s 4
    start_job shmrun "$Q" true
    eventually sleeps "$pid"
    run shmstat -H -o lock "$Q"
    expect 0 shared
}

@test "LOCK is ? where the locks of the system cannot be read" {
    need_strace
    shmput "$Q" x
    run strace -qq -o "$BATS_TEST_TMPDIR/trace" -P /proc/locks -e inject=open,openat:error=EACCES \
        shmstat -H -o lock "$Q"
    expect 0 '?'
}

@test "-p shows who has an object open" {
    shmput "$Q" x
    start_job sleep 60
    run shmstat -p "$Q"
    expect 0
    read -ra headings <<<"${lines[0]}"
    [ "${headings[*]}" = "NAME PID ACCESS COMMAND" ]
    start_job bash -c 'exec 6<"/dev/shm/$1"; exec sleep 60' - "$Q"
    local reader=$pid
    start_job bash -c 'exec 6>>"/dev/shm/$1"; exec tail -f /dev/null' - "$Q"
    local writer=$pid
    two() { [ "$(shmstat -H -p -o command "$Q" | sort | tr '\n' ' ')" = "sleep tail " ]; }
    eventually two
    run shmstat -H -p "$Q"
    expect 0
    says "/$Q"$'\t'"$reader"$'\tr\tsleep' "/$Q"$'\t'"$writer"$'\tw\ttail'
}

@test "-p shows who maps an object, its descriptor closed" {
    "$TEXTBOOK" write "/$Q" text
    mkfifo "$BATS_TEST_TMPDIR/in"
    start_job bash -c 'exec "$1" map "/$2" <"$3"' - "$TEXTBOOK" "$Q" "$BATS_TEST_TMPDIR/in"
    exec 4>"$BATS_TEST_TMPDIR/in"
    mapped() { [ "$(cat "$log")" = mapped ]; }
    eventually mapped
    run shmstat -H -p "$Q"
    expect 0 "/$Q"$'\t'"$pid"$'\trwm\ttextbook-shm'
}

@test "-p -j has the processes in an array" {
    need jq
    shmput "$Q" x
    start_job bash -c 'exec 6<"/dev/shm/$1"; exec sleep 60' - "$Q"
    one() { shmstat -j -p "$Q" | jq -e '.processes[0].command == "sleep"' >/dev/null; }
    eventually one
    run shmstat --json --processes "$Q"
    expect 0
    jq -e --argjson pid "$pid" \
        '.size == 1 and .processes == [{pid: $pid, access: "r", command: "sleep"}]' <<<"$output"
}

@test "JSON is valid for any name" {
    need jq
    local name
    for name in $'a\nb' $'\033[31m' '"\' $'\377' 'ä'; do
        shmput "$Q$name" x
        run shmstat -j "$Q$name"
        shmunlink "$Q$name"
        expect 0
        jq -e '.size == 1 and .mode == "0600" and .lock == "none" and (.name // .name_base64)' \
            <<<"$output"
    done
}

@test "no name reaches the terminal raw" {
    local name=$Q$'\n\033[31m\tx'
    shmput "$name" x
    run shmstat -o name "$name"
    shmunlink "$name"
    expect 0
    [ "${lines[1]}" = "/$Q"'\n\x1b[31m\tx' ]
    run shmstat -H "$name"
    expect 66
    [ "${#lines[@]}" -eq 1 ]
}

@test "-0 gives names that xargs -0 takes" {
    shmput "$Q" x
    shmput "$Q2" x
    shmstat --null "$Q" "$Q2" | xargs -0 shmunlink
    [ ! -e "/dev/shm/$Q" ]
    [ ! -e "/dev/shm/$Q2" ]
}

@test "a missing object is 66, and the others are shown" {
    shmput "$Q2" x
    run --separate-stderr shmstat --noheadings -o name "$Q" "$Q2"
    expect 66 "/$Q2"
    says "/$Q: no such object"
    run --separate-stderr shmstat -q "$Q"
    expect 66
    [ -z "$stderr" ]
}

@test "who has an object open that is named twice is shown with both" {
    shmput "$Q" x
    exec 4<"/dev/shm/$Q"
    run bash -c 'exec shmstat -j -p -o name "$1" "$1" 4<&-' - "$Q"
    [ "${lines[0]}" = "${lines[1]}" ]
    [[ ${lines[0]} == *'"pid":'* ]]
    exec 4<&-
}

@test "of several that fail, the first gives the status" {
    mkdir "/dev/shm/$Q"
    run shmstat "$Q" "$Q2"
    expect 65
    says "it is a directory" "no such object"
    run shmstat "$Q2" "$Q"
    expect 66
    run shmunlink "$Q2" "$Q"
    expect 66
}

@test "what is planted there is 65, and not followed" {
    mkfifo "/dev/shm/$Q"
    ln -s /etc/passwd "/dev/shm/$Q2"
    mkdir "/dev/shm/$Q3"
    local name
    for name in "$Q" "$Q2" "$Q3" "sem.$Q"; do
        run timeout -s KILL 10 shmstat "$name"
        expect 65
    done
}

@test "another user's object is shown without permission to open it" {
    need_other_user
    shmput "$Q" secret
    run as_other_user "$(command -v shmstat)" -H -o size,mode "$Q"
    expect 0 $'6\t0600'
}

@test "another user is told that there are processes not to be seen" {
    need_other_user
    shmput "$Q" x
    run as_other_user "$(command -v shmstat)" -p "$Q"
    expect 0
    says "may not be looked into"
    run as_other_user "$(command -v shmstat)" -q -H -p "$Q"
    expect 0 ""
}

@test "contradictions are 64" {
    local wrong
    for wrong in "-j -H" "-j -0" "-H -0" "-p -0"; do
        run shmstat $wrong
        expect 64
    done
}
