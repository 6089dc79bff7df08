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

# hold: a semrun that holds $Q; $pid is its process. COMMAND writes the
# signals that it gets into ./got.
hold() {
    rm -f ready got
    start semrun "$Q" sh -c 'trap "echo TERM >>got; exit 3" TERM
        trap "echo INT >>got; exit 4" INT; trap "echo HUP >>got; exit 5" HUP
        echo $$ >ready.new; mv ready.new ready; while :; do sleep 0.01; done'
    eventually test -s ready
}

@test "runs COMMAND holding one, and posts it again" {
    semcreate "$Q" 3
    run semrun "$Q" semstat -H -o value "$Q"
    expect 0 2
    [ "$(value_of "$Q")" = 3 ]
}

@test "exits as COMMAND does" {
    semcreate "$Q" 1
    run semrun "$Q" sh -c 'exit 42'
    expect 42 ""
    run semrun "$Q" sh -c 'kill -KILL $$'
    expect 137 ""
    [ "$(value_of "$Q")" = 1 ]
}

@test "COMMAND's options and standard streams are its own" {
    semcreate "$Q" 1
    # shellcheck disable=SC2016 # for the inner shell
    run --separate-stderr bash -c 'echo in | semrun "$1" sh -c "cat; echo -n err >&2" -t -n' - "$Q"
    expect 0 in
    [ "$stderr" = err ]
    run semrun "$Q" echo -- -x
    expect 0 "-- -x"
}

@test "COMMAND is found by PATH, and may be a script without #!" {
    semcreate "$Q" 1
    echo 'echo script "$1"' >script
    chmod +x script
    PATH=$PWD:$PATH run semrun "$Q" ./script a
    expect 0 "script a"
}

@test "a COMMAND that is not found is 127, one that cannot run 126; the count is back" {
    semcreate "$Q" 1
    run -127 semrun "$Q" no-such-command
    expect 127
    says no-such-command
    run semrun -t 10 "$Q" /etc/passwd
    expect 126
    [ "$(value_of "$Q")" = 1 ]
}

@test "its own failures are 125" {
    run semrun "$Q" true
    expect 125
    says "no such semaphore"
    run semrun a/b true
    expect 125
    run semrun -n -t 1 "$Q" true
    expect 125
    run semrun -n -a "$Q" true
    expect 125
    run semrun "$Q"
    expect 125
    run semrun --slots=0 "$Q" true
    expect 125
    run semrun -E 256 "$Q" true
    expect 125
}

@test "-n: busy is 1, silently, and COMMAND does not run" {
    semcreate "$Q" 0
    run semrun -n "$Q" touch ran
    expect 1 ""
    run semrun --nonblock "$Q" touch ran
    expect 1 ""
    [ ! -e ran ]
}

@test "-t: 124 when the time is up, and COMMAND does not run" {
    semcreate "$Q" 0
    run semrun -t 0.05 "$Q" touch ran
    expect 124 ""
    run semrun --timeout=0 "$Q" touch ran
    expect 124 ""
    [ ! -e ran ]
}

@test "-t bounds the wait, not COMMAND" {
    semcreate "$Q" 1
    run semrun -t 10ms "$Q" sh -c 'sleep 0.1; echo done'
    expect 0 "done"
}

@test "-E is the status for busy or timed out" {
    semcreate "$Q" 0
    run semrun -n -E 99 "$Q" true
    expect 99 ""
    run semrun -t 0 --conflict-exit-code=0 "$Q" true
    expect 0 ""
    run semrun -a -t 0 -E 7 "$Q2" true
    expect 7 ""
    sempost "$Q"
    run semrun -n -E 99 "$Q" sh -c 'exit 5'
    expect 5 ""
}

@test "-a waits for the semaphore to appear" {
    start semrun -a "$Q" touch ran
    eventually sleeps "$pid"
    semcreate "$Q" 1
    ends 0
    [ -e ran ]
}

@test "--slots creates the semaphore if it is missing, of mode 0600" {
    umask 0
    run semrun --slots=3 "$Q" semstat -H -o value,mode "$Q"
    expect 0 $'2\t0600'
    [ "$(value_of "$Q")" = 3 ]
}

@test "--slots uses one that exists as it is" {
    semcreate "$Q" 1
    run semrun --slots=3 "$Q" semstat -H -o value "$Q"
    expect 0 0
    [ "$(value_of "$Q")" = 1 ]
}

@test "--slots does not trust a semaphore of another user" {
    need_root
    semcreate -u nobody -m 666 "$Q" 1
    run semrun --slots=1 "$Q" touch ran
    expect 125
    says "belongs to user"
    [ ! -e ran ]
    run semrun "$Q" true
    expect 0 ""
}

