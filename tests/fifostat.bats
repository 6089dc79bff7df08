#!/usr/bin/env bats

load support/ipc
load support/processes

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    mkfifo -m 640 f
}

teardown() {
    stop_started
}

# shows COLUMNS TEXT
shows() {
    [ "$(fifostat -H -o "$1" f)" = "$2" ]
}

@test "nobody has it open: no readers, no writers, nothing unread" {
    run fifostat -H f
    expect 0 "f	-	-	0	?	$(stat -c %U f)	$(stat -c %G f)	0640"
    run fifostat f
    expect 0
    [ "${lines[0]}" = "NAME READERS WRITERS UNREAD CAPACITY USER GROUP MODE" ]
}

@test "a writer and a reader that are blocked in open are shown, and sleep on" {
    start bash -c 'echo x >f'
    local writer=$pid _
    eventually shows readers,writers $'-\t'"$writer(opening)"
    for _ in 1 2 3; do fifostat f >/dev/null; done
    sleeps "$writer"
    shows readers,writers $'-\t'"$writer(opening)"
    kill -KILL "$writer"
    eventually has_ended "$writer"
    start cat f
    local reader=$pid
    eventually shows readers,writers "$reader(opening)"$'\t-'
    for _ in 1 2 3; do fifostat f >/dev/null; done
    shows readers,writers "$reader(opening)"$'\t-'
}

@test "relative, absolute and openat paths are all recognized" {
    mkdir dir
    start bash -c 'cd dir && exec cat ../f'
    eventually shows readers "$pid(opening)"
    kill -KILL "$pid"
    eventually has_ended "$pid"
    start cat "$PWD/f"
    eventually shows readers "$pid(opening)"
    kill -KILL "$pid"
    ln -s "$PWD/f" dir/link
    start cat dir/link
    eventually shows readers "$pid(opening)"
}

@test "both ends open: their processes, the unread bytes and the capacity" {
    # By number: that of the second is the lower one where the numbers begin anew.
    [ "$(sh -c 'echo $$')" -lt 30000 ] || skip "process numbers are about to begin anew"
    start sleep 100 <>f
    local both=$pid
    eventually shows readers,writers "$both"$'\t'"$both"
    shows unread,capacity $'0\t65536'
    start bash -c 'printf hello >f; exec sleep 100 >f'
    local writer=$pid
    eventually shows writers "$both,$writer"
    shows readers,unread "$both"$'\t5'
    run fifostat -p -H f
    expect 0 "f	$both	rw	open	sleep
f	$writer	w	open	sleep"
}

@test "a larger capacity is seen" {
    start mkfifo-recv f
    local receiver=$pid
    eventually shows readers "$receiver"
    mkfifo idle
    exec 4<>idle
    start mkfifo-send f <idle 4>&-
    eventually shows capacity 1048576
    exec 4>&-
}

@test "it opens no FIFO" {
    need_strace
    start bash -c 'echo x >f'
    eventually shows writers "$pid(opening)"
    run strace -f -o trace -e trace=open,openat,openat2,creat,splice,tee fifostat f "$PWD/f"
    expect 0
    run ! grep -E '"([^"]*/)?f"' trace
    run ! grep -E '"/proc/[0-9]+/fd/[0-9]+"' trace
}

@test "-j gives valid JSON with arrays of readers and writers" {
    need jq
    start bash -c 'echo x >f'
    eventually shows writers "$pid(opening)"
    run jq -c . <<<"$(fifostat -j f)"
    expect 0
    run jq -r '.name, .unread, .capacity, .mode, (.readers | length), .writers[0].pid,
        .writers[0].state, .writers[0].command' <<<"$(fifostat -j f)"
    expect 0 "f
null
null
0640
0
$pid
opening
bash"
    run fifostat -j -o name,mode f
    expect 0 '{"name":"f","mode":"0640"}'
}

@test "-0 prints paths as they are, -o the columns asked for" {
    mkfifo $'a\nb'
    fifostat -0 f $'a\nb' | cmp - <(printf 'f\0a\nb\0')
    fifostat -0 -o pid f | cmp - <(printf 'f\0')
    run fifostat -H -o mode,name f
    expect 0 $'0640\tf'
    run fifostat -H -o name $'a\nb'
    expect 0 'a\nb'
    run fifostat -o nonsense f
    expect 64
    says "no column 'nonsense'"
}

@test "-p is a row per process, and none where there is nobody" {
    run fifostat -p f
    expect 0 "NAME PID ACCESS STATE COMMAND"
    start cat f
    eventually shows readers "$pid(opening)"
    run fifostat -p -H f
    expect 0 "f	$pid	r	opening	cat"
}

@test "a missing FIFO is 66, what is none 65, and the others are shown" {
    run --separate-stderr fifostat -H -o name missing f
    expect 66 f
    says "no such FIFO"
    run --separate-stderr fifostat -q -H -o name missing f
    expect 66 f
    [ -z "$stderr" ]
    echo x >file
    run --separate-stderr fifostat -H -o name file f .
    expect 65 f
    says "cannot look at FIFO file: it is a regular file" "FIFO .: it is a directory"
    run fifostat f ''
    expect 64
    # The first that fails decides.
    run fifostat missing file
    expect 66
    run fifostat file missing
    expect 65
}

