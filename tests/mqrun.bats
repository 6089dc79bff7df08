#!/usr/bin/env bats
#
# shellcheck disable=SC2016 # COMMANDs are scripts in single quotes

load support/ipc
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return 1
}

teardown() {
    stop_started
    remove_queues
}

# With room for a few small messages.
create() {
    mqcreate -M 8 -s 64 "$@"
}

# holds QUEUE [MESSAGE]...: these are in the queue, in this order; takes them.
holds() {
    local queue=$1
    shift
    run mqrecv -d "$queue"
    expect 0 "$(printf '%s\n' "$@")"
}

# A COMMAND that says that it runs, and goes on once it may.
patient='touch running; until [ -e go ]; do sleep 0.01; done; '

@test "the message is standard input, exactly, and is acknowledged by exit 0" {
    mqcreate -M 2 -s 8192 "$Q"
    head -c 8192 /dev/urandom >maximum
    mqsend -r "$Q" <maximum
    run mqrun "$Q" cp /dev/stdin copy
    expect 0 ""
    cmp maximum copy
    run mqstat -H -o messages "$Q"
    expect 0 0
}

@test "an empty message is an empty input" {
    create "$Q"
    mqsend "$Q" ""
    run mqrun "$Q" sh -c 'echo "$MQ_LENGTH"; exec wc -c'
    expect 0 $'0\n0'
}

@test "standard input is seekable and cannot be changed" {
    create "$Q"
    mqsend "$Q" message
    run mqrun "$Q" sh -c '
        test -f /dev/stdin && cat /dev/stdin && echo && cat /dev/stdin && echo
        (echo other >&0) 2>/dev/null || echo sealed
        truncate -s 3 /proc/self/fd/0 2>/dev/null || echo sealed
        cat'
    expect 0 $'message\nmessage\nsealed\nsealed\nmessage'
}

@test "the environment tells queue, priority, length and attempt" {
    create "$Q"
    mqsend -p 42 "$Q" message
    MQ_QUEUE=wrong MQ_ATTEMPT=9 OTHER=kept run mqrun "$Q" env
    expect 0
    run grep -E '^(MQ_|OTHER=)' <(sort <<<"$output")
    expect 0 "MQ_ATTEMPT=1
MQ_LENGTH=7
MQ_PRIORITY=42
MQ_QUEUE=/$Q
OTHER=kept"
}

@test "COMMAND gets no descriptor but the standard ones" {
    create "$Q"
    mqsend "$Q" message
    run bash -c 'exec 3>&- 4>&- 5>&-; ls /proc/self/fd >before; exec mqrun "$1" ls /proc/self/fd' - "$Q"
    expect 0 "$(cat before)"
}

@test "one message by default, -N so many, -d all; by priority, then by age" {
    create "$Q"
    mqsend "$Q" 1 2 3 4 5 6
    run mqrun "$Q" sed 's/$/;/'
    expect 0 "1;"
    run mqrun -N 2 "$Q" sed 's/$/;/'
    expect 0 "2;3;"
    run mqrun -d -N 1 "$Q" sed 's/$/;/'
    expect 0 "4;"
    run mqrun --drain "$Q" sed 's/$/;/'
    expect 0 "5;6;"
    mqsend "$Q" low
    mqsend -p 9 "$Q" high higher
    run mqrun -d "$Q" sed 's/$/;/'
    expect 0 "high;higher;low;"
    run mqrun -d "$Q" cat
    expect 0 ""
}

@test "-d goes on with what a COMMAND sends to the queue" {
    create "$Q"
    mqsend "$Q" 3
    run mqrun -d -J 2 "$Q" sh -c 'read -r n || :; echo "$n"; [ "$n" = 0 ] || mqsend "$MQ_QUEUE" $((n - 1))'
    expect 0 $'3\n2\n1\n0'
}

