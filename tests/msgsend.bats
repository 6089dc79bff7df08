#!/usr/bin/env bats

load support/ipc
load support/sysv
load support/processes

setup() {
    setup_keys
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
    remove_keys
}

textbook() {
    "$IPC_BUILD/tests/support/textbook-msg" "$@"
}

@test "each operand is one message, whatever it looks like" {
    make_queue
    msgsend "$K" one -x -- '' --help
    msgrecv -d "$K" | cmp - <(printf '%s\n' one -x -- '' --help)
}

@test "records of standard input are lines, also empty ones and one without newline" {
    make_queue
    printf 'a\n\nb\nlast' | msgsend "$K"
    msgrecv -d "$K" | cmp - <(printf 'a\n\nb\nlast\n')
}

@test "-0, -S and -r read records as in every tool" {
    make_queue
    printf 'a\nb\0c\0' | msgsend -0 "$K"
    printf '3:x\0y,0:,' | msgsend -S "$K"
    printf 'all\nof it\n' | msgsend -r "$K"
    msgsend -r "$K" </dev/null
    msgrecv -d -S "$K" | cmp - <(printf '3:a\nb,1:c,3:x\0y,0:,10:all\nof it\n,0:,')
}

@test "--string appends a NUL, and refuses one inside" {
    make_queue
    msgsend --string "$K" abc
    msgrecv -r "$K" | cmp - <(printf 'abc\0')
    run bash -c 'printf "3:a\0b," | msgsend -S --string "$1"' - "$K"
    expect 65
    holds 0
}

@test "-T is 1 to 2^63-1" {
    local bad
    make_queue
    msgsend "$K" default
    msgsend -T 9223372036854775807 "$K" highest
    run msgrecv -d -P "$K"
    expect 0 $'1\tdefault\n9223372036854775807\thighest'
    for bad in 0 -1 '' 1x ' 1' +1 0x1 9223372036854775808 18446744073709551617; do
        run msgsend -T "$bad" "$K" a
        expect 64
    done
    holds 0
}

@test "-P takes the type from the record" {
    make_queue
    printf '7\tseven\n9223372036854775807\t\n' | msgsend -P "$K"
    run msgrecv -d -P "$K"
    expect 0 $'7\tseven\n9223372036854775807\t'
    run msgsend -P "$K" $'1\ta'
    expect 64
    run msgsend -P -T 1 "$K"
    expect 64
}

@test "-P with a malformed type exits 65 after what came before it" {
    local bad
    make_queue
    for bad in 'none' $'0\ta' $'-1\ta' $'\ta' $'1 \ta' $'9223372036854775808\ta'; do
        run bash -c 'printf "2\tfine\n%s\n2\tafter\n" "$2" | msgsend -P "$1"' - "$K" "$bad"
        expect 65
        says "1 message sent" "a type (1 to 9223372036854775807)"
        run msgrecv -d "$K"
        expect 0 fine
    done
}

@test "a key is a decimal or hexadecimal number" {
    make_queue
    msgsend "$((K))" decimal
    msgsend "0X$(printf %X "$K")" capitals
    run msgrecv -N 2 "$K"
    expect 0 $'decimal\ncapitals'
}

@test "a key that is no key is 64, and never another queue" {
    local bad
    make_queue
    for bad in '' 0 0x 0x0 00 007 4294967296 0x100000000 12x 0xg -1 +1 \
        id: id:x id:-1 'id: 1' id:0x1 id:4294967296 id:2147483648 \
        "$((K + 4294967296))" "id:$(($(id_of "$K") + 4294967296))"; do
        run msgsend "$bad" a
        expect 64 || {
            echo "for $bad"
            return 1
        }
    done
    holds 0
}

@test "id:N is the queue with that id, and is never created" {
    make_queue
    msgsend "id:$(id_of "$K")" by-id
    run msgrecv "id:$(id_of "$K")"
    expect 0 by-id
    run msgsend -c "id:$(id_of "$K")" a
    expect 64
    run msgsend id:2147483647 a
    expect 66 "msgsend: cannot open queue id:2147483647: no such queue (ipcs -q lists them)"
}

