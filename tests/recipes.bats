#!/usr/bin/env bats
#
# The examples in the pages and the README do what they say: each command line
# is taken out of the file itself, run, and its output compared.

load support/ipc

setup() {
    export HOME=$BATS_TEST_TMPDIR
    unset LC_ALL LC_CTYPE
    export LANG=C.UTF-8
}

# The examples of a manual page: its literal blocks, roff escapes undone.
page_transcript() {
    awk '/^\.Sh /     { wanted = ($0 == ".Sh EXAMPLES") }
         /^\.Bd -literal/ { block = wanted; next }
         /^\.Ed/      { block = 0; next }
         block        { gsub(/\\&/, ""); gsub(/\\\(aq/, "\047"); gsub(/\\\(dq/, "\"")
                        gsub(/\\\(ga/, "`"); gsub(/\\\(ha/, "^"); gsub(/\\\(ti/, "~")
                        gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print }' "$1"
}

# The blocks of a Markdown file that show a session.
markdown_transcript() {
    awk '/^```console$/ { block = 1; next }
         /^```/         { block = 0; next }
         block' "$1"
}

# From a transcript ("$ command", "> continued", output) to a script that
# prints the same transcript if all is well.
script_of() {
    awk 'function show(line) { gsub(/\047/, "\047\\\047\047", line)
                               shown = shown "printf \047%s\\n\047 \047" line "\047\n" }
         function flush()    { printf "%s%s", shown, command; shown = command = "" }
         /^\$ /     { flush(); show($0); command = substr($0, 3) "\n"; next }
         /^> /      { show($0); command = command substr($0, 3) "\n"; next }
         END        { flush() }'
}

# plays TRANSCRIPT [SHELL...]: running its commands gives the transcript again.
plays() {
    local directory transcript=$1
    [ -s "$1" ] || {
        echo "no example in it"
        return 1
    }
    directory=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
    shift
    [ $# -gt 0 ] || set -- sh
    script_of <"$transcript" >"$transcript.sh"
    # In an IPC namespace of its own, where possible: the examples' names are
    # those that anybody would take.
    local apart=()
    unshare -i true 2>/dev/null && apart=(unshare -i)
    (cd "$directory" && "${apart[@]}" timeout 60 "$@" "$transcript.sh" </dev/null) >"$transcript.out" 2>&1 || true
    diff -u "$transcript" "$transcript.out"
}

@test "the examples of every page work as printed" {
    local tool failed=0
    for tool in $IPC_TOOLS; do
        page_transcript "$IPC_SOURCE/man/$tool.1" >"$BATS_TEST_TMPDIR/$tool"
        plays "$BATS_TEST_TMPDIR/$tool" || {
            echo "in $tool.1"
            failed=1
        }
    done
    return "$failed"
}

@test "the examples of ipcutils(7) work as printed" {
    page_transcript "$IPC_SOURCE/man/ipcutils.7" >"$BATS_TEST_TMPDIR/page"
    [ -s "$BATS_TEST_TMPDIR/page" ] || skip "it has none to run"
    plays "$BATS_TEST_TMPDIR/page"
}

# Shells that are not there are named in the skip: the others have been tried.
@test "the examples of the README work as printed, in seven shells" {
    local shell words missing='' failed=0
    markdown_transcript "$IPC_SOURCE/README.md" >"$BATS_TEST_TMPDIR/readme"
    for shell in dash bash "busybox sh" mksh zsh yash fish; do
        read -ra words <<<"$shell"
        command -v "${words[0]}" || {
            missing="$missing ${words[0]}"
            continue
        }
        [ "$shell" != zsh ] || words+=(-f)
        [ "$shell" != fish ] || words+=(--no-config)
        plays "$BATS_TEST_TMPDIR/readme" "${words[@]}" || {
            echo "in $shell"
            failed=1
        }
    done
    [ "$failed" -eq 0 ]
    [ -z "$missing" ] || skip "needs$missing"
}
