#!/usr/bin/env bats
# shellcheck disable=SC2016 # for the shells that are run

load support/ipc
load support/processes

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    stop_started
}

@test "bytes go through all commands" {
    run piperun seq 5 :: tail -n 3 :: tr '\n' ' '
    expect 0 "3 4 5 "
    run piperun cat :: cat <<<hello
    expect 0 hello
}

@test "the status is the last one that is not zero" {
    run piperun true :: true :: true
    expect 0 ""
    run piperun sh -c 'exit 3' :: true :: true
    expect 3
    run piperun sh -c 'exit 3' :: sh -c 'exit 4' :: true
    expect 4
    run piperun sh -c 'exit 3' :: sh -c 'exit 4' :: sh -c 'exit 5'
    expect 5
    run piperun sh -c 'exit 125' :: true
    expect 125
    run piperun true :: sh -c 'kill -9 $$' :: true
    expect 137
}

@test "SIGPIPE counts as 0, but not in the last command" {
    run piperun yes :: head -n 1
    expect 0 y
    run env --ignore-signal=PIPE piperun yes :: head -n 1
    expect 0 y
    run piperun true :: sh -c 'kill -PIPE $$'
    expect 141
    run piperun yes :: cat :: head -n 1
    expect 0 y
    run piperun --loop true :: yes
    expect 0 ""
}

@test "-v reports every command's status" {
    run --separate-stderr piperun -v yes :: sh -c 'head -n 1; exit 3' :: cat
    expect 3 y
    [ "$stderr" = "piperun: command 1, yes: killed by signal 13 (SIGPIPE), counts as 0
piperun: command 2, sh: exit status 3
piperun: command 3, cat: exit status 0" ]
}

@test "127 for a command that is not there, 126 for one that cannot run; the others are ended" {
    not_under_valgrind "there, a command that is missing has been started"
    echo x >file
    run -127 piperun sleep 1000 :: no-such-command :: cat
    expect 127
    says "cannot run 'no-such-command': no such command"
    run piperun sleep 1000 :: sleep 1000 :: ./file
    expect 126
    start piperun sh -c 'echo $$ >pid; exec sleep 1000' :: sh -c 'trap "" TERM; exec sleep 1000' \
        :: ./missing
    ends 127
    [ ! -s pid ] || has_ended "$(cat pid)"
}

@test "one that ignores SIGTERM is killed when another cannot start" {
    not_under_valgrind "there, a command that is missing has been started"
    local unique=1000.$BASHPID
    run -127 timeout 20 env --ignore-signal=TERM piperun sleep "$unique" :: no-such-command
    run pgrep -fx "sleep $unique"
    expect 1 ""
}

@test "its own failures are 125" {
    run piperun --no-such-option true :: true
    expect 125
    run piperun
    expect 125
    run piperun true
    expect 125
    says "::"
    run piperun true :: 
    expect 125
    run piperun :: true
    expect 125
    run piperun true :: :: true
    expect 125
    says "command 2 is empty"
    run piperun --separator= true :: true
    expect 125
    run piperun --pipe-size=0 true :: true
    expect 125
    [ -n "${IPC_INSTRUMENTED-}" ] || # descriptors of its own
        run bash -c 'ulimit -n 9; piperun true :: true :: true :: true :: true :: true'
    expect 125
}

@test "options end at the first command" {
    run piperun echo --loop -v :: cat
    expect 0 "--loop -v"
    run piperun -- echo x :: cat
    expect 0 x
}

@test "--separator changes what stands between commands" {
    run piperun --separator='|' echo :: '|' cat
    expect 0 ::
    run piperun --separator THEN echo a THEN tr a b
    expect 0 b
}

@test "--pipe-size is seen by the commands" {
    need python3
    local size='import fcntl, sys; print(fcntl.fcntl(int(sys.argv[1]), 1032),
        file=open(sys.argv[2], "w"))'
    run piperun --pipe-size=1M python3 -c "$size" 1 a :: python3 -c "$size" 0 b
    expect 0 ""
    [ "$(cat a b)" = $'1048576\n1048576' ]
    run piperun --pipe-size 4096 python3 -c "$size" 1 a :: cat
    expect 0 ""
    [ "$(cat a)" = 4096 ]
    run piperun --loop --pipe-size=128K python3 -c "$size" 0 a :: cat
    expect 0 ""
    [ "$(cat a)" = 131072 ]
}