@test "PATH[:PROJECT] is the key that ftok gives" {
    local file=./file:with:colons keys=() key
    touch "$file" 5
    for key in "$file:7:$(textbook key "$file" 7)" "$file:a:$(textbook key "$file" 97)" \
        "$file:255:$(textbook key "$file" 255)" "./5:$(textbook key ./5 1)"; do
        keys+=("${key##*:}")
        msgsend -c "${key%:*}" "${key##*:}"
        run msgrecv -n "${key##*:}"
        expect 0 "${key##*:}"
    done
    remove_keys "${keys[@]}"
    for key in "$file:0" "$file:256" "$file:" "$file:ab" ; do
        run msgsend -c "$key" a
        expect 64
    done
    run msgsend -c ./missing:1 a
    expect 66
}

@test "-c creates a missing queue of mode 0600, and uses an existing one" {
    run msgsend "$K" a
    expect 66 "msgsend: cannot open queue $K: no such queue (ipcs -q lists them)"
    run msgsend -q "$K" a
    expect 66 ""
    umask 0
    msgsend -c "$K" a
    msgsend -c "$K" b
    holds 2
    [ "$(awk -v key=$((K)) '$1 == key { print $3 }' /proc/sysvipc/msg)" = 600 ]
}

@test "a queue made by ipcmk is used by its id" {
    local id
    need ipcmk
    id=$(ipcmk -Q | sed 's/.*: //')
    msgsend "id:$id" a
    run msgrecv "id:$id"
    ipcrm -q "$id"
    expect 0 a
}

@test "a full queue with -n exits 1, and says how many were sent" {
    fill
    run msgsend -n "$K" "$(printf '%01024d' 0)"
    expect 1 ""
    msgrecv "$K" >/dev/null
    run bash -c 'printf "%01023d\n%01023d\n" 0 0 | msgsend -n "$1"' - "$K"
    expect 1 "msgsend: 1 message sent to queue $K"
}

@test "a full queue with -t exits 124 in time" {
    local before
    fill
    before=$(ticks)
    run msgsend -t 200ms "$K" "$(printf '%01024d' 0)"
    expect 124 ""
    [ $(($(ticks) - before)) -ge 19 ]
    run msgsend -t 0 "$K" "$(printf '%01024d' 0)"
    expect 124 ""
    run msgsend -n -t 1 "$K" a
    expect 64
}

@test "it waits for room, and goes on" {
    fill
    start msgsend "$K" "$(printf '%01024d' 1)"
    eventually sleeps "$pid"
    msgrecv -N 2 "$K" >/dev/null
    ends 0
    msgrecv -d "$K" | tail -n 1 | cmp - <(printf '%01024d\n' 1)
}

@test "a signal ends one that waits for input" {
    make_queue
    mkfifo pipe
    exec 9<>pipe
    start msgsend "$K" <pipe 9>&-
    eventually sleeps "$pid"
    kill -TERM "$pid"
    ends 143
    exec 9>&-
}

@test "a signal ends a waiting sender, and nothing more is sent" {
    local signal
    fill
    for signal in 1 2 3 15; do
        start msgsend "$K" "$(printf '%01024d' 1)"
        eventually sleeps "$pid"
        kill -"$signal" "$pid"
        ends $((128 + signal))
    done
    msgrecv -d "$K" | grep -c 1 | cmp - <(echo 0)
}

@test "a file is resumed at the first record that was not sent" {
    make_queue
    seq 100000 120000 >numbers
    msgsend -n -q "$K" <numbers || [ $? -eq 1 ]
    exec 8<numbers
    msgrecv -d "$K" >/dev/null
    start msgsend "$K" <&8
    eventually sleeps "$pid"
    kill "$pid"
    ends 143
    msgrecv -d "$K" >got
    start msgsend "$K" <&8
    while ! has_ended "$pid"; do msgrecv -d "$K" >>got; done
    ends 0
    msgrecv -d "$K" >>got
    exec 8<&-
    cmp got numbers
}

@test "a message larger than kernel.msgmax exits 65 with both numbers" {
    local most
    most=$(cat /proc/sys/kernel/msgmax)
    make_queue
    run bash -c 'echo small; head -c "$2" /dev/zero | tr "\0" a' - "$K" "$((most + 1))"
    printf '%s' "$output" >records
    run msgsend "$K" <records
    expect 65
    says "larger than kernel.msgmax $most" "$((most + 1)) bytes" "1 message sent"
    head -c "$most" /dev/zero | msgsend -r "$K"
    holds 2
}

