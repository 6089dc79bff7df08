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
        [ "${#line}" -le 100 ] || {
            echo "too wide: $line"
            return 1
        }
    done
}

@test "--help fits 100 columns" {
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
