# shellcheck shell=sh
#
# For bench/run: the most memory that each tool that streams has resident, for
# a small input and a large one. The kernel counts pages for each processor
# apart, some dozens at a time: a difference of some hundred KiB is none.
# Whatever fails, its partner gives up after a minute.

# input MIB: that much, in lines of 8192 bytes with their newline.
input() {
    lines $(($1 * 128)) 8191
}

# measure_TOOL MIB: adds a line to the file peak.
measure_mqsend() {
    mqrecv -t 60 -N $(($1 * 128)) "$queue" >/dev/null &
    input "$1" | peak peak mqsend -t 60 "$queue"
    wait
}

measure_mqrecv() {
    input "$1" | mqsend -t 60 "$queue" &
    peak peak mqrecv -t 60 -N $(($1 * 128)) "$queue" >/dev/null
    wait
}

measure_mqrun() {
    input "$1" | mqsend -t 60 "$queue" &
    peak peak mqrun -t 60 -N $(($1 * 128)) "$queue" true
    wait
}

measure_msgsend() {
    msgsend -c "$key" </dev/null
    msgrecv -t 60 -N $(($1 * 128)) "$key" >/dev/null &
    input "$1" | peak peak msgsend -t 60 "$key"
    wait
}

measure_msgrecv() {
    msgsend -c "$key" </dev/null
    input "$1" | msgsend -t 60 "$key" &
    peak peak msgrecv -t 60 -N $(($1 * 128)) "$key" >/dev/null
    wait
}

measure_mkfifo_send() {
    mkfifo-recv -t 60 fifo >/dev/null &
    input "$1" | peak peak mkfifo-send -t 60 fifo
    wait
}

measure_mkfifo_recv() {
    input "$1" | mkfifo-send -t 60 fifo &
    peak peak mkfifo-recv -t 60 fifo >/dev/null
    wait
}

measure_shmput() {
    input "$1" | peak peak shmput "$object"
    shmunlink "$object"
}

measure_shmget() {
    input "$1" | shmput "$object"
    peak peak shmget "$object" | cat >/dev/null
    shmunlink "$object"
}

show_memory() {
    if [ "$json" ]; then
        printf '{"tool":"%s","input_mib":[%s,%s],"peak_kib":[%s,%s]}\n' "$@"
    else
        printf '| %-11s | %5d MiB: %6d KiB | %5d MiB: %6d KiB |\n' "$1" "$2" "$4" "$3" "$5"
    fi
}

memory() {
    little=$(pick 10 1)
    free=$(($(df -P -m /dev/shm | awk 'NR == 2 { print $4 }') * 3 / 4))
    for tool in mqsend mqrecv msgsend msgrecv mkfifo-send mkfifo-recv shmput shmget mqrun; do
        large=$(pick 10240 10)
        case $tool in
        shm*) [ "$large" -le "$free" ] || large=$free ;;
        mqrun) large=$(pick 100 2) ;; # a process for each message
        esac
        rm -f peak
        for mib in "$little" "$large"; do
            "measure_$(echo "$tool" | tr - _)" "$mib"
        done
        show_memory "$tool" "$little" "$large" "$(sed -n 1p peak)" "$(sed -n 2p peak)"
    done
}
