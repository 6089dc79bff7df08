#!/usr/bin/env bats
#
# What holds for every tool in the list, whatever it does.

load support/ipc

# The status of a tool's own failure: STATUS, or 125 for one that otherwise
# exits with its COMMAND's status.
own_failure() {
    case $1 in
    shmrun | semrun | piperun) echo 125 ;;
    *) echo "$2" ;;
    esac
}

# for_every_tool FUNCTION: FUNCTION gets the tool; all failures are shown.
for_every_tool() {
    local tool failed=0
    [ -n "$IPC_TOOLS" ]
    for tool in $IPC_TOOLS; do
        "$1" "$tool" || {
            echo "in $tool"
            failed=1
        }
    done
    return "$failed"
}

shows_help() {
    run --separate-stderr "$1" --help
    expect 0
    [ -z "$stderr" ]
    [[ $output == "Usage: $1 "* ]]
    run "$1" -h
    expect 0
}

@test "--help shows usage on standard output" {
    for_every_tool shows_help
}

shows_version() {
    run --separate-stderr "$1" --version
    expect 0
    [ -z "$stderr" ]
    [[ ${lines[0]} =~ ^"$1 (ipcutils) "[0-9]+\.[0-9]+\.[0-9]+$ ]]
    run "$1" -V
    expect 0
}

@test "--version names the tool and the version" {
    for_every_tool shows_version
}

help_is_narrow() {
    run "$1" --help
    expect 0
    local line
    for line in "${lines[@]}"; do
        [ "${#line}" -le 80 ] || {
            echo "too wide: $line"
            return 1
        }
    done
}

@test "--help fits 80 columns" {
    for_every_tool help_is_narrow
}

refuses_unknown_option() {
    run --separate-stderr "$1" --no-such-option x x x
    expect "$(own_failure "$1" 64)" ""
    [[ $stderr == "$1: "* ]]
    says --no-such-option "$1 --help"
    run "$1" -% x x x
    expect "$(own_failure "$1" 64)"
}

@test "an unknown option is wrong usage" {
    for_every_tool refuses_unknown_option
}

needs_operand() {
    # An operand that may be left out is in brackets.
    "$1" --help | grep -q "^Usage: $1 \[OPTION\]\.\.\. \[" && return 0
    run --separate-stderr "$1"
    expect "$(own_failure "$1" 64)" ""
    says "missing operand"
}

@test "a missing operand is wrong usage" {
    for_every_tool needs_operand
}

notices_full_disk() {
    run bash -c '"$1" --help >/dev/full' - "$1"
    expect 74
    says "standard output"
    run bash -c '"$1" --version >/dev/full' - "$1"
    expect 74
}

@test "a full disk under --help and --version is 74" {
    for_every_tool notices_full_disk
}

notices_closed_output() {
    run bash -c '"$1" --help >&-' - "$1"
    expect 74
    run bash -c '"$1" --version >&-' - "$1"
    expect 74
}

@test "a closed standard output under --help and --version is 74" {
    for_every_tool notices_closed_output
}

inspecting_tool_notices() {
    case $1 in
    mqstat | shmstat | semstat) ;;
    *) return 0 ;;
    esac
    run bash -c '"$1" >/dev/full' - "$1"
    expect 74
    run bash -c '"$1" >&-' - "$1"
    expect 74
}

@test "a table that cannot be written is 74" {
    need_root
    for_every_tool inspecting_tool_notices
}

survives_closed_descriptors() {
    run bash -c '"$1" --no-such-option <&- >&- 2>&-' - "$1"
    expect "$(own_failure "$1" 64)"
}

@test "closed standard descriptors change no status" {
    for_every_tool survives_closed_descriptors
}

accepts_abbreviation() {
    run "$1" --vers
    expect 0
}

@test "long options may be abbreviated" {
    for_every_tool accepts_abbreviation
}

# names NAME: how an error names it.
names() {
    run mqstat -- "$1"
    [[ $output =~ queue\ /([^:]*): ]] && echo "${BASH_REMATCH[1]}"
}

@test "a name is shown as it is where the terminal says UTF-8, and escaped elsewhere" {
    local locale
    unset LC_ALL LC_CTYPE LANG
    for locale in C.UTF-8 en_US.utf8 de_DE.utf-8 xx.UTF8; do
        [ "$(LC_ALL=$locale names é)" = é ]
        [ "$(LC_ALL='' LC_CTYPE=$locale names é)" = é ]
        [ "$(LC_ALL='' LC_CTYPE='' LANG=$locale names é)" = é ]
        [ "$(LC_ALL=C LANG=$locale names é)" = '\xc3\xa9' ]
    done
    [ "$(names é)" = '\xc3\xa9' ]
    [ "$(LC_ALL=C.UTF-8 names $'\xc3')" = '\xc3' ]
}

@test "what cannot be seen is shown as its bytes, what is beside it as it is" {
    local code name
    export LC_ALL=C.UTF-8
    for code in 80 a0 ad 61c 115f 1160 1680 180e 2000 200f 2028 202f 205f 206f 3000 3164 feff ffa0 e0000 e0fff; do
        printf -v name "\\U$code"
        [[ $(names "$name") == '\x'* ]] || { echo "U+$code is shown" && return 1; }
    done
    for code in a1 ac ae 61b 1161 1fff 2010 2027 2030 205e 2070 3001 3165 fefe ff00 ff9f dffff e1000; do
        printf -v name "\\U$code"
        [ "$(names "$name")" = "$name" ] || { echo "U+$code is not shown" && return 1; }
    done
}

@test "a path pasted for a name is told what the name is" {
    run mqstat /dev/mqueue/jobs
    expect 64
    says "the name is 'jobs'"
    run mqstat /dev/mqueue/
    expect 64
    says "only its first character may be a slash"
    run mqstat /dev/mqueue/jobs/1
    expect 64
    says "only its first character may be a slash"
}

@test "an operand of any length does not hide what is wrong with it" {
    local long
    long=$(printf '9%.0s' {1..3000})
    run mqsend -p "$long" queue message
    expect 64
    says "9..." "it takes a whole number from 0 to 32767"
    run msgsend "$long:" message
    expect 64
    says "0x... too"
}
