# shellcheck shell=bash
# Faults on purpose: system calls of a tool's ordinary run that fail, and what
# must hold all the same. An entry for each tool: `ready` makes what it works
# on, `ordinary` sets its command line, `kept` says that nothing was lost.

# The documented errors of each system call that can fail.
declare -gA ERRORS=(
    [access]="EACCES" [clone]="EAGAIN ENOMEM" [clone3]="EAGAIN ENOMEM" [close]="EIO EINTR"
    [fallocate]="ENOSPC EINTR EIO EFBIG" [fchmod]="EPERM EIO" [fchown]="EPERM EIO"
    [fcntl]="EMFILE EPERM EINTR" [flock]="EINTR ENOLCK ENOMEM" [fstat]="ENOMEM EIO"
    [ftruncate]="EINTR EIO EFBIG" [getdents64]="EIO ENOENT" [inotify_add_watch]="ENOSPC ENOMEM"
    [inotify_init1]="EMFILE ENOMEM" [linkat]="EACCES ENOSPC EIO" [lseek]="ESPIPE"
    [memfd_create]="EMFILE ENOMEM" [mknod]="EACCES ENOSPC" [mknodat]="EACCES ENOSPC"
    [mmap]="ENOMEM" [mq_notify]="EBUSY ENOMEM" [mq_open]="EACCES EMFILE ENFILE ENOMEM ENOSPC"
    [mq_timedreceive]="EINTR EAGAIN" [mq_timedsend]="EINTR EAGAIN" [mq_unlink]="EACCES ENOENT"
    [mremap]="ENOMEM" [msgctl]="EACCES EIDRM" [msgget]="EACCES ENOMEM ENOSPC"
    [msgrcv]="EINTR EIDRM ENOMSG" [msgsnd]="EINTR EAGAIN ENOMEM EIDRM"
    [newfstatat]="EACCES ENOMEM" [open]="EACCES EMFILE ENFILE ENOMEM EINTR"
    [openat]="EACCES EMFILE ENFILE ENOMEM EINTR" [pipe2]="EMFILE ENFILE" [poll]="EINTR ENOMEM"
    [ppoll]="EINTR ENOMEM" [pread64]="EINTR EIO" [preadv]="EINTR EIO" [pwrite64]="EINTR EIO ENOSPC"
    [read]="EINTR EAGAIN EIO" [readlink]="EACCES ENOENT" [readlinkat]="EACCES ENOENT"
    [readv]="EINTR EIO" [rename]="EACCES ENOSPC EIO" [sendfile]="EINTR EAGAIN EINVAL EIO ENOMEM"
    [splice]="EINTR EAGAIN EINVAL ENOMEM" [statfs]="EIO" [fstatfs]="EIO" [statx]="EACCES ENOMEM"
    [tee]="EINTR EINVAL ENOMEM" [unlink]="EACCES ENOENT EIO" [unlinkat]="EACCES EIO"
    [vfork]="EAGAIN ENOMEM" [vmsplice]="EAGAIN EINVAL ENOMEM" [wait4]="EINTR" [waitid]="EINTR"
    [write]="EINTR EAGAIN EIO ENOSPC EPIPE" [writev]="EINTR EAGAIN EIO ENOSPC EPIPE"
    [socketpair]="EMFILE ENOMEM" [signalfd4]="EMFILE ENOMEM" [copy_file_range]="EINTR EINVAL EIO"
    [timer_create]="EAGAIN ENOMEM" [fadvise64]="EINVAL" [dup]="EMFILE" [dup3]="EMFILE"
    [pidfd_open]="EMFILE ENOSYS" [pidfd_getfd]="EPERM EMFILE" [eventfd2]="EMFILE ENOMEM" [setpgid]="EACCES" [chdir]="EACCES"
    [fsopen]="EPERM EMFILE" [fsconfig]="EPERM EINVAL" [fsmount]="EPERM EMFILE" [socket]="EMFILE ENOMEM"
    [connect]="EACCES ENOENT" [sendto]="EINTR EAGAIN EPIPE ENOTSOCK" [recvfrom]="EINTR" [symlinkat]="EACCES"
    [msync]="EIO" [process_vm_readv]="EPERM ENOMEM" [fsync]="EIO" [epoll_create1]="EMFILE" [fchmodat]="EPERM" [mkdir]="EACCES"
)