@test "an empty queue: 1 with -n, 124 after -t, both saying how many" {
    create "$Q"
    run mqrun -n "$Q" cat
    expect 1 ""
    run mqrun -t 0.05 "$Q" cat
    expect 124 ""
    mqsend "$Q" one
    run mqrun -N 3 -n "$Q" true
    expect 1 "mqrun: 1 of 3 messages handled"
    mqsend "$Q" one two
    run mqrun -N 3 -t 0.05 "$Q" true
    expect 124 "mqrun: 2 of 3 messages handled"
    mqsend "$Q" one
    run mqrun -f -t 0.05 "$Q" true
    expect 124 "mqrun: 1 message handled"
}

@test "-f goes on until the queue is removed: 0" {
    create "$Q"
    start_job mqrun -f "$Q" sh -c 'cat >>got; exit 0'
    mqsend "$Q" a b
    eventually grep -qs ab got
    mqsend "$Q" c
    eventually grep -qs abc got
    mqunlink "$Q"
    ended
    expect 0 ""
}

@test "a queue removed while waiting is 69" {
    create "$Q"
    start_job mqrun "$Q" cat
    eventually sleeps "$pid"
    mqunlink "$Q"
    ended
    expect 69 "mqrun: queue /$Q has been removed"
}

@test "a missing queue is 66, -a waits for it" {
    run mqrun "$Q" cat
    expect 66 "mqrun: cannot open queue /$Q: no such queue; mqcreate makes it, --await waits for it"
    run mqrun -a -t 0.05 "$Q" cat
    expect 124 ""
    start_job mqrun -a "$Q" cat
    eventually sleeps "$pid"
    create "$Q"
    mqsend "$Q" message
    ended
    expect 0 message
}

@test "-J runs that many at once" {
    create "$Q"
    seq 4 | mqsend "$Q"
    # Each waits for all four.
    run mqrun -J 4 -d "$Q" timeout 20 sh -c \
        'touch "at.$$"; until [ "$(ls | grep -c ^at)" = 4 ]; do sleep 0.01; done'
    expect 0 ""
}

@test "never more than -J at once, and one by default" {
    create "$Q"
    local one_at_once='mkdir alone || exit 9; sleep 0.02; rmdir alone'
    seq 4 | mqsend "$Q"
    run mqrun -d "$Q" sh -c "$one_at_once"
    expect 0 ""
    seq 6 | mqsend "$Q"
    run mqrun -d -J 2 "$Q" sh -c 'touch "at.$$"; [ "$(ls | grep -c ^at)" -le 2 ] || exit 9; sleep 0.02; rm "at.$$"'
    expect 0 ""
}

@test "a COMMAND that fails is said, its message put back: 80" {
    create "$Q"
    mqsend -p 5 "$Q" message
    run mqrun "$Q" sh -c 'exit 3'
    expect 80 "mqrun: attempt 1 of 1 on a message from queue /$Q failed: exit status 3 (priority 5, 7 bytes)
mqrun: 1 message put back on queue /$Q"
    run mqrun "$Q" sh -c 'kill -KILL $$'
    expect 80
    says "failed: killed by signal 9 (priority 5, 7 bytes)"
    run mqrecv -n -P "$Q"
    expect 0 $'5\tmessage'
}

@test "after a failure no more is taken" {
    create "$Q"
    mqsend "$Q" bad good
    run mqrun -d "$Q" sh -c 'echo run; exit 1'
    expect 80
    [ "$(grep -c ^run <<<"$output")" = 1 ]
    run mqstat -H -o messages "$Q"
    expect 0 2
}

@test "a message is tried once and -R times more, each time the same" {
    create "$Q"
    mqsend "$Q" message
    run --separate-stderr mqrun -R 2 --retry-delay 0 "$Q" sh -c 'echo "$MQ_ATTEMPT $(cat)"; exit 1'
    expect 80 $'1 message\n2 message\n3 message'
    says "attempt 1 of 3" "attempt 2 of 3" "attempt 3 of 3"
    holds "$Q" message
}

@test "an attempt that succeeds ends the retries" {
    create "$Q"
    mqsend "$Q" message
    run --separate-stderr mqrun --retries 5 --retry-delay 1ms "$Q" \
        sh -c 'cat >>got; [ "$MQ_ATTEMPT" = 3 ]'
    expect 0 ""
    [ "$(cat got)" = messagemessagemessage ]
    holds "$Q"
}