@test "the same FIFO twice hides nobody, of it or of another" {
    mkfifo g
    exec 4<>f 5<>g
    run bash -c 'exec fifostat -H -o name,readers f ./f g 4>&- 5>&-'
    [[ ${lines[0]} == "f	"*[0-9]* ]]
    [[ ${lines[1]} == "./f	"*[0-9]* ]]
    [[ ${lines[2]} == "g	"*[0-9]* ]]
    exec 4>&- 5>&-
}

@test "what cannot be seen is not nobody" {
    need_root
    need_bare "descriptors of its own"
    start cat f
    eventually shows readers "$pid(opening)"
    run bash -c 'exec 3>&-; ulimit -n 6; exec fifostat f'
    expect 71
    says "too many open files"
    chmod 644 f
    chmod 755 .
    # Other users' processes are not even listed there.
    local hidden='mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid=12345 --clear-groups \
        fifostat -q -H -o readers,writers,unread "$1"'
    unshare --mount true 2>/dev/null || skip "needs a mount"
    run unshare --mount --propagation private sh -c "$hidden" - f
    expect 0 $'?\t?\t?'
}

@test "a descriptor that only names a FIFO is no reader" {
    need python3
    start python3 -c 'import os, time; os.open("f", os.O_PATH); open("ready", "w"); time.sleep(60)'
    eventually test -e ready
    run fifostat -H -o readers,writers f
    expect 0 $'-\t-'
}

@test "the same FIFO twice is shown twice" {
    start cat f
    eventually shows readers "$pid(opening)"
    run fifostat -H -o name,readers f ./f
    expect 0 "f	$pid(opening)
./f	$pid(opening)"
}

@test "what may not be seen is ?, never 0" {
    need_other_user
    chmod 755 .
    start sleep 100 <>f
    eventually shows readers "$pid"
    run --separate-stderr as_other_user fifostat -H -o readers,writers,unread,capacity f
    expect 0 $'?\t?\t?\t?'
    says "may not be looked into"
    need jq
    run jq -c '[.readers, .writers, .unread]' <<<"$(as_other_user fifostat -q -j f)"
    expect 0 '[null,null,null]'
}

@test "root that may not trace does not take what it cannot follow for nobody" {
    need_other_user
    need jq
    chmod 666 f
    chmod 755 .
    start setpriv --reuid "$other" --clear-groups sleep 100 <>f
    eventually shows readers "$pid"
    run --separate-stderr setpriv --bounding-set=-sys_ptrace --inh-caps=-all fifostat -H -o readers,writers,unread f
    expect 0 $'?\t?\t?'
    says "may not be looked into"
    run jq -c '[.readers, .writers, .unread]' \
        <<<"$(setpriv --bounding-set=-sys_ptrace --inh-caps=-all fifostat -q -j f)"
    expect 0 '[null,null,null]'
}

@test "a writer in creat(2) is seen too" {
    [ "$(uname -m)" = x86_64 ] || skip "needs the number of the call"
    need perl
    start perl -e '$path = "f"; syscall(85, $path, 0600)'
    eventually shows readers,writers $'-\t'"$pid(opening)"
}

@test "a thread that is blocked in open is found" {
    need python3
    start python3 -c '
import threading
thread = threading.Thread(target=lambda: open("f"))
thread.start()
thread.join()'
    eventually shows readers "$pid(opening)"
}

@test "a table that cannot be written is 74" {
    run bash -c 'fifostat f >/dev/full'
    expect 74
    run bash -c 'fifostat f >&-'
    expect 74
}

@test "contradictions are wrong usage" {
    local pair
    for pair in "-j -H" "-j -0" "-H -0" "-p -0"; do
        # shellcheck disable=SC2086 # words
        run fifostat $pair f
        expect 64
    done
}

@test "who waits for a FIFO that has got another name may be anybody's: ?" {
    start cat f
    blocked() { [ "$(fifostat -H -o readers f)" = "$pid(opening)" ]; }
    eventually blocked
    mv f g
    run --separate-stderr fifostat -H -o readers,writers g
    expect 0 $'?\t-'
    says "waits in open(2) for a FIFO that is not at its path any more"
    # Not where a writer has come: nobody waits there for one.
    exec 4<>g
    run --separate-stderr bash -c 'fifostat -H -o readers g; fifostat -j -o readers,writers g'
    [[ $output != *[?]* ]] && [[ $output != *null* ]]
    exec 4>&-
}

@test "what is unread is seen also where only fifostat has been given the FIFO" {
    run bash -c 'exec 3<>f; echo hello >&3; exec fifostat -H -o unread f'
    expect 0 6
}

@test "in JSON readers and writers are arrays, whichever columns are asked for" {
    need jq
    exec 4<>f
    for columns in name,readers readers pid name,pid,access; do
        run fifostat -j -o "$columns" f
        expect 0
        [ "$(grep -o '"readers"' <<<"$output" | wc -l)" -eq 1 ]
        jq -e '(.readers | type) == "array" and (has("pid") | not)' <<<"$output"
    done
    exec 4>&-
}

@test "a path through a file is no FIFO: 66" {
    : >file
    run fifostat file/x
    expect 66
    says "no such FIFO"
}