# With the arguments that the tools give them, these cannot fail, or (brk) have
# no way to say so.
INFALLIBLE=" arch_prctl brk clock_gettime clock_nanosleep dup2 execve exit_group futex getegid \
geteuid getgid getpgid getpgrp getpid getppid getrandom getrlimit gettid getuid ioctl kill madvise \
mprotect mq_getsetattr munmap pause prctl prlimit64 pselect6 restart_syscall rseq rt_sigaction \
rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_yield \
set_robust_list set_tid_address sigaltstack sysinfo tgkill timer_delete timer_settime umask uname \
sched_getaffinity "

# What each tool moves: three records, of which not one may vanish.
RECORDS=$'one\ntwo\nthree'

fault_key() {
    K=$(printf '0x%08x' $((0x20000000 + BASHPID % 0xfffff * 256)))
}

fault_clean() {
    exec 7>&-
    mqunlink -q -f "$Q" "$Q2"
    shmunlink -q -f "$Q"
    semunlink -q -f "$Q"
    ipcrm -Q "$K" 2>/dev/null
    rm -rf fifo kept
    mkdir kept
}

# ready TOOL: makes what it works on, from nothing.
ready() {
    fault_clean
    printf '%s\n' "$RECORDS" >input
    case $1 in
    mqcreate | shmcreate | semcreate | piperun) ;;
    mqsend) mqcreate -M 8 -s 64 "$Q" ;;
    mqrecv | mqrun | mqwait | mqstat | mqunlink)
        mqcreate -M 8 -s 64 "$Q" && mqsend "$Q" one two three
        ;;
    shm*) shmput "$Q" "$RECORDS" ;;
    sem*) semcreate "$Q" 1 ;;
    msgsend) msgsend -c "$K" x && msgrecv -d "$K" >/dev/null ;;
    msgrecv) msgsend -c "$K" one two three ;;
    mkfifo-send | fifostat) mkfifo fifo && exec 7<>fifo ;;
    mkfifo-recv) mkfifo fifo && exec 7<>fifo && printf '%s\n' "$RECORDS" >&7 ;;
    esac
}

# ordinary TOOL: its command line, in $command. Standard input is the records.
ordinary() {
    command=("$1")
    case $1 in
    mqcreate) command+=(-M 8 -s 64 "$Q") ;;
    mqrecv) command+=(-d "$Q") ;;
    mqrun) command+=(-d "$Q" grep .) ;;
    shmcreate) command+=("$Q" 4096) ;;
    shmput) command+=(--atomic "$Q") ;;
    shmrun | semrun) command+=("$Q" echo ran) ;;
    semcreate) command+=("$Q" 3) ;;
    msgsend) command+=("$K") ;;
    msgrecv) command+=(-d "$K") ;;
    mkfifo-send | fifostat) command+=(fifo) ;;
    mkfifo-recv) command+=(-N 3 fifo) ;;
    piperun) command+=(cat :: cat) ;;
    *) command+=("$Q") ;;
    esac
}