@test "the delay before a retry doubles" {
    create "$Q"
    mqsend "$Q" message
    run mqrun -R 3 --retry-delay 60ms "$Q" sh -c 'date +%s%N >>at; exit 1'
    expect 80
    local -a times
    mapfile -t times <"$PWD/at"
    [ "${#times[@]}" -eq 4 ]
    [ $((times[1] - times[0])) -ge 59000000 ]
    [ $((times[2] - times[1])) -ge 119000000 ]
    [ $((times[3] - times[2])) -ge 239000000 ]
}

@test "while one waits for its retry, others run" {
    create "$Q"
    mqsend "$Q" bad
    mqsend "$Q" good
    start_job mqrun -J 2 -d -R 1 --retry-delay 1h "$Q" sh -c 'grep -q good && touch good'
    eventually test -e good
    kill "$pid"
    ended
    expect 143
    holds "$Q" bad
}

@test "-D gets what fails for good, at its priority: 123" {
    create "$Q" "$Q2"
    mqsend -p 3 "$Q" bad1
    mqsend -p 7 "$Q" good bad2
    run --separate-stderr mqrun -d -R 1 --retry-delay 0 -D "$Q2" "$Q" sh -c 'grep good'
    expect 123 good
    says "attempt 2 of 2" "2 messages sent to dead-letter queue /$Q2"
    [ "$(grep -c attempt <<<"$stderr")" = 4 ]
    run mqrecv -d -P "$Q2"
    expect 0 $'7\tbad2\n3\tbad1'
    holds "$Q"
}

@test "a dead-letter queue that is full: put back, 80" {
    create "$Q"
    mqcreate -M 1 -s 64 "$Q2"
    mqsend "$Q2" occupied
    mqsend -p 4 "$Q" bad
    run mqrun --dead-letter "$Q2" "$Q" false
    expect 80
    says "cannot send to dead-letter queue /$Q2: it is full" "1 message put back on queue /$Q"
    holds "$Q2" occupied
    run mqrecv -n -P "$Q"
    expect 0 $'4\tbad'
}

@test "a dead-letter queue that was removed, or made anew: put back, 80" {
    local anew
    for anew in true 'mqcreate -M 1 -s 64 "$2"'; do
        create "$Q"
        mqcreate -M 1 -s 64 "$Q2"
        mqsend -p 4 "$Q" precious
        # shellcheck disable=SC2016 # for the inner shell
        run mqrun -D "$Q2" "$Q" sh -c 'mqunlink "$2" && '"$anew"'; exit 1' - "$Q" "$Q2"
        expect 80
        says "cannot send to dead-letter queue /$Q2: it has been removed" "1 message put back"
        run mqrecv -n -P "$Q"
        expect 0 $'4\tprecious'
        remove_queues
    done
}

@test "a dead-letter queue that will not do is refused before anything is taken" {
    create "$Q"
    mqcreate -M 1 -s 63 "$Q3"
    mqsend "$Q" message
    run mqrun -D "$Q2" "$Q" touch ran
    expect 66 "mqrun: cannot open dead-letter queue /$Q2: no such queue; mqcreate makes it"
    run mqrun -D "$Q3" "$Q" touch ran
    expect 65
    says "takes messages up to 63 bytes" "up to 64"
    run mqrun -D "/$Q" "$Q" touch ran
    expect 64
    run mqrun -D a/b "$Q" touch ran
    expect 64
    [ ! -e ran ]
    holds "$Q" message
}

@test "a COMMAND that is missing is 127: put back, not retried nor dead-lettered" {
    create "$Q" "$Q2"
    mqsend "$Q" message
    local command
    PATH=$(dirname "$(command -v mqrun)"):/usr/bin:/bin # no directory that may not be searched
    for command in no-such-command ./no-such-command /dev/null/x ""; do
        run -127 mqrun -R 3 -D "$Q2" "$Q" "$command" x
        says "cannot run '$command'" "1 message put back on queue /$Q"
        [[ $output != *attempt* ]]
    done
    run mqrun -R 1 --retry-delay 0 "$Q" sh -c 'exit 127'
    expect 80 # COMMAND's own
    says "attempt 2 of 2" "exit status 127"
    run mqstat -H -o messages "$Q2"
    expect 0 0
    holds "$Q" message
}

