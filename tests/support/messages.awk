# What the tools may say: each call of fail, die, usage_error, note and remark in
# the sources, as "STATUS<TAB>MESSAGE<TAB>FILE:LINE". A status that is computed is
# shown as it is in the source; - is none (a note; with -v, a remark).
#
#     awk -f tests/support/messages.awk src/*/*.c

# The statuses by name, from the one table.
BEGIN {
    header = ENVIRON["IPC_SOURCE"] "/src/lib/report.h"
    while ((getline line < header) > 0)
        if (line ~ /^    STATUS_[A-Z_]+ = [0-9]+/) {
            split(line, words, /[ ,=]+/)
            number[words[2]] = words[3]
        }
}

FNR == 1 { inside = 0 }

# From the name of the call to its last semicolon, on one line.
!inside && /(^|[^a-z_])(fail|die|usage_error|note|remark)\(/ && !/^[a-z_].*[a-z*] *\**(fail|die|usage_error|note|remark)\(/ {
    inside = 1
    text = ""
    place = FILENAME ":" FNR
    sub(/.*[^a-z_](fail|die|usage_error|note|remark)\(/, "&")
}

inside {
    line = $0
    sub(/^ +/, "", line)
    text = text (text == "" ? "" : " ") line
    if (line ~ /;$/) {
        show()
        inside = 0
    }
}

function show(    call, status, rest, message, depth, i, c) {
    match(text, /(^|[^a-z_])(fail|die|usage_error|note|remark)\(/)
    call = substr(text, RSTART, RLENGTH - 1)
    sub(/^[^a-z]/, "", call)
    rest = substr(text, RSTART + RLENGTH)
    status = call == "usage_error" ? "STATUS_USAGE" : "-"
    if (call == "fail" || call == "die") {
        # Up to the comma that no parenthesis holds.
        for (i = 1; i <= length(rest); i++) {
            c = substr(rest, i, 1)
            depth += (c == "(") - (c == ")")
            if (c == "," && depth == 0)
                break
        }
        status = substr(rest, 1, i - 1)
        sub(/^ +/, "", status)
        rest = substr(rest, i + 1)
    }
    if (status in number)
        status = number[status]
    # The string literals; two of them side by side are one.
    gsub(/" +"/, "", rest)
    message = ""
    while (match(rest, /"([^"\\]|\\.)*"/)) {
        message = message (message == "" ? "" : " | ") substr(rest, RSTART + 1, RLENGTH - 2)
        rest = substr(rest, RSTART + RLENGTH)
    }
    if (message != "")
        printf "%s\t%s%s\t%s\n", status, call == "remark" ? "-v: " : "", message, place
}
