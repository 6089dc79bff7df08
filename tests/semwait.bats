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

# took LEAST COMMAND...: `run`, which takes so many centiseconds, and ends.
took() {
    local least=$1 begun elapsed
    shift
    begun=$(ticks)
    run "$@"
    elapsed=$(($(ticks) - begun))
    [ "$elapsed" -ge "$least" ] && [ "$elapsed" -le 2000 ] || {
        echo "took $elapsed centiseconds"
        return 1
    }
}

# lower_than NAME VALUE, for eventually.
lower_than() {
    [ "$(value_of "$1")" -lt "$2" ]
}

@test "takes one, without a word" {
    semcreate "$Q" 2
    run semwait "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 1 ]
}

@test "waits for a post" {
    semcreate "$Q" 0
    start semwait "$Q"
    eventually sleeps "$pid"
    sempost "$Q"
    ends 0
}

@test "waits for the post of a textbook program" {
    semcreate "$Q" 0
    start semwait "$Q"
    eventually sleeps "$pid"
    "$IPC_BUILD/tests/support/textbook-sem" post "/$Q"
    ends 0
}

@test "-n: at 0 it is 1 at once, silently" {
    semcreate "$Q" 1
    run semwait -n "$Q"
    expect 0 ""
    run semwait --nonblock "$Q"
    expect 1 ""
}

@test "-t: 124 when the time is up, silently" {
    semcreate "$Q" 0
    took 19 semwait -t 200ms "$Q"
    expect 124 ""
}

@test "-t 0 tries once" {
    semcreate "$Q" 1
    run semwait -t 0 "$Q"
    expect 0 ""
    took 0 semwait --timeout=0 "$Q"
    expect 124 ""
}

@test "-t: a post in time is success" {
    semcreate "$Q" 0
    start semwait -t 30 "$Q"
    eventually sleeps "$pid"
    sempost "$Q"
    ends 0
}

@test "-t is on time while the wall clock is an hour off" {
    need cc
    not_under_valgrind "a clock of its own"
    cc -shared -fPIC -o clock.so "$IPC_SOURCE/tests/support/stepped-clock.c"
    semcreate "$Q" 0
    local step
    for step in 3600 -3600; do
        export CLOCK_STEP=$step
        [ $(($(LD_PRELOAD=$PWD/clock.so date +%s) - $(date +%s) - step)) -le 1 ]
        LD_PRELOAD=$PWD/clock.so took 29 semwait -t 0.3 "$Q"
        expect 124 ""
        LD_PRELOAD=$PWD/clock.so took 29 semrun -t 0.3 "$Q" true
        expect 124 ""
        LD_PRELOAD=$PWD/clock.so took 29 semwait -a -t 0.3 "$Q2"
        expect 124 ""
    done
}

@test "-N takes so many" {
    semcreate "$Q" 5
    run semwait -N 3 "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 2 ]
    run semwait --count=2 "$Q"
    expect 0 ""
    [ "$(value_of "$Q")" = 0 ]
}

@test "-N waits until it has them all" {
    semcreate "$Q" 1
    start semwait -N 3 "$Q"
    eventually has_value "$Q" 0
    sempost "$Q"
    eventually has_value "$Q" 0
    [ -d "/proc/$pid" ]
    sempost "$Q"
    ends 0
}

@test "-N gives back what it took when the time is up" {
    semcreate "$Q" 3
    took 19 semwait -t .2 -N 5 "$Q"
    expect 124 ""
    [ "$(value_of "$Q")" = 3 ]
}

@test "-N gives back what it took with -n" {
    semcreate "$Q" 3
    run semwait -n -N 4 "$Q"
    expect 1 ""
    [ "$(value_of "$Q")" = 3 ]
}

@test "-N gives back what it took when a signal ends it" {
    semcreate "$Q" 3
    local signal
    for signal in TERM INT HUP QUIT; do
        start semwait -N 4 "$Q"
        eventually has_value "$Q" 0
        eventually sleeps "$pid"
        kill -"$signal" "$pid"
        ends $((128 + $(kill -l "$signal")))
        [ "$(value_of "$Q")" = 3 ]
    done
}

@test "-a waits for the semaphore to appear" {
    start semwait -a "$Q"
    eventually sleeps "$pid"
    semcreate "$Q" 1
    ends 0
    [ "$(value_of "$Q")" = 0 ]
}

@test "-a is bounded by -t" {
    took 19 semwait --await -t .2 "$Q"
    expect 124 ""
}

@test "-n contradicts -t and -a" {
    run semwait -n -t 1 "$Q"
    expect 64
    run semwait -n -a "$Q"
    expect 64
}

@test "a missing semaphore is 66, in silence with -q" {
    run semwait "$Q"
    expect 66
    says "no such semaphore" "/$Q"
    run semwait -q "$Q"
    expect 66 ""
}

