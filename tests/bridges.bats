#!/usr/bin/env bats
#
# The bridges of examples/ to other engines, with real servers on the loopback.

load support/ipc
load support/processes

setup() {
    setup_names
    PATH=$IPC_SOURCE/examples:$PATH
    cd "$BATS_TEST_TMPDIR" || return
    journal=/dev/shm/$Q.journal
    mqcreate --max-messages=8 --message-size=256 "$Q" "$Q2"
    # A port that nobody has: each test file of each run its own.
    port=$((20000 + ($$ * 8 + BATS_TEST_NUMBER) % 12000))
}

teardown() {
    stop_started
    remove_queues
    rm -f "$journal"
    if [ -n "${shared_directory-}" ]; then rm -rf "$shared_directory"; fi
}

redis() {
    redis-cli -p "$port" "$@"
}

start_redis() {
    need redis-server
    start redis-server --bind 127.0.0.1 --port "$port" --appendonly yes --appendfsync always \
        --save "" --dir "$BATS_TEST_TMPDIR" --daemonize no >redis.log
    server=$pid
    answers() { [ "$(redis ping 2>/dev/null)" = PONG ]; }
    eventually answers
}

start_mosquitto() {
    need mosquitto
    need mosquitto_pub
    # It gives up root, and keeps its state where it can still write.
    if [ -z "${shared_directory-}" ]; then
        shared_directory=$(mktemp -d /tmp/ipcutils.XXXXXX)
        chmod 777 "$shared_directory"
    fi
    printf '%s\n' "listener $port 127.0.0.1" "allow_anonymous true" "persistence true" \
        "persistence_location $shared_directory/" "autosave_interval 1" \
        "autosave_on_changes true" "max_queued_messages 0" >mosquitto.conf
    start mosquitto -c mosquitto.conf >mosquitto.log 2>&1
    server=$pid
    eventually mosquitto_pub -p "$port" -t started -m ""
}

# kill_server: as a power cut ends it.
kill_server() {
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
}

# queue_holds N, stream_holds N.
queue_holds() {
    [ "$(mqstat -H -o messages "$2")" = "$1" ]
}

stream_holds() {
    [ "$(redis XLEN "$1" 2>/dev/null)" -ge "$2" ]
}

redis_has_group() {
    redis XINFO GROUPS stream 2>/dev/null | grep -qx group
}

# runs TOOL QUEUE: whether a process of TOOL has that queue in its arguments.
runs() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        if { tr '\0' ' ' <"$file" | grep -q "^$1 .*$2 "; } 2>/dev/null; then return 0; fi
    done
    return 1
}

does_not_run() {
    ! runs "$@"
}

# What the stream STREAM has, a message a line.
stream_messages() {
    redis --raw XRANGE "$1" - + | awk 'NR % 3 == 0'
}

@test "a queue goes to a Redis stream and back, every byte of it" {
    start_redis
    printf 'a\0b\nc\n' >binary
    mqsend "$Q" one ""
    mqsend -r "$Q" <binary
    start_job to-redis "$Q" stream "$journal" -p "$port"
    eventually stream_holds stream 3
    start_job from-redis stream group one "$Q2" -p "$port"
    eventually queue_holds 3 "$Q2"
    [ "$(mqrecv "$Q2")" = one ]
    [ "$(mqrecv -r "$Q2")" = "" ]
    mqrecv -r "$Q2" | cmp - binary
}

@test "with Redis killed and started again midway, no message is lost" {
    start_redis
    start_job to-redis "$Q" stream "$journal" -p "$port"
    bridge=$pid
    seq 1 60 >sent
    mqsend "$Q" <sent &
    eventually stream_holds stream 10
    kill_server
    start_redis
    wait %mqsend || true
    mqwait --timeout=1m --empty "$Q"
    mqunlink "$Q"
    pid=$bridge
    ends 0
    [ "$(stream_messages stream | sort -n | uniq)" = "$(cat sent)" ]
}