# Everything that there is of the records: delivered, still there, or in a
# file whose path was printed.
all_records() {
    local file
    case $1 in
    mqrecv | mqrun) cat out && mqrecv -q -d "$Q" ;;
    msgrecv) cat out && msgrecv -q -d "$K" ;;
    mkfifo-recv) cat out && dd iflag=nonblock bs=65536 <&7 2>/dev/null ;;
    esac
    for file in kept/*; do
        [ -e "$file" ] && grep -qF "$file" err && sed 's/^[0-9]*:[0-9]*.//; s/,$//' "$file"
    done
    true
}

# whole FILE: a whole number of the records, in order.
whole() {
    case $(cat "$1") in
    '' | one | $'one\ntwo' | "$RECORDS") ;;
    *) echo "not whole records: $(cat "$1")" && return 1 ;;
    esac
}

# kept TOOL STATUS: nothing was lost, and 0 was said only of what was done.
kept() {
    local had
    case $1 in
    mqcreate) had=$(mqstat -q -H -o messages "$Q" 2>/dev/null) ;;
    mqsend)
        mqrecv -q -d "$Q" >had && whole had && had=$(cat had)
        ;;
    mqrecv | mqrun | msgrecv | mkfifo-recv)
        all_records "$1" | sort >had
        # Nothing can be put back into a FIFO: it is written first and taken then,
        # and is there twice, not lost, where the taking fails.
        [ "$1" = mkfifo-recv ] && grep -qE "(cannot read|another process reads) FIFO" err && sort -u had -o had
        [ "$(cat had)" = "$(sort <<<"$RECORDS")" ] || { echo "it has: $(tr '\n' ' ' <had)" && return 1; }
        had=$(cat out)
        # "Empty" is an end like any other.
        case $fault in EAGAIN | ENOMSG) had=$RECORDS ;; esac
        ;;
    msgsend) msgrecv -q -d "$K" >had && whole had && had=$(cat had) ;;
    mkfifo-send) had=$(dd iflag=nonblock bs=65536 <&7 2>/dev/null) ;;
    shmcreate) had=$(shmstat -q -H -o size "$Q" 2>/dev/null) ;;
    shmput)
        had=$(shmget "$Q")
        # Both its old content and the new end so.
        [ "$had" = "$RECORDS" ] || { echo "content: $had" && return 1; }
        ;;
    shmget | piperun | shmrun | semrun | mqstat | shmstat | semstat | fifostat) had=$(cat out) ;;
    semcreate | sempost | semwait) had=$(semstat -q -H -o value "$Q" 2>/dev/null) ;;
    mqunlink) had=$(mqstat -q "$Q" >/dev/null 2>&1; echo $?) ;;
    shmunlink) had=$(shmstat -q "$Q" >/dev/null 2>&1; echo $?) ;;
    semunlink) had=$(semstat -q "$Q" >/dev/null 2>&1; echo $?) ;;
    esac
    case $1 in semrun) [ "$(semstat -H -o value "$Q")" = 1 ] || { echo "a count lost" && return 1; } ;; esac
    [ "$2" -ne 0 ] || done_as_said "$1" "$had"
}

# done_as_said TOOL STATE: what 0 promises is so.
done_as_said() {
    local wanted
    case $1 in
    mqcreate | semwait) wanted=0 ;;
    shmcreate) wanted=4096 ;;
    semcreate) wanted=3 ;;
    sempost) wanted=2 ;;
    *unlink) wanted=66 ;;
    shmrun | semrun) wanted=ran ;;
    mqwait) wanted= ;;
    *stat) [ -n "$2" ] && return || wanted="a row" ;;
    *) wanted=$RECORDS ;;
    esac
    [ "$2" = "$wanted" ] || { echo "0, but it has: $2" && return 1; }
}

# No temporary of ours, whatever name it has.
no_stray() {
    local found
    found=$(compgen -G "$(hidden)*")
    for file in kept/*; do
        [ ! -e "$file" ] || grep -qF "$file" err || found+=" $file"
    done
    [ -z "$found" ] || { echo "left behind: $found" && return 1; }
}

# right TOOL STATUS: a status of the table, a line that names the tool, and
# nothing lost.
right() {
    case $2 in
    0 | 1 | 64 | 65 | 66 | 69 | 71 | 73 | 74 | 75 | 77 | 80 | 81 | 123 | 125 | 126 | 127) ;;
    124) echo "it did not end" && return 1 ;; # none was given a timeout
    82) grep -q "closing standard output failed" err || { echo "status 82" && return 1; } ;;
    141) # of SIGPIPE, as any filter; piperun as its last COMMAND, that does not ignore it
        case $fault,$1 in gone,* | ignored,piperun) ;; *) echo "status 141" && return 1 ;; esac
        ;;
    *) echo "status $2" && return 1 ;;
    esac
    case $2 in
    0 | 1 | 141) ;;
    *) grep -q "^$1: ." err || { echo "status $2 without a line" && return 1; } ;;
    esac
    kept "$1" "$2" && no_stray
}

# traced TOOL: prints each call of its ordinary run after the loader's, with its
# ordinal among those of the same name.
traced() {
    local command
    ready "$1" && ordinary "$1" || return
    timeout 20 strace -o trace "${command[@]}" <input >out 2>err 7>&- || return
    awk '{ name = $0; sub(/\(.*/, "", name) }
        name == "fcntl" && /F_[GS]ETF[DL]/ { fixed[NR] = 1 } # cannot fail
        name ~ /^[a-z_0-9]+$/ { count[name]++; call[NR] = name; ordinal[NR] = count[name] }
        /ld\.so\.cache/ { loading = 1 }
        loading && name == "munmap" { start = NR; loading = 0 }
        END { for (i = start + 1; i <= NR; i++) if (i in call && !(i in fixed)) print call[i], ordinal[i] }' trace
}

