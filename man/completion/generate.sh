#!/bin/sh
# generate.sh - writes the completion of all programs for one shell, on standard output.
#
#	generate.sh bash|zsh BIN "SERVICES" "MODELS" PROGRAM...
#
# The options come from PROGRAM -h, which each program prints from the table that getopt_long(3)
# uses. So the completion has exactly the options of the program. Programs with the same options
# share one table. Only what follows the options (operands) is described here.
set -eu

shell=$1 bin=$2 services=$3 models=$4
shift 4

protocols='echo reply discard chargen daytime greet http chat file request'
loads='conversations connections room talk idle bulk work faults'

# The operands of a program, separated by ";": KIND WORD...; a "*" after the last kind repeats it.
operands() {
	case $1 in
	chat | dial) echo 'host;port' ;;
	hostinfo) echo 'host*' ;;
	loadgen) echo "host* $protocols $loads" ;;
	portscan) echo 'host' ;;
	sockcheck) echo "words $(listed_protocols);host;port" ;;
	timeline) echo 'file*' ;;
	versus) echo "words $services;words* $models" ;;
	xfer) echo 'words put get ls;host;file*' ;;
	*) echo none ;;
	esac
}

# The list in the help of sockcheck, so that it cannot differ.
listed_protocols() {
	"$bin/sockcheck" -h | sed -n '/PROTOCOL is one of$/{n;s/,//g;p;}' | xargs
}

# A line for each option: NAMES <tab> KIND <tab> WORDS <tab> TEXT. KIND is "-" without an
# argument; "none" if nothing can be proposed for it.
options() {
	checks=
	[ "$1" != sockcheck ] || checks=$("$bin/sockcheck" --list | awk '/^ *[a-z]/ { print $1 }' | xargs)
	"$bin/$1" -h | awk -v checks="$checks" '
	function words_after_colon(text,    words) {
		if (!match(text, /: /))
			return ""
		text = substr(text, RSTART + 2)
		gsub(/ \([^)]*\)/, "", text)
		sub(/,? separated .*, or /, ", ", text)
		gsub(/,? or /, ", ", text)
		words = ""
		while (match(text, /^[a-z]+(, | \(|$|, separated)/)) {
			words = words (words == "" ? "" : " ") substr(text, 1, match(text, /[^a-z]|$/) - 1)
			if (!sub(/^[a-z]+, /, "", text))
				break
		}
		return words
	}
	function words_with_colon(text,    words) {
		words = ""
		while (match(text, /(^|; )[a-z]+:/)) {
			word = substr(text, RSTART, RLENGTH - 1)
			sub(/^; /, "", word)
			words = words (words == "" ? "" : " ") word
			text = substr(text, RSTART + RLENGTH)
		}
		return words
	}
	function flush(    kind, words, short) {
		if (names == "")
			return
		words = ""
		if (argument == "") kind = "-"
		else if (argument ~ /^(FILE|PATH)$/) kind = "file"
		else if (argument == "DIR") kind = "dir"
		else if (argument == "COMMAND") kind = "command"
		else if (argument ~ /^ADDR/) kind = "host"
		else if (argument == "PORT") kind = "port"
		else if (argument ~ /^NAME.:GROUP/) kind = "user"
		else if (argument == "HOW") {
			kind = "words"
			words = words_with_colon(text)
			if (words == "") words = words_after_colon(text)
		}
		else if (argument == "CHECK") { kind = "words"; words = checks }
		else if (argument ~ /^NAME,/) { kind = "list"; words = checks }
		else if (argument == "NAME") { kind = "words"; words = words_after_colon(text) }
		else if (argument == "LIST") { kind = "list"; words = words_after_colon(text) }
		else kind = "none"
		if ((kind == "words" || kind == "list") && words == "") kind = "none"
		short = text
		sub(/[;:(].*/, "", short)
		sub(/ $/, "", short)
		print names "\t" kind "\t" words "\t" short
		names = ""
	}
	/^  (-.,|    )? ?--?[a-zA-Z0-9]/ {
		flush()
		line = $0
		sub(/^ +/, "", line)
		names = argument = ""
		while (match(line, /^--?[a-zA-Z0-9-]+,? ?/)) {
			name = substr(line, 1, RLENGTH)
			line = substr(line, RLENGTH + 1)
			gsub(/[, ]/, "", name)
			names = names (names == "" ? "" : ",") name
		}
		if (match(line, /^[A-Z][][A-Z.,:]*( |$)/)) {
			argument = substr(line, 1, RLENGTH)
			sub(/ $/, "", argument)
			line = substr(line, RLENGTH + 1)
		}
		sub(/^ +/, "", line)
		text = line
		next
	}
	names != "" && /^ +[^ ]/ {
		sub(/^ +/, "")
		text = text (text == "" ? "" : " ") $0
		next
	}
	END { flush() }'
}

# quoted: a text for a shell, in single quotes.
quoted() {
	printf "'%s'" "$(printf %s "$1" | sed "s/'/'\\\\''/g")"
}

begin_bash() {
	cat <<'END'
# bash completion of sockways: made from the tables of options by generate.sh.

# Sets table (a line "NAMES<tab>KIND<tab>WORDS" for each option) and operands.
_sockways_table()
{
	case $1 in
END
}

case_bash() { # case_bash PATTERN PROGRAM
	printf '\t%s)\n\t\ttable=' "$1"
	quoted "$(options "$2" | cut -f 1-3)"
	printf '\n\t\toperands='
	quoted "$(operands "$2")"
	printf ' ;;\n'
}

end_bash() {
	cat <<'END'
	esac
}

# Proposes values of one kind for the word $current.
_sockways_values() # KIND [WORD...]
{
	local kind=$1 done=
	shift
	case $kind in
	file) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null ;;
	dir) COMPREPLY=($(compgen -d -- "$current")); compopt -o filenames 2>/dev/null ;;
	command) COMPREPLY=($(compgen -c -- "$current" | sort -u)) ;;
	host)
		case $current in
		*/* | .*) _sockways_values file ;; # the path of a UNIX-domain socket
		*) COMPREPLY=($(compgen -A hostname -W "localhost $*" -- "$current" | sort -u)) ;;
		esac ;;
	user) COMPREPLY=($(compgen -u -- "$current")) ;;
	port) COMPREPLY=($(compgen -A service -- "$current")) ;;
	words) COMPREPLY=($(compgen -W "$*" -- "$current")) ;;
	list)
		case $current in *,*) done=${current%,*}, ;; esac
		COMPREPLY=($(compgen -P "$done" -W "$*" -- "${current##*,}"))
		compopt -o nospace 2>/dev/null ;;
	esac
	return 0
}

# Sets value to "KIND WORDS" if the option $1 takes an argument, or else to nothing.
_sockways_argument()
{
	local names kind words
	value=
	while IFS=$'\t' read -r names kind words; do
		case ,$names, in
		*",$1,"*) [ "$kind" = - ] || value="$kind $words" ;;
		esac
	done <<<"$table"
}

_sockways()
{
	local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]##*/}
	local table= operands= value= names kind words all= word index=0 i IFS=$' \t\n'
	COMPREPLY=()
	_sockways_table "$program"
	[ -n "$table" ] || return 0
	[ "$current" != = ] || current=
	# the words before: which option takes the current one, or how many operands there are
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [ "$word" = = ]; then
			continue
		elif [ -n "$value" ]; then
			value=
		elif [ "$word" = -- ]; then
			_sockways_values command
			return 0
		elif [[ $word == -?* ]]; then
			_sockways_argument "$word"
		else
			index=$((index + 1))
		fi
	done
	if [ -n "$value" ]; then
		_sockways_values $value
	elif [[ $current == -* ]]; then
		while IFS=$'\t' read -r names kind words; do
			all+=" ${names//,/ }"
		done <<<"$table"
		_sockways_values words $all
	else
		for ((i = 0; i < index; i++)); do
			case ${operands%%;*} in
			*'*'*) break ;;
			esac
			case $operands in
			*';'*) operands=${operands#*;} ;;
			*) operands=none ;;
			esac
		done
		operands=${operands%%;*}
		set -f
		_sockways_values ${operands/'*'/}
		set +f
	fi
}