@test "a COMMAND that is not executable is 126: put back" {
    create "$Q"
    mqsend "$Q" message
    echo true >script
    run mqrun -R 3 "$Q" ./script
    expect 126
    says "cannot run './script': permission denied"
    run mqrun "$Q" .
    expect 126
    holds "$Q" message
}

@test "a script without #! runs" {
    create "$Q"
    mqsend "$Q" message
    echo 'echo "$1: $(cat)"' >script
    chmod +x script
    run mqrun "$Q" ./script argument
    expect 0 "argument: message"
}

@test "the options of COMMAND are data" {
    create "$Q"
    mqsend "$Q" 1 2
    run mqrun -d "$Q" printf '[%s]' -n --help -- "" -J2
    expect 0 "[-n][--help][--][][-J2][-n][--help][--][][-J2]"
}

@test "-I replaces every occurrence in the arguments, never the COMMAND" {
    create "$Q"
    mqsend "$Q" 'a {} $(b) "c"' ""
    run mqrun -d -I {} "$Q" printf '<%s>' {} x{}y{} none '{'
    expect 0 '<a {} $(b) "c"><xa {} $(b) "c"ya {} $(b) "c"><none><{><><xy><none><{>'
    mqsend "$Q" ./echo
    run -127 mqrun --replace {} "$Q" ./{} x
    says "cannot run './{}'"
    run mqrun "$Q" echo {}
    expect 0 "{}"
    run mqrun -I "" "$Q" echo x
    expect 64
}

@test "a message with a NUL cannot be an argument: 65, put back" {
    create "$Q"
    printf 'a\0b' | mqsend -r "$Q"
    run mqrun -R 3 -I {} "$Q" touch ran {}
    expect 65
    says NUL "--replace" "put back"
    [ ! -e ran ]
    mqrun "$Q" od -An -c >is
    [ "$(tr -d ' ' <is)" = 'a\0b' ]
}

@test "a message that cannot be put back is kept in a file, which is named: 80" {
    create "$Q"
    mqsend -p 6 "$Q" $'a message\nof two lines'
    export TMPDIR=$BATS_TEST_TMPDIR
    run mqrun "$Q" sh -c 'mqunlink "$MQ_QUEUE"; exit 1'
    expect 80
    [[ $output =~ "kept in "([^ ]+) ]]
    create "$Q"
    mqsend -S -P "$Q" <"${BASH_REMATCH[1]}"
    run mqrecv -P "$Q"
    expect 0 $'6\ta message\nof two lines'
}

@test "who may only read a queue can run its messages" {
    need_other_user
    create -m 644 "$Q"
    mqsend "$Q" good bad
    run as_other_user mqrun "$Q" cat
    expect 0 good
    TMPDIR=/tmp run as_other_user mqrun "$Q" false
    expect 80
    says "may not be written"
    [[ $output =~ "kept in "([^ ]+) ]]
    grep -q '^5:0	bad,$' "${BASH_REMATCH[1]}"
    rm "${BASH_REMATCH[1]}"
}

@test "the end of a COMMAND is noticed, also if SIGCHLD was inherited as ignored" {
    create "$Q"
    env --ignore-signal=CHLD true || skip "needs env --ignore-signal"
    mqsend "$Q" 1 2
    run timeout 20 env --ignore-signal=CHLD mqrun -d "$Q" sh -c 'sleep 0.01; [ "$(cat)" = 1 ]'
    expect 80
    says "exit status 1"
    holds "$Q" 2
}

