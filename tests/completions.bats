#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2088 # expansions are for the shells under test

load support/ipc

setup() {
    setup_names
    completions=$IPC_BUILD/completions
    others=("$Q.none")
    export HOME=$BATS_TEST_TMPDIR
}

teardown() {
    remove_queues
    mqunlink --quiet --force "${others[@]/#//}"
    remove_objects
    semunlink --quiet --force "$Q" "$Q2"
    if [ -n "${key-}" ]; then ipcrm -q "$key"; fi
}

# queues NAME...: makes them; they are removed in the end.
queues() {
    local name
    others=("$@")
    for name; do
        mqcreate -M 5 -s 64 "/$name"
    done
}

# in_bash WORD...: what bash offers for the last WORD. "=" and ":" stand alone, as
# they do in COMP_WORDS.
in_bash() {
    # shellcheck disable=SC2034 # COMP_*: for the completion
    run bash -c '
        . "$0" || exit
        compopt() { :; }
        COMP_LINE=$* COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        COMP_LINE=${COMP_LINE// = /=} COMP_LINE=${COMP_LINE// : /:} COMP_POINT=${#COMP_LINE}
        "$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")" "$1"
        printf "%s\n" "${COMPREPLY[@]}"' "$completions/ipcutils.bash" "$@"
}

