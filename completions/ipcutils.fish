# Completion of the ipcutils for fish. Installed under the name of each tool;
# what there is to complete comes from the tool itself: the options and the kind
# of each operand from --help, live names from the *stat tools.

# The names that a COMMAND writes, NUL-terminated, without their slash unless
# the word being completed has one, or they would look like options. Those with a
# TAB or a newline, which end what is offered, are left out.
function __ipcutils_names
    set -l names ($argv --null --quiet 2>/dev/null | string split0)
    set names (string match -rv '[\t\n]' -- $names)
    if string match -qr '^(--[a-z-]+=|-[A-Za-z0-9]+)?["\']?/' -- (commandline -ct)
        printf '%s\n' $names
    else
        string replace -r '^/(?!-)' '' -- $names
    end
end

# The FIFOs, and the directories, that the word being completed may become.
function __ipcutils_fifos
    for file in (complete -C "__ipcutils_no_such_command $(commandline -ct)")
        set -l path (string replace -r '^~/' "$HOME/" -- $file)
        if set -l variable (string match -r '^\$(\w+)(/.*)' -- $file)
            set path $$variable[2]$variable[3]
        end
        test -p $path -o -d $path; and echo $file
    end
end

# Completes what stands in a TOOL's --help as WORD.
function __ipcutils_word -a tool word
    switch $word
        case '*QUEUE*'
            __ipcutils_names mqstat
        case '*FIFO*'
            __ipcutils_fifos
        case '*KEY*'
            test -r /proc/sysvipc/msg; and awk 'NR > 1 { print "id:" $2 }' /proc/sysvipc/msg
        case '*NAME*'
            if string match -q 'sem*' -- $tool
                __ipcutils_names semstat
            else
                __ipcutils_names shmstat
            end
        case USER
            __fish_complete_users
        case GROUP
            __fish_complete_groups
    end
end

# Completes the operand of a TOOL at the cursor. VALUED are its options that take
# an argument, OPERANDS its operands.
function __ipcutils_operand -a tool valued operands
    set -l kinds (string split ' ' -- $operands)
    set -l words (commandline -opc)
    set -l place 1
    set -l skip no
    set -l separator ::
    for i in (seq 2 (count $words))
        if test $skip = yes
            set skip no
            test $words[(math $i - 1)] = --separator; and set separator $words[$i]
        else if string match -q -- '-?*' $words[$i]; and begin
                test $place -eq 1; or not string match -qr 'MESSAGE|DATA|COMMAND' -- $operands
            end
            contains -- $words[$i] (string split ' ' -- $valued); and set skip yes
            string match -q -- '--separator=*' $words[$i]
            and set separator (string replace -- --separator= '' $words[$i])
        else if test $kinds[$place] = COMMAND
            # Where there may be several, it is the last.
            if contains -- :: $kinds
                for j in (seq $i (count $words))
                    test $words[$j] = $separator; and set i (math $j + 1)
                end
            end
            __fish_complete_subcommand --fcs-skip=(math $i - 1)
            return
        else if test $place -lt (count $kinds)
            set place (math $place + 1)
        end
    end
    if test $kinds[$place] = COMMAND
        __fish_complete_subcommand --fcs-skip=(count $words)
    else
        __ipcutils_word $tool $kinds[$place]
    end
end

function __ipcutils_complete -a tool
    set -l help ($tool --help 2>/dev/null)
    set -l operands (string replace -r '^Usage: \S+ \[OPTION\]\.\.\. ' '' -- $help[1])
    set -l valued
    for row in (string match -r '^ +-.*' -- $help)
        # Each group matches, if only nothing: those that do not are left out.
        set -l parts (string match -r '^ +((?:-., )?)--([a-z-]+)((?:\[?=[^ ]+)?) *(.*)' -- $row)
        set -l letter (string sub -s 2 -l 1 -- $parts[2])
        set -l options -l $parts[3]
        test -n "$letter"; and set -a options -s $letter
        if string match -q '=*' -- $parts[4]
            set -l word (string sub -s 2 -- $parts[4])
            set -a options -r
            if test $word = FILE
                set -a options -F
            else
                set -a options -a "(__ipcutils_word $tool $word)"
            end
            set -a valued --$parts[3]
            test -n "$letter"; and set -a valued -$letter
        end
        contains -- -F $options; or set -a options -f
        complete -c $tool $options -d "$parts[5]"
    end
    complete -c $tool -f -a "(__ipcutils_operand $tool '$valued' '$operands')"
end

__ipcutils_complete (string replace -r '.*/(.*)\.fish$' '$1' -- (status filename))