@test "two consumers of a Redis group share the work, and one that dies takes up its own again" {
    start_redis
    for i in $(seq 1 6); do
        redis XADD stream '*' message "$i" >/dev/null
    done
    # It takes an entry and dies before it has acknowledged it.
    redis XGROUP CREATE stream group 0 >/dev/null
    redis XREADGROUP GROUP group one COUNT 1 STREAMS stream '>' >/dev/null
    start_job from-redis stream group one "$Q2" -p "$port"
    start_job from-redis stream group two "$Q2" -p "$port"
    eventually queue_holds 6 "$Q2"
    [ "$(mqrecv -d "$Q2" | sort)" = "$(seq 1 6)" ]
    acknowledged() { redis XPENDING stream group | head -n 1 | grep -qx 0; }
    eventually acknowledged
}

@test "from-redis waits for a server, and makes its group again on an empty one" {
    need redis-server
    start_job from-redis stream group one "$Q2" -p "$port"
    start_redis
    eventually redis_has_group
    redis XADD stream '*' message first >/dev/null
    eventually queue_holds 1 "$Q2"
    redis FLUSHALL >/dev/null
    redis XADD stream '*' message second >/dev/null
    eventually queue_holds 2 "$Q2"
    redis DEL stream >/dev/null
    redis SET stream text >/dev/null
    wrong_type_said() { grep -q WRONGTYPE "$log"; }
    eventually wrong_type_said
}

@test "from-redis passes over a deleted entry and another field, and leaves the latter pending" {
    start_redis
    redis XADD stream '*' message deleted >/dev/null
    redis XGROUP CREATE stream group 0 >/dev/null
    redis XREADGROUP GROUP group one COUNT 1 STREAMS stream '>' >/dev/null
    redis XTRIM stream MAXLEN 0 >/dev/null
    redis XADD stream '*' else "" >/dev/null
    redis XADD stream '*' message right >/dev/null
    start_job from-redis stream group one "$Q2" -p "$port"
    eventually queue_holds 1 "$Q2"
    [ "$(mqrecv "$Q2")" = right ]
    grep -q "has the field else" "$log"
    one_pending() { redis XPENDING stream group | head -n 1 | grep -qx 1; }
    eventually one_pending
}

@test "a signal ends from-redis while the queue is full, and leaves no file and no process" {
    start_redis
    redis XADD stream '*' message waits >/dev/null
    seq 8 | mqsend "$Q2"
    mkdir tmp
    for signal in HUP INT TERM; do
        start_job env TMPDIR="$PWD/tmp" from-redis stream group one "$Q2" -p "$port"
        eventually runs mqsend "$Q2"
        kill -s "$signal" "$pid"
        ended
        [ "$status" -eq $((128 + $(kill -l "$signal"))) ]
        [ -z "$(ls tmp)" ]
        eventually does_not_run mqsend "$Q2"
    done
}

@test "to-redis keeps a message where the queue is full, and a signal leaves no process" {
    need redis-cli
    mqsend "$Q" one
    start_job to-redis "$Q" stream "$journal" -p "$port"
    eventually queue_holds 0 "$Q"
    seq 8 | mqsend "$Q"
    kept() { grep -q "left in journal" "$log"; }
    eventually kept
    kill -TERM "$pid"
    ended
    [ "$status" -ne 0 ]
    eventually does_not_run mqrun "$Q"
    start_redis
    start_job to-redis "$Q" stream "$journal" -p "$port"
    eventually stream_holds stream 9
    [ "$(stream_messages stream | sort -u)" = "$({ seq 8; echo one; } | sort)" ]
}

@test "a queue goes to an MQTT broker and back, every byte of it" {
    start_mosquitto
    start_job from-mqtt topic "$Q" "$Q2" -p "$port"
    # Until it has subscribed, there is nobody to keep a message for.
    subscribed() { mosquitto_pub -p "$port" -q 1 -t topic -m first && ! queue_holds 0 "$Q2"; }
    eventually subscribed
    mosquitto_pub -p "$port" -q 1 -t topic -m last
    until [ "$(mqrecv -t 20 "$Q2")" = last ]; do :; done
    printf 'a\0b\nc\n' >binary
    mqsend "$Q" one ""
    mqsend -r "$Q" <binary
    start_job to-mqtt "$Q" topic "$journal" -p "$port"
    eventually queue_holds 3 "$Q2"
    [ "$(mqrecv "$Q2")" = one ]
    [ "$(mqrecv -r "$Q2" | wc -c)" -eq 0 ]
    mqrecv -r "$Q2" | cmp - binary
}