# bash_makes LINE RESULT: what a TAB makes of LINE where bash itself edits it.
bash_makes() {
    run timeout 20 bash --norc --noprofile -i < <(
        printf '. %q\n' "$completions/ipcutils.bash"
        printf '%s\n' 'bind -x '\''"\C-xp": printf "\nmade<%s>\n" "$READLINE_LINE"'\'
        printf '%s\t\030p\025exit\n' "$1"
    )
    says "made<$2>"
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

@test "bash: a name goes on after a colon, an equals sign and the like" {
    queues "$Q:lon" "$Q2=x" "$Q3@x"
    bash_makes "mqrecv $Q:" "mqrecv $Q:lon "
    bash_makes "mqrecv $Q" "mqrecv $Q:lon "
    bash_makes "mqrecv /$Q:l" "mqrecv /$Q:lon "
    bash_makes "mqrecv $Q2=" "mqrecv $Q2=x "
    bash_makes "mqrecv $Q3@" "mqrecv $Q3@x "
    bash_makes "mqrun --dead-letter=$Q:l" "mqrun --dead-letter=$Q:lon "
    bash_makes "mqrun -D $Q2=" "mqrun -D $Q2=x "
}

@test "bash: a name goes on after an escaped blank, and within quotation marks" {
    queues "$Q two w" "$Q2\$\"l" "$Q3 ap's"
    bash_makes "mqrecv $Q\\ " "mqrecv $Q\\ two\\ w "
    bash_makes "mqrecv \"$Q " "mqrecv \"$Q two w\" "
    bash_makes "mqrecv '$Q t" "mqrecv '$Q two w' "
    bash_makes "mqrun --dead-letter=\"$Q t" "mqrun --dead-letter=\"$Q two w\" "
    bash_makes "mqrecv \"$Q2" "mqrecv \"$Q2\\$\\\"l\" "
    bash_makes "mqrecv '$Q3" "mqrecv '$Q3 ap'\\''s' "
}

@test "bash: a name that begins with a dash keeps its slash" {
    queues "-$Q"
    in_bash mqrecv ""
    [[ $'\n'$output$'\n' == *$'\n'"/-$Q"$'\n'* ]]
    in_bash mqrecv /-
    says "/-$Q"
}

@test "bash: a directory before a FIFO may be the home, or have a blank" {
    mkdir "$HOME/a d"
    mkfifo "$HOME/a d/one" "$HOME/other"
    bash_makes "mkfifo-recv ~/o" "mkfifo-recv ~/other "
    bash_makes "mkfifo-recv ~/a" "mkfifo-recv ~/a\\ d/"
    bash_makes "mkfifo-recv ~/a\\ d/" "mkfifo-recv ~/a\\ d/one "
}

@test "bash: piperun completes each of its commands" {
    cd "$BATS_TEST_TMPDIR" # where no file has the name of a tool
    bash_makes "piperun cat :: mqsta" "piperun cat :: mqstat "
    bash_makes "piperun --loop cat a :: cat :: semunl" "piperun --loop cat a :: cat :: semunlink "
    bash_makes "piperun --separator=-- cat -- mqsta" "piperun --separator=-- cat -- mqstat "
    bash_makes "piperun --separator , cat , mqsta" "piperun --separator , cat , mqstat "
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

@test "zsh: a name that begins with a dash keeps its slash" {
    queues "-$Q"
    in_zsh "mqrecv "
    says "/-$Q"
}

@test "zsh: no System V queue, nothing offered" {
    need unshare
    need_root
    need zsh
    run timeout 20 unshare --ipc \
        zsh -f "$IPC_SOURCE/tests/support/lists.zsh" "$completions" "msgrecv "
    expect 0 ""
}

@test "zsh: piperun completes each of its commands" {
    cd "$BATS_TEST_TMPDIR" # where no file has the name of a tool
    in_zsh "piperun cat :: mqst"
    says mqstat
    in_zsh "piperun --loop cat a :: cat :: semunl"
    says semunlink
    in_zsh "piperun --separator=-- cat -- mqst"
    says mqstat
}

@test "fish: every option of --help is offered with its help, and none that is not there" {
    need fish
    for tool in $IPC_TOOLS; do
        in_fish "$tool --"
        expected=$("$tool" --help |
            sed -nE 's/^  (-., |    )(--[a-z-]+)(\[?=[^ ]+)? +(.*)/\2\t\4/p' | LC_ALL=C sort)
        [ "$(printf '%s\n' "${lines[@]}" | LC_ALL=C sort)" = "$expected" ] || {
            echo "$tool: $output, expected: $expected"
            return 1
        }
        in_fish "$tool -"
        letters=$("$tool" --help | grep -oE '^  -.,' | tr -d ' ,' | LC_ALL=C sort)
        [ "$(cut -f 1 <<<"$output" | grep -xE -- '-[^-]' | LC_ALL=C sort)" = "$letters" ] || {
            echo "$tool: $output, expected: $letters"
            return 1
        }
    done
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

@test "fish: queues with a slash, of an option, and with names like no other" {
    queues "-$Q" "$Q2 x" $'9\t'"$Q" $'8\n'"$Q" "$Q3"
    in_fish "mqrecv "
    says "/-$Q" "$Q2 x"
    for line in "${lines[@]}"; do
        [[ $line != [89]* && $line != "$Q" ]]
    done
    in_fish "mqrun -D /$Q3"
    says "/$Q3"
    in_fish "mqrun --dead-letter=/$Q3"
    says "--dead-letter=/$Q3"
    in_fish "mqrun -D/$Q3"
    says "-D/$Q3"
}

@test "fish: FIFOs are found as the shell writes files, and directories go on" {
    mkdir "$HOME/a d"
    mkfifo "$HOME/a d/one" "$HOME/other"
    touch "$HOME/a d/only" "$HOME/oddity"
    in_fish "mkfifo-recv ~/"
    expect 0 "~/a d/
~/other"
    in_fish 'mkfifo-recv $HOME/o'
    expect 0 '$HOME/other'
    in_fish 'mkfifo-recv ~/a\ d/o'
    expect 0 "~/a d/one"
    in_fish "mqrun --journal=$HOME/odd"
    says "--journal=$HOME/oddity"
}

@test "fish: piperun completes each of its commands" {
    cd "$BATS_TEST_TMPDIR" # where no file has the name of a tool
    in_fish "piperun cat :: mqsta"
    says mqstat
    in_fish "piperun --loop cat a :: cat :: semunl"
    says semunlink
    in_fish "piperun --separator=-- cat -- mqsta"
    says mqstat
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
