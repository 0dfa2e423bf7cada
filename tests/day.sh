#!/usr/bin/env bash
# A day in the life of servers behind a proxy: haproxy with TLS and the PROXY header in front of
# four httpd-epoll, chatd-thread and filed-fork, each in its sandbox, under load, while servers are
# restarted and killed, and clients reset their connections and stall.
#
#	tests/day.sh [SECONDS [BIN]]	(default: 600 bin)
#
# Nothing may be lost: each request of HTTP is answered, each line of the chat arrives in each
# client in its order, each file comes back as it was sent. Nothing may grow: after the load each
# server has the descriptors, threads and processes that it had before. The memory is printed, and
# may be at most twice what it was in the first seconds of the load. Exit status 0 if all this
# is true. `make check-all` runs it for a minute.
#
# Needs haproxy, openssl, curl, wrk and the ports 18000 to 18099 of the loopback address. Run it as
# an ordinary user.
set -u
seconds=${1:-600}
bin=$(cd "${2:-bin}" && pwd) || exit
lacking=$(for tool in haproxy openssl curl wrk; do command -v $tool >/dev/null || echo $tool; done)
if [ -n "$lacking" ]; then
	echo "skipped: needs" $lacking
	exit 0
fi

folder=$(mktemp -d) || exit
cd "$folder" || exit
mkdir store site
echo 'Hello, World!' >site/index.html
head -c 3000000 /dev/urandom >site/large
declare -A server restarts # by name: the process, and the number of restarts

failed() {
	echo "FAILED: $*" | tee -a failures
}

# until_true COMMAND...: tries for 20 seconds
until_true() {
	local tries=0
	until "$@"; do
		sleep 0.1
		tries=$((tries + 1))
		[ $tries -lt 200 ] || return 1
	done
}

# start NAME PROGRAM OPTION...: a new instance takes the listening socket of the old one
start() {
	local name=$1 program=$2
	shift 2
	"$bin/$program" --proxy-protocol --hand-over "./$name.control" "$@" >/dev/null 2>>"$name.log" &
	server[$name]=$!
	until_true grep -q "listening on .*" "$name.log" || failed "$name does not start"
	sed '/: listening on /d; /: served /d' "$name.log" >>"$name.says"
	: >"$name.log"
}

declare -A port=([web1]=18001 [web2]=18002 [web3]=18003 [web4]=18004 [chat]=18010 [files]=18020)

start_named() {
	case $1 in
	web?) start "$1" httpd-epoll -p "${port[$1]}" -r site ;;
	chat) start chat chatd-thread -p "${port[chat]}" -R 0 ;;
	files) start files filed-fork -p "${port[files]}" -r store -w ;;
	esac
}

has_ended() {
	! kill -0 "$1" 2>/dev/null
}

# The old instance ends after its clients; the next request goes to the new one.
restart() {
	local old=${server[$1]}
	start_named "$1"
	restarts[$1]=$((${restarts[$1]:-0} + 1))
	until_true has_ended "$old" || failed "$1: the old instance does not end"
	wait "$old" || failed "$1: the old instance ended with status $?"
}

crash() {
	kill -9 "${server[$1]}"
	wait "${server[$1]}" 2>/dev/null
	start_named "$1"
}

# figures NAME: descriptors, threads, children and resident KiB of a server
figures() {
	local pid=${server[$1]}
	printf '%s %d %d %d %d\n' "$1" "$(ls "/proc/$pid/fd" | wc -l)" \
		"$(ls "/proc/$pid/task" | wc -l)" "$(pgrep -c -P "$pid")" \
		"$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")"
}

