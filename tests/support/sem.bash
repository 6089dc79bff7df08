# shellcheck shell=bash
# What the tests of the semaphore tools share.

# For teardown.
remove_semaphores() {
    semunlink --quiet --force "$Q" "$Q2" "$Q3" || rm -rf "$(file_of "$Q")"
}

# The file that a semaphore of this build is kept in.
file_of() {
    local pattern
    pattern=$(semstat --version | sed -n 's/.* kept as //p')
    printf '%s\n' "${pattern%NAME}$1"
}

value_of() {
    semstat -H -o value "$1"
}

# has_value NAME VALUE, for eventually.
has_value() {
    [ "$(value_of "$1")" = "$2" ]
}

# plant_each FUNCTION: calls it with each thing under $Q that is no semaphore.
plant_each() {
    local file kind
    file=$(file_of "$Q")
    local kinds="empty short long padded zeros text link semlink fifo directory"
    # With musl, zeros are a semaphore whose value is 0.
    [[ $file == */sem.* ]] || kinds=${kinds/zeros /}
    for kind in $kinds; do
        case $kind in
        empty) : >"$file" ;;
        short) printf 12345 >"$file" ;;
        long) head -c 4096 /dev/zero >"$file" ;;
        padded) semcreate "$Q" 1 && echo >>"$file" ;;
        zeros) head -c 32 /dev/zero >"$file" ;;
        text) printf '%032d' 7 >"$file" ;;
        link) ln -s /etc/passwd "$file" ;;
        semlink) semcreate -i "$Q3" 1 && ln -s "$(file_of "$Q3")" "$file" ;;
        fifo) mkfifo "$file" ;;
        directory) mkdir "$file" ;;
        esac
        "$1" "$kind" || {
            echo "with: $kind"
            rm -rf "$file"
            return 1
        }
        rm -rf "$file"
    done
}
