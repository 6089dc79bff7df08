# lists.zsh DIRECTORY LINE: what an interactive zsh lists as completions of LINE,
# with the completions of DIRECTORY.
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -Uz compinit && compinit -u -D"
# Ctrl-D lists, shows it, and then says so. (The marks are put together by the
# shell, so that their echo is not taken for them.)
zpty -w shell 'list() { zle list-choices; zle -R; print "DO""NE" >$TTY }; zle -N list; bindkey "^D" list'
zpty -w shell 'LISTMAX=9999; stty cols 200; unsetopt beep; PS1=REA"DY"'
# The editor has the terminal once it shows its prompt, not before.
zpty -r shell line '*READY'

zpty -n -w shell $2$'\C-d'
while zpty -r shell line && [[ $line != *DONE* ]]; do
    print -r -- ${line%%$'\r'*}
done
zpty -w shell $'\C-uexit'
