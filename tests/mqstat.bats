#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    setup_names
}

teardown() {
    stop_started
    remove_queues
    [ -z "${place-}" ] || rmdir "$place"/* "$place"
}

create() {
    mqcreate -M 8 -s 64 "$@"
}

limit() {
    cat "/proc/sys/fs/mqueue/$1"
}

# Where another user can reach a mount point, with a blank in its path. Nothing
# is mounted there but in the namespace of a test.
place_for_mount() {
    place=$(mktemp -d /tmp/ipcutils.XXXXXX)
    chmod 755 "$place"
    mount_point="$place/a place"
}

need_mount_namespace() {
    need_root
    unshare -m true 2>/dev/null || skip "needs a mount namespace of its own"
}

# Bytes that JSON and a terminal must not get as they are.
strange_name() {
    Q3=$Q3$' \n\t\e[31m\\\xff'
    shown_name="/${Q}"
    shown_name=${shown_name%a}'c\x20\n\t\x1b[31m\\\xff'
}

@test "shows a queue under its headings" {
    create "$Q"
    mqsend "$Q" one two three
    run mqstat "$Q"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    read -ra headings <<<"${lines[0]}"
    [ "${headings[*]}" = "NAME MESSAGES MAXMSG MSGSIZE BYTES USE% USER GROUP MODE NOTIFY" ]
    read -ra values <<<"${lines[1]}"
    [ "${values[*]}" = "/$Q 3 8 64 11 37 $(id -un) $(id -gn) 0600 0" ]
}

@test "columns are aligned, numbers to the right" {
    create "$Q"
    mqcreate -M 1 -s 7 "$Q2.long"
    run mqstat -o name,msgsize,user,maxmsg "$Q" "$Q2.long"
    mqunlink "$Q2.long"
    expect 0
    local i
    for i in 0 1 2; do
        [ "${#lines[i]}" -eq "${#lines[0]}" ]
    done
    [[ ${lines[0]} =~ ^"NAME "\ +"MSGSIZE USER "\ *"MAXMSG"$ ]]
    [[ ${lines[1]} =~ ^"/$Q"\ {11}64\ [^\ ]+\ +8$ ]]
    [[ ${lines[2]} =~ ^"/$Q2.long"\ {7}7\ [^\ ]+\ +1$ ]]
}

@test "-o shows these columns, in this order" {
    create "$Q"
    run mqstat -o maxmsg,name "$Q"
    expect 0
    [[ ${lines[0]} =~ ^"MAXMSG NAME"\ *$ ]]
    [ "${lines[1]}" = "     8 /$Q" ]
    run mqstat -H --output=mode,maxmsg,name "$Q"
    expect 0 "0600	8	/$Q"
}

@test "-o takes the headings in any case" {
    create "$Q"
    run mqstat -H -o NAME,MaxMsg,use%,USE% "$Q"
    expect 0 "/$Q	8	0"
}

@test "an unknown column is 64 and the columns are named" {
    create "$Q"
    local list
    for list in no-such name,no-such "" "name," ,name name,,mode "name mode"; do
        run --separate-stderr mqstat -o "$list" "$Q"
        expect 64 ""
        says "no column '" NAME MESSAGES NOTIFY COMMAND
    done
}

@test "-H shows no heading and one TAB between columns" {
    create "$Q" "$Q2"
    mqsend "$Q2" 12345678
    run mqstat -H "$Q" "$Q2"
    expect 0 "/$Q	0	8	64	0	0	$(id -un)	$(id -gn)	0600	0
/$Q2	1	8	64	8	12	$(id -un)	$(id -gn)	0600	0"
    run mqstat --noheadings -o name "$Q"
    expect 0 "/$Q"
}

@test "the rows are in the order of the operands" {
    create "$Q" "$Q2"
    run mqstat -H -o name "$Q2" "/$Q"
    expect 0 "/$Q2"$'\n'"/$Q"
}

@test "a full queue is used to 100 %" {
    mqcreate -M 3 -s 8 "$Q"
    mqsend "$Q" a "" bc
    run mqstat -H -o messages,bytes,use% "$Q"
    expect 0 $'3\t3\t100'
}

@test "-j shows an object per queue, with numbers as numbers" {
    need jq
    create -m 640 "$Q"
    create "$Q2"
    mqsend "$Q" one two
    run mqstat -j "$Q" "$Q2"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    [ "$(jq -r .name <<<"${lines[1]}")" = "/$Q2" ]
    run jq -cS . <<<"${lines[0]}"
    expect 0 "$(jq -cnS --arg name "/$Q" --arg user "$(id -un)" --arg group "$(id -gn)" \
        '{name: $name, messages: 2, maxmsg: 8, msgsize: 64, bytes: 6, use: 25, user: $user,
          group: $group, mode: "0640", notify: 0}')"
}

@test "-j with -o shows these members only" {
    create "$Q"
    run mqstat -j -o maxmsg,mode "$Q"
    expect 0 '{"maxmsg":8,"mode":"0600"}'
}

@test "-0 shows raw names for xargs -0" {
    strange_name
    create "$Q" "$Q3"
    mqstat -0 "$Q" "$Q3" | od -c >"$BATS_TEST_TMPDIR/is"
    printf '/%s\0' "$Q" "$Q3" | od -c | diff - "$BATS_TEST_TMPDIR/is"
    mqstat --null "$Q" "$Q3" | xargs -0 mqunlink
    run mqstat "$Q" "$Q3"
    expect 66
}

@test "a name with bytes of any kind is shown on one line" {
    strange_name
    create "$Q3"
    run mqstat -H -o name,maxmsg "$Q3"
    expect 0 "$shown_name	8"
    run mqstat "$Q3"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[1]} == "$shown_name "* ]]
}

@test "a name that is not UTF-8 is in JSON as name_base64" {
    need jq
    strange_name
    create "$Q3"
    run mqstat -j "$Q3"
    expect 0
    [ "$(jq 'has("name")' <<<"$output")" = false ]
    jq -r .name_base64 <<<"$output" | base64 -d | od -c >"$BATS_TEST_TMPDIR/is"
    printf '/%s' "$Q3" | od -c | diff - "$BATS_TEST_TMPDIR/is"
}

@test "a name of UTF-8 with controls and quotes is in JSON as it is" {
    need jq
    Q3=$Q3$' "\n\e\\\x7fé😀'
    create "$Q3"
    run mqstat -j "$Q3"
    expect 0
    [ "${#lines[@]}" -eq 1 ]
    [ "$(jq -j .name <<<"$output")" = "/$Q3" ]
}

@test "letters beyond ASCII are shown as they are where the terminal has them" {
    Q3=$Q3.é
    create "$Q3"
    LC_ALL=C.UTF-8 run mqstat -H -o name "$Q3"
    expect 0 "/$Q3"
    LC_ALL=C run mqstat -H -o name "$Q3"
    expect 0 "/${Q3%é}"'\xc3\xa9'
}

@test "a missing queue is 66 and the others are shown" {
    create "$Q" "$Q3"
    run --separate-stderr mqstat -H -o name "$Q" "$Q2" "$Q3"
    expect 66 "/$Q"$'\n'"/$Q3"
    [ "$stderr" = "mqstat: cannot look at queue /$Q2: no such queue" ]
    run mqstat -q -H -o name "$Q2" "$Q3"
    expect 66 "/$Q3"
}

@test "a bad name is 64" {
    run --separate-stderr mqstat "$Q" a/b
    expect 64 ""
    run mqstat ""
    expect 64
}

@test "lists all queues, sorted, also where no mqueue file system is mounted" {
    need_mount_namespace
    # In another IPC namespace there is nothing else.
    run unshare -m -i sh -c "$mounted_none" - sh -c \
        'mqcreate -M 1 -s 8 b "a b" c && mqstat -H -o name && mqstat -0 | od -An -c'
    expect 0
    [ "${lines[0]}" = '/a\x20b' ]
    [ "${lines[1]}" = /b ]
    [ "${lines[2]}" = /c ]
    [ "$(tr -d ' ' <<<"${lines[3]}")" = '/ab\0/b\0/c\0' ]
    [ "${#lines[@]}" -eq 4 ]
}

@test "where there is no queue, only the headings" {
    need_mount_namespace
    run unshare -m -i sh -c "$mounted_none" - mqstat
    expect 0 "NAME MESSAGES MAXMSG MSGSIZE BYTES USE% USER GROUP MODE NOTIFY"
    run unshare -m -i sh -c "$mounted_none" - mqstat -j
    expect 0 ""
    run unshare -m -i sh -c "$mounted_none" - mqstat -0
    expect 0 ""
}

@test "listing mounts nothing that anybody sees" {
    need_mount_namespace
    create "$Q"
    # shellcheck disable=SC2016
    run unshare -m sh -c "$mounted_none" - \
        sh -c 'mqstat -H -o name | grep -cFx "/$1"; grep -c " mqueue " /proc/self/mounts' - "$Q"
    expect 1 $'1\n0'
}

@test "lists all queues where a file system is mounted" {
    need_mount_namespace
    place_for_mount
    create "$Q" "$Q2"
    run unshare -m sh -c "$mounted_at" - "$mount_point" mqstat -H -o name
    expect 0
    says "/$Q"$'\n'"/$Q2"
}

@test "another user lists all queues where a file system is mounted" {
    need_mount_namespace
    need_other_user
    place_for_mount
    create -m 644 "$Q"
    create -m 600 "$Q2"
    run unshare -m sh -c "$mounted_at" - "$mount_point" \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqstat -H -o name,maxmsg,mode
    expect 0
    says "/$Q	8	0644" "/$Q2	?	0600"
}

@test "without the privilege and a mount 77 says how to mount" {
    need_mount_namespace
    need_other_user
    create "$Q"
    run --separate-stderr unshare -m sh -c "$mounted_none" - \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqstat
    expect 77 ""
    says "no mqueue file system is mounted" "mkdir -p /dev/mqueue && mount -t mqueue none /dev/mqueue"
}

@test "a readable queue is shown by name where nothing is mounted" {
    need_mount_namespace
    need_other_user
    create -m 644 "$Q"
    create -m 600 "$Q2"
    run unshare -m sh -c "$mounted_none" - \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqstat -H -o name,maxmsg,bytes,mode "$Q"
    expect 0 "/$Q	8	0	0644"
    run --separate-stderr unshare -m sh -c "$mounted_none" - \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqstat -H -o name "$Q2" "$Q"
    expect 77 "/$Q"
    says "cannot look at queue /$Q2: "
}

@test "what may not be seen is a question mark, never 0" {
    need_mount_namespace
    need_other_user
    need jq
    place_for_mount
    create "$Q"
    mqsend "$Q" hidden
    run unshare -m sh -c "$mounted_at" - "$mount_point" \
        setpriv --reuid "$other" --regid "$other" --clear-groups \
        mqstat -H -o messages,maxmsg,msgsize,bytes,use%,notify,user,mode "$Q"
    expect 0 "?	?	?	?	?	?	$(id -un)	0600"
    run unshare -m sh -c "$mounted_at" - "$mount_point" \
        setpriv --reuid "$other" --regid "$other" --clear-groups mqstat -j "$Q"
    expect 0
    run jq -c '[.messages, .maxmsg, .bytes, .use, .notify, .mode]' <<<"$output"
    expect 0 '[null,null,null,null,null,"0600"]'
}

@test "of a queue that may only be written the bytes are unknown" {
    need_other_user
    create -m 622 "$Q"
    mqsend "$Q" hidden
    run as_other_user mqstat -H -o messages,bytes,notify,mode "$Q"
    expect 0 $'1\t?\t?\t0622'
}

@test "-p shows each process that has the queue open" {
    create "$Q"
    start_job mqwait "$Q"
    local reader=$pid
    mkfifo "$BATS_TEST_TMPDIR/input"
    # shellcheck disable=SC2016
    start_job sh -c 'exec mqsend "$1" <>"$2"' - "$Q" "$BATS_TEST_TMPDIR/input"
    local writer=$pid
    eventually opened 2
    run mqstat -q -H -p "$Q"
    expect 0
    [[ $'\n'$output$'\n' == *$'\n'"/$Q	$reader	r	mqwait"$'\n'* ]]
    [[ $'\n'$output$'\n' == *$'\n'"/$Q	$writer	w	mqsend"$'\n'* ]]
    [ "${#lines[@]}" -eq 2 ]
    run mqstat -q --processes "$Q"
    expect 0
    [[ ${lines[0]} =~ ^"NAME "\ *"PID ACCESS COMMAND"\ *$ ]]
}

opened() {
    [ "$(mqstat -H -p "$Q" | wc -l)" -eq "$1" ]
}

@test "-p shows a process once, however often it has the queue open" {
    create "$Q"
    start_job mqrun -f "$Q" true
    eventually opened 1
    run mqstat -q -H -p -o pid,access,command,maxmsg "$Q"
    expect 0 "$pid	rw	mqrun	8"
}

@test "-p of a queue that nobody has open shows nothing" {
    create "$Q"
    run mqstat -q -H -p "$Q"
    expect 0 ""
}

@test "-p with -j is an array in the object of the queue" {
    need jq
    create "$Q" "$Q2"
    start_job mqwait "$Q"
    eventually opened 1
    run mqstat -q -j -p "$Q2" "$Q"
    expect 0
    [ "${#lines[@]}" -eq 2 ]
    run jq -c .processes <<<"${lines[0]}"
    expect 0 "[]"
    run mqstat -q -j -p "$Q"
    run jq -c '[.maxmsg, .processes]' <<<"$output"
    expect 0 "[8,[{\"pid\":$pid,\"access\":\"r\",\"command\":\"mqwait\"}]]"
}

@test "-p says how many processes may not be looked into" {
    need_other_user
    create -m 644 "$Q"
    start_job mqwait "$Q"
    eventually opened 1
    run --separate-stderr as_other_user mqstat -H -p "$Q"
    expect 0 ""
    [[ $stderr =~ ^"mqstat: "[0-9]+" process" ]]
    run as_other_user mqstat -q -H -p "$Q"
    expect 0 ""
    run as_other_user mqstat -q -j -p -o name "$Q"
    expect 0 "{\"name\":\"/$Q\",\"processes\":null}"
}

@test "the process that is registered for notification is shown" {
    local notify=${IPC_BUILD-}/tests/support/mq-notify
    need "$notify"
    create "$Q"
    start_job "$notify" "/$Q"
    eventually grep -q registered "$log"
    run mqstat -H -o notify "$Q"
    expect 0 "$pid"
    kill "$pid"
    ended
    run mqstat -H -o notify "$Q"
    expect 0 0
}

@test "--limits shows those of the system and of the user" {
    run bash -c 'ulimit -q 12345 && exec mqstat -H --limits'
    expect 0 "fs.mqueue.queues_max	$(limit queues_max)
fs.mqueue.msg_max	$(limit msg_max)
fs.mqueue.msgsize_max	$(limit msgsize_max)
fs.mqueue.msg_default	$(limit msg_default)
fs.mqueue.msgsize_default	$(limit msgsize_default)
RLIMIT_MSGQUEUE	12345"
    run bash -c 'ulimit -q 0 && exec mqstat -H --limits'
    says "RLIMIT_MSGQUEUE	0"
    run mqstat --limits
    expect 0
    [[ ${lines[0]} =~ ^"LIMIT "\ *"VALUE"$ ]]
}

@test "of --limits, none is unlimited, and one that cannot be read is unknown" {
    need_bare "system calls of its own"
    need_strace
    # As where there is no limit: only a privileged shell could lift it.
    local lifted=(strace -qq -o /dev/null -e inject=prlimit64:error=EPERM)
    run "${lifted[@]}" mqstat -H --limits
    expect 0
    says "RLIMIT_MSGQUEUE	unlimited"
    run "${lifted[@]}" mqstat -j --limits
    expect 0
    says '{"limit":"RLIMIT_MSGQUEUE","value":null}'
    need_root
    unshare -m true || skip "needs mount namespaces"
    run unshare -m sh -c 'mount -t tmpfs none /proc && exec mqstat -H --limits'
    expect 0
    says "fs.mqueue.msg_max	?"
}

@test "--limits in JSON and by column" {
    need jq
    run mqstat --limits -j
    expect 0
    run jq -r 'select(.limit == "fs.mqueue.msg_max").value' <<<"$output"
    expect 0 "$(limit msg_max)"
    run mqstat --limits -H -o value
    expect 0
    [ "${lines[1]}" = "$(limit msg_max)" ]
    run mqstat --limits -o name
    expect 64
    says "LIMIT VALUE"
}

@test "options that contradict each other are 64" {
    create "$Q"
    local pair
    for pair in "-j -H" "-j -0" "-H -0" "-p -0" "--limits -p" "--limits -0"; do
        # shellcheck disable=SC2086
        run --separate-stderr mqstat $pair
        expect 64 ""
        says "contradict each other"
    done
    run mqstat --limits "$Q"
    expect 64
}

@test "a table that cannot be written is 74" {
    create "$Q"
    local option
    for option in -v -H -j -0 -p; do
        run bash -c 'mqstat "$1" "$2" >/dev/full' - "$option" "$Q"
        expect 74
        run bash -c 'mqstat "$1" "$2" >&-' - "$option" "$Q"
        expect 74
    done
    run bash -c 'mqstat --limits >/dev/full'
    expect 74
    says "standard output"
}

@test "looking changes nothing" {
    create "$Q"
    mqsend -p 3 "$Q" low
    mqsend -p 7 "$Q" high
    mqstat "$Q"
    mqstat -p -j "$Q"
    run mqrecv -d -P "$Q"
    expect 0 $'7\thigh\n3\tlow'
}
