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

@test "shows a semaphore under its headings" {
    semcreate -m 640 "$Q" 12
    run semstat "$Q"
    expect 0
    [[ ${lines[0]} =~ ^"NAME "\ +"VALUE USER "\ *"GROUP "\ *MODE$ ]]
    [[ ${lines[1]} =~ ^"/$Q "\ +12\ +[^\ ]+\ +[^\ ]+\ +0640$ ]]
}

@test "-H shows no heading and one TAB between columns" {
    semcreate "$Q" 2
    run semstat -H -o name,value,mode "$Q"
    expect 0 "/$Q"$'\t2\t0600'
    run semstat --noheadings --output=VALUE "$Q"
    expect 0 2
}

@test "an unknown column is 64" {
    run semstat -o name,size
    expect 64
    says VALUE
}

@test "-j shows an object per semaphore" {
    semcreate "$Q" 2
    run semstat -j -o name,value,mode "$Q"
    expect 0 "{\"name\":\"/$Q\",\"value\":2,\"mode\":\"0600\"}"
    run semstat --json "$Q"
    expect 0
    jq -e '.value == 2 and (.user | type) == "string"' <<<"$output"
}

@test "-0 shows raw names, each ending in NUL" {
    semcreate "$Q" 2
    semcreate "$Q2" 2
    semstat --null "$Q" "$Q2" | xargs -0 semunlink
    [ ! -e "$(file_of "$Q")" ] && [ ! -e "$(file_of "$Q2")" ]
}

@test "lists all, sorted by name" {
    semcreate "$Q" 1
    semcreate "$Q3" 3
    semcreate "$Q2" 2
    run semstat -q -H -o name
    expect 0
    [ "$(printf '%s\n' "${lines[@]}" | grep -F "/$Q2")" = "/$Q2" ]
    [ "$output" = "$(printf '%s\n' "${lines[@]}" | LC_ALL=C sort)" ]
}

@test "a missing one is 66, and the others are shown" {
    semcreate "$Q" 1
    run semstat -H -o name "$Q2" "$Q"
    expect 66
    says "no such semaphore" "/$Q"
}

@test "of several that fail, the first gives the status" {
    mkdir "$(file_of "$Q")"
    run semstat "$Q" "$Q2"
    expect 65
    run semstat "$Q2" "$Q"
    expect 66
    run semunlink "$Q2" "$Q"
    expect 66
}

@test "what is no semaphore is an error where it is named, in a list a note" {
    [[ $(file_of x) == */sem.x ]] || skip "these semaphores have no names of their own"
    semcreate "$Q2" 1
    listed() {
        run --separate-stderr semstat -H -o name
        expect 0 && [[ $output == *"/$Q2"* ]] && [[ $stderr == *"$Q"*"no semaphore"* ]] || return
        run semstat -q -H -o name
        expect 0 && [[ $output != *"no semaphore"* ]] || return
        run semstat "$Q"
        expect 65
    }
    plant_each listed
}

@test "looking at what is no semaphore wakes nobody" {
    mkfifo "$(file_of "$Q")"
    start sh -c "echo x >'$(file_of "$Q")'"
    eventually sleeps "$pid"
    run semstat "$Q"
    expect 65
    run cat "$(file_of "$Q")"
    expect 0 x
    ends 0
}

@test "a name with bytes of any kind is shown on one line" {
    local name=$Q$'\n\e[31m'
    semcreate "$name" 1
    run semstat -H -o name "$name"
    semunlink "$name"
    expect 0 "/$Q"'\n\x1b[31m'
}

@test "a value that may not be read is a question mark, in JSON null" {
    need_other_user
    semcreate "$Q" 1
    run as_other_user semstat -H -o value,mode "$Q"
    expect 0 $'?\t0600'
    run as_other_user semstat -j -o value "$Q"
    expect 0 '{"value":null}'
}

@test "-p shows each process that has it open, also a textbook one" {
    semcreate "$Q" 0
    start "$IPC_BUILD/tests/support/textbook-sem" hold "/$Q"
    local holder=$pid
    start semwait "$Q"
    eventually sleeps "$holder"
    eventually sleeps "$pid"
    run semstat -p -H "$Q"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    says "/$Q"$'\t'"$holder"$'\trwm\ttextbook-sem' "/$Q"$'\t'"$pid"$'\trwm\tsemwait'
    run semstat --processes --json "$Q"
    expect 0
    jq -e --argjson pid "$holder" '.processes | map(.pid) | index($pid) != null' <<<"$output"
}

@test "-p of one that nobody has open shows nothing" {
    semcreate "$Q" 0
    run semstat -p -H "$Q"
    expect 0 ""
    run semstat -p -j "$Q"
    expect 0
    jq -e '.processes == []' <<<"$output"
}

@test "looking changes nothing" {
    semcreate "$Q" 3
    local before
    before=$(stat -c '%Y %Z %s' "$(file_of "$Q")")
    semstat "$Q" >/dev/null
    semstat -p "$Q" >/dev/null
    [ "$(stat -c '%Y %Z %s' "$(file_of "$Q")")" = "$before" ]
    [ "$(value_of "$Q")" = 3 ]
}

@test "options that contradict each other are 64" {
    local pair
    for pair in "-j -H" "-j -0" "-H -0" "-p -0"; do
        # shellcheck disable=SC2086 # two options
        run semstat $pair
        expect 64
    done
}

@test "a table that cannot be written is 74" {
    semcreate "$Q" 3
    run bash -c 'semstat "$1" >/dev/full' - "$Q"
    expect 74
}