all_figures() {
	for name in web1 web2 web3 web4 chat files; do
		figures $name
	done
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
	-subj /CN=localhost -addext subjectAltName=DNS:localhost \
	-keyout key.pem -out cert.pem 2>/dev/null
cat key.pem cert.pem >both.pem
cat >haproxy.cfg <<END
global
	maxconn 2000
defaults
	mode http
	timeout connect 5s
	timeout client 60s
	timeout server 60s
	retries 5
	option redispatch
	retry-on conn-failure empty-response
	default-server inter 200ms
# Any of the four may be killed: haproxy repeats a request that got no reply.
frontend web
	bind 127.0.0.1:18080 ssl crt both.pem
	bind 127.0.0.1:18081
	default_backend any
backend any
	server web1 127.0.0.1:18001 send-proxy-v2 check
	server web2 127.0.0.1:18002 send-proxy-v2 check
	server web3 127.0.0.1:18003 send-proxy-v2 check
	server web4 127.0.0.1:18004 send-proxy-v2 check
# A large file is lost with its server: these two are restarted, and not killed.
frontend large
	bind 127.0.0.1:18082 ssl crt both.pem
	default_backend kept
backend kept
	server web3 127.0.0.1:18003 send-proxy-v2
	server web4 127.0.0.1:18004 send-proxy-v2
listen chats
	mode tcp
	bind 127.0.0.1:18090 ssl crt both.pem
	bind 127.0.0.1:18091
	server chat 127.0.0.1:18010 send-proxy-v2
listen files
	mode tcp
	bind 127.0.0.1:18092 ssl crt both.pem
	server files 127.0.0.1:18020 send-proxy-v2
END

tls() { # tls PORT: a command for --through
	echo "openssl s_client -quiet -verify_quiet -verify_return_error -CAfile cert.pem" \
		"-verify_hostname localhost -connect localhost:$1 2>/dev/null"
}

# ---- the loads -----------------------------------------------------------------------------

load_web() { # any error or status but 200 is printed by wrk
	wrk -t 1 -c 16 -d "$seconds" https://127.0.0.1:18080/ >wrk.out 2>&1
	grep -q '^ *[0-9]* requests in' wrk.out || failed "wrk: $(cat wrk.out)"
	grep -E 'Socket errors|Non-2xx' wrk.out | while read -r line; do failed "wrk: $line"; done
}

load_large() {
	local count=0
	while [ $SECONDS -lt $end ]; do
		if curl -s --cacert cert.pem https://localhost:18082/large | cmp -s - site/large; then
			count=$((count + 1))
		else
			failed 'curl: the large file is not what was sent'
		fi
	done
	echo "large files: $count"
}

load_files() {
	local count=0
	while [ $SECONDS -lt $end ]; do
		head -c $((RANDOM * 100 + 1)) /dev/urandom >sent
		rm -f got/sent
		"$bin/xfer" -q --retries 50 --retry-delay 0.2 --through "$(tls 18092)" -p 18092 \
			put localhost sent || failed "put: status $?"
		"$bin/xfer" -q --retries 50 --retry-delay 0.2 --through "$(tls 18092)" -p 18092 \
			-o got get localhost sent || failed "get: status $?"
		cmp -s sent got/sent || failed 'a file is not what was sent'
		count=$((count + 1))
	done
	echo "files there and back: $count"
}

# One client posts a number each tenth of a second; four read. Who reads stays until the end.
load_chat() {
	local number=0
	for reader in 1 2 3 4; do
		sleep $((seconds + 15)) |
			"$bin/chat" --through "$(tls 18090)" localhost 18090 >heard$reader 2>&1 &
	done
	sleep 3
	{
		while [ $SECONDS -lt $end ]; do
			number=$((number + 1))
			echo "number $number"
			sleep 0.1
		done
		echo "number last"
		sleep 2
		echo /quit
	} | "$bin/chat" --through "$(tls 18090)" localhost 18090 >posted 2>&1
	wait
	number=$(grep -c 'number [0-9]' heard1)
	for reader in 1 2 3 4; do
		grep -o 'number [0-9]*$' heard$reader >numbers$reader
		seq -f 'number %.0f' "$number" | cmp -s - numbers$reader ||
			failed "chat: reader $reader did not get each line in its order"
		grep -q 'number last' heard$reader || failed "chat: reader $reader did not get the last line"
	done
	echo "lines of the chat, to each of 4 clients: $number"
}

load_faults() { # clients that reset, stall, never read, beside honest ones
	while [ $SECONDS -lt $end ]; do
		"$bin/loadgen" -q -d 4 --faults reset=3,stall=3,unread=2,half-close=2 http faults \
			127.0.0.1 18081 >>faults.out 2>&1
		"$bin/loadgen" -q -d 2 chat idle 127.0.0.1 18091 >>faults.out 2>&1
	done
}

# ---- the day ---------------------------------------------------------------------------------

trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
mkdir got
for name in web1 web2 web3 web4 chat files; do
	start_named $name
done
haproxy -q -f haproxy.cfg &
until_true curl -s -o hello --cacert cert.pem https://localhost:18080/ || failed 'haproxy does not start'
all_figures >before
end=$((SECONDS + seconds))

load_web & loads=$!
for load in load_large load_files load_chat load_faults; do
	$load >>results &
	loads="$loads $!"
done
turn=0
while [ $SECONDS -lt $((end - 5)) ]; do
	sleep 2
	case $((turn % 5)) in
	0) restart web$((turn / 5 % 4 + 1)) ;;
	1) crash web$((turn / 5 % 2 + 1)) ;;
	2) restart files ;;
	3) pkill -9 -o -P "${server[files]}" && echo killed >>children ;;
	4) [ -e early ] || all_figures >early ;;
	esac
	turn=$((turn + 1))
done
wait $loads
# haproxy keeps idle connections to the servers for some seconds
is_as_before() {
	all_figures >after
	while read -r name fds threads children memory; do
		set -- $(grep "^$name " after)
		[ "$2" -le "$fds" ] && [ "$3" -le "$threads" ] && [ "$4" -le "$children" ] ||
			return 1
	done <before
}
until_true is_as_before || failed 'a server has more descriptors, threads or processes than before'

cat results
grep 'requests in' wrk.out
echo "restarts: $(for name in "${!restarts[@]}"; do printf '%s %d, ' "$name" "${restarts[$name]}"; done)turns $turn," \
	"children of filed killed: $(wc -l <children 2>/dev/null || echo 0)"
echo 'server: descriptors, threads, children, resident KiB; before, in the load, after'
join before early | join - after
while read -r name fds threads children memory; do
	set -- $(grep "^$name " after)
	[ "$5" -le $((memory * 2)) ] || failed "$name has $5 KiB, and had $memory"
done <early
for name in web1 web2 web3 web4 chat files; do
	kill "${server[$name]}"
	wait "${server[$name]}" || failed "$name: ended with status $?"
	sed '/: listening on /d; /: served /d' $name.log >>$name.says
	if [ -s $name.says ]; then
		echo "$name says:"
		sed 's/[0-9][0-9]*/N/g' $name.says | sort | uniq -c | sort -rn | head -5
	fi
done
[ ! -e failures ]
