#!/usr/bin/env bats
# shellcheck disable=SC2016 # expansions are for the shells under test

load support/ipc

setup() {
    setup_names
    completions=$IPC_BUILD/completions
    export HOME=$BATS_TEST_TMPDIR
}

teardown() {
    remove_queues
    remove_objects
    semunlink --quiet --force "$Q" "$Q2"
    if [ -n "${key-}" ]; then ipcrm -q "$key"; fi
}

# in_bash WORD...: what bash offers for the last WORD.
in_bash() {
    # shellcheck disable=SC2034 # COMP_*: for the completion
    run bash -c '
        . "$0" || exit
        compopt() { :; }
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        "$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")" "$1"
        printf "%s\n" "${COMPREPLY[@]}"' "$completions/ipcutils.bash" "$@"
}

# in_zsh LINE: what zsh lists at its end.
in_zsh() {
    need zsh
    run timeout 20 zsh -f "$IPC_SOURCE/tests/support/lists.zsh" "$completions" "$1"
}

# in_fish LINE: what fish offers at its end.
in_fish() {
    need fish
    ln -sf "$IPC_SOURCE/completions/ipcutils.fish" "$BATS_TEST_TMPDIR/${1%% *}.fish"
    run fish --no-config -c 'set -p fish_complete_path $argv[1]; complete -C $argv[2]' \
        "$BATS_TEST_TMPDIR" "$1"
}

@test "bash: every option of --help is offered, and none that is not there" {
    for tool in $IPC_TOOLS; do
        in_bash "$tool" --
        expected=$("$tool" --help | grep -oE '^  (-., |    )--[a-z-]+=?' | sed 's/.*--/--/' | sort)
        [ "$(printf '%s\n' "${lines[@]}" | sort)" = "$expected" ] || {
            echo "$tool: ${lines[*]}, expected: $expected"
            return 1
        }
    done
}

@test "bash: queues are offered as they are typed, with or without a slash" {
    mqcreate -M 8 -s 64 "$Q" "$Q2"
    in_bash mqsend "${Q%.a}"
    expect 0 "$Q
$Q2"
    in_bash mqsend "/${Q%.a}"
    expect 0 "/$Q
/$Q2"
}

@test "bash: a name with a blank is offered as the shell wants it" {
    mqcreate -M 8 -s 64 "$Q3 x"
    in_bash mqrecv "$Q3"
    mqunlink "$Q3 x"
    expect 0 "$Q3\\ x"
}

@test "bash: a queue is offered for the argument of an option too" {
    mqcreate -M 8 -s 64 "$Q"
    in_bash mqrun -D "$Q"
    expect 0 "$Q"
    in_bash mqrun --dead-letter "$Q"
    expect 0 "$Q"
    in_bash mqrun --dead-letter = "$Q"
    expect 0 "$Q"
}

@test "bash: what an option takes is not mistaken for the queue" {
    mqcreate -M 8 -s 64 "$Q"
    in_bash mqsend --timeout 5 "$Q"
    expect 0 "$Q"
    in_bash mqsend --timeout = 5 "$Q"
    expect 0 "$Q"
}

@test "bash: after the queue, mqrun completes a command, and then its arguments" {
    in_bash mqrun "$Q" mqstat
    expect 0
    [ "${lines[0]}" = mqstat ]
    touch "$BATS_TEST_TMPDIR/argument"
    in_bash mqrun "$Q" cat "$BATS_TEST_TMPDIR/arg"
    expect 0 "$BATS_TEST_TMPDIR/argument"
}

@test "bash: a message is data: nothing is offered for it" {
    in_bash mqsend "$Q" --pri
    expect 0 ""
    in_bash mqstat "$Q" --js
    expect 0 --json
}

@test "bash: shared memory, semaphores, FIFOs and System V queues, each to its tools" {
    shmput "$Q" x
    semcreate "$Q" 1
    mkfifo "$BATS_TEST_TMPDIR/one.fifo"
    touch "$BATS_TEST_TMPDIR/one.file"
    key=$(ipcmk -Q | grep -o '[0-9]*$')
    in_bash shmget "$Q"
    expect 0 "$Q"
    in_bash semwait "$Q"
    expect 0 "$Q"
    in_bash mkfifo-recv "$BATS_TEST_TMPDIR/one"
    expect 0 "$BATS_TEST_TMPDIR/one.fifo"
    in_bash msgrecv id : "$key"
    expect 0 "$key"
}

@test "zsh: options with their help, queues, and commands" {
    mqcreate -M 8 -s 64 "$Q" "$Q2"
    in_zsh "mqsend --pri"
    says "--priority" "higher is received first"
    in_zsh "mqsend ${Q%.a}"
    says "$Q" "$Q2"
    in_zsh "mqrun --dead-letter=${Q%.a}"
    says "$Q2"
    in_zsh "mqrun $Q mqst"
    says mqstat
    in_zsh "mqsend $Q --pri"
    [[ $output != *received\ first* ]]
}

@test "zsh: shared memory, semaphores, FIFOs and System V queues, each to its tools" {
    shmput "$Q" x
    semcreate "$Q2" 1
    mkfifo "$BATS_TEST_TMPDIR/one.fifo"
    touch "$BATS_TEST_TMPDIR/one.file"
    key=$(ipcmk -Q | grep -o '[0-9]*$')
    in_zsh "shmget ${Q%.a}"
    says "$Q"
    [[ $output != *$Q2* ]]
    in_zsh "semwait ${Q%.a}"
    says "$Q2"
    in_zsh "msgrecv i"
    says "id:$key"
    in_zsh "fifostat $BATS_TEST_TMPDIR/on"
    says one.fifo
    [[ $output != *one.file* ]]
}

@test "fish: options with their help, queues, and commands" {
    mqcreate -M 8 -s 64 "$Q" "$Q2"
    in_fish "mqsend --pri"
    says "--priority" "higher is received first"
    in_fish "mqsend ${Q%.a}"
    expect 0 "$Q
$Q2"
    in_fish "mqrun -D ${Q2}"
    says "$Q2"
    in_fish "mqrun $Q mqst"
    says mqstat
}

@test "fish: shared memory, semaphores, FIFOs and System V queues, each to its tools" {
    shmput "$Q" x
    semcreate "$Q2" 1
    mkfifo "$BATS_TEST_TMPDIR/one.fifo"
    touch "$BATS_TEST_TMPDIR/one.file"
    key=$(ipcmk -Q | grep -o '[0-9]*$')
    in_fish "shmget ${Q%.a}"
    expect 0 "$Q"
    in_fish "semwait ${Q%.a}"
    expect 0 "$Q2"
    in_fish "msgrecv id"
    says "id:$key"
    in_fish "fifostat $BATS_TEST_TMPDIR/one"
    says one.fifo
    [[ $output != *one.file* ]]
}

@test "installed, each shell finds the completion of each tool by its name" {
    unset MAKEFLAGS MAKELEVEL
    make -s -C "$IPC_BUILD" install DESTDIR="$BATS_TEST_TMPDIR" prefix=/usr
    cd "$BATS_TEST_TMPDIR/usr/share"
    for tool in $IPC_TOOLS; do
        grep -q "^complete .* $tool\b" "bash-completion/completions/$tool"
        grep -q "^#compdef .*\b$tool\b" zsh/site-functions/_ipcutils
        test -s "fish/vendor_completions.d/$tool.fish"
    done
    make -s -C "$IPC_BUILD" uninstall DESTDIR="$BATS_TEST_TMPDIR" prefix=/usr
    [ -z "$(find "$BATS_TEST_TMPDIR/usr" -type f -o -type l)" ]
}