@test "what is no semaphore is 65, never SIGBUS and never a wait" {
    refused() {
        run timeout 10 semwait "$Q"
        expect 65 && says "no semaphore"
    }
    plant_each refused
}

@test "a semaphore that is cut short under a waiter is 69, not SIGBUS" {
    semcreate "$Q" 0
    start semwait "$Q" 2>errors
    eventually sleeps "$pid"
    : >"$(file_of "$Q")"
    ends 69
    grep -q "cut short" errors
}

@test "a semaphore that is removed ends its waiter with 69" {
    semcreate "$Q" 0
    start semwait "$Q" 2>errors
    eventually sleeps "$pid"
    semunlink "$Q"
    ends 69
    grep -q "has been removed" errors
}

@test "without permission it is 77" {
    need_other_user
    semcreate -m 644 "$Q" 1
    run as_other_user semwait "$Q"
    expect 77
}

@test "a signal ends a waiter by that signal" {
    semcreate "$Q" 0
    local signal
    for signal in TERM INT HUP QUIT; do
        start semwait "$Q"
        eventually sleeps "$pid"
        kill -"$signal" "$pid"
        ends $((128 + $(kill -l "$signal")))
    done
    [ "$(value_of "$Q")" = 0 ]
}

@test "a signal that was ignored stays ignored" {
    semcreate "$Q" 0
    start env --ignore-signal=HUP semwait "$Q"
    eventually sleeps "$pid"
    kill -HUP "$pid"
    sempost "$Q"
    ends 0
}

@test "it waits also where the signal of its timer is ignored, or blocked" {
    semcreate "$Q" 0
    took 19 env --ignore-signal=RTMIN semwait -t .2 "$Q"
    expect 124 ""
    took 19 env --block-signal=RTMIN semwait -t .2 "$Q"
    expect 124 ""
}

@test "a SIGALRM that others set ends it" {
    semcreate "$Q" 0
    start semwait -t 1h "$Q"
    eventually sleeps "$pid"
    kill -ALRM "$pid"
    ends 142
}

@test "-t 0 -N loses nothing where no timer can be had" {
    semcreate "$Q" 2
    run bash -c 'ulimit -i 0; exec semwait -t 0 -N 3 "$1"' - "$Q"
    expect 124 ""
    [ "$(value_of "$Q")" = 2 ]
}

@test "no count is lost in 300 signals at any moment" {
    not_under_valgrind "its moments are too short"
    semcreate "$Q" 0
    local round taken=0 moment
    for ((round = 0; round < 300; round++)); do
        start semwait "$Q"
        for ((moment = RANDOM % 30; moment > 0; moment--)); do :; done
        sempost "$Q"
        kill -TERM "$pid" 2>/dev/null || true
        # 0 if and only if it has taken one.
        wait "$pid" && taken=$((taken + 1))
        unset "started[pid]"
    done
    [ "$(value_of "$Q")" = $((300 - taken)) ]
}

@test "waiters and posters at once lose nothing" {
    semcreate "$Q" 0
    local i waiters=()
    for i in 1 2 3 4; do
        start sh -c "for i in \$(seq 50); do semwait '$Q' || exit; done"
        waiters+=("$pid")
    done
    for ((i = 0; i < 200; i++)); do sempost "$Q"; done
    for pid in "${waiters[@]}"; do ends 0; done
    [ "$(value_of "$Q")" = 0 ]
}

@test "-N takes 1 to 2147483647" {
    semcreate "$Q" 1
    local count
    for count in 0 2147483648 -1 x; do
        run semwait -N "$count" "$Q"
        expect 64
    done
    [ "$(value_of "$Q")" = 1 ]
}

@test "a signal ends it also while it takes millions, and they are given back" {
    semcreate "$Q" 2147483647
    start semwait -N 2147483647 "$Q"
    eventually lower_than "$Q" 2147483647
    kill -TERM "$pid"
    ends 143
    [ "$(value_of "$Q")" = 2147483647 ]
}

@test "-v says how many were taken, -q is accepted" {
    semcreate "$Q" 3
    run semwait -v -N 2 "$Q"
    expect 0
    says "took 2" "/$Q"
    run semwait -q "$Q"
    expect 0 ""
}

@test "two that take several each do not keep a part from each other" {
    semcreate "$Q" 0
    start semwait -N 2 "$Q"
    local one=$pid
    eventually sleeps "$pid"
    start semwait -N 2 "$Q"
    local two=$pid
    eventually sleeps "$pid"
    sempost "$Q"
    eventually has_value "$Q" 0
    sempost "$Q"
    either() { has_ended "$one" || has_ended "$two"; }
    eventually either
    sempost -N 2 "$Q"
    pid=$one
    ends 0
    pid=$two
    ends 0
}