# inject TOOL CALL ORDINAL ERROR: one run; false, and said, if it was not right.
inject() {
    local command code=0 why fault=$4
    ready "$1" && ordinary "$1" || return
    touch before
    timeout -k 1 10 strace -o trace -e "trace=$2" -e "inject=$2:error=$4:when=$3" \
        "${command[@]}" <input >out 2>err 7>&- || code=$?
    injections=$((injections + 1))
    why=$(right "$1" "$code") || {
        echo "${command[*]}: $2 number $3 fails with $4: $why"
        sed 's/^/    /' err
        return 1
    }
}

# sweep TOOL: all of its calls, with IPC_FAULTS=all each with every error.
sweep() {
    local call ordinal error failed=0 calls rank
    local -A seen=()
    calls=$(traced "$1") || { echo "$1: its ordinary run fails" && return 1; }
    [ -n "$calls" ] || return
    while read -r call ordinal; do
        case $INFALLIBLE in *" $call "*) continue ;; esac
        # What is not closed there, since the call is not made, keeps its reader waiting.
        [ "$1,$call" != piperun,close ] || continue
        [ -n "${ERRORS[$call]-}" ] || { echo "$1: no errors known for $call" && failed=1 && continue; }
        rank=0
        [ "${IPC_FAULTS-}" = all ] || [ -z "${seen[$call]-}" ] || continue
        seen[$call]=1
        for error in ${ERRORS[$call]}; do
            # The reduced selection: another error for each tool and call.
            [ "${IPC_FAULTS-}" = all ] || [ "$rank" -eq $(((${#1} + ${#call}) % $(wc -w <<<"${ERRORS[$call]}"))) ] || {
                rank=$((rank + 1))
                continue
            }
            rank=$((rank + 1))
            inject "$1" "$call" "$ordinal" "$error" || failed=1
        done
    done <<<"$calls"
    fault_clean
    return "$failed"
}

# How standard output and input can be: `situation NAME COMMAND...`.
SITUATIONS="full closed gone ignored no-input"

situation() {
    local name=$1
    shift
    case $name in
    full) "$@" <input >/dev/full ;;
    closed) "$@" <input >&- ;;
    gone) "$@" <input >&9 9>&- ;;
    ignored) (trap '' PIPE && exec "$@" <input >&9 9>&-) ;;
    no-input) "$@" <&- >out ;;
    esac
}

# bears TOOL: each of them; false, and said, where it was not right.
bears() {
    local name command code why failed=0 fault
    for name in $SITUATIONS; do
        ready "$1" && ordinary "$1" || return
        : >out
        touch before
        rm -f pipe
        mkfifo pipe && exec 8<>pipe 9>pipe 8>&-
        code=0
        fault=$name
        situation "$name" timeout -k 1 10 "${command[@]}" 2>err 7>&- || code=$?
        exec 9>&-
        why=$(right "$1" "$code") || {
            failed=1
            echo "${command[*]}, $name: $why"
            sed 's/^/    /' err
        }
    done
    return "$failed"
}

# scarce TOOL VARIABLE NUMBER: one run with support/scarce.c preloaded.
scarce() {
    local command code=0 why fault=
    ready "$1" && ordinary "$1" || return
    touch before
    rm -f failed
    injections=$((injections + 1))
    # Not "< <(cat input)": timeout(1), in a group of its own, would have a child in that
    # of all tests, at whose end the kernel hangs up all of them if one is stopped.
    cat input | timeout -k 1 10 env LD_PRELOAD="$SCARCE" SCARCE_MARK="$PWD/failed" "$2=$3" \
        "${command[@]}" >out 2>err 7>&- || code=$?
    if [ -e failed ] && [ "$code" -ne 0 ]; then
        # COMMAND has its own allocations and its own words.
        why=$(grep -q "^$1: .*\(out of\|allocate\) memory" err || [[ $1 == *run && -s err ]] || echo "status $code, not out of memory")
    fi
    why+=$(right "$1" "$code") && [ -z "$why" ] || {
        echo "${command[*]}, $2 $3: $why"
        sed 's/^/    /' err
        return 1
    }
}

# starve TOOL: each of its allocations fails, the first, the second, until none
# does; after the first eight only some, unless IPC_FAULTS=all.
starve() {
    local number failed=0
    for ((number = 1; number < 500; number++)); do
        [ "$number" -le 8 ] || [ "${IPC_FAULTS-}" = all ] || ((number += 12))
        scarce "$1" SCARCE_MEMORY "$number" || failed=1
        [ -e failed ] || break
    done
    return "$failed"
}