END
	printf 'complete -F _sockways'
	printf ' %s' "$@"
	echo
}

begin_zsh() {
	echo "#compdef $*"
	echo '# zsh completion of sockways: made from the tables of options by generate.sh.'
	echo
	printf '_sockways() {\n\tcase ${service:t} in\n'
}

# The action of _arguments for a kind, with its words.
action_zsh() { # action_zsh KIND WORDS
	case $1 in
	file) echo _files ;;
	dir) echo '_files -/' ;;
	command) echo _cmdstring ;;
	# the space: _arguments adds no options of its own, which _alternative does not know
	host) echo " _alternative ${2:+\"words:word:($2)\" }\"hosts:host:_hosts\" \"sockets:socket:_files\"" ;;
	user) echo _users ;;
	port) echo _ports ;;
	words) echo "($2)" ;;
	list) echo "_values -s , name $2" ;;
	*) echo ' ' ;;
	esac
}

# After -- comes a command: that of a server.
command_zsh() {
	cat <<'END'
		local dashes=${words[(i)--]}
		if ((dashes < CURRENT)); then
			shift $dashes words
			((CURRENT -= dashes))
			_normal
			return
		fi
END
}

case_zsh() { # case_zsh PATTERN PROGRAM
	printf '\t%s)\n' "$1"
	[ "$2" != sockcheck ] || command_zsh
	printf '\t\t_arguments -s -S'
	options "$2" | tr '\t' '\001' | while IFS=$(printf '\001') read -r names kind words text; do
		text=$(printf %s "$text" | tr '[]' '()')
		# a colon would begin another value of the option
		action=$(action_zsh "$kind" "$words" | sed 's/:/\\:/g')
		for name in $(echo "$names" | tr , ' '); do
			case $kind,$name in
			-,*) spec="*$name[$text]" ;;
			*,--*) spec="*$name=[$text]:value:$action" ;;
			*) spec="*$name+[$text]:value:$action" ;;
			esac
			printf ' \\\n\t\t\t%s' "$(quoted "$spec")"
		done
	done
	operands "$2" | tr ';' '\n' | while read -r kind words; do
		case $kind in
		none) continue ;;
		*'*') spec="*:operand:$(action_zsh "${kind%?}" "$words")" ;;
		*) spec=":operand:$(action_zsh "$kind" "$words")" ;;
		esac
		printf ' \\\n\t\t\t%s' "$(quoted "$spec")"
	done
	printf ' ;;\n'
}

end_zsh() {
	printf '\tesac\n}\n\n_sockways "$@"\n'
}

# Programs whose help has the same options share a case.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for program; do
	key=$({ options "$program"; operands "$program"; } | cksum | tr ' ' _)
	echo "$program" >>"$work/$key"
done
"begin_$shell" "$@"
for group in "$work"/*; do
	pattern=$(tr '\n' '|' <"$group")
	"case_$shell" "${pattern%|}" "$(head -n 1 "$group")"
done
"end_$shell" "$@"