@test "--slots trusts a semaphore of root" {
    need_other_user
    semcreate -m 666 "$Q" 1
    run as_other_user semrun --slots=1 "$Q" echo ran
    expect 0 ran
}

@test "what is no semaphore is 125, never SIGBUS" {
    refused() {
        run timeout 10 semrun --slots=1 "$Q" touch ran
        expect 125 && says "no semaphore" && [ ! -e ran ]
    }
    plant_each refused
}

@test "a semaphore that is cut short while COMMAND runs is 125, not SIGBUS" {
    semcreate "$Q" 1
    run semrun "$Q" truncate -s 0 "$(file_of "$Q")"
    expect 125
    says "cut short"
}

@test "a post beyond the maximum is 125, and says so" {
    semcreate "$Q" 2147483647
    run semrun "$Q" sempost "$Q"
    expect 125
    says 2147483647
}

@test "twelve on a value of 3: never more than three inside, and three at times" {
    semcreate "$Q" 3
    local i runs=()
    mkdir inside
    for ((i = 0; i < 12; i++)); do
        # shellcheck disable=SC2016 # for the inner shell
        start semrun "$Q" sh -c 'for i in 1 2 3 4 5; do touch "inside/$1"; ls inside | wc -l >>seen
            sleep 0.02; done; rm "inside/$1"' - "$i"
        runs+=("$pid")
    done
    for pid in "${runs[@]}"; do ends 0; done
    [ "$(sort -n seen | tail -n 1)" = 3 ]
    [ "$(wc -l <seen)" -eq 60 ]
    [ "$(value_of "$Q")" = 3 ]
}

@test "TERM, INT and HUP reach COMMAND, whose status it is, and the count is back" {
    semcreate "$Q" 1
    local signal expected=2
    for signal in TERM INT HUP; do
        expected=$((expected + 1))
        hold
        [ "$(value_of "$Q")" = 0 ]
        kill -"$signal" "$pid"
        ends "$expected"
        [ "$(cat got)" = "$signal" ]
        [ "$(value_of "$Q")" = 1 ]
    done
}

@test "the count is back each time that TERM, INT or HUP ends it, 20 times each" {
    semcreate "$Q" 1
    local signal round
    for signal in TERM INT HUP; do
        for ((round = 0; round < 20; round++)); do
            rm -f ready
            start semrun "$Q" sh -c 'echo >ready; exec sleep 60'
            eventually test -e ready
            kill -"$signal" "$pid"
            ends $((128 + $(kill -l "$signal")))
            [ "$(value_of "$Q")" = 1 ]
        done
    done
}

@test "the count is back each time that a signal kills COMMAND, 30 times" {
    semcreate "$Q" 1
    local round signals=(KILL SEGV TERM INT ABRT)
    for ((round = 0; round < 30; round++)); do
        run semrun "$Q" sh -c "ulimit -c 0; kill -${signals[round % 5]} \$\$"
        expect $((128 + $(kill -l "${signals[round % 5]}")))
        [ "$(value_of "$Q")" = 1 ]
    done
}

@test "the count is back after 150 signals at any moment" {
    not_under_valgrind "its moments are too short"
    semcreate "$Q" 1
    local round moment signals=(TERM INT HUP)
    for ((round = 0; round < 150; round++)); do
        start semrun "$Q" sleep 0.003
        for ((moment = RANDOM % 80; moment > 0; moment--)); do :; done
        kill -"${signals[round % 3]}" "$pid" 2>/dev/null || true
        wait "$pid" || true
        unset "started[pid]"
        [ "$(value_of "$Q")" = 1 ]
    done
}

@test "300 signals that come with the count: it is back, and COMMAND runs or the signal ends semrun" {
    not_under_valgrind "its moments are too short"
    semcreate "$Q" 0
    local round moment ended
    for ((round = 0; round < 300; round++)); do
        rm -f ran
        start semrun "$Q" sh -c 'trap "" TERM; : >ran'
        for ((moment = RANDOM % 30; moment > 0; moment--)); do :; done
        sempost "$Q"
        kill -TERM "$pid" 2>/dev/null || true
        ended=0
        wait "$pid" || ended=$?
        unset "started[pid]"
        semwait -n "$Q"
        [ "$ended" -eq 0 ] || [ "$ended" -eq 143 ]
        [ "$ended" -eq 0 ] || [ ! -e ran ]
    done
    [ "$(value_of "$Q")" = 0 ]
}

@test "a signal while it waits ends it by that signal, and nothing is posted" {
    semcreate "$Q" 0
    start semrun "$Q" touch ran
    eventually sleeps "$pid"
    kill -TERM "$pid"
    ends 143
    [ "$(value_of "$Q")" = 0 ]
    [ ! -e ran ]
}