@test "with the MQTT broker killed and started again midway, no message is lost" {
    start_mosquitto
    start_job from-mqtt topic "$Q" "$Q2" -p "$port"
    subscribed() { mosquitto_pub -p "$port" -q 1 -t topic -m 0 && ! queue_holds 0 "$Q2"; }
    eventually subscribed
    start mqrecv --follow "$Q2" >got
    start_job to-mqtt "$Q" topic "$journal" -p "$port"
    bridge=$pid
    seq 1 40 >sent
    mqsend "$Q" <sent &
    got_at_least() { [ "$(sort -un got | wc -l)" -ge "$1" ]; }
    eventually got_at_least 10
    kill_server
    start_mosquitto
    wait %mqsend || true
    mqwait --timeout=1m --empty "$Q"
    mqunlink "$Q"
    pid=$bridge
    ends 0
    eventually got_at_least 41
    [ "$(sort -un got)" = "$(seq 0 40)" ]
}

@test "from-mqtt ends at once where a message is too big for the queue" {
    start_mosquitto
    start_job from-mqtt topic "$Q" "$Q2" -p "$port"
    subscribed() { mosquitto_pub -p "$port" -q 1 -t topic -m first && ! queue_holds 0 "$Q2"; }
    eventually subscribed
    head -c 300 /dev/zero | mosquitto_pub -p "$port" -q 1 -t topic -s
    ended
    expect 65
    # What comes now is the broker's to keep.
    mqrecv -d "$Q2" >/dev/null
    mosquitto_pub -p "$port" -q 1 -t topic -m kept
    start_job from-mqtt topic "$Q" "$Q2" -p "$port"
    eventually queue_holds 1 "$Q2"
    [ "$(mqrecv "$Q2")" = kept ]
    kill -TERM "$pid"
    ended # with 0 where all three end of themselves, before the signal comes to each
}

start_sshd() {
    need_root
    need ssh
    [ -x /usr/sbin/sshd ] || skip "needs sshd"
    ssh-keygen -q -t ed25519 -N "" -f key
    cp key.pub authorized_keys
    mkdir -p /run/sshd
    printf '%s\n' "Port $port" "ListenAddress 127.0.0.1" "HostKey $PWD/key" "StrictModes no" \
        "AuthorizedKeysFile $PWD/authorized_keys" "UsePAM no" "PidFile none" \
        "PermitRootLogin yes" "SetEnv PATH=$PATH" >sshd_config
    start /usr/sbin/sshd -D -e -f "$PWD/sshd_config" 2>sshd.log
    ssh_options=(-p "$port" -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
        -o LogLevel=ERROR -o BatchMode=yes)
    eventually ssh "${ssh_options[@]}" 127.0.0.1 true
}

@test "two machines' queues are joined by ssh, with priorities and any bytes" {
    start_sshd
    mqsend -p 7 "$Q" $'seven\nlines' ""
    mqsend "$Q" zero
    start_job to-host "$Q" 127.0.0.1 "$Q2" "${ssh_options[@]}"
    eventually queue_holds 3 "$Q2"
    mqunlink "$Q"
    ends 0
    run mqrecv -d -P "$Q2"
    expect 0 "7	seven
lines
7	
0	zero"
}

@test "one by one over ssh, each message is sent or put back" {
    start_sshd
    mqsend -p 7 "$Q" seven
    mqsend "$Q" zero
    start_job to-host -1 "$journal" "$Q" 127.0.0.1 "$Q2" "${ssh_options[@]}"
    eventually queue_holds 2 "$Q2"
    run mqrecv -d -P "$Q2"
    expect 0 "7	seven
0	zero"
}

@test "a queue's name is only a name to the other machine's shell" {
    start_sshd
    mqsend "$Q" zero
    odd="$Q2'\$(touch ran) x"
    mqcreate --max-messages=8 --message-size=256 "$odd"
    for way in "" "-1 $journal"; do
        # shellcheck disable=SC2086 # no word, or two
        start_job to-host $way "$Q" 127.0.0.1 "$odd" "${ssh_options[@]}"
        eventually queue_holds 1 "$odd"
        mqrecv "$odd" >got
        kill -TERM "$pid"
        ended
        [ "$(cat got)" = zero ]
        mqsend "$Q" zero
    done
    mqunlink "$odd"
}
