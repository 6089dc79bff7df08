#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2094 # for other shells; both ends of a FIFO are wanted
# Messages are counted in and out of long random runs. IPC_CONSERVATION says how
# many there are in each (CONTRIBUTING.md).

load support/ipc
load support/processes

setup() {
    setup_names
    cd "$BATS_TEST_TMPDIR" || return
    total=${IPC_CONSERVATION:-2000}
    mkdir kept
    mkfifo pipe
    mqcreate -s 512 "$Q"
}

teardown() {
    stop_started
    remove_queues
}

# take_rest FILE: what is in the queue and in files of kept messages.
take_rest() {
    local receiver file
    start mqrecv -f "$Q" >"$1"
    receiver=$pid
    eventually has_open "$receiver" "$Q" # before it is removed
    for file in kept/*; do
        [ ! -e "$file" ] || mqsend -S -P "$Q" <"$file"
    done
    mqwait --empty "$Q"
    mqunlink "$Q"
    pid=$receiver
    ends 0
}

# exactly_once FILE...: of the numbers up to $total, in lines of 400 digits; a line
# that was cut off does not count, be it by its newline alone.
exactly_once() {
    local file
    for file in "$@"; do
        [ -z "$(tail -c 1 "$file")" ] || sed -i '$d' "$file"
    done
    awk 'length == 400 { print $0 + 0 }' "$@" | sort -n >all
    echo "of $total messages: $(comm -23 <(seq "$total" | sort) <(sort -u all) | wc -l) lost," \
        "$(uniq -d all | wc -l) twice"
    cmp all <(seq "$total")
}

@test "receivers that signals end lose nothing, and repeat nothing" {
    not_under_valgrind "its moments are too short"
    local number=1 sender reader chunk output signal signals=(15:TERM 2:INT 1:HUP)
    mkfifo input never
    exec 6<>never 7<>input 9<>pipe 8>pipe
    start mqsend "$Q" <input 6>&- 7>&- 8>&- 9>&-
    sender=$pid
    start bash -c 'while [ "$(head -c 16384 | tee -a slow | wc -c)" -gt 0 ]; do sleep 0.005; done' \
        <pipe 6>&- 7>&- 8>&- 9>&-
    reader=$pid
    exec 9>&-
    while [ "$number" -le "$total" ]; do
        output=$((RANDOM % 3))
        signal=${signals[RANDOM % 3]}
        case $output in
        0) TMPDIR=$PWD/kept start mqrecv -f "$Q" >>fast 2>>errors 6>&- 7>&- 8>&- ;;
        1) TMPDIR=$PWD/kept start mqrecv -f "$Q" >pipe 2>>errors 6>&- 7>&- 8>&- ;;
        2) TMPDIR=$PWD/kept start mqrecv -C -f "$Q" >pipe 2>>errors 6>&- 7>&- 8>&- ;;
        esac
        chunk=$((total > 20000 ? 200 : 50))
        chunk=$((total - number + 1 < chunk ? total - number + 1 : chunk))
        # shellcheck disable=SC2046 # a word each
        printf '%0400d\n' $(seq "$number" $((number + chunk - 1))) >&7
        number=$((number + chunk))
        read -r -t "0.00$((RANDOM % 8))" _ <&6 || true
        kill -"${signal#*:}" "$pid"
        ends $((128 + ${signal%:*}))
    done
    exec 7>&- 8>&-
    start mqrecv -f "$Q" >rest 6>&-
    exec 6>&-
    number=$pid
    pid=$sender
    ends 0
    kill -TERM "$number"
    pid=$number
    ends 143
    take_rest rest2
    pid=$reader
    ends 0
    exactly_once fast slow rest rest2
}

# a_reader: dd goes after a random number of bytes, all of which are in read.N.
a_reader() {
    round=$((round + 1))
    start dd if=pipe of="read.$round" bs=$((RANDOM * 2 + 1)) count=$((RANDOM % 3 + 1)) status=none
}

# all_taken: the sender $sender has ended, and the queue is empty.
all_taken() {
    has_ended "$sender" && [ "$(mqstat -H -o messages "$Q")" -eq 0 ]
}

# readers_die OPTION...: what mqrecv OPTION... -f passes to readers that go. Lines
# that are too long to count see to it that the last one gets enough to go, too.
readers_die() {
    local round=0 over=no sender receiver
    seq -f %0400.f "$total" >input
    start mqsend "$Q" <input
    sender=$pid
    while [ "$over" = no ]; do
        a_reader
        TMPDIR=$PWD/kept start mqrecv "$@" -f "$Q" >pipe 2>>errors
        receiver=$pid
        until has_ended "$receiver"; do
            sleep 0.005
            all_taken || continue
            over=yes
            yes "$(printf '%0500d' 0)" | head -n 100 | mqsend -q -n "$Q" || true
        done
        result
        [ "$result" -eq 74 ] || [ "$result" -eq 80 ]
    done
    pid=$sender
    ends 0
    take_rest rest
}

@test "readers that die lose nothing" {
    readers_die
    exactly_once read.* rest
    grep -q 'put back\|kept' errors
}

@test "readers that die lose nothing with --confirm" {
    readers_die --confirm
    exactly_once read.* rest
    grep -q 'put back\|kept' errors
}

@test "signals while readers die lose nothing with --confirm" {
    not_under_valgrind "its moments are too short"
    local round=0 sender signal signals=(15:TERM 2:INT 1:HUP)
    seq -f %0400.f "$total" >input
    start mqsend "$Q" <input
    sender=$pid
    until all_taken; do
        signal=${signals[RANDOM % 3]}
        a_reader
        TMPDIR=$PWD/kept start mqrecv --confirm -f "$Q" >pipe 2>>errors
        kill -"${signal#*:}" "$pid" 2>/dev/null || true
        result
        [ "$result" -eq $((128 + ${signal%:*})) ] || [ "$result" -eq 74 ] || [ "$result" -eq 80 ]
    done
    pid=$sender
    ends 0
    take_rest rest
    exactly_once read.* rest
}