@test "Ctrl-C reaches COMMAND once" {
    need script
    semcreate "$Q" 1
    # shellcheck disable=SC2016 # for the inner shell
    cat >script <<'END'
trap 'echo INT >>got' INT
echo >ready
until [ -e got ]; do sleep 0.01; done
i=0
while [ "$i" -lt 30 ]; do sleep 0.01; i=$((i + 1)); done
END
    mkfifo keys
    exec 9<>keys
    # "exec", for a shell in between that the signal reaches too may say 130.
    start script -qec "exec semrun '$Q' sh script" /dev/null <keys >typed 9>&-
    eventually test -e ready
    printf '\003' >&9
    eventually test -s got
    ends 0
    exec 9>&-
    [ "$(wc -l <got)" -eq 1 ]
    [ "$(value_of "$Q")" = 1 ]
}

@test "what was ignored stays ignored for COMMAND, what was not is as usual" {
    semcreate "$Q" 1
    # shellcheck disable=SC2016 # for the inner shell
    # Signals 1 to 28: posix_spawn(3) may ignore those that a C library has for itself.
    local show='sed -nE "s/^(Sig(Blk|Ign)).*(.{7})$/\1 \3/p" /proc/self/status'
    env --ignore-signal=HUP,ALRM --default-signal=CHLD sh -c "exec $show" >bare
    env --ignore-signal=HUP,ALRM --default-signal=CHLD semrun "$Q" sh -c "exec $show" >inside
    diff bare inside
    # Also when it had to wait, with a timer.
    semwait "$Q"
    start env --ignore-signal=HUP,ALRM --default-signal=CHLD semrun -t 30 "$Q" sh -c "exec $show" \
        >inside
    eventually sleeps "$pid"
    sempost "$Q"
    ends 0
    diff bare inside
}

@test "SIGCHLD inherited as ignored changes nothing" {
    semcreate "$Q" 1
    run env --ignore-signal=CHLD semrun "$Q" sh -c 'exit 6'
    expect 6
    [ "$(value_of "$Q")" = 1 ]
}

@test "COMMAND inherits no descriptor of it" {
    semcreate "$Q" 1
    # shellcheck disable=SC2016 # for the inner shell
    run semrun "$Q" sh -c 'ls -l /proc/self/fd | grep -c shm'
    expect 1 0
}

@test "textbook programs wait for it" {
    "$IPC_BUILD/tests/support/textbook-sem" create "/$Q" 1
    hold
    local holder=$pid
    start "$IPC_BUILD/tests/support/textbook-sem" wait "/$Q"
    eventually sleeps "$pid"
    kill -TERM "$holder"
    ends 0
    pid=$holder
    ends 3
}

@test "a semaphore that is removed ends a waiter with 125" {
    semcreate "$Q" 0
    start semrun "$Q" true 2>errors
    eventually sleeps "$pid"
    semunlink "$Q"
    ends 125
    grep -q "has been removed" errors
}

@test "a reader of standard error that has gone costs no count" {
    semcreate "$Q" 1
    run bash -c '{ sleep 0.2; exec semrun "$1" ./missing; } 2>&1 | true' - "$Q"
    [ "$(value_of "$Q")" = 1 ]
}

@test "-v and -q change nothing about COMMAND" {
    semcreate "$Q" 1
    run semrun -q "$Q" echo a
    expect 0 a
    run semrun -v "$Q" echo a
    expect 0 a
}

@test "--slots makes anew a semaphore that is removed just then" {
    need_bare "system calls of its own"
    need_strace
    semcreate "$Q" 1
    start strace -qq -o trace -e inject=linkat:delay_exit=1000000:when=1 semrun --slots=1 "$Q" touch ran
    eventually grep -q linkat trace
    semunlink "$Q"
    ends 0
    [ -e ran ]
}

@test "a COMMAND that cannot start keeps no count, also where nobody reads why" {
    semcreate "$Q" 1
    mkfifo errors
    exec 5<>errors
    dd if=/dev/zero of=errors bs=4096 count=1000 oflag=nonblock 2>/dev/null || true
    start semrun "$Q" ./missing 2>&5
    eventually sleeps "$pid"
    eventually has_value "$Q" 1
    kill -TERM "$pid"
    ends 127
    exec 5>&-
}

@test "the end of its terminal ends COMMAND too, where it leads the session, and the count is back" {
    need script
    semcreate "$Q" 1
    mkfifo keys
    start_job bash -c 'exec script -qec "exec semrun $1 sh -c \"echo \\\$\\\$ >process; exec sleep 1000\"" \
        /dev/null <keys' - "$Q"
    exec 4>keys
    eventually test -s process
    kill -KILL "$pid"
    exec 4>&-
    eventually has_ended "$(cat process)"
    all_back() { [ "$(value_of "$Q")" = 1 ]; }
    eventually all_back
}
