# shellcheck shell=sh
#
# For bench/run: what a message or an object costs as everything else grows,
# beside the bare system calls or another tool. One file of data for each
# series: a value, nanoseconds of ours, nanoseconds of theirs (- for none).

# point SERIES VALUE COUNT TIMES [OURS THEIRS]: a line of the data, from lines of
# alternate(1); OURS and THEIRS are seconds that are not of the COUNT.
point() {
    echo "$4" | awk -v value="$2" -v count="$3" -v ours="${5:-0}" -v theirs="${6:-0}" '
        { cost[NR] = sprintf("%.0f", ($1 - (NR == 1 ? ours : theirs)) * 1e9 / count) }
        END { print value, cost[1], (NR > 1 ? cost[2] : "-") }' >>"$1"
}

first_of() {
    echo "$1" | sed -n "${2}s/ .*//p"
}

# draw SERIES OURS THEIRS TITLE: the data as text, or as JSON; as SVG where gnuplot is.
draw() {
    if [ "$json" ]; then
        awk -v series="$1" -v ours="$2" -v theirs="$3" '{
            printf "{\"scaling\":\"%s\",\"value\":%s,\"tool\":\"%s\",\"nanoseconds\":%s", series, $1, ours, $2
            if ($3 != "-")
                printf ",\"against\":\"%s\",\"against_nanoseconds\":%s", theirs, $3
            print "}"
        }' "$1"
    else
        echo "$4"
        awk -v ours="$2" -v theirs="$3" '
            function bar(value, mark,    text, n) {
                for (n = value * 40 / most; n >= 0.5; n--)
                    text = text mark
                return text
            }
            { x[NR] = $1; a[NR] = $2; b[NR] = $3
              if ($2 + 0 > most) most = $2 + 0
              if ($3 + 0 > most) most = $3 + 0 }
            END {
                for (i = 1; i <= NR; i++) {
                    printf "%8s %9s ns %s %s\n", x[i], a[i], bar(a[i], "#"), i == 1 ? ours : ""
                    if (b[i] != "-")
                        printf "%8s %9s ns %s %s\n", "", b[i], bar(b[i], "-"), i == 1 ? theirs : ""
                }
                print ""
            }' "$1"
    fi
    draw_svg "$@"
}

draw_svg() {
    has gnuplot || return 0
    # The title may hold several lines; the first says it all.
    gnuplot - >&2 <<END_OF_PLOT
set terminal svg size 640,400
set output "$build/bench/$1.svg"
set title "$(echo "$4" | head -n 1)"
set xlabel "$(echo "$1" | tr - ' ')"
set ylabel "nanoseconds"
set yrange [0:]
set key bottom
plot "$1" using 0:2:xtic(1) with linespoints title "$2"$([ "$3" = none ] ||
        echo ", \"$1\" using 0:3 with linespoints title \"$3\"")
END_OF_PLOT
    [ "$json" ] || printf 'drawn: %s\n\n' "$build/bench/$1.svg"
}

message_size() {
    for length in 0 28 128 512 1024 2048 4096 8192; do
        count=$(pick $((length > 1024 ? 50000 : 200000)) 500)
        lines "$count" "$length" >lines
        times=$(alternate "$rounds" \
            sh -c "mqrecv -N $count $queue >/dev/null & mqsend $queue <lines; wait" :: \
            mq-bare "$count" "$length" 10 1)
        point message-size "$length" "$count" "$times"
    done
    draw message-size "mqsend to mqrecv" "bare mq_send, mq_receive" \
        "A message, by its size in bytes, in a queue of 10.
Beyond a fixed part each byte costs: the bare calls copy it twice, the tools also
read it, frame it and write it. Above 2048 bytes each message is a write of its own."
}

queue_depth() {
    for depth in 1 2 3 5 8 10; do
        count=$(pick 50000 500)
        lines "$count" 28 >lines
        mqunlink -q -f "$queue"
        mqcreate -M "$depth" -s 8192 "$queue"
        times=$(alternate "$rounds" \
            sh -c "mqrecv -N $count $queue >/dev/null & mqsend $queue <lines; wait" :: \
            mq-bare "$count" 28 "$depth" 1)
        point queue-depth "$depth" "$count" "$times"
    done
    draw queue-depth "mqsend to mqrecv" "bare mq_send, mq_receive" \
        "A message of 28 bytes, by the depth of its queue.
Each time that the queue fills or empties, a process sleeps and another wakes:
the deeper the queue, the more messages share that."
}

receivers() {
    for many in 1 2 4 8 16; do
        count=$(pick 160000 800)
        lines "$count" 28 >lines
        times=$(alternate "$rounds" \
            sh -c "i=0; while [ \$i -lt $many ]; do mqrecv -N $((count / many)) $queue >/dev/null & i=\$((i + 1)); done; mqsend $queue <lines; wait" :: \
            mq-bare "$count" 28 10 "$many")
        point receivers "$many" "$count" "$times"
    done
    draw receivers "mqsend to mqrecv" "bare mq_send, mq_receive" \
        "A message of 28 bytes, by the number of its receivers.
A message wakes one process that sleeps in mq_receive, but each that sleeps in
poll(2): mqrecv has to poll, to see signals, deadlines and the end of its output
without ever holding a message that they could cost. Beyond some receivers for
each processor those wake-ups are most of the work. Ours also includes the start
of that many processes."
}

objects() {
    none=$(alternate $((rounds * 5)) shmstat :: ls -l /dev/shm)
    for many in 10 100 1000 10000; do
        [ "$many" -le "$(pick 10000 100)" ] || continue
        make_objects "$many"
        times=$(alternate $((many < 1000 ? rounds * 5 : rounds)) shmstat :: ls -l /dev/shm)
        point objects "$many" "$many" "$times" "$(first_of "$none" 1)" "$(first_of "$none" 2)"
    done
    find /dev/shm -maxdepth 1 -name "$object*" -delete
    draw objects shmstat "ls -l /dev/shm" \
        "A shared memory object, by how many there are; the time without any taken off.
Ten take so little longer than none that their figure is noise, of either sign."
}

queues() {
    none=$(alternate $((rounds * 5)) mqstat)
    made=0
    for many in 10 50 100 250; do
        [ "$many" -le "$(pick 250 10)" ] || continue
        while [ "$made" -lt "$many" ]; do
            if ! mqcreate -M 1 -s 1 "$queue.$made"; then
                left_out "$many queues"
                break 2
            fi
            many_queues="$many_queues $made"
            made=$((made + 1))
        done
        times=$(alternate $((rounds * 5)) mqstat)
        point queues "$many" "$many" "$times" "$(first_of "$none" 1)"
    done
    [ ! -s queues ] || draw queues mqstat none \
        "A queue, by how many there are; the time without any taken off.
What is the same for any number, as a mount to read them by, shows where they are few."
}

scaling() {
    show_machine
    message_size
    queue_depth
    receivers
    objects
    queues
}
