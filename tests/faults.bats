#!/usr/bin/env bats
#
# What every tool does when a system call fails. IPC_FAULTS=all tries every
# error at every call.

load support/ipc
load support/faults

setup() {
    setup_names
    fault_key
    cd "$BATS_TEST_TMPDIR" || return
    export TMPDIR=kept
    injections=0
}

teardown() {
    fault_clean
}

need_injection() {
    need_bare "system calls of its own"
    need_strace
    strace -o trace -e inject=read:error=EIO:when=1000 true 2>/dev/null || skip "strace cannot trace here"
}

# sweep_all TOOL...: all of them, whatever one does.
sweep_all() {
    local tool failed=0
    need_injection
    for tool; do
        sweep "$tool" || failed=1
    done
    echo "# $injections injections" >&3
    return "$failed"
}

@test "no failing system call makes a queue tool lose anything" {
    sweep_all mqcreate mqsend mqrecv mqrun mqwait mqstat mqunlink
}

@test "no failing system call makes a shared memory tool lose anything" {
    sweep_all shmcreate shmput shmget shmrun shmstat shmunlink
}

@test "no failing system call makes a FIFO or pipe tool lose anything" {
    sweep_all mkfifo-send mkfifo-recv fifostat piperun
}

@test "no failing system call makes a semaphore tool lose anything" {
    sweep_all semcreate sempost semwait semrun semstat semunlink
}

@test "no failing system call makes a System V tool lose anything" {
    sweep_all msgsend msgrecv
}

@test "every tool bears an output that is full, closed or unread, and an input that is closed" {
    local tool failed=0
    for tool in $IPC_TOOLS; do
        bears "$tool" || failed=1
    done
    return "$failed"
}

# for_each FUNCTION ARGUMENT...: of every tool.
for_each() {
    local tool failed=0 call=$1
    shift
    for tool in $IPC_TOOLS; do
        "$call" "$tool" "$@" || failed=1
    done
    echo "# $injections runs" >&3
    return "$failed"
}

need_preload() {
    not_under_valgrind "an allocator of its own"
    SCARCE=$IPC_BUILD/tests/support/scarce.so
    [ -e "$SCARCE" ] || skip "needs a build that can preload"
    LD_PRELOAD=$SCARCE SCARCE_MEMORY=1 SCARCE_MARK=$PWD/failed shmstat >/dev/null 2>&1 || true
    [ -e failed ] || skip "the tools are linked statically"
}

@test "no failing allocation makes a tool lose anything" {
    need_preload
    for_each starve
}

@test "reads and writes that move a byte at a time lose nothing" {
    need_preload
    for_each scarce SCARCE_BYTES 1
}

@test "the parsers and the records bear the corpus" {
    [ -x "$IPC_BUILD/fuzz/replay-parse" ] || skip "needs the harnesses, built by make check"
    "$IPC_BUILD/fuzz/replay-parse" "$IPC_SOURCE"/tests/corpus/parse/*
    "$IPC_BUILD/fuzz/replay-frame" "$IPC_SOURCE"/tests/corpus/frame/*
}
