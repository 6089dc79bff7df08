# Completion of the ipcutils for fish. Installed under the name of each tool;
# what there is to complete comes from the tool itself: the options and the kind
# of each operand from --help, live names from the *stat tools.

# The names that a COMMAND writes, NUL-terminated, without their slash unless
# the word being completed has one.
function __ipcutils_names
    set -l names ($argv --null --quiet 2>/dev/null | string split0)
    if string match -q '/*' -- (commandline -ct)
        printf '%s\n' $names
    else
        string replace -r '^/' '' -- $names
    end
end

# Completes what stands in a TOOL's --help as WORD.
function __ipcutils_word -a tool word
    switch $word
        case '*QUEUE*'
            __ipcutils_names mqstat
        case '*FIFO*'
            for file in (commandline -ct)*
                test -p $file -o -d $file; and echo $file
            end
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
        case FILE
            __fish_complete_path (commandline -ct)
    end
end

# Completes the operand of a TOOL at the cursor. VALUED are its options that take
# an argument, OPERANDS its operands.
function __ipcutils_operand -a tool valued operands
    set -l kinds (string split ' ' -- $operands)
    set -l words (commandline -opc)
    set -l place 1
    set -l skip no
    for i in (seq 2 (count $words))
        if test $skip = yes
            set skip no
        else if string match -q -- '-?*' $words[$i]; and begin
                test $place -eq 1; or not string match -qr 'MESSAGE|DATA|COMMAND' -- $operands
            end
            contains -- $words[$i] (string split ' ' -- $valued); and set skip yes
        else if test $kinds[$place] = COMMAND
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
        set -l parts (string match -r '^ +(?:-(.), )?--([a-z-]+)(\[?=[^ ]+)?(?:  +(.*))?' -- $row)
        set -l options -l $parts[3]
        test -n "$parts[2]"; and set -a options -s $parts[2]
        if string match -q '=*' -- "$parts[4]"
            set -a options -x -a "(__ipcutils_word $tool $(string sub -s 2 -- $parts[4]))"
            set -a valued --$parts[3]
            test -n "$parts[2]"; and set -a valued -$parts[2]
        end
        complete -c $tool -f $options -d "$parts[5]"
    end
    complete -c $tool -f -a "(__ipcutils_operand $tool '$valued' '$operands')"
end

__ipcutils_complete (string replace -r '.*/(.*)\.fish$' '$1' -- (status filename))
