#!/bin/sh
# With _TIME_BITS=64 and _FORTIFY_SOURCE, ppoll(2) of glibc misreads its time on 32 bits.
#
# Seen with the headers of glibc 2.36 (Debian package libc6-dev-i386 2.36-9) and gcc 12.2, on x86-64
# with -m32, 2026-11-29.
#
# The guess: -D_TIME_BITS=64 makes time_t and struct timespec 64 bits wide, and each function that
# takes one is then the 64-bit function of the library: __pselect64, __ppoll64 and so on.
# The behaviour: with optimization and -D_FORTIFY_SOURCE=2, ppoll() is an inline function of
# bits/poll2.h that calls the symbol ppoll, the function for a timespec of 32 bits. It takes the upper
# half of tv_sec for the nanoseconds: a wait of 20.5 ms has no fraction, and ends at once. pselect()
# is right in both cases. Neither compiler nor linker says anything.
#
# Output seen:
#   plain: __ppoll64
#   fortified: ppoll
#   a wait of 50 ms, plain: 50 ms or more
#   a wait of 50 ms, fortified: less than 50 ms
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.c <<'C'
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec wait = { 0, 50 * 1000 * 1000 }, before, after;
	struct pollfd none = { .fd = -1 };
	double passed;

	clock_gettime(CLOCK_MONOTONIC, &before);
	ppoll(&none, 1, &wait, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	passed = (double)(after.tv_sec - before.tv_sec) * 1e3 +
		 (double)(after.tv_nsec - before.tv_nsec) / 1e6;
	puts(passed < 50 ? "less than 50 ms" : "50 ms or more");
	return 0;
}
C
# unpack PACKAGE=VERSION...: into ./root, with what they need and is missing here; needs no root
unpack() {
	apt-get -s -q install "$@" 2>/dev/null | awk '/^Inst/ { print $2 }' >missing
	[ -s missing ] && xargs apt-get -q download <missing >/dev/null 2>&1 || return 1
	for package in *.deb; do
		dpkg-deb -x "$package" root
	done
}
unpack libc6-dev-i386 lib32gcc-12-dev || mkdir -p root
# The headers of a cross compiler for another 32-bit processor would do as well. -isystem is for a
# system where gcc-multilib does not make the link /usr/include/asm.
machine=$(uname -m)-linux-gnu
lib=$folder/root/usr/lib/gcc/$machine/12/32
compile="gcc -m32 -O2 -isystem root/usr/include -isystem /usr/include/$machine -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64"
link="gcc -m32 -static -B$lib -L$lib -Broot/usr/lib32 -Lroot/usr/lib32"
for kind in plain fortified; do
	level=0
	[ $kind = plain ] || level=2
	$compile -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level -c -o $kind.o program.c 2>errors &&
		$link -o $kind $kind.o 2>errors || { echo "skipped: needs libc6-dev-i386"; exit 0; }
	echo "$kind: $(nm -u $kind.o | grep -o '[_a-z]*ppoll[0-9]*')" >>seen
done
for kind in plain fortified; do
	echo "a wait of 50 ms, $kind: $(./$kind)"
done >>seen
cat seen
diff seen - <<'EXPECTED'
plain: __ppoll64
fortified: ppoll
a wait of 50 ms, plain: 50 ms or more
a wait of 50 ms, fortified: less than 50 ms
EXPECTED
echo "as described"
