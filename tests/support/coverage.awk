# From what gcov says: the lines covered of each file, and of all.
/^File / { file = $2; gsub(/'/, "", file); sub(/.*src\//, "src/", file) }
/^Lines executed:/ && file != "" {
    split($2, part, /[:%]/)
    if (file ~ /\.[ch]$/) {
        printf "%6.1f %% of %4d  %s\n", part[2], $4, file
        covered += part[2] * $4 / 100
        lines += $4
    }
    file = ""
}
END { if (lines) printf "%6.1f %% of %4d  in total\n", 100 * covered / lines, lines }