@test "a message larger than the queue's own size exits 65 at once" {
    need_root
    need python3
    make_queue
    # Less than its default: what another program may have set by msgctl(2).
    python3 - "$(id_of "$K")" <<'END' || skip "the size cannot be set here"
import ctypes, sys
libc = ctypes.CDLL(None)
state = (ctypes.c_ulong * 15)()
identifier = int(sys.argv[1])
assert ctypes.sizeof(state) == 120
if libc.msgctl(identifier, 2, state) != 0: sys.exit(1)
state[11] = 100
sys.exit(1 if libc.msgctl(identifier, 1, state) != 0 else 0)
END
    run timeout 10 msgsend "$K" "$(printf '%0101d' 0)"
    expect 65
    says "message of 101 bytes is larger than the queue's size in bytes, 100"
    msgsend "$K" "$(printf '%0100d' 0)"
}

@test "as many queues as kernel.msgmni allows: 75, with the number" {
    need_root
    need unshare
    run unshare -i sh -c 'echo 1 >/proc/sys/kernel/msgmni && msgsend -c 1 a || exit 99; msgsend -c 2 b'
    [ "$status" -ne 99 ] || skip "the limit cannot be set here"
    expect 75
    says "kernel.msgmni allows, 1"
}

@test "a queue that is removed while it waits exits 69" {
    fill
    start msgsend "$K" "$(printf '%01024d' 1)" 2>errors
    eventually sleeps "$pid"
    ipcrm -Q "$K"
    ends 69
    grep -q "queue $K has been removed" errors
}

@test "a queue that is removed between two records exits 69" {
    mkfifo pipe
    make_queue
    exec 9<>pipe
    start msgsend "$K" <pipe 2>errors 9>&-
    echo a >&9
    eventually holds 1
    ipcrm -Q "$K"
    echo b >&9
    ends 69
    exec 9>&-
    grep -q "1 message sent" errors
}

@test "a queue that one may not write exits 77" {
    need_other_user
    make_queue
    run as_other_user msgsend "$K" a
    expect 77
    says "msgsend: cannot send to queue $K: permission denied"
}

@test "a textbook program receives what is sent" {
    make_queue
    msgsend --string -T 42 "$K" 'hello there'
    run textbook receive "$K" 42
    expect 0 "42 hello there"
}

@test "a signal between two records of a file ends it by that signal" {
    seq 2000000 >in
    msgsend -c "$K" first
    start msgrecv -f "$K" >got
    local receiver=$pid
    start msgsend "$K" <in
    eventually test -s got
    kill -TERM "$pid"
    ends 143
    ipcrm -Q "$K"
    pid=$receiver
    ends 0
    tail -n +2 got | cmp - <(head -n $(($(wc -l <got) - 1)) in)
}

@test "a limit that is lowered meanwhile is named" {
    need_root
    run unshare --ipc bash -c '{
            echo one
            until [ "$(msgrecv -k 1)" = one ]; do sleep 0.01; done
            echo 100 >/proc/sys/kernel/msgmax
            printf "%0500d\n" 0
        } 2>/dev/null | msgsend -c 1'
    expect 65
    says "message of 500 bytes is larger than kernel.msgmax 100" "1 message sent"
}

@test "where it cannot wait, it says the limit, and how many were sent" {
    seq 20000 >numbers
    run bash -c 'ulimit -i 0; msgsend -c "$1" <numbers' - "$K"
    expect 75
    says "RLIMIT_SIGPENDING (ulimit -i)" "messages sent to queue $K"
    [ "$(sed -n 's/.*: \([0-9]*\) messages sent.*/\1/p' <<<"$output")" -eq "$(msgrecv -d "$K" | wc -l)" ]
}

@test "a path through a file is no path: 66" {
    run msgsend /etc/passwd/x message
    expect 66
    says "no such file"
}

@test "a signal ends it also where its input is always ready and its queue never full" {
    need_strace
    make_queue
    start_job msgrecv -f "$K"
    yes "$(printf %0100d 1)" | head -c 400K >input
    # Slow enough for the receiver to keep up.
    start strace -qq -o trace -e trace=msgsnd -e inject=msgsnd:delay_enter=500 msgsend "$K" < <(cat input)
    eventually grep -q msgsnd trace
    kill -TERM "$(pgrep -P "$pid")"
    ends 143
}