@test "the end of a COMMAND is noticed, however soon it comes" {
    need strace
    create "$Q" "$Q2"
    strace -o trace true || skip "may not trace"
    # Whenever mqrun looks for signals, COMMAND has ended already.
    mqsend "$Q" 1 2
    run timeout 20 strace -o trace -e inject=ppoll:delay_enter=20000 mqrun -d -J 2 "$Q" true
    expect 0 ""
    mqsend "$Q" 1 2
    run timeout 20 strace -o trace -e inject=ppoll:delay_enter=20000 \
        mqrun -d -J 2 -R 1 --retry-delay 0 -D "$Q2" "$Q" false
    expect 123
    holds "$Q2" 1 2
}

@test "COMMAND gets the signals as mqrun got them" {
    create "$Q"
    mqsend "$Q" 1 2
    env --default-signal --ignore-signal=INT true || skip "needs env --default-signal"
    run env --default-signal mqrun "$Q" grep -E '^Sig(Ign|Blk)' /proc/self/status
    expect 0
    [ "$(signals "${lines[0]#SigBlk:}")" = 0 ]
    [ "$(signals "${lines[1]#SigIgn:}")" = 0 ]
    run env --default-signal --ignore-signal=INT mqrun "$Q" grep ^SigIgn /proc/self/status
    expect 0
    [ "$(signals "${lines[0]#SigIgn:}")" = 2 ]
}

# Of a mask in hexadecimal: SIGHUP 1, SIGINT 2, SIGQUIT 4, SIGTERM 4000, SIGCHLD 10000.
signals() {
    printf '%x' $((0x${1//[[:space:]]/} & 0x14007))
}

@test "SIGTERM: what runs finishes and is acknowledged, no more is taken" {
    create "$Q"
    mqsend "$Q" first second
    start_job mqrun -f "$Q" sh -c "$patient"'exec cat'
    eventually test -e running
    kill -TERM "$pid"
    eventually no_signal_pending "$pid"
    is_running "$pid"
    touch go
    ended
    expect 143 first
    holds "$Q" second
}

@test "a signal while waiting for a message ends it" {
    create "$Q"
    local signal
    for signal in HUP INT TERM; do
        start_job mqrun -f "$Q" cat
        eventually sleeps "$pid"
        kill -"$signal" "$pid"
        ended
        expect $((128 + $(kill -l "$signal"))) ""
    done
}

@test "a COMMAND that fails after the signal has its message put back, uncounted" {
    create "$Q" "$Q2"
    mqsend -p 2 "$Q" message
    start_job mqrun -f -R 5 -D "$Q2" "$Q" sh -c "$patient"'exit 1'
    eventually test -e running
    kill -HUP "$pid"
    eventually no_signal_pending "$pid"
    touch go
    ended
    expect 129 "mqrun: 1 message put back on queue /$Q"
    holds "$Q2"
    run mqrecv -n -P "$Q"
    expect 0 $'2\tmessage'
}

@test "a second signal is passed on to COMMAND" {
    create "$Q"
    mqsend "$Q" message
    start_job mqrun -f "$Q" sh -c 'trap "echo passed on; exit 0" TERM; touch running
        while :; do sleep 0.01; done'
    eventually test -e running
    kill -TERM "$pid"
    eventually no_signal_pending "$pid"
    eventually sleeps "$pid"
    [ ! -s "$log" ]
    kill -TERM "$pid"
    ended
    expect 143 "passed on"
    holds "$Q"
}

@test "Ctrl-C, which reaches COMMAND too, costs no message and no retry" {
    create "$Q" "$Q2"
    mqsend "$Q" 1 2
    for _ in 1 2 3 4 5; do
        rm -f running
        start_job mqrun -f -D "$Q2" "$Q" sh -c 'touch running; exec sleep 1000'
        eventually test -e running
        kill -INT -- "-$pid"
        ended
        expect 130 "mqrun: 1 message put back on queue /$Q"
    done
    holds "$Q2"
    run mqstat -H -o messages "$Q"
    expect 0 2
}

@test "a signal during the delay before a retry puts the message back" {
    create "$Q" "$Q2"
    mqsend "$Q" message
    start_job mqrun -R 1 --retry-delay 1h -D "$Q2" "$Q" sh -c 'echo run; exit 1'
    eventually grep -q "attempt 1 of 2" "$log"
    kill -INT "$pid"
    ended
    expect 130
    says "1 message put back on queue /$Q"
    [ "$(grep -c ^run "$log")" = 1 ]
    holds "$Q2"
    holds "$Q" message
}

@test "wrong options are 64 and take nothing" {
    create "$Q"
    mqsend "$Q" message
    local options
    for options in "-n -t 1" "-n -a" "-f -d" "-f -N 2" "-J 0" "-J x" "-J 1025" "-N 0" "-N -1" "-R -1" \
        "--retry-delay x" "--retry-delay -1"; do
        # shellcheck disable=SC2086
        run mqrun $options "$Q" touch ran
        expect 64
    done
    run mqrun "$Q"
    expect 64
    [ ! -e ran ]
    holds "$Q" message
}

@test "a signal that is seen as a COMMAND ends puts back what waits for its retry" {
    create "$Q"
    mqsend "$Q" first second
    start_job mqrun -J 2 -d -R 1 --retry-delay 1h "$Q" sh -c 'read -r message
        [ "$message" != first ] || exit 1
        until grep -q "attempt 1" "$0"; do sleep 0.01; done
        (sleep 0.02; kill "$PPID") & exit 143' "$BATS_TEST_TMPDIR/log.0"
    ended
    expect 143
    says "2 messages put back"
    run mqstat -H -o messages "$Q"
    expect 0 2
}

@test "-d handles what a COMMAND sends while that COMMAND runs" {
    create "$Q"
    mqsend "$Q" first
    run timeout 20 mqrun -d -J 2 "$Q" sh -c 'read -r message
        case $message in
        first) mqsend "$MQ_QUEUE" second; until [ -e second ]; do sleep 0.01; done ;;
        second) touch second ;;
        esac'
    expect 0 ""
}

@test "each Ctrl-C reaches COMMAND once" {
    need script
    create "$Q"
    mqsend "$Q" message
    cat >count <<'END'
trap 'n=$((n + 1)); echo "$n" >counted' INT
echo "$PPID" >ready
until [ "${n:-0}" -ge 2 ]; do sleep 0.01; done
for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.02; done
echo "signals: $n"
END
    mkfifo keys
    start_job bash -c 'exec script -qec "mqrun $1 bash count; true" /dev/null <keys' - "$Q"
    exec 4>keys
    eventually test -s ready
    printf '\003' >&4
    eventually grep -qs 1 counted
    # Else what mqrun passes on could come at the same time, and count as one.
    kill -STOP "$(cat ready)"
    printf '\003' >&4
    eventually grep -q 2 counted
    kill -CONT "$(cat ready)"
    ended
    exec 4>&-
    says "signals: 2"
}

@test "the memory for messages is there before they are taken" {
    not_under_valgrind "its memory is of another kind"
    need_root
    unshare -i true || skip "needs IPC namespaces"
    run unshare -i bash -c 'echo 262144 >/proc/sys/fs/mqueue/msgsize_max && mqcreate -M 1 -s 256K "$1" || exit
        mqrun -f -J 64 "$1" true 3>&- &
        for ((i = 0; i < 3000; i++)); do
            [ "$(awk "/^VmRSS/ { print \$2 }" "/proc/$!/status")" -lt 16384 ] || break
            sleep 0.01
        done
        mqunlink "$1"; wait; [ "$i" -lt 3000 ]' - "$Q"
    expect 0 ""
}

@test "a message that is larger than a file may be names the limit, and is put back" {
    mqcreate -M 2 -s 4K "$Q"
    head -c 4096 /dev/zero | tr '\0' a >large
    mqsend -r "$Q" <large
    run bash -c 'ulimit -f 1; exec mqrun "$1" cat' - "$Q"
    expect 75
    says "RLIMIT_FSIZE (ulimit -f) allows its input 1024 bytes"
    run mqrecv -d "$Q"
    expect 0 "$(cat large)"
}
