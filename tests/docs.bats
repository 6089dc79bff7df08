#!/usr/bin/env bats
#
# The documents say what the tools do: options, the list of tools, clean pages.

load support/ipc

setup() {
    [ -n "$IPC_TOOLS" ]
    MAN=$IPC_SOURCE/man
}

# The long options that a tool's --help lists.
options_in_help() {
    "$1" --help | sed -nE 's/^  (-[^-], |    )--([a-z0-9-]+).*/\2/p' | sort
}

# The long options that head an item of a page.
options_in_page() {
    sed -nE '/^\.It /s/.*Fl Fl ([a-z0-9-]+).*/\1/p' "$MAN/$1.1" | sort
}

@test "every option in --help is in the page, and the other way round" {
    local tool failed=0
    for tool in $IPC_TOOLS; do
        [ -n "$(options_in_help "$tool")" ]
        diff <(options_in_help "$tool") <(options_in_page "$tool") || {
            echo "differ in $tool (< --help, > page)"
            failed=1
        }
    done
    return "$failed"
}

@test "the list of tools is that of the pages" {
    diff <(printf '%s\n' $IPC_TOOLS | sort) <(basename -s .1 "$MAN"/*.1 | sort)
}

@test "the list of tools is that of the README's table" {
    diff <(printf '%s\n' $IPC_TOOLS | sort) \
        <(sed -nE 's/^\| `([a-z-]+)` \|.*/\1/p' "$IPC_SOURCE/README.md" | sort)
}

@test "the list of tools is that of the sources with a main" {
    diff <(printf '%s\n' $IPC_TOOLS | sort) \
        <(grep -l '^int main' "$IPC_SOURCE"/src/*/*.c | xargs -n 1 basename -s .c | sort)
}

@test "every tool has a test file" {
    local tool
    for tool in $IPC_TOOLS; do
        grep -q '^@test' "$IPC_SOURCE/tests/$tool.bats"
    done
}

@test "every page has its sections" {
    local tool section failed=0
    for tool in $IPC_TOOLS; do
        for section in NAME SYNOPSIS DESCRIPTION "EXIT STATUS" EXAMPLES "SEE ALSO" CAVEATS; do
            grep -q "^\.Sh $section\$" "$MAN/$tool.1" || {
                echo "$tool.1 lacks $section"
                failed=1
            }
        done
    done
    return "$failed"
}

@test "ipcutils(7) names every tool" {
    local tool failed=0
    for tool in $IPC_TOOLS; do
        grep -qE "Xr $tool 1|Nm $tool|Ic $tool" "$MAN/ipcutils.7" || {
            echo "ipcutils.7 does not name $tool"
            failed=1
        }
    done
    return "$failed"
}

@test "every page is clean to mandoc" {
    need mandoc
    run mandoc -T lint -W warning "$MAN"/*.1 "$MAN"/*.7
    expect 0 ""
}

@test "every status that a page gives is in the table of ipcutils(7)" {
    local tool status failed=0
    for tool in $IPC_TOOLS; do
        while read -r status; do
            grep -qE "^\.It .*\b$status\b" "$MAN/ipcutils.7" || {
                echo "$tool.1 gives $status"
                failed=1
            }
        done < <(sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EX/p' "$MAN/$tool.1" |
            sed -nE 's/^\.It (Er |Li |Cm )?([0-9]+).*/\2/p')
    done
    return "$failed"
}

# The calls that say something; declarations and comments are none.
calls() {
    grep -hE '(^|[^a-z_])(fail|die|usage_error|note|remark)\(' "$IPC_SOURCE"/src/*/*.c |
        grep -vE '^[a-z_].*\(|^(/| \*)|/\*.*\(\).*\*/' | grep -c .
}

@test "every message names what it is about, on one line, with a status of the table" {
    cd "$BATS_TEST_TMPDIR"
    awk -f "$IPC_SOURCE/tests/support/messages.awk" "$IPC_SOURCE"/src/*/*.c >messages
    # None is left out.
    [ "$(grep -c . messages)" -eq "$(calls)" ]
    cut -f 2 messages | sed 's/^-v: //' >texts
    run ! grep -nE '\\n|[.!]$' texts
    # Lower case, or a thing's name.
    run ! grep -nE '^[A-Z]' <(grep -v '^FIFO' texts)
    cut -f 1 messages | grep -xE '[0-9]+' | sort -nu >statuses
    [ "$(grep -c . statuses)" -gt 10 ]
    while read -r status; do
        [ "$status" -eq 0 ] || grep -qE "^\.It .*\b$status\b" "$MAN/ipcutils.7" || {
            echo "status $status is not in ipcutils(7)"
            return 1
        }
    done <statuses
}