@test "a pipe size that is not allowed is 125 and names the limit" {
    need_other_user
    run as_other_user piperun --pipe-size=1G true :: true
    expect 125
    says "fs.pipe-max-size allows $(cat /proc/sys/fs/pipe-max-size)"
}

@test "--loop is a conversation of 10,000 turns both ways" {
    cat >talk.sh <<'END'
[ "$1" = first ] && echo 0
while read -r n; do
    [ "$n" -lt 20000 ] || break
    echo $((n + 1))
done
[ "$1" = first ] || echo 20001
echo "$1 $n" >&2
END
    run timeout 60 piperun --loop bash talk.sh first :: bash talk.sh second
    expect 0
    says "first 20001" "second 20000"
}

@test "--loop keeps the standard input and output of piperun out of it" {
    run piperun --loop sh -c 'echo x; read -r y; echo "got $y" >&2' :: sed -u s/x/y/ <<<unused
    expect 0 "got y"
}

@test "a signal reaches the commands, and the status is theirs" {
    start piperun sh -c 'trap "echo first >>log; exit 3" TERM; echo ready >>log; while :; do sleep 0.01; done' \
        :: sh -c 'trap "echo second >>log; exit 0" TERM; echo ready >>log; while :; do sleep 0.01; done'
    eventually both_ready
    kill -TERM "$pid"
    ends 3
    [ "$(sort log | tail -n 4 | tr '\n' ' ')" = "first ready ready second " ]
}

both_ready() {
    [ "$(grep -c ready log)" = 2 ]
}

@test "signals without a trap end the commands: 128 plus the signal" {
    local signal
    for signal in TERM HUP INT QUIT; do
        start env --default-signal piperun sleep 1000 :: sleep 1000
        eventually has_children 2
        kill -s "$signal" "$pid"
        ends $((128 + $(kill -l "$signal")))
    done
}

# has_children COUNT: so many, and each runs sleep by now.
has_children() {
    local child count=0
    for child in $(cat "/proc/$pid/task/$pid/children"); do
        grep -qx sleep "/proc/$child/comm" || return
        count=$((count + 1))
    done
    [ "$count" -eq "$1" ]
}

@test "Ctrl-C is left to the terminal: a command in another session does not get it" {
    need python3
    cat >terminal.py <<'END'
import os, pty, time
wait = 'trap "echo %s >>hits" INT; : >%s; until [ -e go ]; do sleep 0.01; done'
pid, fd = pty.fork()
if pid == 0:
    os.execvp("piperun", ["piperun", "sh", "-c", wait % ("near", "a"), "::",
                          "setsid", "sh", "-c", wait % ("far", "b")])
while not (os.path.exists("a") and os.path.exists("b")):
    time.sleep(0.01)
os.write(fd, b"\x03")
while not os.path.exists("hits"):
    time.sleep(0.01)
time.sleep(0.2)
open("go", "w").close()
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
    run timeout 30 python3 terminal.py
    expect 0 0
    [ "$(cat hits)" = near ]
}

@test "commands get the signal mask and dispositions that piperun was started with" {
    # The last digits: what the libc sets for signals of its own is its own.
    run sed -nE 's/^(SigBlk|SigIgn).*(.{7})$/\1 \2/p' /proc/self/status
    local without=$output
    run piperun sed -nE 's/^(SigBlk|SigIgn).*(.{7})$/\1 \2/p' /proc/self/status :: cat
    expect 0 "$without"
    run env --ignore-signal=HUP piperun sh -c 'kill -HUP $$; echo alive' :: cat
    expect 0 alive
    run env --ignore-signal=CHLD piperun sh -c 'exit 3' :: true
    expect 3
}

@test "commands have no descriptor beyond the standard ones" {
    run bash -c 'ls /proc/self/fd | cat'
    local without=$output
    run piperun ls /proc/self/fd :: cat
    expect 0 "$without"
    run piperun true :: ls /proc/self/fd :: cat
    expect 0 "$without"
}

@test "it waits for every command" {
    run piperun sh -c 'exec >&-; sleep 0.2; echo late >&2' :: cat
    expect 0 late
}

@test "a script without #! runs, as from a shell" {
    echo 'echo script' >script
    chmod +x script
    run piperun ./script :: cat
    expect 0 script
}

@test "it says when it is the interpreter that is not there" {
    printf '#!/nonexistent\n' >script
    chmod +x script
    run -127 piperun true :: ./script
    says "cannot run './script': the interpreter that it names is not there"
}
